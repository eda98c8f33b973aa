"""Aggregates over time on the workers of a Dask cluster: some windows and assets a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.compute import Handle, Pool, pool_of
from twinlab.compute.pool import Call
from twinlab.events.kpis.over_time.aggregates import Folded
from twinlab.events.kpis.over_time.results import Results, ResultsHere, TimeInput, signals_in
from twinlab.events.kpis.over_time.rollups import FromRollups
from twinlab.events.kpis.windows import Windows

if TYPE_CHECKING:
    from distributed import Client

    from twinlab.model.reader import TwinReader

__all__ = ["results_on"]

#: Windows times assets whose rollups a task reads: eight statistics of one are 64 bytes, of the stored step 24 times that.
_ROLLUP_WINDOWS = 2**16


@contextmanager
def results_on(client: Client | None, twin: TwinReader) -> Iterator[Results]:
    """Yield what computes parts of aggregates: this thread, or a Dask cluster whose workers open the twin."""
    if client is None:
        yield ResultsHere(twin)
        return
    handle = Handle.of(twin)
    with pool_of(client, handle=handle) as pool:
        yield _ResultsThere(twin, pool, pool.share(handle))


@dataclass(frozen=True)
class _ResultsThere:
    twin: TwinReader
    pool: Pool
    handle: Any

    def rollups(self, given: TimeInput, parts: Iterable[Windows]) -> Iterator[FromRollups | None]:
        # Workers record no reads: a twin with personal data records this one.
        self.twin.history(given.asset_type, signals=signals_in(given.aggregates))
        shared = self.pool.share(given)
        calls = (Call(_rollups, (self.handle, shared, one), _place(given, one)) for one in parts)
        return self.pool.in_order(calls)

    def cells(self, given: TimeInput, parts: Iterable[tuple[Windows, int, int]]) -> Iterator[list[Folded]]:
        shared = self.pool.share(given)
        calls = (
            Call(_cells, (self.handle, shared, *one), f"{_place(given, one[0])}, {one[2] - one[1]} assets")
            for one in parts
        )
        return self.pool.in_order(calls)

    def divided(self, windows: Windows, assets: int) -> list[Windows]:
        size = max(1, _ROLLUP_WINDOWS // max(1, assets))
        return [
            Windows(windows.edges[first : first + size + 1], windows.width_ns) for first in range(0, len(windows), size)
        ]


def _place(given: TimeInput, windows: Windows) -> str:
    low, stop = (np.datetime64(int(one), "ns").astype("datetime64[m]") for one in windows.edges[[0, -1]])
    return f"{given.asset_type}, {low} to {stop}"


def _rollups(handle: Handle, given: TimeInput, windows: Windows) -> FromRollups | None:
    return given.rollups(handle.open(), windows)


def _cells(handle: Handle, given: TimeInput, windows: Windows, first: int, stop: int) -> list[Folded]:
    return given.cells(handle.open(), windows, first, stop)
