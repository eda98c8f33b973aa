"""Durations of which some had not ended when the window did: Kaplan–Meier, and maximum likelihood."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from twinlab.simulate.calibration.families import FAMILIES

__all__ = ["censored_fit", "censored_log_likelihood", "censoring_times", "kaplan_meier"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def kaplan_meier(values: Floats, censored: Bools) -> tuple[Floats, Floats]:
    """Return the durations at which something ended, and the share that had ended by then.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Durations; of those that haven't ended, how long they have lasted so far.
    censored : ndarray of bool, shape (n,)
        True where a duration hadn't ended.

    Returns
    -------
    times, ended : ndarray
        The share stays below 1 if the longest duration hadn't ended.

    References
    ----------
    .. [1] Kaplan, Meier (1958), "Nonparametric estimation from incomplete observations".

    Examples
    --------
    >>> times, ended = kaplan_meier(np.array([1.0, 2.0, 3.0]), np.array([False, True, False]))
    >>> times.tolist(), ended.round(3).tolist()
    ([1.0, 3.0], [0.333, 1.0])
    """
    times, inverse = np.unique(values, return_inverse=True)
    ends = np.bincount(inverse, weights=~censored, minlength=len(times))
    left = np.bincount(inverse, minlength=len(times))
    at_risk = len(values) - np.concatenate([[0], np.cumsum(left)[:-1]])
    survival = np.cumprod(1 - ends / at_risk)
    return times[ends > 0], 1 - survival[ends > 0]


def censored_log_likelihood(family: str, values: Floats, censored: Bools, parameters: Floats) -> float:
    """Return the log-likelihood: the density of what ended, the chance to last longer of what didn't."""
    kind = FAMILIES[family]
    ended = kind.log_density(values[~censored], parameters).sum()
    with np.errstate(divide="ignore"):
        lasting = np.log(np.maximum(1 - kind.cdf(values[censored], parameters), 1e-300)).sum()
    return float(ended + lasting)


def censored_fit(family: str, values: Floats, censored: Bools) -> Floats:
    """Return the maximum-likelihood parameters of a family."""
    kind = FAMILIES[family]
    ended = np.count_nonzero(~censored)
    if family == "exponential":
        return np.array([values.sum() / ended])
    begin = kind.fit(values)
    # All parameters are positive but the mean of the logarithm; the logarithm keeps them so.
    positive = np.array([name != "mu" for name in kind.names])

    def back(x: Floats) -> Floats:
        return np.where(positive, np.exp(np.clip(x, -50, 50)), x)

    found = minimize(
        lambda x: -censored_log_likelihood(family, values, censored, back(x)),
        np.where(positive, np.log(np.maximum(begin, 1e-12)), begin),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-7, "maxiter": 2000},
    )
    return back(np.asarray(found.x))


def censoring_times(values: Floats, censored: Bools, random: np.random.Generator, size: tuple[int, ...]) -> Floats:
    """Return random times of censoring, from the Kaplan–Meier curve of the censoring itself; infinite beyond it."""
    times, share = kaplan_meier(values, ~censored)
    drawn = np.searchsorted(share, random.random(size), side="left")
    return np.append(times, np.inf)[drawn]
