"""Aggregates over events: shares, counts, means, quantiles, with bounds for what isn't known of them.

An event is a *member* of a window and group, or may be one: where its group or the aggregate's condition isn't known. What isn't
known of a member counts as bad in the low bound and as good in the high one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.events.kpis.bounded import Bounded
from twinlab.events.kpis.intervals import Interval, Truth

__all__ = ["Members", "count", "extreme", "mean", "quantile", "share", "total"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Members:
    """Events by window and group.

    ``cell`` is ``window * groups + group``; of an event whose group isn't known it is -1, and ``window`` says where it may be.
    """

    window: Ints
    cell: Ints
    shape: tuple[int, int]
    #: The aggregate's condition.
    where: Truth
    #: Windows that aren't settled: more events may come.
    unsettled: Bools

    @property
    def sure(self) -> Bools:
        """Which events are surely members."""
        return (self.cell >= 0) & self.where.true

    @property
    def maybe(self) -> Bools:
        """Which events may be members."""
        return ~self.where.false & ~self.sure

    def sums(self, chosen: Bools, weights: Floats | None = None) -> Floats:
        """Return the number of chosen events, or the sum of their weights, by window and group.

        An event whose group isn't known counts in each group of its window.
        """
        known, lost = chosen & (self.cell >= 0), chosen & (self.cell < 0)
        size = self.shape[0] * self.shape[1]
        weight = (None, None) if weights is None else (weights[known], weights[lost])
        out = np.bincount(self.cell[known], weight[0], minlength=size).reshape(self.shape).astype(float)
        if lost.any():
            out = out + np.bincount(self.window[lost], weight[1], minlength=self.shape[0])[:, None]
        return out

    def extremes(self, chosen: Bools, values: Floats, *, greatest: bool) -> Floats:
        """Return the least or greatest value of chosen events by window and group; infinite where there are none."""
        fold, edge = (np.maximum, -np.inf) if greatest else (np.minimum, np.inf)
        known, lost = chosen & (self.cell >= 0), chosen & (self.cell < 0)
        out = np.full(self.shape[0] * self.shape[1], edge)
        fold.at(out, self.cell[known], values[known])
        out = out.reshape(self.shape)
        if lost.any():
            windows = np.full(self.shape[0], edge)
            fold.at(windows, self.window[lost], values[lost])
            out = fold(out, windows[:, None])
        return out

    def more(self, inside: Floats, outside: float) -> Floats:
        """Return a bound where more events may come: ``outside`` in windows that aren't settled."""
        return np.where(self.unsettled[:, None], outside, inside)


def count(members: Members) -> Bounded:
    """Return the number of events."""
    sure = members.sums(members.sure)
    return Bounded(sure, sure, members.more(sure + members.sums(members.maybe), np.inf))


def share(members: Members, good: Truth) -> Bounded:
    """Return the share of events that are good."""
    sure, maybe = members.sure, members.maybe
    yes, no, all_ = members.sums(sure & good.true), members.sums(sure & good.false), members.sums(sure)
    might_not, might = members.sums(maybe & ~good.true), members.sums(maybe & ~good.false)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = yes / (yes + no)
        low, high = yes / (all_ + might_not), (all_ - no + might) / (all_ + might)
    only_maybe = (all_ == 0) & (members.sums(maybe) > 0)
    low, high = np.where(only_maybe, 0.0, low), np.where(only_maybe, 1.0, high)
    return Bounded(value, members.more(low, 0.0), members.more(high, 1.0))


def mean(members: Members, value: Floats, bounds: Interval, reach: tuple[float, float]) -> Bounded:
    """Return the mean of a value; ``reach`` is the least and greatest that it can be of an event yet to come."""
    sure, maybe = members.sure, members.maybe
    known = sure & ~np.isnan(value)
    number = members.sums(sure)
    with np.errstate(invalid="ignore", divide="ignore"):
        best = members.sums(known, value) / members.sums(known)
        low, high = members.sums(sure, bounds.low) / number, members.sums(sure, bounds.high) / number
    # A mean of members and others is nowhere below the lower one of both.
    low = np.where(number > 0, low, np.inf)
    high = np.where(number > 0, high, -np.inf)
    low = np.minimum(low, members.extremes(maybe, bounds.low, greatest=False))
    high = np.maximum(high, members.extremes(maybe, bounds.high, greatest=True))
    return _finish(members, best, low, high, reach)


