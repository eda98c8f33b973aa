"""Values of an expression at each cell: float64 arrays (time, asset), NaN where a value is unknown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.block import Block
from twinlab.events.finding.evaluation.reach import valid_ns_of
from twinlab.events.finding.evaluation.windows import windowed
from twinlab.events.rules.runs import last_valid_rows
from twinlab.model.expressions import bound

__all__ = ["value"]

Values = NDArray[np.float64]


def value(node: bound.Value, block: Block, *, own: bool = False) -> Values:  # noqa: PLR0911  (one for each kind of node)
    """Return a value at each cell (time, asset), or something that numpy broadcasts to it.

    Parameters
    ----------
    own : bool
        Only in cells with an observation of their own, as in windows; otherwise the last good values while they are valid.
    """
    if isinstance(node, bound.Signal):
        return block.own(node.name) if own else block.held(node.name)
    if isinstance(node, (bound.Property, bound.Column)):
        return block.numbers[node.name][None, :]
    if isinstance(node, bound.Constant):
        return np.full((1, 1), node.value)
    if isinstance(node, bound.Arithmetic):
        return _arithmetic(node, block, own=own)
    if isinstance(node, bound.Scaled):
        return (value(node.value, block, own=own) + node.pre) * node.factor + node.offset
    if isinstance(node, bound.Absolute):
        return np.asarray(np.abs(value(node.value, block, own=own)))
    if isinstance(node, bound.Window):
        return windowed(_full(value(node.value, block, own=True), block), block.times, node.duration_ns, node.statistic)
    if isinstance(node, bound.Change):
        return _change(node, block)
    assert isinstance(node, bound.Rate)
    if node.duration_ns is None:
        return _rate(node, block)
    rise = bound.Change(node.value, node.duration_ns, "", node.counter, node.wraps_at)
    return _change(rise, block) / (node.duration_ns / 1e9)


def _full(values: Values, block: Block) -> Values:
    return np.broadcast_to(values, (len(block.times), len(block.assets)))


def _arithmetic(node: bound.Arithmetic, block: Block, *, own: bool) -> Values:
    left, right = value(node.left, block, own=own), value(node.right, block, own=own)
    with np.errstate(all="ignore"):
        if node.operator == "/":
            return np.asarray(left / np.where(right == 0, np.nan, right))
        return np.asarray({"+": np.add, "-": np.subtract, "*": np.multiply}[node.operator](left, right))


def _change(node: bound.Change, block: Block) -> Values:
    """Return what a value is now minus what it was: of a counter corrected by its falls between."""
    now = _full(value(node.value, block), block)
    rows = np.searchsorted(block.times, block.times - node.duration_ns, side="right") - 1
    then = np.where((rows >= 0)[:, None], now[np.maximum(rows, 0)], np.nan)
    if not node.counter:
        return now - then
    total = np.cumsum(_corrections(_full(value(node.value, block, own=True), block), node.wraps_at), axis=0)
    return now - then + (total - np.where((rows >= 0)[:, None], total[np.maximum(rows, 0)], 0.0))


def _rate(node: bound.Rate, block: Block) -> Values:
    """Return the change per second between the last two good observations, while the last one is valid."""
    own = _full(value(node.value, block, own=True), block)
    valid_ns = valid_ns_of(node.value, {name: one.valid_ns for name, one in block.signals.items()})
    seen = ~np.isnan(own)
    last = last_valid_rows(seen)
    before = np.full_like(last, -1)
    before[1:] = last[:-1]
    there = np.maximum(before, 0)
    passed = block.times[:, None] - block.times[there]
    rise = own - np.take_along_axis(own, there, axis=0)
    if node.counter:
        rise += _corrections(own, node.wraps_at)
    with np.errstate(all="ignore"):
        rate = np.where((before >= 0) & (passed < valid_ns), rise / (passed / 1e9), np.nan)
    kept = np.maximum(last, 0)
    valid = (last >= 0) & (block.times[:, None] - block.times[kept] < valid_ns)
    return np.where(valid, np.take_along_axis(rate, kept, axis=0), np.nan)


def _corrections(own: Values, wraps_at: float | None) -> Values:
    """Return what must be added to the change since the observation before, 0 unless a counter began again.

    As in the history's ``_increase``: a wrap by the shorter way round counts on; a reading of at most half the one before is a
    new start from 0; any other fall is a wrong reading.
    """
    last = last_valid_rows(~np.isnan(own))
    before = np.full_like(last, -1)
    before[1:] = last[:-1]
    earlier = np.where(before >= 0, np.take_along_axis(own, np.maximum(before, 0), axis=0), np.nan)
    wrap = wraps_at or 0.0
    with np.errstate(invalid="ignore"):
        rise = own - earlier
        wrapped = (rise < 0) & (rise + wrap > 0) & (2 * (rise + wrap) < wrap)
        again = (rise < 0) & ~wrapped & (own >= 0) & (2 * own <= earlier)
    return np.where(wrapped, wrap, np.where(again, earlier, 0.0))
