"""What is scanned: signals of one cadence, the tiles that their cells are stored in, and the extremes of these tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.encoding import decode, sentinel
from twinlab.history.layout.grid import rollup_steps, search_step
from twinlab.history.read.direct import source_of
from twinlab.history.read.lazy import LazyCells
from twinlab.history.read.span_reader import Block, SpanReader
from twinlab.history.scan.span_kernels import ANY, SOME, span_extremes

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.history.store.catalog import GroupEntry

__all__ = ["STRIP_ASSETS", "TILE_ASSETS", "CellScan", "Extremes", "TileSpan"]

#: Columns of a tile, and of a strip of tiles, which one thread scans: those of a shard.
TILE_ASSETS, STRIP_ASSETS = 8, 64
#: Cells of a tile where none are stored.
_TILE_CELLS = 4096


class TileSpan(NamedTuple):
    """The cells ``first .. stop - 1`` of all assets: those of a row of tiles that are scanned."""

    first: int
    stop: int
    # Year of the arrays, and the row of tiles in them; None if the cells aren't in cold tiles of the usual width.
    stored: tuple[int, int] | None


class Extremes(NamedTuple):
    """Smallest and largest usable value of spans, float64 [span, asset]; the smallest is above the largest if there is none."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class CellScan:
    """The cells ``first .. stop - 1`` of signals of one cadence."""

    reader: SpanReader
    names: tuple[str, ...]
    first: int
    stop: int

    @classmethod
    def of(cls, data: xr.Dataset, names: Sequence[str]) -> CellScan | None:
        """Return the scan of signals of a Dataset; None if it isn't of stored history as it is, or of several cadences."""
        sources = [source_of(data[one].variable._data) for name in names for one in (name, f"{name}_qc")]  # noqa: SLF001
        # Calibrated signals are of another class: their values aren't the stored ones.
        if not sources or any(type(one) is not LazyCells for one in sources):
            return None
        first = sources[0]
        assert isinstance(first, LazyCells)
        same = {(one.reader.token, one.first, one.length) for one in sources if one is not None}
        if len(same) > 1 or not first.length or not first.reader.columns.size:
            return None
        return cls(first.reader, tuple(names), first.first, first.first + first.length)

    @cached_property
    def entry(self) -> GroupEntry | None:
        """What is stored of the group; None if nothing is."""
        view = self.reader.stored_view()
        return None if view is None else view.catalog.entry(self.reader.group)

    @cached_property
    def spans(self) -> tuple[TileSpan, ...]:
        """The rows of tiles, in order of time."""
        out: list[TileSpan] = []
        if self.entry is None:
            edges = range(self.first, self.stop, _TILE_CELLS)
            return tuple(TileSpan(at, min(at + _TILE_CELLS, self.stop), None) for at in edges)
        axis = self.entry.axis
        for year, first, stop in axis.split(self.first, self.stop):
            base, stored = axis.year_cells(year)[0], self.entry.year(year)
            long, wide = stored.cold.tile
            row = (first - base) // long
            while (at := base + row * long) < stop:
                low, high = max(at, first), min(at + long, stop)
                hot = any(is_hot for is_hot, _, _ in stored.runs(low - base, high - base))
                out.append(TileSpan(low, high, None if hot or wide != TILE_ASSETS else (year, row)))
                row += 1
        return tuple(out)

    def overlaid(self, span: TileSpan, columns: tuple[int, int]) -> bool:
        """Return whether newer cells than the stored ones are in a rectangle."""
        return any(_overlaps(block, self.names, span, columns) for block in self.reader.overlay)

    def extremes(self, name: str, reach: int) -> Extremes:
        """Return the extremes of a signal's usable cells in each span and the ``reach`` cells before it.

        They are exact or wider: infinite where no rollup states them. States have none.
        """
        spans, columns = self.spans, self.reader.columns
        low = np.full((len(spans), columns.size), -np.inf)
        found = Extremes(low, -low)
        step = self._step(name)
        if self.entry is None or step is None:
            return found
        known = np.flatnonzero(columns < self.entry.n_assets)
        ends = int(columns.min()), int(columns.max()) + 1
        stored = [
            span.stored is not None and not self.overlaid(TileSpan(span.first - reach, span.stop, None), ends)
            for span in spans
        ]
        runs = np.flatnonzero(np.diff(np.array([False, *stored, False]).astype(np.int8)))
        for start, end in runs.reshape(-1, 2).tolist() if known.size else ():
            edges = np.array([(max(span.first - reach, 0), span.stop) for span in spans[start:end]])
            part = self._of_windows(name, step, edges, columns[known])
            found.low[start:end, known], found.high[start:end, known] = part
        return found

    def _step(self, name: str) -> str | None:
        """Return the step of the rollup that states extremes of at most a tile's cells."""
        if self.entry is None or name not in self.entry.signals:
            return None
        cadence = self.reader.group.cadence_ns
        steps = [one for one in rollup_steps(cadence) if {"min", "max"} <= set(self.entry.statistics(name, one))]
        return search_step(steps, cadence)

    def _of_windows(self, name: str, step: str, cells: NDArray[np.int64], columns: NDArray[np.int64]) -> Extremes:
        """Return the extremes of the windows that spans ``first, stop`` of cells overlap."""
        entry, view = self.entry, self.reader.stored_view()
        assert entry is not None
        assert view is not None
        per, signal = entry.per(step), entry.signal(name)
        edges = np.stack([cells[:, 0] // per, -(-cells[:, 1] // per)], axis=1)
        w0, w1 = int(edges[:, 0].min()), int(edges[:, 1].max())
        wanted = ("min", "max", "not_evaluated")
        parts = view.rollup(entry.group, name, step, w0, w1, columns, statistics=wanted)
        # Stored windows are contiguous by asset, so this copies nothing.
        low, high, waiting = (np.ascontiguousarray(parts[one].T) for one in wanted)
        shape = columns.size, len(edges)
        lowest, highest, known = np.empty(shape, low.dtype), np.empty(shape, low.dtype), np.empty(shape, np.uint8)
        span_extremes(low, high, waiting, low.dtype.type(sentinel(low.dtype)), edges - w0, lowest, highest, known)
        some, moved = known == SOME, _moved(view.meta)
        # Rollups leave out cells that aren't evaluated yet, whose values count.
        least = np.where(some, decode(lowest.astype(np.int64) - moved, signal), np.where(known == ANY, -np.inf, np.inf))
        most = np.where(some, decode(highest.astype(np.int64) + moved, signal), -least)
        return Extremes(least.T, most.T)


def _moved(meta: Mapping[str, Any]) -> int:
    """Return by how many steps of its resolution a cell may differ from what rollups were computed of: retention rounds cells."""
    return sum(int(one["resolution"]) for one in meta.get("retention", ()) if one["older"] == "rounded")


def _overlaps(block: Block, names: Sequence[str], span: TileSpan, columns: tuple[int, int]) -> bool:
    part = next((block.values[name] for name in names if name in block.values), None)
    if part is None or block.k0 >= span.stop or block.k0 + part.shape[0] <= span.first:
        return False
    return block.first_asset < columns[1] and block.first_asset + part.shape[1] > columns[0]
