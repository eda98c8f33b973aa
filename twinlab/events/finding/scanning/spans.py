"""Spans in which a condition is true, from stored tiles: only those are read in which it can be true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.events.algebra.spans import Spans, merged
from twinlab.events.finding.cells import CellSource, TwinCells
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

__all__ = ["stored_spans"]

#: Rows of tiles that are evaluated at once: 2 million cells of each signal.
_ROWS = 8


def stored_spans(
    source: CellSource, condition: bound.Condition, *, low_ns: int, stop_ns: int, assets: NDArray[np.int64]
) -> Spans | None:
    """Return the spans of cells that begin in ``[low, stop)`` in which a condition is true; the key is the asset's number.

    None if the cells aren't those of a stored history, all of one cadence, or if the condition is about other assets.
    """
    if not isinstance(source, TwinCells) or any(isinstance(one, bound.Related) for one in descendants(condition)):
        return None
    if isinstance(condition, bound.ForAtLeast):
        step = source.steps_ns[0]
        lead = -(-condition.duration_ns // step) * step
        part = stored_spans(source, condition.part, low_ns=low_ns - lead, stop_ns=stop_ns, assets=assets)
        if part is None:
            return None
        # Of a run of true cells, those before which it has lasted for long enough.
        return Spans(part.key, part.start + lead, part.end, part.keys).take(part.end - part.start > lead)
    # What is valid at the first cell was observed before it, and may be in no stored tile.
    lead = max((ns for ns in source.valid_ns.values() if ns is not None), default=0)
    stored = source.stored(low_ns - lead, stop_ns, assets)
    scan = None if stored is None else CellScan.of(stored[0], signals_of(condition))
    if stored is None or scan is None:
        return None
    step, block = source.steps_ns[0], stored[1]
    axis = _Axis(int(stored[0]["time"].values[0].astype("datetime64[ns]").astype("int64")), step, scan, stop_ns)
    static = Static(block)
    valid = {name: FOREVER if ns is None else ns // step for name, ns in source.valid_ns.items()}
    runs = scan_runs(condition, scan, static, valid)
    if runs is None:
        key, start, end = _evaluated(source, condition, axis, static, assets)
    else:
        key, start, end = assets[runs.asset], axis.times(runs.first), axis.times(runs.stop)
        if block.end_ns is not None:
            # From the first cell on that begins at the end of its lifetime or later, an asset has no truth.
            end = np.minimum(end, axis.from_(block.end_ns)[runs.asset])
    start = np.maximum(start, axis.from_(np.array(low_ns)))
    found = Spans(key, start, end, len(source.assets))
    found = found.take(found.start < found.end)
    # Pieces that are evaluated cut runs; those of a scan are whole, and sorted.
    return merged(found)[0] if runs is None else found


@dataclass(frozen=True)
class _Axis:
    """The time axis of a scan: when its cells begin."""

    first_ns: int
    step: int
    scan: CellScan
    stop_ns: int

    def times(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the starts of cells; of the one after the last, the stop."""
        return np.minimum(self.first_ns + (cells - self.scan.first) * self.step, self.stop_ns)

    def from_(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the start of the first cell that begins at an instant or later."""
        inside = np.clip(times, self.first_ns, self.stop_ns)
        return np.minimum(self.first_ns - (self.first_ns - inside) // self.step * self.step, self.stop_ns)


def _evaluated(
    source: TwinCells, condition: bound.Condition, axis: _Axis, static: Static, assets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return asset, start and end of runs of true cells (3, run), from arrays of the pieces where there can be any."""
    lead = look_back_ns(condition, source.valid_ns, step_ns=axis.step) + axis.step
    reach = dict.fromkeys(axis.scan.names, lead // axis.step + 1)
    wanted = spans_wanted(condition, axis.scan, static, reach)

    def runs(piece: tuple[int, int, NDArray[np.int64]]) -> NDArray[np.int64]:
        low, high = axis.times(np.array(piece[:2])).tolist()
        block = source.block(low - lead, high, assets[piece[2]])
        row = int(np.searchsorted(block.times, low))
        found = runs_of(evaluate(condition, block)[row:] == TRUE)
        edges = np.append(block.times[row:], high)
        return np.stack([assets[piece[2]][found.column], edges[found.first], edges[found.stop]])

    parts = in_threads(runs, list(_pieces(axis.scan, wanted)))
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
