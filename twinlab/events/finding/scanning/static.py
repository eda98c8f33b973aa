"""What doesn't change in time: values and conditions of constants and properties, one for each asset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.block import Block
from twinlab.events.finding.evaluation.conditions import evaluate, value
from twinlab.events.finding.evaluation.truth import Truth
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import BoundNode, descendants

__all__ = ["Static"]

_UNCHANGING = (
    bound.Constant, bound.Property, bound.Arithmetic, bound.Scaled, bound.Absolute,
    bound.Truth, bound.Compare, bound.TextEquals, bound.All, bound.Any, bound.Not,
)  # fmt: skip


class Static:
    """Evaluates the parts of a condition that don't change in time.

    Parameters
    ----------
    block : Block
        Assets with their properties; its cells aren't looked at.
    """

    def __init__(self, block: Block) -> None:
        # The values are the same at each instant: one is evaluated.
        self._block = replace(block, times=np.zeros(1, np.int64), signals={}, end_ns=None)

    def value(self, node: bound.Value) -> NDArray[np.float64] | None:
        """Return a value of each asset; None if it changes in time."""
        if not _unchanging(node):
            return None
        found: NDArray[np.float64] = np.broadcast_to(value(node, self._block), (1, len(self._block.assets)))[0]
        return found

    def truth(self, node: bound.Condition) -> Truth | None:
        """Return the truth of a condition for each asset; None if it changes in time."""
        return evaluate(node, self._block)[0] if _unchanging(node) else None


def _unchanging(node: BoundNode) -> bool:
    return all(isinstance(one, _UNCHANGING) for one in descendants(node))
