"""scikit-learn's estimators, and those that follow its interface, such as LightGBM's, as estimators of twinlab."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError, SourceError
from twinlab.predict.protocol.estimator import FittedEstimator, Floats, checked_output
from twinlab.predict.protocol.hashing import hash_of

__all__ = ["FittedClassifier", "FittedRegressor", "SklearnClassifier", "SklearnRegressor", "allows_missing", "library"]


def library(name: str) -> Any:  # noqa: ANN401  (a module without types)
    """Import a library of the extra ``predict``.

    Raises
    ------
    SourceError
        If it isn't installed; names the extra.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        msg = f'{name} is needed and isn\'t installed: pip install "twinlab-kit[predict]"'
        raise SourceError(msg) from error


def allows_missing(estimator: object) -> bool:
    """Whether an estimator takes missing features, as its tags state; one without tags doesn't."""
    tags = getattr(estimator, "__sklearn_tags__", None)
    return bool(tags is not None and tags().input_tags.allow_nan)


def _complete(x: Floats, estimator: object) -> NDArray[np.bool_]:
    """Return the rows that an estimator can take."""
    if allows_missing(estimator):
        return np.ones(len(x), bool)
    return np.asarray(np.isnan(x).sum(axis=1) == 0, bool)


def _checked(estimator: object, method: str) -> None:
    missing = [name for name in ("fit", method, "get_params") if not hasattr(estimator, name)]
    if missing:
        msg = f"expected an estimator with the methods of scikit-learn; {type(estimator).__name__} has no {', '.join(missing)}"
        raise SchemaError(msg)


def _some(x: Floats, y: Floats, rows: NDArray[np.bool_], name: str) -> tuple[Floats, Floats]:
    """Return some rows.

    Raises
    ------
    SchemaError
        If there are none.
    """
    if not bool(rows.any()):
        msg = f"each of the {len(x)} training cases of {name} lacks a feature; use an estimator that takes missing ones, or fewer features"
        raise SchemaError(msg)
    return x[rows], y[rows]


@dataclass(frozen=True)
class SklearnRegressor:
    """A regressor with scikit-learn's interface.

    Of an estimator that takes no missing features, rows with one are left out of the fit and get no number.

    Parameters
    ----------
    estimator : object
        Its ``fit`` is called on a copy.
    quantile_parameters : mapping of float to mapping, optional
        Level -> parameters set for it, such as ``{0.05: {"alpha": 0.05}}``: one model a level. Without it, one model gives the level 0.5
        alone; `twinlab.predict.conformal` puts an interval around it.

    Raises
    ------
    SchemaError
        If ``estimator`` lacks ``fit``, ``predict`` or ``get_params``.
    """

    estimator: Any
    quantile_parameters: tuple[tuple[float, tuple[tuple[str, Any], ...]], ...] = ()

    def __post_init__(self) -> None:
        _checked(self.estimator, "predict")
        levels = [level for level, _ in self.quantile_parameters]
        if levels != sorted(set(levels)) or any(not 0 < level < 1 for level in levels):
            msg = f"expected rising levels between 0 and 1, got {levels}"
            raise SchemaError(msg)

    @property
    def name(self) -> str:
        """Name of the estimator's class."""
        return type(self.estimator).__name__

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Levels that it predicts."""
        return tuple(level for level, _ in self.quantile_parameters) or (0.5,)

    def fit(self, x: Floats, y: Floats, names: Sequence[str]) -> FittedEstimator:
        """Fit a copy for each level."""
        rows = _complete(x, self.estimator)
        x, y = _some(x, y, rows, self.name)
        models = []
        for _, parameters in self.quantile_parameters or ((0.5, ()),):
            model = copy.deepcopy(self.estimator)
            if parameters:
                model.set_params(**dict(parameters))
            models.append(model.fit(x, y))
        return FittedRegressor(self, tuple(models), hash_of(x, y, list(names)))

    def content_hash(self) -> str:
        """Hash of the estimator's class and parameters."""
        return hash_of(self)


@dataclass(frozen=True)
class FittedRegressor:
    """A `SklearnRegressor` with a fitted model for each of its levels."""

    of: SklearnRegressor
    models: tuple[Any, ...]
    data_hash: str

    def predict(self, x: Floats) -> Floats:
        """Return predictions (rows, levels); of a probability, one column."""
        rows = _complete(x, self.of.estimator)
        out = np.full((len(x), len(self.of.quantiles)), np.nan)
        if bool(rows.any()):
            columns = [np.asarray(model.predict(x[rows]), float) for model in self.models]
            found = checked_output(np.stack(columns, axis=1), int(rows.sum()), self.of.quantiles, self.of.name)
            # Models of single levels may cross; sorted, they don't, and the pinball loss doesn't rise (Chernozhukov et al. 2010).
            out[rows] = np.sort(found, axis=1)
        return out

    def content_hash(self) -> str:
        """Hash of the parameters and of the training data."""
        return hash_of(self.of.content_hash(), self.data_hash)


@dataclass(frozen=True)
class SklearnClassifier:
    """A classifier with scikit-learn's interface, whose values are 0 and 1; it predicts the probability of 1.

    Of an estimator that takes no missing features, rows with one are left out of the fit and get no number.

    Parameters
    ----------
    estimator : object
        Its ``fit`` is called on a copy.

    Raises
    ------
    SchemaError
        If ``estimator`` lacks ``fit``, ``predict_proba`` or ``get_params``.
    """

    estimator: Any

    def __post_init__(self) -> None:
        _checked(self.estimator, "predict_proba")

    @property
    def name(self) -> str:
        """Name of the estimator's class."""
        return type(self.estimator).__name__

    @property
    def quantiles(self) -> tuple[float, ...]:
        """None: it predicts a probability."""
        return ()

    def fit(self, x: Floats, y: Floats, names: Sequence[str]) -> FittedEstimator:
        """Fit a copy; values are 0 and 1."""
        if not bool(np.isin(y, (0.0, 1.0)).all()):
            msg = f"expected values 0 and 1 for the classifier {self.name}, got {sorted(set(y.tolist()))[:5]}"
            raise SchemaError(msg)
        rows = _complete(x, self.estimator)
        x, y = _some(x, y, rows, self.name)
        data_hash = hash_of(x, y, list(names))
        if y.min(initial=1.0) == y.max(initial=0.0):
            # One class alone: scikit-learn refuses it, and its share is the probability.
            return FittedClassifier(self, None, float(y.mean()), data_hash)
        return FittedClassifier(
            self, copy.deepcopy(self.estimator).fit(x, y.astype("int64")), float(y.mean()), data_hash
        )

    def content_hash(self) -> str:
        """Hash of the estimator's class and parameters."""
        return hash_of(self)


@dataclass(frozen=True)
class FittedClassifier:
    """A `SklearnClassifier` with its fitted model; without one, the share of ones in training is the probability."""

    of: SklearnClassifier
    model: Any
    share: float
    data_hash: str

    def predict(self, x: Floats) -> Floats:
        """Return predictions (rows, levels); of a probability, one column."""
        if self.model is None:
            return np.full((len(x), 1), self.share)
        rows = _complete(x, self.of.estimator)
        out = np.full((len(x), 1), np.nan)
        if bool(rows.any()):
            found = np.asarray(self.model.predict_proba(x[rows]), float)[:, 1]
            out[rows] = checked_output(found, int(rows.sum()), (), self.of.name)
        return out

    def content_hash(self) -> str:
        """Hash of the parameters and of the training data."""
        return hash_of(self.of.content_hash(), self.data_hash)
