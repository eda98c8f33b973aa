"""Estimators: from rows of features to quantiles or a probability, without knowing twins or times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.protocol.hashing import hash_of

__all__ = ["CallableEstimator", "Estimator", "FittedEstimator", "checked_output"]

Floats = NDArray[np.float64]


@runtime_checkable
class FittedEstimator(Protocol):
    """An estimator that was fitted."""

    def predict(self, x: Floats) -> Floats:
        """Return an array (rows, quantiles) for features (rows, features); of a probability, one column."""

    def content_hash(self) -> str:
        """Hash of parameters and of what was fitted."""


@runtime_checkable
class Estimator(Protocol):
    """Parameters of an estimator; `fit` doesn't change it."""

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Levels of the columns of `predict`; ``(0.5,)`` of a point estimate, empty of a probability."""

    def fit(self, x: Floats, y: Floats, names: Sequence[str]) -> FittedEstimator:
        """Fit to features (rows, features) with their names and values (rows,); no value is missing, features may be NaN."""

    def content_hash(self) -> str:
        """Hash of the parameters."""


@dataclass(frozen=True)
class CallableEstimator:
    """Any pair of functions as an estimator, for statsmodels and for models of your own.

    Parameters
    ----------
    name : str
    fit_model : callable
        ``fit_model(x, y, names) -> anything``, the fitted model.
    predict_model : callable
        ``predict_model(fitted, x) -> array`` (rows,) or (rows, quantiles).
    quantiles : tuple of float
        Levels of the columns; empty for a probability.
    version : str
        Part of the content hash; change it when the functions change.

    Examples
    --------
    >>> mean = CallableEstimator("mean", lambda x, y, names: y.mean(), lambda m, x: np.full(len(x), m))
    >>> mean.fit(np.zeros((3, 1)), np.array([1.0, 2.0, 6.0]), ["a"]).predict(np.zeros((2, 1)))
    array([[3.], [3.]])
    """

    name: str
    fit_model: Callable[[Floats, Floats, Sequence[str]], Any]
    predict_model: Callable[[Any, Floats], Floats]
    quantiles: tuple[float, ...] = (0.5,)
    version: str = "1"

    def fit(self, x: Floats, y: Floats, names: Sequence[str]) -> FittedEstimator:
        """Fit to features and values."""
        return _FittedCallable(self, self.fit_model(x, y, names), hash_of(x, y, list(names)))

    def content_hash(self) -> str:
        """Hash of names, levels and version."""
        return hash_of(self)


@dataclass(frozen=True)
class _FittedCallable:
    of: CallableEstimator
    model: Any
    data_hash: str

    def predict(self, x: Floats) -> Floats:
        return checked_output(self.of.predict_model(self.model, x), len(x), self.of.quantiles, self.of.name)

    def content_hash(self) -> str:
        return hash_of(self.of.content_hash(), self.data_hash)


def checked_output(found: Any, rows: int, quantiles: tuple[float, ...], name: str) -> Floats:  # noqa: ANN401
    """Return what a model has predicted as an array (rows, columns).

    Raises
    ------
    SchemaError
        If it has another shape.
    """
    values = np.asarray(found, float)
    values = values[:, None] if values.ndim == 1 else values
    wanted = (rows, max(1, len(quantiles)))
    if values.shape != wanted:
        msg = f"expected predictions of {name!r} of shape {wanted} (rows, quantiles), got {values.shape}"
        raise SchemaError(msg)
    return values
