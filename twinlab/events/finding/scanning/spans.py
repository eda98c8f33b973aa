"""Spans in which a condition is true, from stored tiles: only those are read in which it can be true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.events.algebra.spans import Spans, merged
from twinlab.events.finding.cells import CellSource, TwinCells
from twinlab.events.finding.evaluation.block import Block
from twinlab.events.finding.evaluation.conditions import evaluate
from twinlab.events.finding.evaluation.reach import look_back_ns
from twinlab.events.finding.evaluation.truth import TRUE
from twinlab.events.finding.scanning.pruning import spans_wanted
from twinlab.events.finding.scanning.scan import scan_runs
from twinlab.events.finding.scanning.static import Static
from twinlab.events.finding.scanning.strip_scan import FOREVER
from twinlab.events.finding.scanning.threads import in_threads
from twinlab.events.rules.runs import runs_of
from twinlab.history.scan.cell_scan import STRIP_ASSETS, CellScan
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import descendants, signals_of

__all__ = ["possible_assets", "stored_spans"]

#: Rows of tiles that are evaluated at once: 2 million cells of each signal.
_ROWS = 8


def stored_spans(
    source: CellSource, condition: bound.Condition, *, low_ns: int, stop_ns: int, assets: NDArray[np.int64]
) -> Spans | None:
    """Return the spans of cells that begin in ``[low, stop)`` in which a condition is true; the key is the asset's number.

    None if the cells aren't those of a stored history, all of one cadence, or if the condition is about other assets.
    """
    if isinstance(condition, bound.ForAtLeast):
        step = source.steps_ns[0]
        lead = -(-condition.duration_ns // step) * step
        part = stored_spans(source, condition.part, low_ns=low_ns - lead, stop_ns=stop_ns, assets=assets)
        if part is None:
            return None
        # Of a run of true cells, those before which it has lasted for long enough.
        return Spans(part.key, part.start + lead, part.end, part.keys).take(part.end - part.start > lead)
    stored = _Stored.of(source, condition, low_ns, stop_ns, assets)
    if stored is None:
        return None
    valid = {name: FOREVER if ns is None else ns // stored.step for name, ns in stored.source.valid_ns.items()}
    runs = scan_runs(condition, stored.scan, Static(stored.block), valid)
    if runs is None:
        key, start, end = _evaluated(stored, condition)
    else:
        key, start, end = assets[runs.asset], stored.times(runs.first), stored.times(runs.stop)
        if stored.block.end_ns is not None:
            # From the first cell on that begins at the end of its lifetime or later, an asset has no truth.
            end = np.minimum(end, stored.from_(stored.block.end_ns)[runs.asset])
    start = np.maximum(start, stored.from_(np.array(low_ns)))
    found = Spans(key, start, end, len(source.assets))
    found = found.take(found.start < found.end)
    # Pieces that are evaluated cut runs; those of a scan are whole, and sorted.
    return merged(found)[0] if runs is None else found


def possible_assets(
    source: CellSource, condition: bound.Condition, *, low_ns: int, stop_ns: int, assets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the assets for which a condition may be true in ``[low, stop)``: all of them if no rollup decides it."""
    stored = _Stored.of(source, condition, low_ns, stop_ns, assets)
    return assets if stored is None else assets[stored.wanted(condition).any(axis=0)]


@dataclass(frozen=True)
class _Stored:
    """The stored history of a condition's cells, and its time axis."""

    source: TwinCells
    scan: CellScan
    #: Properties and lifetimes; without cells.
    block: Block
    assets: NDArray[np.int64]
    first_ns: int
    stop_ns: int

    @classmethod
    def of(
        cls, source: CellSource, condition: bound.Condition, low_ns: int, stop_ns: int, assets: NDArray[np.int64]
    ) -> _Stored | None:
        """Return what is stored; None if the cells are of several cadences, of another history, or of other assets too."""
        if not isinstance(source, TwinCells) or any(isinstance(one, bound.Related) for one in descendants(condition)):
            return None
        # What is valid at the first cell was observed before it, and may be in no stored tile.
        lead = max((ns for ns in source.valid_ns.values() if ns is not None), default=0)
        found = source.stored(low_ns - lead, stop_ns, assets)
        scan = None if found is None else CellScan.of(found[0], signals_of(condition))
        if found is None or scan is None:
            return None
        first = found[0]["time"].values[0].astype("datetime64[ns]").astype("int64")
        return cls(source, scan, found[1], assets, int(first), stop_ns)

    @property
    def step(self) -> int:
        """Length of a cell in nanoseconds."""
        return self.source.steps_ns[0]

    def times(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the starts of cells; of the one after the last, the stop."""
        return np.minimum(self.first_ns + (cells - self.scan.first) * self.step, self.stop_ns)

    def from_(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the start of the first cell that begins at an instant or later."""
        inside = np.clip(times, self.first_ns, self.stop_ns)
        return np.minimum(self.first_ns - (self.first_ns - inside) // self.step * self.step, self.stop_ns)

    def lead_ns(self, condition: bound.Condition) -> int:
        """Return how long before a cell the cells must begin that its truth depends on."""
        return look_back_ns(condition, self.source.valid_ns, step_ns=self.step) + self.step

    def wanted(self, condition: bound.Condition) -> NDArray[np.bool_]:
        """Return in which spans the condition can be true [span, asset]."""
        reach = dict.fromkeys(self.scan.names, self.lead_ns(condition) // self.step + 1)
        return spans_wanted(condition, self.scan, Static(self.block), reach)


def _evaluated(stored: _Stored, condition: bound.Condition) -> NDArray[np.int64]:
    """Return asset, start and end of runs of true cells (3, run), from arrays of the pieces where there can be any."""
    lead = stored.lead_ns(condition)

    def runs(piece: tuple[int, int, NDArray[np.int64]]) -> NDArray[np.int64]:
        low, high = stored.times(np.array(piece[:2])).tolist()
        some = stored.assets[piece[2]]
        block = stored.source.block(low - lead, high, some)
        row = int(np.searchsorted(block.times, low))
        found = runs_of(evaluate(condition, block)[row:] == TRUE)
        edges = np.append(block.times[row:], high)
        return np.stack([some[found.column], edges[found.first], edges[found.stop]])

    parts = in_threads(runs, list(_pieces(stored.scan, stored.wanted(condition))))
    return np.concatenate([np.empty((3, 0), np.int64), *parts], axis=1)


def _pieces(scan: CellScan, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """Yield first cell, cell after the last one, and assets of what can be true: of neighbouring columns, a few rows of tiles."""
    strips = scan.reader.columns // STRIP_ASSETS
    for strip in np.unique(strips):
        mine = np.flatnonzero(strips == strip)
        for at in range(0, len(scan.spans), _ROWS):
            rows = np.flatnonzero(wanted[at : at + _ROWS, mine].any(axis=1))
            if rows.size:
                some = mine[wanted[at : at + _ROWS, mine].any(axis=0)]
                yield scan.spans[at + int(rows[0])].first, scan.spans[at + int(rows[-1])].stop, some
