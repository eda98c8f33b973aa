"""Where a condition is true, false or unknown."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.block import Block
from twinlab.events.finding.evaluation.truth import FALSE, TRUE, UNKNOWN, Truth, truth_of
from twinlab.events.finding.evaluation.values import value
from twinlab.events.rules.runs import last_valid_rows
from twinlab.model.expressions import bound

__all__ = ["COMPARE", "evaluate"]

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
    if block.end_ns is not None:
        return np.where(block.times[:, None] < block.end_ns, found, UNKNOWN)
    return found


def _truth(node: bound.Condition, block: Block) -> Truth:
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


def _full(truth: Truth, block: Block) -> Truth:
    return np.broadcast_to(truth, (len(block.times), len(block.assets)))


def _largest(truth: Truth, times: NDArray[np.int64], duration_ns: int) -> Truth:
    """Return the largest truth from the cell with the instant ``t - duration`` up to each cell."""
    first = (np.searchsorted(times, times - duration_ns, side="right") - 1)[:, None]
    # Before the first cell nothing is known.
    found = np.where((last_valid_rows(truth >= UNKNOWN) >= first) | (first < 0), UNKNOWN, FALSE)
    true = last_valid_rows(truth == TRUE)
    return np.where((true >= 0) & (true >= first), TRUE, found)
