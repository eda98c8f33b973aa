"""The estimators of delays: LightGBM's trees, with one configuration for all twins."""

from __future__ import annotations

from typing import Final

from twinlab.predict.protocol.estimator import Estimator
from twinlab.predict.protocol.sklearn import SklearnClassifier, SklearnRegressor, library

__all__ = ["LEVELS", "classifier", "regressor"]

#: Levels of the quantiles of a delay; 90 % is between the outer ones.
LEVELS: Final = (0.05, 0.5, 0.95)
_TREES: Final = {
    "n_estimators": 160,
    "learning_rate": 0.08,
    "num_leaves": 31,
    "max_bin": 63,
    "min_child_samples": 100,
    "colsample_bytree": 0.5,
    "subsample": 0.7,
    "subsample_freq": 1,
    "random_state": 0,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
    "n_jobs": 1,
}


def regressor() -> Estimator:
    """Return the estimator of the quantiles of delays."""
    model = library("lightgbm").LGBMRegressor(objective="quantile", **_TREES)
    return SklearnRegressor(model, tuple((level, (("alpha", level),)) for level in LEVELS))


def classifier() -> Estimator:
    """Return the estimator of the probability of being late."""
    return SklearnClassifier(library("lightgbm").LGBMClassifier(**_TREES))
