"""Confidence intervals of a difference between two means or two rates, on plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

__all__ = ["Interval", "bootstrap", "more_needed", "newcombe", "newcombe_paired", "paired_t", "welch", "wilson"]

Floats = NDArray[np.float64]
#: Resamples of a bootstrap: the quantiles of a 95 % interval are then known to about 0.3 percentage points of coverage.
RESAMPLES = 4999


@dataclass(frozen=True)
class Interval:
    """An estimated difference.

    Parameters
    ----------
    value, low, high : float
        The difference and its confidence interval.
    p_value : float
        Two-sided: one minus the smallest level at which the interval contains zero.
    deviation : float
        Standard deviation of one replication's difference: the standard error is ``deviation / sqrt(replications)``.
    """

    value: float
    low: float
    high: float
    p_value: float
    deviation: float


def paired_t(differences: Floats, *, level: float) -> Interval:
    """Interval of a mean by Student's t.

    >>> paired_t(np.array([1.0, 2.0, 3.0, 4.0]), level=0.95)
    Interval(value=2.5, low=0.44..., high=4.55..., p_value=0.030..., deviation=1.29...)
    """
    size = len(differences)
    deviation = float(differences.std(ddof=1))
    return _by_t(float(differences.mean()), deviation, float(deviation / np.sqrt(size)), size - 1.0, level)


def welch(first: Floats, second: Floats, *, level: float) -> Interval:
    """Interval of ``mean(second) - mean(first)`` of two independent samples, variances unequal (Welch and Satterthwaite)."""
    parts = [values.var(ddof=1) / len(values) for values in (first, second)]
    deviation = float(np.sqrt(first.var(ddof=1) + second.var(ddof=1)))
    error = float(np.sqrt(sum(parts)))
    below = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True))
    freedom = float(error**4 / below) if below > 0 else float(len(first) + len(second) - 2)
    return _by_t(float(second.mean() - first.mean()), deviation, error, freedom, level)


def _by_t(value: float, deviation: float, error: float, freedom: float, level: float) -> Interval:
    if error == 0.0:  # all replications have the same difference
        return Interval(value, value, value, float(value == 0.0), 0.0)
    reach = float(stdtrit(freedom, (1.0 + level) / 2.0)) * error
    p_value = 2.0 * float(stdtr(freedom, -abs(value) / error))
    return Interval(value, float(value - reach), float(value + reach), p_value, deviation)


def bootstrap(first: Floats | None, second: Floats, *, level: float, seed: int, resamples: int = RESAMPLES) -> Interval:
    """Interval by the studentised bootstrap, for skewed KPIs.

    Parameters
    ----------
    first : array or None
        The first of two independent samples; None if ``second`` has paired differences.
    second : array
        The second sample, or the differences.
    level : float
        Confidence level.
    seed : int
        Seed of the resampling.
    resamples : int
        Number of resamples.

    References
    ----------
    .. [1] Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 12.5.
    """
    samples = [second] if first is None else [first, second]
    signs = [1.0] if first is None else [-1.0, 1.0]
    plain = paired_t(second, level=level) if first is None else welch(first, second, level=level)
    if plain.deviation == 0.0:
        return plain
    rng = np.random.default_rng(seed)
    means, variances = np.zeros(resamples), np.zeros(resamples)
    for sign, values in zip(signs, samples, strict=True):
        drawn = values[rng.integers(0, len(values), (resamples, len(values)))]
        means += sign * drawn.mean(axis=1)
        variances += drawn.var(axis=1, ddof=1) / len(values)
    error = np.sqrt(sum(values.var(ddof=1) / len(values) for values in samples))
    moved = means - plain.value
    # A resample of one repeated value has no spread: its ratio is 0 or infinite.
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(variances > 0, moved / np.sqrt(variances), np.copysign(np.inf, moved))
    ratios[(variances == 0) & (moved == 0)] = 0.0
    low, high = np.quantile(ratios, [(1 + level) / 2, (1 - level) / 2], method="inverted_cdf")
    observed = plain.value / error
    beyond = min((ratios >= observed).sum(), (ratios <= observed).sum())
    p_value = min(1.0, 2.0 * (beyond + 1.0) / (resamples + 1.0))
    least, most = (float(plain.value - ratio * error) for ratio in (low, high))
    return Interval(plain.value, least, most, float(p_value), plain.deviation)


def wilson(successes: float, trials: int, *, level: float) -> tuple[float, float]:
    """Interval of a rate by Wilson's score.

    References
    ----------
    .. [1] Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927.

    >>> [round(bound, 4) for bound in wilson(81, 263, level=0.95)]
    [0.2553, 0.3662]
    """
    return _wilson(successes / trials, trials, float(ndtri((1.0 + level) / 2.0)))


def _wilson(rate: float, trials: int, z: float) -> tuple[float, float]:
    centre = rate + z * z / (2 * trials)
    reach = z * np.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    below = 1 + z * z / trials
    low, high = (centre - reach) / below, (centre + reach) / below
    # Rounding puts the bound of 0 of n, or n of n, a little beside 0 or 1.
    return (0.0 if rate == 0 else float(low)), (1.0 if rate == 1 else float(high))


def newcombe(first: Floats, second: Floats, *, level: float) -> Interval:
    """Interval of the difference of two independent rates: ``rate(second) - rate(first)``.

    References
    ----------
    .. [1] Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17,
       1998, method 10.
    """
    rates = float(first.mean()), float(second.mean())

    def bounds(z: float) -> tuple[float, float]:
        (low_1, high_1), (low_2, high_2) = (_wilson(r, len(v), z) for r, v in zip(rates, (first, second), strict=True))
        value = rates[1] - rates[0]
        return (
            value - float(np.hypot(rates[1] - low_2, high_1 - rates[0])),
            value + float(np.hypot(high_2 - rates[1], rates[0] - low_1)),
        )

    variance = sum(rate * (1 - rate) for rate in rates)
    return _by_score(rates[1] - rates[0], bounds, level, float(np.sqrt(variance)))


def newcombe_paired(first: Floats, second: Floats, *, level: float) -> Interval:
    """Interval of the difference of two rates on the same replications: ``rate(second) - rate(first)``.

    References
    ----------
    .. [1] Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired data",
       Statistics in Medicine 17, 1998, method 10.
    """
    size = len(first)
    both, neither = float((first * second).sum()), float(((1 - first) * (1 - second)).sum())
    only_first, only_second = float((first * (1 - second)).sum()), float(((1 - first) * second).sum())
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    phi = 0.0
    if margins > 0:
        excess = both * neither - only_first * only_second
        # Newcombe's correction for continuity, which applies to a positive correlation only.
        phi = (max(excess - size / 2, 0.0) if excess > 0 else excess) / float(np.sqrt(margins))
    rates = float(first.mean()), float(second.mean())
    value = rates[1] - rates[0]

    def bounds(z: float) -> tuple[float, float]:
        (low_1, high_1), (low_2, high_2) = (_wilson(rate, size, z) for rate in rates)
        down, up = (rates[1] - low_2, high_1 - rates[0]), (high_2 - rates[1], rates[0] - low_1)
        reach = [np.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0)) for a, b in (down, up)]
        return value - float(reach[0]), value + float(reach[1])

    return _by_score(value, bounds, level, float((second - first).std(ddof=1)))


def _by_score(value: float, bounds: Callable[[float], tuple[float, float]], level: float, deviation: float) -> Interval:
    low, high = bounds(float(ndtri((1.0 + level) / 2.0)))
    return Interval(value, low, high, _p_by_bisection(value, bounds), deviation)


def _p_by_bisection(value: float, bounds: Callable[[float], tuple[float, float]]) -> float:
    """Find the level at which the interval's bound nearest to zero is zero."""
    if value == 0.0:
        return 1.0
    small, large = 0.0, 40.0  # beyond 38 a p-value is zero in float64
    for _ in range(60):
        z = (small + large) / 2
        low, high = bounds(z)
        small, large = (small, z) if low <= 0.0 <= high else (z, large)
    return 2.0 * float(stdtr(np.inf, -small))


