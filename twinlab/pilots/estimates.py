"""Medians and shares with intervals, and what two of them say about a change.

Pure functions on numbers. An interval that a few values can't give is NaN, and the comparison says that it can't tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from twinlab.errors import SchemaError

__all__ = ["FEWEST", "Estimate", "Outcome", "change", "median", "met", "share"]

Outcome = Literal["better", "worse", "can't tell", "not known"]
#: With fewer values no pair of them contains the median with a probability of 95 %.
FEWEST = 6
#: Of the standard normal distribution, for 95 %.
_Z = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A number with its interval of 95 %, and of how many values it is."""

    value: float
    """NaN without values."""
    low: float
    """NaN where there are too few values."""
    high: float
    count: int
    """Number of values."""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)

    @property
    def bounded(self) -> bool:
        """Whether there is an interval."""
        return not (math.isnan(self.low) or math.isnan(self.high))


def median(values: Sequence[float]) -> Estimate:
    """Return the median with an interval of at least 95 %, from order statistics: it assumes no distribution.

    Parameters
    ----------
    values : sequence of float
        Independent values in one unit.

    Raises
    ------
    SchemaError
        If a value is no number.

    References
    ----------
    .. [1] W. J. Conover, "Practical Nonparametric Statistics", 3rd ed., section 3.2: the r-th smallest of n values is below the
       median with the probability of at least r heads in n tosses.

    >>> median([4, 1, 3, 2, 6, 5])
    Estimate(value=3.5, low=1.0, high=6.0, count=6)
    >>> median([1, 2, 3]).bounded
    False
    """
    data = np.sort(np.asarray(values, dtype=np.float64))
    if not np.isfinite(data).all():
        msg = "expected finite numbers, got NaN or infinity among the values"
        raise SchemaError(msg)
    count = len(data)
    if not count:
        return Estimate(math.nan, math.nan, math.nan, 0)
    middle = float(np.median(data))
    place = _lower_place(count)
    if place is None:
        return Estimate(middle, math.nan, math.nan, count)
    return Estimate(middle, float(data[place]), float(data[count - 1 - place]), count)


def _lower_place(count: int) -> int | None:
    """Return the largest index whose value is above the median with a probability of at most 2.5 %; None if there is none."""
    if count < FEWEST:
        return None
    below, term = 0.0, math.exp(-count * math.log(2)) if count < 1000 else 0.0
    if count >= 1000:
        # The normal approximation; there 0.5 ** count is too small for a float.
        return math.floor(count / 2 - _Z * math.sqrt(count) / 2) - 1
    for place in range(count):
        below += term
        if below > 0.025:
            return place - 1
        term *= (count - place) / (place + 1)
    return None


def share(hits: int, total: int, *, unknown: int = 0) -> Estimate:
    """Return a share with Wilson's interval of 95 %, widened by cases of which nobody knows.

    Parameters
    ----------
    hits, total : int
        Of how many of the cases that were judged it is true.
    unknown : int
        Cases that weren't judged: the lower bound takes none of them for a hit, the upper one all.

    Returns
    -------
    Estimate
        ``value`` is the share among the judged.

    Raises
    ------
    SchemaError
        If the numbers contradict each other.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    >>> found = share(3, 10)
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.3, 0.11, 0.6)
    >>> share(3, 10, unknown=10).high > 0.8
    True
    """
    if not (0 <= hits <= total and unknown >= 0):
        msg = f"expected 0 <= hits <= total and unknown >= 0, got {hits}, {total} and {unknown}"
        raise SchemaError(msg)
    every = total + unknown
    if not every:
        return Estimate(math.nan, math.nan, math.nan, 0)
    value = hits / total if total else math.nan
    return Estimate(value, _wilson(hits, every)[0], _wilson(hits + unknown, every)[1], total)


def _wilson(hits: int, total: int) -> tuple[float, float]:
    ratio, square = hits / total, _Z**2
    centre = (ratio + square / (2 * total)) / (1 + square / total)
    half = _Z / (1 + square / total) * math.sqrt(ratio * (1 - ratio) / total + square / (4 * total**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def change(before: Estimate, during: Estimate, *, less_is_better: bool) -> Outcome:
    """Return what two estimates say: better or worse only if their intervals don't overlap.

    That is stricter than a test of the difference at 5 %: a committee sees it in the picture.

    >>> change(share(1, 50), share(30, 50), less_is_better=True)
    'worse'
    >>> change(share(1, 3), share(2, 3), less_is_better=False)
    "can't tell"
    """
    if not (before.known and during.known):
        return "not known"
    if not (before.bounded and during.bounded):
        return "can't tell"
    if during.high < before.low:
        return "better" if less_is_better else "worse"
    if during.low > before.high:
        return "worse" if less_is_better else "better"
    return "can't tell"


def met(during: Estimate, aim: float | None, *, less_is_better: bool) -> bool | None:
    """Return whether an aim was met; None if there is none, or the interval contains it.

    >>> met(share(1, 200), 0.2, less_is_better=True), met(share(1, 3), 0.2, less_is_better=True)
    (True, None)
    """
    if aim is None or not (during.known and during.bounded):
        return None
    low, high = (during.low, during.high) if less_is_better else (-during.high, -during.low)
    limit = aim if less_is_better else -aim
    return True if high <= limit else False if low > limit else None
