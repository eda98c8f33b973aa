"""A search on the workers of a Dask cluster: some neighbouring assets and whole months a task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from twinlab.compute import Handle, Pool, pool_of
from twinlab.compute.pool import Call
from twinlab.events.algebra.spans import Spans, merged, together
from twinlab.events.finding.cells import CellSource, TwinCells
from twinlab.events.finding.search import true_spans
from twinlab.model.expressions import bound

if TYPE_CHECKING:
    from distributed import Client

    from twinlab.model.reader import TwinReader

__all__ = ["SpanSearch", "month_edges", "search_on", "tile_neighbours"]

Integers = NDArray[np.int64]

#: Cells of a signal that a task searches: at most, and at least where the assets and months are enough. The latter take 50 ms where
#: nothing can be left out; a worker reads no more than 4 million of them at once.
_MOST_CELLS, _LEAST_CELLS = 2**26, 2**22
#: Tasks of that size that each thread of the cluster gets at least.
_TASKS_EACH = 4
#: Neighbouring assets that are in the same stored objects.
_SHARD_ASSETS = 64
#: Results that are put together at once.
_TOGETHER = 64


class SpanSearch(Protocol):
    """Returns the spans of cells that begin in ``[low, stop)`` in which a condition is true, as `true_spans` does."""

    def __call__(
        self, source: CellSource, condition: bound.Condition, *, low_ns: int, stop_ns: int, assets: Integers
    ) -> Spans:
        """Search."""


@contextmanager
def search_on(client: Client | None, twin: TwinReader) -> Iterator[SpanSearch]:
    """Yield the search of spans in this process, or on a Dask cluster whose workers open the twin.

    Parameters
    ----------
    client : distributed.Client or None
    twin : TwinReader
    """
    if client is None:
        yield true_spans
        return
    handle = Handle.of(twin)
    with pool_of(client, handle=handle) as pool:
        shared = pool.share(handle)

        def search(
            source: CellSource, condition: bound.Condition, *, low_ns: int, stop_ns: int, assets: Integers
        ) -> Spans:
            assert isinstance(source, TwinCells)
            only = None if source.only is None else tuple(source.only)
            about = shared, source.asset_type, source.condition, only, condition
            calls = (
                Call(_search, (*about, span, some), _place(source, span, some))
                for span, some in _parts(source, low_ns, stop_ns, assets, pool)
            )
            found: list[Spans] = []
            for _, spans in pool.as_completed(enumerate(calls)):
                found.append(spans)
                if len(found) > _TOGETHER:
                    found = [together(found, len(source.assets))]
            # A span that continues in the next part is one span.
            return merged(together(found, len(source.assets)))[0]

        yield search


def _search(  # noqa: PLR0917  (a task)
    handle: Handle,
    asset_type: str,
    signals: bound.Condition | bound.Value,
    only: tuple[str, ...] | None,
    condition: bound.Condition,
    span: tuple[int, int],
    assets: Integers,
) -> Spans:
    cells = _cells(handle.open(), asset_type, signals, only)
    return true_spans(cells, condition, low_ns=span[0], stop_ns=span[1], assets=assets)


@lru_cache(maxsize=8)
def _cells(
    twin: TwinReader, asset_type: str, signals: bound.Condition | bound.Value, only: tuple[str, ...] | None
) -> TwinCells:
    return TwinCells(twin, asset_type, signals, only)


def _place(source: TwinCells, span: tuple[int, int], assets: Integers) -> str:
    low, stop = (np.datetime64(one, "ns").astype("datetime64[m]") for one in span)
    return f"{source.asset_type}, {low} to {stop}, {len(assets)} assets from {source.assets[assets[0]]} on"


def _parts(
    source: TwinCells, low: int, stop: int, assets: Integers, pool: Pool
) -> Iterator[tuple[tuple[int, int], Integers]]:
    """Yield span and assets of each task: of neighbouring columns, as many months as make a task."""
    if not len(assets) or not low < stop:
        return
    step = source.steps_ns[0]
    total = len(assets) * -(-(stop - low) // step)
    cells = min(_MOST_CELLS, max(_LEAST_CELLS, total // (_TASKS_EACH * pool.size)))
    edges = [low, *(one for one in map(source.cell_at, month_edges(low, stop)) if low < one < stop), stop]
    month = max(1, int(np.diff(edges).max()) // step)
    columns = tile_neighbours(source.twin, source.asset_type, source.assets, assets)
    wide = min(len(assets), max(min(_SHARD_ASSETS, len(assets)), cells // ((stop - low) // step + 1)))
    long = max(1, cells // (wide * month))
    for first in range(0, len(columns), wide):
        some = np.sort(columns[first : first + wide])
        for place in range(0, len(edges) - 1, long):
            yield (edges[place], edges[min(place + long, len(edges) - 1)]), some


def month_edges(low_ns: int, stop_ns: int) -> list[int]:
    """Return the starts of calendar months (UTC) inside a span.

    >>> day = 86_400 * 10**9
    >>> [edge // day for edge in month_edges(0, 100 * day)]
    [31, 59, 90]
    """
    first, last = (np.datetime64(one, "ns").astype("datetime64[M]") for one in (low_ns, stop_ns))
    edges = np.arange(first, last + 1).astype("datetime64[ns]").astype(np.int64)
    found: list[int] = edges[(edges > low_ns) & (edges < stop_ns)].tolist()
    return found


def tile_neighbours(twin: TwinReader, asset_type: str, ids: Sequence[str], assets: Integers) -> Integers:
    """Return the numbers of assets in the order in which they are stored: neighbours share tiles."""
    reader = getattr(twin, "reader", twin)
    pinned = getattr(reader, "pinned", None)
    if pinned is None:
        return assets
    column = {asset: place for place, asset in enumerate(pinned().assets.get(asset_type, ()))}
    return assets[np.argsort([column.get(ids[one], len(column)) for one in assets], kind="stable")]
