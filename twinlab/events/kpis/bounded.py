"""Numbers with bounds, and arithmetic on them: what a formula gives is inside what its parts allow."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Bounded", "combine"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bounded:
    """Arrays of one shape: the best value, and the least and the greatest that it can be.

    NaN is a value that nothing is known about. Bounds are NaN only where the quantity doesn't exist, such as the mean delay of
    no flight; they are infinite where nothing bounds it.
    """

    value: Floats
    low: Floats
    high: Floats

    @classmethod
    def exact(cls, value: ArrayLike) -> Bounded:
        """Return a value that is known.

        >>> Bounded.exact([2.0]).high.tolist()
        [2.0]
        """
        found = np.asarray(value, dtype=np.float64)
        return cls(found, found, found)

    def scaled(self, pre: float, factor: float, offset: float) -> Bounded:
        """Return ``(x + pre) * factor + offset``: a conversion between units."""
        value, low, high = ((part + pre) * factor + offset for part in (self.value, self.low, self.high))
        return Bounded(value, low, high) if factor >= 0 else Bounded(value, high, low)

    def clipped(self) -> Bounded:
        """Return the value inside its bounds, where rounding put it next to them."""
        with np.errstate(invalid="ignore"):
            value = np.fmin(np.fmax(self.value, self.low), self.high)
        return Bounded(np.where(np.isnan(self.value), np.nan, value), self.low, self.high)

    def limited(self, least: float, greatest: float) -> Bounded:
        """Return the value with bounds that are cut to what it can be at all.

        >>> Bounded(np.array([50.0]), np.array([40.0]), np.array([170.0])).limited(0.0, 100.0).high.tolist()
        [100.0]
        """
        return Bounded(self.value, np.maximum(self.low, least), np.minimum(self.high, greatest))


def combine(operator: str, left: Bounded, right: Bounded) -> Bounded:
    """Return ``left operator right`` for ``+ - * /``.

    The bounds are valid whether the two sides depend on each other or not (interval arithmetic [1]_): if they do, as in
    ``a / (a + b)``, they may be wider than need be.

    References
    ----------
    .. [1] R. E. Moore, R. B. Kearfott, M. J. Cloud, "Introduction to Interval Analysis", SIAM 2009, chapter 2.

    >>> half = combine("/", Bounded.exact([1.0]), Bounded(np.array([2.0]), np.array([1.0]), np.array([4.0])))
    >>> half.low.tolist(), half.value.tolist(), half.high.tolist()
    ([0.25], [0.5], [1.0])
    """
    with np.errstate(all="ignore"):
        value = _OPERATIONS[operator](left.value, right.value)
        if operator == "+":
            low, high = left.low + right.low, left.high + right.high
        elif operator == "-":
            low, high = left.low - right.high, left.high - right.low
        elif operator == "*":
            low, high = _products(left, right)
        else:
            low, high = _quotients(left, right)
            value = np.where(right.value == 0, np.nan, value)
    undefined = np.isnan(left.low) | np.isnan(right.low)
    # inf - inf: nothing bounds it.
    low = np.where(undefined, np.nan, np.where(np.isnan(low), -np.inf, low))
    high = np.where(undefined, np.nan, np.where(np.isnan(high), np.inf, high))
    if operator == "/":
        never = (right.low == 0) & (right.high == 0)
        low, high = np.where(never, np.nan, low), np.where(never, np.nan, high)
    return Bounded(value, low, high)


def _products(left: Bounded, right: Bounded) -> tuple[Floats, Floats]:
    corners = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    # 0 * inf: what is 0 stays 0, however large the other side is.
    return _extremes([np.where(np.isnan(one), 0.0, one) for one in corners])


def _quotients(left: Bounded, right: Bounded) -> tuple[Floats, Floats]:
    low, high = _extremes([a / b for a in (left.low, left.high) for b in (right.low, right.high)])
    around = (right.low < 0) & (right.high > 0)
    low, high = np.where(around, -np.inf, low), np.where(around, np.inf, high)
    # From 0 on, or up to 0: one side of the quotient has no bound.
    for edge, sign in ((right.low == 0) & (right.high > 0), 1.0), ((right.high == 0) & (right.low < 0), -1.0):
        far = np.where(sign > 0, right.high, right.low)
        ends = np.stack([left.low / far, left.high / far]), np.stack([left.low * sign, left.high * sign])
        up, down = ends[1].max(axis=0) > 0, ends[1].min(axis=0) < 0
        low = np.where(edge, np.where(down, -np.inf, ends[0].min(axis=0)), low)
        high = np.where(edge, np.where(up, np.inf, ends[0].max(axis=0)), high)
    return low, high


def _extremes(corners: list[Floats]) -> tuple[Floats, Floats]:
    stacked = np.stack(np.broadcast_arrays(*corners))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmin(stacked, axis=0), np.nanmax(stacked, axis=0)


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
