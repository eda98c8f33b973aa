"""Format of the adapters around estimators of scikit-learn's interface."""

from __future__ import annotations

from twinlab.predict.models.format import dataclass_format
from twinlab.predict.protocol.average import Average, FittedAverage
from twinlab.predict.protocol.sklearn import (
    FittedClassifier,
    FittedRegressor,
    SklearnClassifier,
    SklearnRegressor,
)

__all__ = ["FORMAT"]

FORMAT = dataclass_format(
    "estimators",
    "adapters of estimators",
    Average,
    FittedAverage,
    FittedClassifier,
    FittedRegressor,
    SklearnClassifier,
    SklearnRegressor,
)
