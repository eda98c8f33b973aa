"""Families of distributions of positive values: maximum likelihood, distribution function and quantiles.

Every function works on the last axis, so that all samples of a bootstrap are fitted at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["FAMILIES", "Family"]

Floats = npt.NDArray[np.float64]

_NEWTON_STEPS = 60
_TINY = 1e-12


@dataclass(frozen=True)
class Family:
    """One family of distributions of positive values."""

    names: tuple[str, ...]
    """Names of the parameters."""
    fit: Callable[[Floats], Floats]
    """Values ``(..., n)`` -> maximum-likelihood parameters ``(..., p)``."""
    cdf: Callable[[Floats, Floats], Floats]
    """Values ``(..., n)`` and parameters ``(..., p)`` -> probabilities ``(..., n)``."""
    quantile: Callable[[Floats, Floats], Floats]
    """Probabilities and parameters -> values."""
    log_density: Callable[[Floats, Floats], Floats]
    """Values and parameters -> logarithm of the density."""
    mean: Callable[[Floats], float]
    """Parameters ``(p,)`` -> mean."""


def _each(parameters: Floats, index: int) -> Floats:
    return parameters[..., index, None]


def _fit_exponential(values: Floats) -> Floats:
    return np.asarray(values.mean(axis=-1)[..., None])


def _fit_lognormal(values: Floats) -> Floats:
    logs = np.log(values)
    return np.stack([logs.mean(axis=-1), np.maximum(logs.std(axis=-1), _TINY)], axis=-1)


def _fit_gamma(values: Floats) -> Floats:
    # Minka (2002), "Estimating a Gamma distribution": Newton steps on the inverse of the shape.
    mean = values.mean(axis=-1)
    s = np.maximum(np.log(mean) - np.log(values).mean(axis=-1), _TINY)
    shape = (3 - s + np.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    for _ in range(_NEWTON_STEPS):
        slope = 1 / shape - special.polygamma(1, shape)
        step = (np.log(shape) - special.digamma(shape) - s) / (shape**2 * slope)
        inverse = 1 / shape + step
        shape = 1 / np.where(inverse > 0, inverse, 0.5 / shape)
        if np.all(np.abs(step) * shape < 1e-10):
            break
    return np.stack([shape, mean / shape], axis=-1)


def _fit_weibull(values: Floats) -> Floats:
    # Newton on the profile likelihood of the shape; values are scaled by their maximum, so that no power overflows.
    top = values.max(axis=-1, keepdims=True)
    logs = np.log(values / top)
    mean_log = logs.mean(axis=-1)
    shape = 1.2 / np.maximum(logs.std(axis=-1), _TINY)
    for _ in range(_NEWTON_STEPS):
        powers = np.exp(shape[..., None] * logs)
        total, first = powers.sum(axis=-1), (powers * logs).sum(axis=-1)
        second = (powers * logs**2).sum(axis=-1)
        ratio = first / total
        value = ratio - 1 / shape - mean_log
        slope = second / total - ratio**2 + 1 / shape**2
        step = value / slope
        shape = np.where(shape - step > 0, shape - step, shape / 2)
        if np.all(np.abs(step) < 1e-10 * shape):
            break
    scale = top[..., 0] * np.exp(shape[..., None] * logs).mean(axis=-1) ** (1 / shape)
    return np.stack([shape, scale], axis=-1)


def _log(values: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.log(values)


FAMILIES: dict[str, Family] = {
    "exponential": Family(
        names=("mean",),
        fit=_fit_exponential,
        cdf=lambda x, p: -np.expm1(-x / _each(p, 0)),
        quantile=lambda u, p: -_each(p, 0) * np.log1p(-u),
        log_density=lambda x, p: -x / _each(p, 0) - np.log(_each(p, 0)),
        mean=lambda p: float(p[0]),
    ),
    "lognormal": Family(
        names=("mu", "sigma"),
        fit=_fit_lognormal,
        cdf=lambda x, p: special.ndtr((_log(x) - _each(p, 0)) / _each(p, 1)),
        quantile=lambda u, p: np.exp(_each(p, 0) + _each(p, 1) * special.ndtri(u)),
        log_density=lambda x, p: (
            -((_log(x) - _each(p, 0)) ** 2) / (2 * _each(p, 1) ** 2)
            - _log(x)
            - np.log(_each(p, 1))
            - 0.5 * np.log(2 * np.pi)
        ),
        mean=lambda p: float(np.exp(p[0] + p[1] ** 2 / 2)),
    ),
    "gamma": Family(
        names=("shape", "scale"),
        fit=_fit_gamma,
        cdf=lambda x, p: special.gammainc(_each(p, 0), x / _each(p, 1)),
        quantile=lambda u, p: _each(p, 1) * special.gammaincinv(_each(p, 0), u),
        log_density=lambda x, p: (
            (_each(p, 0) - 1) * _log(x)
            - x / _each(p, 1)
            - special.gammaln(_each(p, 0))
            - _each(p, 0) * np.log(_each(p, 1))
        ),
        mean=lambda p: float(p[0] * p[1]),
    ),
    "weibull": Family(
        names=("shape", "scale"),
        fit=_fit_weibull,
        cdf=lambda x, p: -np.expm1(-((x / _each(p, 1)) ** _each(p, 0))),
        quantile=lambda u, p: _each(p, 1) * (-np.log1p(-u)) ** (1 / _each(p, 0)),
        log_density=lambda x, p: (
            np.log(_each(p, 0) / _each(p, 1))
            + (_each(p, 0) - 1) * (_log(x) - np.log(_each(p, 1)))
            - (x / _each(p, 1)) ** _each(p, 0)
        ),
        mean=lambda p: float(p[1] * special.gamma(1 + 1 / p[0])),
    ),
}
