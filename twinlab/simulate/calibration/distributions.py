"""The distribution that fits some values best, and how well it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.simulate.calibration.censored import (
    censored_fit,
    censored_log_likelihood,
    censoring_times,
    kaplan_meier,
)
from twinlab.simulate.calibration.families import FAMILIES

__all__ = ["CANDIDATES", "Fit", "fit_distribution"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Families in the order in which they are tried.
CANDIDATES = ("constant", "exponential", "lognormal", "gamma", "weibull", "empirical")
#: The test uses at most this many values: with many more, any family fails by differences that no decision notices.
_TESTED = 1000
#: Quantiles of an empirical distribution.
_QUANTILES = 201
#: A parametric family needs at least this many values.
_FEWEST = 8


@dataclass(frozen=True)
class Fit:
    """A distribution fitted to values.

    Examples
    --------
    >>> fit = fit_distribution(np.random.default_rng(1).exponential(600, 300))
    >>> fit.family, fit.fits
    ('exponential', True)
    """

    family: str
    """Name of the family; "empirical" has `quantiles` instead of parameters."""
    parameters: dict[str, float]
    """Parameters by name, in the unit of the values."""
    values: int
    """Number of values."""
    censored: int
    """Number of values that are lower bounds, because what they measure hadn't ended."""
    statistic: float
    """Kolmogorov–Smirnov distance between the values and the best parametric family; NaN if none was tested."""
    anderson_darling: float
    """Anderson–Darling statistic of the same family, which weighs the tails more; NaN if none was tested or values are censored."""
    p_value: float
    """Chance of a worse fit if the family were true, the smaller one of both tests, by parametric bootstrap."""
    fits: bool
    """Whether a parametric family wasn't rejected."""
    words: str
    """The same in words."""
    quantiles: Floats = field(default_factory=lambda: np.zeros(0), repr=False)
    """Of an empirical distribution: its values at equally spaced probabilities from 0 to 1."""

    def quantile(self, probability: npt.ArrayLike) -> Floats:
        """Return the values below which these shares of all values are."""
        u = np.asarray(probability, dtype=np.float64)
        if self.family == "empirical":
            return np.interp(u, np.linspace(0, 1, len(self.quantiles)), self.quantiles)
        if self.family == "constant":
            return np.full(u.shape, self.parameters["value"])
        return FAMILIES[self.family].quantile(u.ravel(), self._array).reshape(u.shape)

    def cdf(self, values: npt.ArrayLike) -> Floats:
        """Return the shares below values."""
        x = np.asarray(values, dtype=np.float64)
        if self.family == "empirical":
            return np.interp(x, self.quantiles, np.linspace(0, 1, len(self.quantiles)))
        if self.family == "constant":
            return (x >= self.parameters["value"]).astype(np.float64)
        return FAMILIES[self.family].cdf(np.maximum(x.ravel(), 0), self._array).reshape(x.shape)

    @property
    def mean(self) -> float:
        """Mean of the distribution."""
        if self.family == "empirical":
            return float((self.quantiles[1:] + self.quantiles[:-1]).mean() / 2)
        return self.parameters["value"] if self.family == "constant" else FAMILIES[self.family].mean(self._array)

    @property
    def _array(self) -> Floats:
        return np.array([self.parameters[name] for name in FAMILIES[self.family].names])


