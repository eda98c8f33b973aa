"""From features to the probability of a failure within a span, and to the remaining life with an interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.conformal.pools import Errors, Pools, keys_of
from twinlab.predict.failure.calibration.log_odds import calibrated, logistic, scaled
from twinlab.predict.failure.trees import FittedTrees, Trees

__all__ = ["FittedSurvival", "Training", "fit_survival"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Spans of which probabilities are learnt, as shares of the longest one.
_SHARES: Final = (1 / 14, 2 / 14, 3 / 14, 5 / 14, 7 / 14, 10 / 14, 1.0)
#: Predicted lives, as shares of the longest one, between which past errors are kept apart, if there are at least so many in each band.
_EDGES: Final = (1 / 6, 1 / 3, 2 / 3, 0.9)
_LEAST: Final = 40
LEVEL: Final = 0.9
_FOLDS: Final = 5


@dataclass(frozen=True)
class Training:
    """Training cases.

    Parameters
    ----------
    days : array (case,)
        Remaining life in days; if it didn't end, the days without a failure that are known.
    ended : array (case,) of bool
    group : array (case,) of int
        Cases of one group, an asset, are never learnt from to predict each other.
    """

    days: Floats
    ended: Bools
    group: NDArray[np.intp]

    def settled(self, longest: float) -> Bools:
        """Return which lives are known up to ``longest`` days."""
        return self.ended | (self.days >= longest)

    def take(self, rows: Bools) -> Training:
        """Return some of them."""
        return Training(self.days[rows], self.ended[rows], self.group[rows])


@dataclass(frozen=True)
class FittedSurvival:
    """Models of probability and remaining life.

    Parameters
    ----------
    risk, life : FittedTrees
    scale : tuple of float
        Factor of the log odds, what is added, and by how much the factor is larger above the bend: of cases that a model wasn't fitted to, they make
        the probability right on average, for low and for high risks. Two numbers of what was stored by earlier versions.
    edges : tuple of float
        Predicted lives in days between which errors are kept apart, in bands.
    pools : Pools
        Errors of lives, by band.
    longest : float
        Days.
    rate : float
        Failures per day of an asset.
    """

    risk: FittedTrees
    life: FittedTrees
    scale: tuple[float, ...]
    edges: tuple[float, ...]
    pools: Pools
    longest: float
    rate: float

    def probability(self, x: Floats, days: float) -> Floats:
        """Return the probabilities of a failure within some days (case,)."""
        return logistic(scaled(self.risk.predict(_with(x, days)), self.scale))

    def log_odds(self, x: Floats, days: float, scale: tuple[float, ...]) -> Floats:
        """Return the log odds of a failure within some days (case,), on another line than `scale`."""
        return scaled(self.risk.predict(_with(x, days)), scale)

    def usual(self, days: float) -> float:
        """Return the probability of a failure within some days of an asset of which nothing is known: failures come at a constant rate."""
        return float(-np.expm1(-self.rate * days))

    def contributions(self, x: Floats, days: float) -> Floats:
        """Return by how much each feature changes the log odds (case, feature)."""
        return self.scale[0] * self.risk.contributions(_with(x, days))[:, : x.shape[1]]

    def lives(self, x: Floats) -> Floats:
        """Return the remaining lives in days: low, expected, high (case, 3); infinite where past ones went on beyond what is known.

        NaN where there are too few past errors.
        """
        expected = np.clip(self.life.predict(x), 0.0, self.longest)
        key = self.pools.places(_bands(expected, self.edges), np.full(len(x), "", object))
        low, high = self.pools.margins(np.maximum(key, 0))
        median = np.array([self._median(place) for place in np.maximum(key, 0)])
        out = np.stack(
            [np.maximum(expected - low, 0.0), np.where(np.isinf(median), np.inf, expected), expected + high], axis=1
        )
        out[(key < 0) | np.isinf(low)] = np.nan
        return np.maximum.accumulate(out, axis=1)

    def _median(self, key: int) -> float:
        count = int(self.pools.count[key])
        return float(self.pools.above[key, count // 2]) if count else np.nan


def fit_survival(
    training: Training, features: Callable[[Bools], Floats], *, longest: float, rate: float, risk: Trees, life: Trees
) -> FittedSurvival:
    """Fit the models; cases of each asset are predicted by models that haven't seen it, for calibration and intervals.

    Parameters
    ----------
    training : Training
    features : callable
        ``features(rows)``: features of all cases (case, feature), of which nothing was fitted to other cases than those ``rows``.
    longest : float
        Days.
    rate : float
        Failures per day of an asset.
    risk, life : Trees
    """
    folds = _folds(training.group)
    raw, happened, expected = [], [], np.full(len(training.days), np.nan)
    for fold in range(folds.max() + 1):
        inside = folds == fold
        others = training.take(~inside)
        if not others.ended.any():
            continue
        x = features(~inside)
        # As many members as in the model that is calibrated: fewer would be surer of themselves.
        one = _fit_risk(others, x[~inside], longest, risk)
        cases, outcomes = _stacked(training.take(inside), x[inside], longest)
        raw.append(one.predict(cases))
        happened.append(outcomes)
        expected[inside] = np.clip(
            _fit_life(others, x[~inside], longest, life, seeds=1).predict(x[inside]), 0.0, longest
        )
    known = ~np.isnan(expected) & training.settled(longest)
    edges = _edges(expected[known], longest)
    x = features(np.ones(len(training.days), bool))
    return FittedSurvival(
        _fit_risk(training, x, longest, risk),
        _fit_life(training, x, longest, life),
        calibrated(np.concatenate(raw), np.concatenate(happened)),
        edges,
        _pools(expected[known], training.days[known], training.ended[known], edges),
        longest,
        rate,
    )


def _with(x: Floats, days: float) -> Floats:
    return np.column_stack([x, np.full(len(x), days)])


def _stacked(training: Training, x: Floats, longest: float) -> tuple[Floats, Floats]:
    """Return the cases once for each span whose outcome is known, with the span as last feature, and the outcomes."""
    xs, ys = [], []
    for share in _SHARES:
        span = share * longest
        known = training.settled(span)
        xs.append(_with(x[known], span))
        ys.append((training.ended & (training.days <= span))[known].astype(float))
    return np.concatenate(xs), np.concatenate(ys)


def _fit_risk(training: Training, x: Floats, longest: float, trees: Trees, *, seeds: int | None = None) -> FittedTrees:
    cases, outcomes = _stacked(training, x, longest)
    return trees.fit(cases, outcomes, rising=x.shape[1], seeds=seeds)


def _fit_life(training: Training, x: Floats, longest: float, trees: Trees, *, seeds: int | None = None) -> FittedTrees:
    known = training.settled(longest)
    return trees.fit(x[known], np.minimum(training.days[known], longest), seeds=seeds)


def _folds(group: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the fold of each case: that of its group."""
    names, place = np.unique(group, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(names)) % min(_FOLDS, len(names))
    return np.asarray(order[place], np.intp)


def _edges(expected: Floats, longest: float) -> tuple[float, ...]:
    """Return the edges between bands that have enough cases each."""
    found: list[float] = []
    low = -np.inf
    for edge in np.array(_EDGES) * longest:
        if ((expected >= low) & (expected < edge)).sum() >= _LEAST and (expected >= edge).sum() >= _LEAST:
            found.append(float(edge))
            low = edge
    return tuple(found)


def _bands(expected: Floats, edges: tuple[float, ...]) -> NDArray[np.int64]:
    return np.searchsorted(np.array(edges), expected, side="right").astype(np.int64)


def _pools(expected: Floats, days: Floats, ended: Bools, edges: tuple[float, ...]) -> Pools:
    """Return the errors by band; a life that didn't end is longer than any bound."""
    keys, key = keys_of(_bands(expected, edges), np.full(len(expected), "", object))
    above = np.where(ended, days - expected, np.inf)
    errors = Errors(np.zeros(len(key), np.int64), key, expected - days, above)
    return Pools.of(keys, errors, alpha=1 - LEVEL)