def more_needed(
    interval: Interval, *, replications: int, level: float, indifference: float, power: float
) -> int | None:
    """Estimate how many more replications give a verdict, if the difference and its deviation are as estimated.

    Parameters
    ----------
    interval : Interval
        The estimate so far.
    replications : int
        Replications per scenario so far.
    level, power : float
        Confidence level of the interval, and the probability with which it then excludes zero.
    indifference : float
        Smallest difference that matters.

    Returns
    -------
    int or None
        None if a million replications wouldn't do.

    >>> more_needed(paired_t(np.array([0.0, 1.0, -1.0, 2.0]), level=0.95), replications=4, level=0.95, indifference=0, power=0.8)
    51
    """
    distance = max(abs(interval.value), indifference - abs(interval.value))
    if distance <= 0.0:
        return None
    ratio = (interval.deviation / distance) ** 2

    def enough(total: int) -> bool:
        t = float(stdtrit(total - 1.0, (1.0 + level) / 2.0)) + float(stdtrit(total - 1.0, power))
        return total >= t * t * ratio

    small, large = 1, 1_000_000
    if not enough(large):
        return None
    while large - small > 1:
        middle = (small + large) // 2
        small, large = (small, middle) if enough(middle) else (middle, large)
    return max(large - replications, 1)
