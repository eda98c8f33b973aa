"""Where a condition is true, false or unknown, and the values that it compares: each may be a part of the other."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.block import Block
from twinlab.events.finding.evaluation.changes import change, corrections, rate
from twinlab.events.finding.evaluation.reach import valid_ns_of
from twinlab.events.finding.evaluation.truth import FALSE, TRUE, UNKNOWN, Truth, truth_of
from twinlab.events.finding.evaluation.windows import windowed
from twinlab.events.rules.runs import last_valid_rows
from twinlab.model.expressions import bound

__all__ = ["COMPARE", "evaluate", "value"]

Values = NDArray[np.float64]

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def evaluate(condition: bound.Condition, block: Block) -> Truth:
    """Return a condition's truth at each cell.

    Parameters
    ----------
    condition : bound.Condition
        Without `bound.Related` (see `twinlab.events.finding.relations`).
    block : Block
        Which begins early enough (`reach.look_back_ns`): what a condition looks back to before the first cell is unknown.

    Returns
    -------
    uint8 array (time, asset)
        `FALSE`, `UNKNOWN` or `TRUE`. Unknown from the end of an asset's lifetime on.
    """
    shape = (len(block.times), len(block.assets))
    found = np.broadcast_to(_truth(condition, block), shape)
    if block.end_ns is not None and (block.end_ns <= block.times[-1:]).any():
        return np.where(block.times[:, None] < block.end_ns, found, UNKNOWN)
    return found


def _truth(node: bound.Condition, block: Block) -> Truth:
    found = block.truths.get(node)
    if found is None:
        found = block.truths[node] = _computed(node, block)
    return found


def _computed(node: bound.Condition, block: Block) -> Truth:
    if isinstance(node, bound.Compare):
        left, right = value(node.left, block), value(node.right, block)
        with np.errstate(invalid="ignore"):
            return truth_of(COMPARE[node.operator](left, right), ~(np.isnan(left) | np.isnan(right)))
    if isinstance(node, bound.All):
        return reduce(np.minimum, [_truth(part, block) for part in node.parts])
    if isinstance(node, bound.Any):
        return reduce(np.maximum, [_truth(part, block) for part in node.parts])
    if isinstance(node, bound.Not):
        return np.asarray(TRUE - _truth(node.part, block))
    if isinstance(node, bound.ForAtLeast):
        # The least of them all.
        return np.asarray(TRUE - _largest(TRUE - _full(_truth(node.part, block), block), block.times, node.duration_ns))
    if isinstance(node, bound.WithinAfter):
        recent = _largest(_full(_truth(node.earlier, block), block), block.times, node.duration_ns)
        return np.asarray(np.minimum(_truth(node.part, block), recent))
    if isinstance(node, bound.TextEquals):
        texts = block.texts[node.value.name]
        return truth_of(texts == node.text, np.array([one is not None for one in texts], dtype=bool))[None, :]
    if isinstance(node, bound.Truth):
        return np.full((1, 1), TRUE if node.value else FALSE)
    msg = f"a relation in time isn't evaluated on cells: {node}"
    raise TypeError(msg)


def _full(array: NDArray[Any], block: Block) -> NDArray[Any]:
    return np.broadcast_to(array, (len(block.times), len(block.assets)))


def _largest(truth: Truth, times: NDArray[np.int64], duration_ns: int) -> Truth:
    """Return the largest truth from the cell with the instant ``t - duration`` up to each cell."""
    first = (np.searchsorted(times, times - duration_ns, side="right") - 1)[:, None]
    # Before the first cell nothing is known.
    found = np.where((last_valid_rows(truth >= UNKNOWN) >= first) | (first < 0), UNKNOWN, FALSE)
    true = last_valid_rows(truth == TRUE)
    return np.where((true >= 0) & (true >= first), TRUE, found)


def value(node: bound.Value, block: Block, *, own: bool = False) -> Values:  # noqa: PLR0911  (one for each kind of node)
    """Return a value at each cell (time, asset), NaN where it is unknown, or something that numpy broadcasts to it.

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
    if isinstance(node, bound.Indicator):
        # Also in cells without an observation: what is valid decides.
        truth = _truth(node.condition, block)
        return np.where(truth == UNKNOWN, np.nan, np.where(truth == TRUE, 1.0, 0.0))
    if isinstance(node, bound.Window):
        return windowed(_full(value(node.value, block, own=True), block), block.times, node.duration_ns, node.statistic)
    return _changing(node, block)


def _arithmetic(node: bound.Arithmetic, block: Block, *, own: bool) -> Values:
    left, right = value(node.left, block, own=own), value(node.right, block, own=own)
    with np.errstate(all="ignore"):
        if node.operator == "/":
            return np.asarray(left / np.where(right == 0, np.nan, right))
        return np.asarray({"+": np.add, "-": np.subtract, "*": np.multiply}[node.operator](left, right))


def _changing(node: bound.Change | bound.Rate, block: Block) -> Values:
    own = _full(value(node.value, block, own=True), block)
    corrected = corrections(own, node.wraps_at) if node.counter else None
    if node.duration_ns is None:
        valid_ns = valid_ns_of(node.value, {name: one.valid_ns for name, one in block.signals.items()})
        return rate(own, block.times, valid_ns, corrected)
    found = change(_full(value(node.value, block), block), block.times, node.duration_ns, corrected)
    return found / (node.duration_ns / 1e9) if isinstance(node, bound.Rate) else found
