"""Conditions of properties alone, ``payload > 12 t``: they are true over the whole lifetime of an asset, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinlab.events.algebra.spans import NOT_A_TIME, Spans
from twinlab.events.finding.cells import property_arrays
from twinlab.events.finding.evaluation.block import Block
from twinlab.events.finding.evaluation.conditions import evaluate
from twinlab.events.finding.evaluation.truth import TRUE
from twinlab.events.finding.search import Searched
from twinlab.events.lifetimes import lifetimes
from twinlab.model.expressions import bound

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["FAR", "PropertySearch", "assets_fulfilling"]

#: An end of data where there are no cells that have one: in the year 2116; durations can be added to it.
FAR = 2**62


def assets_fulfilling(
    twin: TwinReader, asset_type: str, condition: bound.Condition, assets: Sequence[str]
) -> NDArray[np.int64]:
    """Return the numbers of the assets for which a condition of properties alone is true."""
    numbers, texts = property_arrays(twin, asset_type, condition, assets)
    block = Block(np.zeros(1, dtype=np.int64), assets, {}, numbers, texts)
    return np.flatnonzero(evaluate(condition, block)[0] == TRUE)


@dataclass(frozen=True)
class PropertySearch:
    """Search for the lifetimes of the assets for which a condition of properties alone is true.

    Parameters
    ----------
    twin : TwinReader
    asset_type : str
    condition : bound.Condition
    only : sequence of str, optional
        Only these assets; by default all.
    """

    twin: TwinReader
    asset_type: str
    condition: bound.Condition
    only: Sequence[str] | None = None

    @cached_property
    def assets(self) -> tuple[str, ...]:
        """The assets whose lifetimes are searched."""
        return tuple(self.only if self.only is not None else map(str, self.twin.assets(self.asset_type).index))

    @property
    def extent_ns(self) -> tuple[int, int]:
        """From the twin's origin on, without an end."""
        return self.twin.model.origin_ns, FAR

    def search(self, *, start_ns: int, stop_ns: int, gap_ns: int = 0) -> Searched:  # noqa: ARG002  (one span an asset)
        """Return the lifetimes that overlap ``[start, stop)``: from the twin's origin and up to ``stop`` where nothing is stated."""
        starts, ends = lifetimes(self.twin, self.asset_type, self.assets)
        starts, ends = np.maximum(starts, self.twin.model.origin_ns), np.minimum(ends, stop_ns)
        key = assets_fulfilling(self.twin, self.asset_type, self.condition, self.assets)
        spans = Spans(key, starts[key], ends[key], len(self.assets))
        spans = spans.take((spans.start < spans.end) & (spans.end > start_ns))
        return Searched(spans, np.full(len(self.assets), NOT_A_TIME))
