"""What a condition can be in a span, by the extremes of its signals: interval arithmetic.

Nothing is said of unknown values: every cell may be unknown. A condition that can't be true in a span needn't be evaluated there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import and_, or_
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.truth import FALSE, TRUE
from twinlab.events.finding.scanning.static import Static
from twinlab.history.scan.cell_scan import CellScan
from twinlab.model.expressions import bound

__all__ = ["Possible", "Range", "possible", "spans_wanted"]

#: The mean of numbers may be computed a little outside of their extremes.
_ROUNDING = 1e-9


class Range(NamedTuple):
    """Extremes of a value [span, asset]; the smallest is above the largest if it has none."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Possible(NamedTuple):
    """Whether a condition can be true, and whether it can be false, somewhere in a span [span, asset]."""

    true: NDArray[np.bool_]
    false: NDArray[np.bool_]


def spans_wanted(
    condition: bound.Condition, scan: CellScan, static: Static, reach: Mapping[str, int]
) -> NDArray[np.bool_]:
    """Return in which spans of a scan a condition can be true [span, asset].

    Parameters
    ----------
    reach : mapping of signal to int
        How many cells before a cell its truth depends on.
    """
    extremes = {name: Range(*scan.extremes(name, reach[name])) for name in scan.names}
    return possible(condition, extremes, static).true


def possible(condition: bound.Condition, extremes: Mapping[str, Range], static: Static) -> Possible:
    """Return what a condition can be in each span.

    Parameters
    ----------
    condition : bound condition
    extremes : mapping of signal to Range
        Of the cells of the span and of those before it that the condition looks back to.
    static : Static
        Values and conditions that don't change in time.
    """
    one = next(iter(extremes.values()))
    anything = Possible(np.ones(one.low.shape, bool), np.ones(one.low.shape, bool))

    def judged(part: bound.Condition) -> Possible:
        truth = static.truth(part)
        if truth is not None:
            return Possible((truth == TRUE)[None], (truth == FALSE)[None])
        if isinstance(part, bound.Compare):
            left, right = (_range(side, extremes, static, judged) for side in (part.left, part.right))
            return anything if left is None or right is None else _compared(part.operator, left, right)
        if isinstance(part, bound.All):
            parts = [judged(one) for one in part.parts]
            return Possible(reduce(and_, [one.true for one in parts]), reduce(or_, [one.false for one in parts]))
        if isinstance(part, bound.Any):
            parts = [judged(one) for one in part.parts]
            return Possible(reduce(or_, [one.true for one in parts]), reduce(and_, [one.false for one in parts]))
        if isinstance(part, bound.Not):
            other = judged(part.part)
            return Possible(other.false, other.true)
        if isinstance(part, bound.ForAtLeast | bound.WithinAfter):
            # True only where the part is; false also where it hasn't been true for long enough.
            return Possible(judged(part.part).true, anything.false)
        return anything

    found = judged(condition)
    return Possible(found.true | ~anything.true, found.false | ~anything.false)


def _compared(operator: str, left: Range, right: Range) -> Possible:
    some = (left.low <= left.high) & (right.low <= right.high)
    if operator in ("==", "!="):
        same = some & (left.low <= right.high) & (right.low <= left.high)
        other = some & ~((left.low == left.high) & (right.low == right.high) & (left.low == right.low))
        return Possible(same, other) if operator == "==" else Possible(other, same)
    if operator in (">", ">="):
        left, right = right, left
    if operator in ("<", ">"):
        return Possible(some & (left.low < right.high), some & (left.high >= right.low))
    return Possible(some & (left.low <= right.high), some & (left.high > right.low))


def _range(  # noqa: PLR0911  (one for each kind of value)
    value: bound.Value,
    extremes: Mapping[str, Range],
    static: Static,
    judged: Callable[[bound.Condition], Possible],
) -> Range | None:
    """Return the extremes of a value; None if nothing is known of them."""
    number = static.value(value)
    if number is not None:
        unknown = np.isnan(number)
        return Range(np.where(unknown, np.inf, number)[None], np.where(unknown, -np.inf, number)[None])
    if isinstance(value, bound.Signal):
        return extremes.get(value.name)
    if isinstance(value, bound.Arithmetic):
        return _joined(value.operator, *(_range(side, extremes, static, judged) for side in (value.left, value.right)))
    if isinstance(value, bound.Indicator):
        found = judged(value.condition)
        return Range(np.where(found.false, 0.0, 1.0), np.where(found.true, 1.0, 0.0))
    part = (
        None
        if isinstance(value, bound.Constant | bound.Property | bound.Column)
        else _range(value.value, extremes, static, judged)
    )
    if part is None:
        return None
    if isinstance(value, bound.Scaled):
        return _mapped(part, lambda x: (x + value.pre) * value.factor + value.offset)
    if isinstance(value, bound.Absolute):
        ends, across = _mapped(part, np.abs), (part.low <= 0) & (part.high >= 0)
        return Range(np.where(across, 0.0, ends.low), ends.high)
    if isinstance(value, bound.Window) and value.statistic in ("mean", "min", "max"):
        return _widened(part) if value.statistic == "mean" else part
    return _joined("-", part, part) if isinstance(value, bound.Change) and not value.counter else None


def _widened(part: Range) -> Range:
    """Return extremes of the mean of values, which isn't computed exactly."""
    margin = _ROUNDING * np.maximum(np.abs(part.low), np.abs(part.high))
    # Of nothing, and of anything, there is no margin.
    margin = np.where(np.isfinite(margin), margin, 0.0)
    return Range(part.low - margin, part.high + margin)


def _mapped(part: Range, function: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Range:
    """Return the extremes of a monotone function of a value, rising or falling."""
    with np.errstate(invalid="ignore"):
        return _cleaned([part], [function(part.low), function(part.high)])


def _joined(operator: str, left: Range | None, right: Range | None) -> Range | None:
    if left is None or right is None:
        return None
    function = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[operator]
    with np.errstate(all="ignore"):
        found = _cleaned([left, right], [function(a, b) for a in left for b in right])
    if operator == "/":
        # Near zero a quotient has no limit.
        across = (right.low <= 0) & (right.high >= 0)
        found = Range(np.where(across, -np.inf, found.low), np.where(across, np.inf, found.high))
    return found


def _cleaned(parts: list[Range], corners: list[NDArray[np.float64]]) -> Range:
    """Return the extremes of corners; anything where one isn't a number, nothing where a part has no value."""
    some = np.all(np.broadcast_arrays(*[part.low <= part.high for part in parts]), axis=0)
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    vague = np.isnan(low) | np.isnan(high)
    low, high = np.where(vague, -np.inf, low), np.where(vague, np.inf, high)
    return Range(np.where(some, low, np.inf), np.where(some, high, -np.inf))
