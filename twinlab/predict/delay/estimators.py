"""The estimators of delays: the mean of LightGBM's trees in two sizes; and the choice between candidates by a time split within the training span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.delay.plan import Floats
from twinlab.predict.protocol.average import Average
from twinlab.predict.protocol.estimator import Estimator
from twinlab.predict.protocol.sklearn import SklearnClassifier, SklearnRegressor, library
from twinlab.predict.scores.binary import brier
from twinlab.predict.scores.quantiles import pinball

__all__ = ["LEVELS", "Choice", "choose", "classifiers", "outer", "regressors"]

#: Levels of the quantiles of a delay; 90 % is between the outer ones.
LEVELS: Final = (0.05, 0.5, 0.95)
_TREES: Final = {
    "max_bin": 63,
    "colsample_bytree": 0.5,
    "subsample": 0.7,
    "subsample_freq": 1,
    "random_state": 0,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
    "n_jobs": 1,
}
#: Few rough trees, which are better for short histories and calm months, and finer ones. No one size was best in all of five months within a training span,
#: and a single comparison of sizes, on four weeks, mostly says what these weeks were like; their mean was about as good as the best of each month.
_SIZES: Final = (
    {"n_estimators": 60, "learning_rate": 0.08, "num_leaves": 8, "min_child_samples": 60},
    {"n_estimators": 160, "learning_rate": 0.08, "num_leaves": 31, "min_child_samples": 100},
)
#: Cases that candidates are compared on: fitted to at most so many, and scored on at most half of it.
_MOST: Final = 20_000


def regressors() -> tuple[Estimator, ...]:
    """Return the candidate for the quantiles of delays."""
    levels = tuple((level, (("alpha", level),)) for level in LEVELS)
    trees = library("lightgbm").LGBMRegressor
    members = [SklearnRegressor(trees(objective="quantile", **_TREES, **size), levels) for size in _SIZES]
    return (Average(tuple(members)),)


def classifiers() -> tuple[Estimator, ...]:
    """Return the candidate for the probability of being late."""
    return (Average(tuple(SklearnClassifier(library("lightgbm").LGBMClassifier(**_TREES, **size)) for size in _SIZES)),)


def outer(estimator: Estimator) -> Estimator:
    """Return an estimator of the lowest and the highest level alone, if it has a model for each level; else itself.

    Margins of an interval need no median, whose fit takes a third of the time.
    """
    if isinstance(estimator, Average):
        return Average(tuple(outer(one) for one in estimator.members))
    if isinstance(estimator, SklearnRegressor) and len(estimator.quantile_parameters) > 2:
        return replace(
            estimator, quantile_parameters=(estimator.quantile_parameters[0], estimator.quantile_parameters[-1])
        )
    return estimator


@dataclass(frozen=True)
class Choice:
    """Which candidate was chosen.

    Parameters
    ----------
    place : int
        Among the candidates.
    losses : tuple of float
        Loss of each on the newest part of the training span, fitted to what was known before it: pinball loss in minutes, or Brier score. Empty with
        a single candidate, which needs no comparison.
    """

    place: int
    losses: tuple[float, ...] = ()


def choose(
    candidates: Sequence[Estimator],
    x: Floats,
    y: Floats,
    names: Sequence[str],
    *,
    old: NDArray[np.bool_],
    new: NDArray[np.bool_],
) -> Choice:
    """Return the candidate with the lowest loss on new cases, fitted to old ones.

    Parameters
    ----------
    candidates : sequence of Estimator
    x, y, names
        Features, values and names of the training cases.
    old, new : array of bool (case,)
        Cases whose outcome was known before the newest part of the training span, and cases of that part.
    """
    if len(candidates) == 1:
        return Choice(0)
    random = np.random.default_rng(0)
    first, second = (_some(np.flatnonzero(one), most, random) for one, most in ((old, _MOST), (new, _MOST // 2)))
    losses = []
    for one in candidates:
        found = one.fit(x[first], y[first], names).predict(x[second])
        losses.append(pinball(found, y[second], one.quantiles) if one.quantiles else brier(found[:, 0], y[second]))
    return Choice(int(np.argmin(losses)), tuple(losses))


def _some(rows: NDArray[np.intp], most: int, random: np.random.Generator) -> NDArray[np.intp]:
    return rows if len(rows) <= most else np.sort(random.choice(rows, most, replace=False))
