"""Rises of counters: what is known between reports, whatever is missing meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.events.kpis.bounded import Bounded
from twinlab.events.kpis.over_time.aggregates import CellFold, Folded
from twinlab.events.kpis.over_time.cells import SignalCells

__all__ = ["counter_total"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def counter_total(cells: CellFold, counter: SignalCells) -> Folded:
    """Return by how much a counter rises, summed over the assets.

    A cell's part is the rise since the last report before it; a fall is a new start from 0, or from `wraps_at` if the counter
    wraps. While reports are missing, the rise between the two around them may be in any of their cells, and is unlimited if the
    counter starts anew meanwhile. Without a later report it is unlimited.
    """
    values, sure = counter.reported(), counter.sure()
    inside = slice(cells.first, cells.stop)
    rises = np.nan_to_num(_rises(values, counter.spec.wraps_at))[inside]
    rows = np.append(cells.first + cells.folding.first, cells.stop)
    low, high = _rise_bounds(sure, counter, rows, cells.possible.cells.expected)
    return Folded(
        Bounded(cells.folding.fold(rises), cells.folding.gather(low), cells.folding.gather(high)),
        cells.sum(~np.isnan(sure[inside])),
        cells.folding.fold(cells.expected),
        cells.sum(~np.isnan(values[inside])),
    )


def _rise_bounds(
    sure: Floats, counter: SignalCells, edges: NDArray[np.int64], expected: Bools
) -> tuple[Floats, Floats]:
    """Return how much a counter rises at least and at most in segments (segment, asset) between rows ``edges``."""
    size = len(sure)
    own = np.arange(size)[:, None]
    known = ~np.isnan(sure)
    rises = _rises(sure, counter.spec.wraps_at)
    level = np.cumsum(np.nan_to_num(rises), axis=0)
    before = np.maximum.accumulate(np.where(known, own, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, own, size)[::-1], axis=0)[::-1]
    # A fall between reports that aren't neighbours: how high the counter was before isn't known.
    last = np.vstack([np.full((1, sure.shape[1]), -1), before[:-1]])
    then = np.where(last >= 0, np.take_along_axis(sure, np.maximum(last, 0), axis=0), np.nan)
    with np.errstate(invalid="ignore"):
        lost = np.cumsum(known & (sure < then) & (own - last > 1), axis=0)
    # The last row before each edge; there is one, since the day before the windows was read, too.
    rows = edges - 1
    down, up = before[rows], after[rows]
    # Outside its lifetime an asset's counter doesn't rise.
    outside = ~expected[rows]
    down = np.where(outside & (down < 0), up, down)
    up = np.where(outside & (up >= size), down, up)

    def at(levels: NDArray[Any], place: NDArray[np.int64]) -> NDArray[Any]:
        return np.take_along_axis(levels, np.clip(place, 0, size - 1), axis=0)

    begin_low, begin_high, end_low, end_high = down[:-1], up[:-1], down[1:], up[1:]
    least = np.maximum(at(level, end_low) - at(level, begin_high), 0.0)
    least = np.where((end_low < 0) | (begin_high >= size), 0.0, least)
    most = at(level, end_high) - at(level, begin_low)
    unlimited = (begin_low < 0) | (end_high >= size) | (at(lost, end_high) > at(lost, begin_low))
    return least, np.where(unlimited, np.inf, most)


def _rises(values: Floats, wraps_at: float | None) -> Floats:
    """Return the rise at each report since the one before; NaN without a report, or without one before."""
    rows = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(rows, axis=0)
    before = np.vstack([np.full((1, values.shape[1]), -1), last[:-1]])
    then = np.where(before >= 0, np.take_along_axis(values, np.maximum(before, 0), axis=0), np.nan)
    found = values - then
    with np.errstate(invalid="ignore"):
        fallen = found < 0
    return np.where(fallen, values if wraps_at is None else found + wraps_at, found)
