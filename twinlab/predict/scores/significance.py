"""Whether one forecast is better than another one, from paired losses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from twinlab.errors import SchemaError

__all__ = ["Paired", "diebold_mariano", "paired_bootstrap"]


@dataclass(frozen=True)
class Paired:
    """A comparison of two forecasts.

    Parameters
    ----------
    difference : float
        Mean of the first one's losses minus the second one's: below 0 the first one is better.
    low, high : float
        95 % interval of the difference.
    p : float
        Chance of a difference as large if both were equally good, of both sides; NaN for too few pairs, or if all are equal.
    count : int
        Pairs.
    """

    difference: float
    low: float
    high: float
    p: float
    count: int

    @property
    def verdict(self) -> str:
        """At 5 %, one of "better", "worse" and "not shown"."""
        if not self.p < 0.05:
            return "not shown"
        return "better" if self.difference < 0 else "worse"


def _differences(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    a, b = np.asarray(first, float), np.asarray(second, float)
    if a.shape != b.shape or a.ndim != 1:
        msg = f"expected paired losses in time order, of one dimension and length, got shapes {a.shape} and {b.shape}"
        raise SchemaError(msg)
    found: np.ndarray = (a - b)[~np.isnan(a - b)]
    return found


def diebold_mariano(first: ArrayLike, second: ArrayLike, *, horizon: int = 1) -> Paired:
    """Compare the losses of two forecasts issued at regular times, by the test of Diebold and Mariano [1]_ with the correction of [2]_.

    Parameters
    ----------
    first, second : array (issue times,)
        Losses, such as the mean absolute error of each issue time, in time order.
    horizon : int
        Issue times that a forecast reaches ahead, at least 1: losses less than that apart are correlated.

    Returns
    -------
    Paired
        Of fewer than ``horizon + 2`` pairs, or if the losses are equal, p is NaN.

    References
    ----------
    .. [1] F. X. Diebold, R. S. Mariano, "Comparing predictive accuracy", Journal of Business & Economic Statistics 13 (1995) 253-263.
    .. [2] D. Harvey, S. Leybourne, P. Newbold, "Testing the equality of prediction mean squared errors", International Journal of
       Forecasting 13 (1997) 281-291.

    >>> rng = np.random.default_rng(1)
    >>> diebold_mariano(rng.random(50), rng.random(50) + 1.0).verdict
    'better'
    """
    d = _differences(first, second)
    n, lags = d.size, horizon - 1
    if horizon < 1:
        msg = f"expected a horizon of at least 1 issue time, got {horizon}"
        raise SchemaError(msg)
    mean = float(d.mean()) if n else float("nan")
    if n < horizon + 2:
        return Paired(mean, float("nan"), float("nan"), float("nan"), n)
    centred = d - mean
    covariances = [float((centred[k:] * centred[: n - k]).sum() / n) for k in range(lags + 1)]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / n
    if variance <= 0:
        # The rectangular window may give a negative variance: the one without lags is positive, unless all differences are equal.
        variance = covariances[0] / n
    if variance <= 0:
        return Paired(mean, mean, mean, float("nan") if mean == 0 else 0.0, n)
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    error = float(np.sqrt(variance / max(correction, 1 / n)))
    half = float(stats.t.ppf(0.975, n - 1)) * error
    p = float(2 * stats.t.sf(abs(mean / error), n - 1))
    return Paired(mean, mean - half, mean + half, p, n)


def paired_bootstrap(
    first: ArrayLike, second: ArrayLike, *, block: int = 1, samples: int = 2000, seed: int = 0
) -> Paired:
    """Compare the losses of two forecasts by a moving-block bootstrap of their differences [1]_; it assumes no distribution.

    Parameters
    ----------
    first, second : array (cases,)
        Losses; in time order if ``block`` is above 1.
    block : int
        Cases that are drawn together, as many as are correlated.
    samples, seed : int

    References
    ----------
    .. [1] H. R. Künsch, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17 (1989) 1217-1241.
    """
    d = _differences(first, second)
    n = d.size
    if block < 1 or samples < 100:
        msg = f"expected a block of at least 1 and at least 100 samples, got {block} and {samples}"
        raise SchemaError(msg)
    mean = float(d.mean()) if n else float("nan")
    if n < 2 * block:
        return Paired(mean, float("nan"), float("nan"), float("nan"), n)
    rng = np.random.default_rng(seed)
    count = -(-n // block)
    starts = rng.integers(0, n - block + 1, (samples, count))
    sums = np.concatenate([[0.0], np.cumsum(d)])
    means = (sums[starts + block] - sums[starts]).sum(axis=1) / (count * block)
    low, high = np.quantile(means, [0.025, 0.975])
    # Shares of the bootstrap distribution beyond 0, of both sides.
    beyond = (1 + min(int((means <= 0).sum()), int((means >= 0).sum()))) / (samples + 1)
    return Paired(mean, float(low), float(high), float(min(1.0, 2 * beyond)), n)