def fit_distribution(
    values: npt.ArrayLike,
    *,
    candidates: Sequence[str] = CANDIDATES,
    censored: npt.ArrayLike | None = None,
    level: float = 0.05,
    bootstrap: int = 199,
    seed: int = 0,
    resolution: float = 0.0,
) -> Fit:
    """Return the family that fits values best, with its parameters and goodness of fit.

    The family with the smallest AIC is tested by Kolmogorov–Smirnov and Anderson–Darling with a parametric bootstrap [1]_,
    because its parameters come from the same values. If it is rejected, the empirical distribution is used.

    Parameters
    ----------
    values : array_like, shape (n,)
        NaN is left out.
    candidates : sequence of str
        Among "constant", "exponential", "lognormal", "gamma", "weibull" and "empirical". Parametric families need positive
        values.
    censored : array_like of bool, shape (n,), optional
        True where a value is a lower bound: a parcel that is still in transit. Maximum likelihood and Kaplan–Meier use it.
    level : float
        A family with a smaller p-value is rejected; half of it for each of the two tests.
    bootstrap : int
        Number of samples of the bootstrap.
    seed : int
        Seed of the bootstrap.
    resolution : float
        The values are multiples of this (60 for whole minutes); samples of the bootstrap are rounded in the same way.

    Raises
    ------
    SchemaError
        If there are no values, all are censored, some are infinite, or no candidate is possible.
    UnknownTermError
        If there is no such family.

    References
    ----------
    .. [1] Stute, Gonzáles Manteiga, Presedo Quindimil (1993), "Bootstrap based goodness-of-fit tests".

    Examples
    --------
    >>> fit_distribution([5.0, 5.0, 5.0]).parameters
    {'value': 5.0}
    """
    for name in candidates:
        if name not in CANDIDATES:
            msg = f"there is no family {name!r}{nearest(name, CANDIDATES)}; there are {', '.join(CANDIDATES)}"
            raise UnknownTermError(msg)
    x, unfinished = _checked(values, censored)
    if "constant" in candidates and not unfinished.any() and np.ptp(x) <= 1e-9 * max(abs(float(x[0])), 1e-9):
        words = f"all {len(x)} values are equal"
        return Fit("constant", {"value": float(x[0])}, len(x), 0, 0.0, 0.0, 1.0, fits=True, words=words)
    names = [name for name in candidates if name in FAMILIES]
    why_not = _no_parametric(x, unfinished, names)
    if why_not:
        return _empirical(x, unfinished, candidates, why_not, tests=(np.nan, np.nan, np.nan))
    fitted = {name: _parameters(name, x, unfinished) for name in names}
    aic = {name: 2 * len(p) - 2 * censored_log_likelihood(name, x, unfinished, p) for name, p in fitted.items()}
    best = min(aic, key=aic.__getitem__)
    tests = _tested(best, x, unfinished, bootstrap=bootstrap, seed=seed, resolution=resolution)
    if tests[2] < level:
        reason = f"{best} doesn't fit (p = {tests[2]:.3f})"
        if "empirical" in candidates:
            return _empirical(x, unfinished, candidates, reason, tests=tests)
    parameters = dict(zip(FAMILIES[best].names, fitted[best].tolist(), strict=True))
    ok = tests[2] >= level
    words = f"{best} {'fits' if ok else 'does not fit, and empirical is no candidate'} (p = {tests[2]:.2f}, {len(x)} values)"
    if unfinished.any():
        words += f", {np.count_nonzero(unfinished)} of them not ended"
    return Fit(best, parameters, len(x), int(unfinished.sum()), *tests, fits=ok, words=words)


def _checked(values: npt.ArrayLike, censored: npt.ArrayLike | None) -> tuple[Floats, Bools]:
    x = np.asarray(values, dtype=np.float64).ravel()
    unfinished = np.zeros(len(x), dtype=bool) if censored is None else np.asarray(censored, dtype=bool).ravel()
    if len(unfinished) != len(x):
        msg = f"fit_distribution: expected one entry of censored for each of {len(x)} values, got {len(unfinished)}"
        raise SchemaError(msg)
    known = ~np.isnan(x)
    x, unfinished = x[known], unfinished[known]
    if not len(x):
        msg = "fit_distribution: expected at least one value, got none; take a longer window"
        raise SchemaError(msg)
    if not np.isfinite(x).all():
        msg = f"fit_distribution: expected finite values, got {np.count_nonzero(~np.isfinite(x))} infinite ones; remove them"
        raise SchemaError(msg)
    if unfinished.all():
        msg = (
            f"fit_distribution: all {len(x)} values are censored: nothing has ended in the window, so how long it lasts isn't "
            "known; take a longer window"
        )
        raise SchemaError(msg)
    return x, unfinished


def _no_parametric(x: Floats, unfinished: Bools, names: Sequence[str]) -> str:
    """Return why no parametric family is tried, or an empty text."""
    if not names:
        return "no parametric family is a candidate"
    if x.min() <= 0:
        return f"{np.count_nonzero(x <= 0)} values are zero or negative"
    if len(x) < _FEWEST or np.count_nonzero(~unfinished) < 2:
        return f"fewer than {_FEWEST} values"
    return "all values are equal" if np.ptp(x) <= 1e-9 * abs(float(x[0])) else ""


def _parameters(name: str, x: Floats, unfinished: Bools) -> Floats:
    return censored_fit(name, x, unfinished) if unfinished.any() else FAMILIES[name].fit(x)


