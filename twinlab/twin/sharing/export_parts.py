"""Exports of history on the workers of a Dask cluster: they read and encode spans of time, this process writes them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twinlab.compute import Handle, Pool, pool_of
from twinlab.compute.pool import Call
from twinlab.history.read.export import ExportParts, span_chunks, span_lines
from twinlab.history.read.flat_tables import flat_tables

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr
    from distributed import Client

__all__ = ["HistoryRequest", "export_parts"]

Span = tuple[int, int]

#: Spans of time of a task, of 16 MiB of values each.
_SPANS = 2


@dataclass(frozen=True)
class HistoryRequest:
    """What `twinlab.Twin.history` is asked for; hashable."""

    asset_type: str
    signals: tuple[str, ...] | None
    start: object
    stop: object
    step: str | None
    calibrated: bool
    annotated: bool

    def read(self, twin: Any) -> xr.Dataset:  # noqa: ANN401  (a twin)
        """Return the Dataset, lazy."""
        found: xr.Dataset = twin.history(
            self.asset_type,
            signals=self.signals,
            start=self.start,
            stop=self.stop,
            step=self.step,
            calibrated=self.calibrated,
            annotated=self.annotated,
        )
        return found


@contextmanager
def export_parts(client: Client | None, twin: object, request: HistoryRequest) -> Iterator[ExportParts | None]:
    """Yield what makes parts of an export on a Dask cluster; None without a client."""
    if client is None:
        yield None
        return
    handle = Handle.of(twin)
    with pool_of(client, handle=handle) as pool:
        yield _Parts(pool, pool.share(handle), request)


@dataclass(frozen=True)
class _Parts:
    pool: Pool
    handle: Any
    request: HistoryRequest

    def tables(self, spans: Sequence[Span]) -> Iterator[Iterable[pa.Table]]:
        return self._made(_tables, spans)

    def lines(self, spans: Sequence[Span]) -> Iterator[Iterable[bytes]]:
        return self._made(_lines, spans)

    def chunks(self, spans: Sequence[Span], metadata: Mapping[str, bytes]) -> Iterator[Mapping[str, bytes]]:
        return self._made(_chunks, spans, self.pool.share(dict(metadata)))

    def _made(self, function: Callable[..., Any], spans: Sequence[Span], *more: Any) -> Iterator[Any]:  # noqa: ANN401
        parts = (spans[at : at + _SPANS] for at in range(0, len(spans), _SPANS))
        calls = (
            Call(
                function, (self.handle, self.request, part, *more), f"cells {part[0][0]} to {part[-1][1]} of the export"
            )
            for part in parts
        )
        return self.pool.in_order(calls)


@lru_cache(maxsize=4)
def _data(twin: Any, request: HistoryRequest) -> xr.Dataset:  # noqa: ANN401  (a twin of this thread)
    return request.read(twin)


def _tables(handle: Handle, request: HistoryRequest, spans: Sequence[Span]) -> list[pa.Table]:
    return list(flat_tables(_data(handle.open(), request), spans))


def _lines(handle: Handle, request: HistoryRequest, spans: Sequence[Span]) -> list[bytes]:
    return [bytes(text) for text in span_lines(_data(handle.open(), request), spans)]


def _chunks(
    handle: Handle, request: HistoryRequest, spans: Sequence[Span], metadata: Mapping[str, bytes]
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for span in spans:
        found |= span_chunks(_data(handle.open(), request), span, metadata)
    return found
