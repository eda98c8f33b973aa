"""Evaluate bound expressions on numbers with bounds: what is sure, what may be.

A value has a lowest and a highest possible number at each cell or event; both are NaN where there is no value, such as between
two reports of a sensor that reports on change. A condition is surely true, surely false, or neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from twinlab.events.kpis.bounded import Bounded, combine
from twinlab.model.expressions import bound

__all__ = ["Interval", "Leaves", "Truth", "condition_bounds", "value_bounds"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Interval(NamedTuple):
    """The lowest and the highest possible number."""

    low: Floats
    high: Floats

    @classmethod
    def exact(cls, value: Floats) -> Interval:
        """Return numbers that are known."""
        return cls(value, value)


class Truth(NamedTuple):
    """Where a condition is surely true, and where it is surely false."""

    true: Bools
    false: Bools

    @property
    def unknown(self) -> Bools:
        """Where it is neither."""
        return ~(self.true | self.false)


class Leaves(Protocol):
    """What an expression is made of, as arrays that can be broadcast to one shape."""

    @property
    def cadence_ns(self) -> int | None:
        """Distance of two cells; None for events."""

    def signal(self, name: str) -> Interval:
        """Return a signal's value at each cell."""

    def reports(self, name: str) -> Interval:
        """Return a signal's value in the cells with a report, for windows; NaN where none was due."""

    def property(self, name: str) -> Interval:
        """Return a number property of the asset."""

    def column(self, name: str) -> Interval:
        """Return a column of the event table."""

    def text(self, value: bound.Property | bound.Column) -> NDArray[np.object_]:
        """Return a text, None where it isn't known."""

    def calculated(self, value: bound.Change | bound.Rate) -> Interval:
        """Return a change or a rate."""

    def indicator(self, truth: Truth) -> Interval:
        """Return 1 where a condition is true, 0 where it is false, and where it is unknown what that can be."""


def value_bounds(value: bound.Value, leaves: Leaves, *, in_window: bool = False) -> Interval:
    """Return the lowest and the highest number that a value can be."""
    if isinstance(value, (bound.Signal, bound.Property, bound.Column, bound.Constant)):
        return _leaf(value, leaves, in_window=in_window)
    if isinstance(value, bound.Arithmetic):
        left, right = (value_bounds(part, leaves, in_window=in_window) for part in (value.left, value.right))
        found = combine(value.operator, Bounded(left.low, *left), Bounded(right.low, *right))
        return Interval(found.low, found.high)
    if isinstance(value, bound.Scaled):
        part = value_bounds(value.value, leaves, in_window=in_window)
        made = Bounded(part.low, *part).scaled(value.pre, value.factor, value.offset)
        return Interval(made.low, made.high)
    if isinstance(value, bound.Absolute):
        return _sizes(value_bounds(value.value, leaves, in_window=in_window))
    if isinstance(value, bound.Window):
        return _window(value, leaves)
    if isinstance(value, bound.Indicator):
        return leaves.indicator(condition_bounds(value.condition, leaves))
    return leaves.calculated(value)


def _leaf(
    value: bound.Signal | bound.Property | bound.Column | bound.Constant, leaves: Leaves, *, in_window: bool
) -> Interval:
    if isinstance(value, bound.Signal):
        return leaves.reports(value.name) if in_window else leaves.signal(value.name)
    if isinstance(value, bound.Constant):
        return Interval.exact(np.array(value.value))
    return leaves.property(value.name) if isinstance(value, bound.Property) else leaves.column(value.name)


def _sizes(part: Interval) -> Interval:
    sizes = np.abs(part.low), np.abs(part.high)
    around = (part.low <= 0) & (part.high >= 0)
    return Interval(np.where(around, 0.0, np.minimum(*sizes)), np.maximum(*sizes))