def _tested(
    name: str, x: Floats, unfinished: Bools, *, bootstrap: int, seed: int, resolution: float
) -> tuple[float, float, float]:
    """Return the Kolmogorov–Smirnov distance, Anderson–Darling's statistic, and the smaller p-value (Bonferroni)."""
    random = np.random.default_rng([seed, len(x)])
    if len(x) > _TESTED:
        chosen = random.permutation(len(x))[:_TESTED]
        x, unfinished = x[chosen], unfinished[chosen]
    if unfinished.any():
        return _tested_censored(name, x, unfinished, random, bootstrap)
    family = FAMILIES[name]
    p = family.fit(x)
    drawn = family.quantile(random.random((bootstrap, len(x))), np.broadcast_to(p, (bootstrap, len(p))))
    if resolution:
        drawn = np.maximum(np.round(drawn / resolution) * resolution, resolution)
    distance, weighed = _distances(np.sort(x)[None], p[None], name)
    of_drawn = _distances(np.sort(drawn, axis=-1), family.fit(drawn), name)
    values = [
        (1 + np.count_nonzero(many >= one[0])) / (bootstrap + 1)
        for many, one in zip(of_drawn, (distance, weighed), strict=True)
    ]
    return float(distance[0]), float(weighed[0]), float(min(1.0, 2 * min(values)))


def _distances(ordered: Floats, parameters: Floats, name: str) -> tuple[Floats, Floats]:
    """Return both statistics of sorted values ``(b, n)`` and parameters ``(b, p)``."""
    n = ordered.shape[-1]
    u = np.clip(FAMILIES[name].cdf(ordered, parameters), 1e-12, 1 - 1e-12)
    rank = np.arange(1, n + 1)
    distance = np.maximum(rank / n - u, u - (rank - 1) / n).max(axis=-1)
    weighed = -n - ((2 * rank - 1) / n * (np.log(u) + np.log1p(-u[..., ::-1]))).sum(axis=-1)
    return distance, weighed


def _tested_censored(
    name: str, x: Floats, unfinished: Bools, random: np.random.Generator, bootstrap: int
) -> tuple[float, float, float]:
    """Return the distance to Kaplan–Meier's curve; samples of the bootstrap are censored at times like those of the values."""
    p = censored_fit(name, x, unfinished)
    distance = _kaplan_meier_distance(name, x, unfinished, p)
    worse, family = 0, FAMILIES[name]
    for _ in range(bootstrap):
        lasting = family.quantile(random.random(len(x)), p)
        limit = censoring_times(x, unfinished, random, (len(x),))
        drawn, cut = np.minimum(lasting, limit), limit < lasting
        if np.count_nonzero(~cut) > 1:
            worse += _kaplan_meier_distance(name, drawn, cut, censored_fit(name, drawn, cut)) >= distance
    return distance, float("nan"), (1 + worse) / (bootstrap + 1)


def _kaplan_meier_distance(name: str, x: Floats, unfinished: Bools, parameters: Floats) -> float:
    times, ended = kaplan_meier(x, unfinished)
    u = FAMILIES[name].cdf(times, parameters)
    return float(np.maximum(np.abs(ended - u), np.abs(u - np.concatenate([[0.0], ended[:-1]]))).max())


def _empirical(
    x: Floats, unfinished: Bools, candidates: Sequence[str], reason: str, *, tests: tuple[float, float, float]
) -> Fit:
    if "empirical" not in candidates:
        msg = f"fit_distribution: no candidate of {', '.join(candidates)} is possible: {reason}; add 'empirical'"
        raise SchemaError(msg)
    levels = np.linspace(0, 1, _QUANTILES)
    words = f"{reason}: empirical distribution of {len(x)} values"
    if unfinished.any():
        times, ended = kaplan_meier(x, unfinished)
        # The part of the curve beyond the last end isn't known: the longest duration seen is used for it.
        least = float(times[0])
        quantiles = np.interp(levels, np.concatenate([[0.0], ended]), np.concatenate([[least], times]))
        if ended[-1] < 1 - 1e-9:
            quantiles[levels > ended[-1]] = x.max()
            words += f"; the longest {1 - ended[-1]:.0%} hadn't ended and count as {x.max():g}"
    else:
        quantiles = np.quantile(x, levels)
    return Fit("empirical", {}, len(x), int(unfinished.sum()), *tests, fits=False, words=words, quantiles=quantiles)
