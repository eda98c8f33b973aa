"""Boundaries of a group-sequential test: when to stop early, so that all looks together have one error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

__all__ = ["boundaries", "crossing_probability", "look_times", "verdict_probability"]

#: P-value below which an early look stops, as a share of the error of all looks: p < 0.001 for 5 % (Haybittle 1971, Peto et al.
#: 1976), so that the last look is almost as strict as a test of a fixed number of replications.
EARLY = 0.02
#: Growth from look to look: a verdict comes at most a quarter later than at the earliest possible replication.
GROWTH = 1.25
_GRID = 601


def look_times(first: int, most: int) -> list[int]:
    """Return after how many replications to look, growing by a quarter each time.

    >>> look_times(20, 100)
    [20, 25, 32, 40, 50, 63, 79, 100]
    """
    found = [first]
    while (following := int(np.ceil(found[-1] * GROWTH))) < 0.95 * most:
        found.append(following)
    return [*found, most] if first < most else [most]


@lru_cache(maxsize=64)
def boundaries(looks: tuple[int, ...], error: float) -> tuple[float, ...]:
    """Return the boundary of each look, in standard errors.

    Parameters
    ----------
    looks : tuple of int
        Replications at each look.
    error : float
        Probability that any look crosses its boundary although there is no difference.

    Returns
    -------
    tuple of float
        The same boundary for all but the last look, and one for the last that uses up the error.

    >>> [round(each, 3) for each in boundaries((20, 100, 500, 1000), 0.05)]
    [3.291, 3.291, 3.291, 1.977]
    """
    early = float(-ndtri(EARLY * error / 2))
    early_bounds = [early] * (len(looks) - 1)
    share = np.asarray(looks, dtype=np.float64) / looks[-1]
    inside = _inside(share, early_bounds)
    small, large = 1.0, 8.0
    for _ in range(50):
        last = (small + large) / 2
        above = inside.crossed + _crossing_next(inside, share[-1], last) > error
        small, large = (last, large) if above else (small, last)
    return (*early_bounds, large)


def crossing_probability(looks: Sequence[int], bounds: Sequence[float]) -> float:
    """Probability that the mean of normal values without a difference crosses a boundary at any look.

    By numerical integration over the sums that haven't crossed yet.

    References
    ----------
    .. [1] Armitage, McPherson and Rowe, "Repeated significance tests on accumulating data", JRSS A 132, 1969.

    >>> round(crossing_probability([1, 2, 3, 4, 5], [2.413] * 5), 3)    # Pocock 1977
    0.05
    """
    share = np.asarray(looks, dtype=np.float64) / looks[-1]
    inside = _inside(share, bounds[:-1])
    return inside.crossed + _crossing_next(inside, share[-1], bounds[-1])


@dataclass(frozen=True)
class _Inside:
    """Sums that haven't crossed a boundary up to a look, with their probability; variance is the share of replications."""

    at: float
    sums: NDArray[np.float64]
    weight: NDArray[np.float64]
    crossed: float


def _inside(share: NDArray[np.float64], bounds: Sequence[float]) -> _Inside:
    found = _Inside(0.0, np.zeros(1), np.ones(1), 0.0)
    for now, bound in zip(share, bounds, strict=False):
        edge = bound * np.sqrt(now)
        sums = np.linspace(-edge, edge, _GRID)
        spread = np.sqrt(now - found.at)
        distance = (sums[:, None] - found.sums) / spread
        weight = np.exp(-(distance**2) / 2) @ found.weight * (sums[1] - sums[0]) / (np.sqrt(2 * np.pi) * spread)
        weight[[0, -1]] /= 2
        found = _Inside(now, sums, weight, found.crossed + _crossing_next(found, now, bound))
    return found


def _crossing_next(inside: _Inside, now: float, bound: float) -> float:
    edge, spread = bound * np.sqrt(now), np.sqrt(now - inside.at)
    beyond = ndtr((-edge - inside.sums) / spread) + ndtr((inside.sums - edge) / spread)
    return float(inside.weight @ beyond)


def verdict_probability(
    difference: float, deviation: float, *, now: int, most: int, last: float, indifference: float
) -> float:
    """Probability that ``most`` replications give a verdict, as predicted after ``now`` of them.

    Parameters
    ----------
    difference, deviation : float
        Mean difference so far, and the standard deviation of one replication's.
    now, most : int
        Replications so far, and at the last look.
    last : float
        Boundary of the last look, in standard errors.
    indifference : float
        Smallest difference that matters.

    References
    ----------
    .. [1] Spiegelhalter, Freedman and Blackburn, "Monitoring clinical trials: conditional or predictive power?",
       Controlled Clinical Trials 7, 1986.
    """
    reach = last * deviation / np.sqrt(most)
    spread = deviation * np.sqrt(1 / now - 1 / most)
    if spread == 0.0:
        return float(abs(difference) > reach or abs(difference) < indifference - reach)
    beyond = ndtr((-reach - difference) / spread) + ndtr((difference - reach) / spread)
    inside = max(indifference - reach, 0.0)
    within = ndtr((inside - difference) / spread) - ndtr((-inside - difference) / spread)
    return float(min(beyond + within, 1.0))