def condition_bounds(condition: bound.Condition, leaves: Leaves) -> Truth:
    """Return where a condition without relations in time is surely true and where it is surely false."""
    if isinstance(condition, bound.Truth):
        yes = np.array(condition.value)
        return Truth(yes, ~yes)
    if isinstance(condition, bound.Compare):
        sides = value_bounds(condition.left, leaves), value_bounds(condition.right, leaves)
        with np.errstate(invalid="ignore"):
            return _COMPARE[condition.operator](*sides)
    if isinstance(condition, bound.TextEquals):
        text = leaves.text(condition.value)
        there = np.array([one is not None for one in text.ravel()]).reshape(text.shape)
        same = text == condition.text
        return Truth(there & same, there & ~same)
    if isinstance(condition, bound.Not):
        part = condition_bounds(condition.part, leaves)
        return Truth(part.false, part.true)
    if isinstance(condition, (bound.All, bound.Any)):
        parts = [condition_bounds(part, leaves) for part in condition.parts]
        both, either = _all([part.true for part in parts]), _any([part.false for part in parts])
        if isinstance(condition, bound.Any):
            return Truth(_any([part.true for part in parts]), _all([part.false for part in parts]))
        return Truth(both, either)
    if isinstance(condition, bound.ForAtLeast):
        part = condition_bounds(condition.part, leaves)
        cells = _cells(condition.duration_ns, leaves) + 1
        return Truth(_before(part.true, cells, np.all), _before(part.false, cells, np.any))
    if isinstance(condition, bound.WithinAfter):
        part, earlier = condition_bounds(condition.part, leaves), condition_bounds(condition.earlier, leaves)
        cells = _cells(condition.duration_ns, leaves) + 1
        was, wasnt = _before(earlier.true, cells, np.any), _before(earlier.false, cells, np.all)
        return Truth(part.true & was, part.false | wasnt)
    msg = f"a relation in time has no bounds: {condition}"
    raise TypeError(msg)


def _less(left: Interval, right: Interval) -> Truth:
    return Truth(left.high < right.low, left.low >= right.high)


def _at_most(left: Interval, right: Interval) -> Truth:
    return Truth(left.high <= right.low, left.low > right.high)


def _equal(left: Interval, right: Interval) -> Truth:
    same = (left.low == left.high) & (right.low == right.high) & (left.low == right.low)
    return Truth(same, (left.high < right.low) | (left.low > right.high))


def _different(left: Interval, right: Interval) -> Truth:
    same = _equal(left, right)
    return Truth(same.false, same.true)


_COMPARE: dict[str, Callable[[Interval, Interval], Truth]] = {
    "<": _less,
    "<=": _at_most,
    ">": lambda left, right: _less(right, left),
    ">=": lambda left, right: _at_most(right, left),
    "==": _equal,
    "!=": _different,
}


def _all(parts: list[Bools]) -> Bools:
    out = parts[0]
    for part in parts[1:]:
        out = out & part
    return out


def _any(parts: list[Bools]) -> Bools:
    out = parts[0]
    for part in parts[1:]:
        out = out | part
    return out


def _cells(duration_ns: int, leaves: Leaves) -> int:
    assert leaves.cadence_ns is not None
    return -(-duration_ns // leaves.cadence_ns)


def _before(mask: Bools, cells: int, what: Callable[..., Bools]) -> Bools:
    """Return a statistic of each cell and those before it, ``cells`` in all; before the first cell nothing is sure."""
    edge = np.zeros((cells - 1, *mask.shape[1:]), dtype=bool)
    return what(sliding_window_view(np.concatenate([edge, mask]), cells, axis=0), axis=-1)


def _window(value: bound.Window, leaves: Leaves) -> Interval:
    part = value_bounds(value.value, leaves, in_window=True)
    cells = _cells(value.duration_ns, leaves)
    low, high = (_views(np.atleast_2d(one), cells) for one in part)
    there = ~np.isnan(high)
    if value.statistic == "count":
        return Interval((there & (low == high)).sum(axis=-1).astype(float), there.sum(axis=-1).astype(float))
    empty = ~there.any(axis=-1)
    if value.statistic in ("min", "max"):
        fold, edge = (np.min, np.inf) if value.statistic == "min" else (np.max, -np.inf)
        ends = [fold(np.where(there, one, edge), axis=-1) for one in (low, high)]
    else:
        ends = [np.where(there, one, 0.0).sum(axis=-1) for one in (low, high)]
        if value.statistic == "mean":
            ends = [one / np.maximum(there.sum(axis=-1), 1) for one in ends]
    return Interval(*(np.where(empty, np.nan, one) for one in ends))


def _views(values: Floats, cells: int) -> Floats:
    edge = np.full((cells - 1, *values.shape[1:]), np.nan)
    return sliding_window_view(np.concatenate([edge, values]), cells, axis=0)