def extreme(
    members: Members, value: Floats, bounds: Interval, reach: tuple[float, float], *, greatest: bool
) -> Bounded:
    """Return the least or greatest value."""
    if not greatest:
        turned = extreme(members, -value, Interval(-bounds.high, -bounds.low), (-reach[1], -reach[0]), greatest=True)
        return Bounded(-turned.value, -turned.high, -turned.low)
    sure, maybe = members.sure, members.maybe
    best = members.extremes(sure & ~np.isnan(value), value, greatest=True)
    low, high = (members.extremes(sure, one, greatest=True) for one in bounds)
    low = np.where(members.sums(sure) > 0, low, members.extremes(maybe, bounds.low, greatest=False))
    high = np.maximum(high, members.extremes(maybe, bounds.high, greatest=True))
    empty = members.sums(sure) + members.sums(maybe) == 0
    low, high = np.where(empty, np.nan, low), np.where(empty, np.nan, high)
    # More events can only raise the greatest value.
    low = np.where(members.unsettled[:, None] & empty, reach[0], low)
    high = members.more(high, reach[1])
    return Bounded(np.where(np.isinf(best), np.nan, best), low, high)


def total(members: Members, value: Floats, bounds: Interval, reach: tuple[float, float]) -> Bounded:
    """Return the sum of a value."""
    sure, maybe = members.sure, members.maybe
    best = members.sums(sure & ~np.isnan(value), value)
    low = members.sums(sure, bounds.low) + members.sums(maybe, np.minimum(bounds.low, 0.0))
    high = members.sums(sure, bounds.high) + members.sums(maybe, np.maximum(bounds.high, 0.0))
    low = members.more(low, -np.inf) if reach[0] < 0 else low
    high = members.more(high, np.inf) if reach[1] > 0 else high
    return Bounded(best, low, high)


def quantile(members: Members, value: Floats, bounds: Interval, reach: tuple[float, float], *, level: float) -> Bounded:
    """Return a quantile of a value, with linear interpolation."""
    sure = members.sure
    maybe = members.sums(members.maybe).ravel().astype(np.int64)
    none = np.zeros_like(maybe)
    best = _grouped_quantile(members, sure & ~np.isnan(value), value, level, none, none)
    low = _grouped_quantile(members, sure, bounds.low, level, maybe, none)
    high = _grouped_quantile(members, sure, bounds.high, level, none, maybe)
    shape = members.shape
    return _finish(members, best.reshape(shape), low.reshape(shape), high.reshape(shape), reach)


def _finish(members: Members, best: Floats, low: Floats, high: Floats, reach: tuple[float, float]) -> Bounded:
    empty = members.sums(members.sure) + members.sums(members.maybe) == 0
    low, high = np.where(empty, np.nan, low), np.where(empty, np.nan, high)
    return Bounded(best, members.more(low, reach[0]), members.more(high, reach[1]))


def _grouped_quantile(  # noqa: PLR0917
    members: Members, chosen: Bools, values: Floats, level: float, before: Ints, after: Ints
) -> Floats:
    """Return a quantile by cell, with numbers of values at minus infinity before and at infinity after those given."""
    cell, found = members.cell[chosen], values[chosen]
    order = np.lexsort((found, cell))
    found = np.concatenate([found[order], [np.nan]])
    size = np.bincount(cell, minlength=members.shape[0] * members.shape[1])
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    number = size + before + after
    at = level * np.maximum(number - 1, 0)
    ends = []
    for place in (np.floor(at).astype(np.int64), np.ceil(at).astype(np.int64)):
        inside = np.clip(place - before, 0, np.maximum(size - 1, 0)) + first
        here = found[np.where(size > 0, inside, len(found) - 1)]
        here = np.where(place < before, -np.inf, np.where(place >= before + size, np.inf, here))
        ends.append(here)
    low, high = ends
    with np.errstate(invalid="ignore"):
        between = low + (high - low) * (at - np.floor(at))
    between = np.where((low == high) | np.isinf(low), low, between)
    return np.where(number > 0, between, np.nan)
