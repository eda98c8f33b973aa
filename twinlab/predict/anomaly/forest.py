"""Isolation forest: rows that few random cuts separate from the others. Needs scikit-learn (the extra ``predict``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twinlab.errors import SchemaError, SourceError
from twinlab.predict.anomaly.pca import shares
from twinlab.predict.anomaly.values import Floats

__all__ = ["Forest", "ForestFit"]


@dataclass(frozen=True)
class Forest:
    """Parameters of the isolation forest.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM 2008.
    """

    confidence: float = 0.99
    """Share of the rows learnt from within the limit. The scores of rows far out are close to the largest learnt from, so that
    higher ones find little."""
    trees: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise `SchemaError` for parameters that aren't valid."""
        if not 0 < self.confidence < 1 or self.trees < 1:
            msg = f"Forest: expected a confidence between 0 and 1 and at least 1 tree, got {self.confidence!r} and {self.trees!r}"
            raise SchemaError(msg)

    def fit(self, scaled: Floats) -> ForestFit:
        """Return the detector learnt from usual rows, [row, signal].

        Raises
        ------
        SourceError
            If scikit-learn isn't installed.
        """
        try:
            from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]  # noqa: PLC0415  (optional)
        except ModuleNotFoundError as error:
            msg = 'the isolation forest needs scikit-learn, which isn\'t installed; install it with: pip install "twinlab-kit[predict]"'
            raise SourceError(msg) from error
        forest = IsolationForest(n_estimators=self.trees, random_state=self.seed).fit(scaled)
        return ForestFit(forest, float(np.quantile(-forest.score_samples(scaled), self.confidence)))


@dataclass(frozen=True)
class ForestFit:
    """The forest, and the limit of its scores."""

    forest: Any
    limit: float

    def index(self, scaled: Floats) -> Floats:
        """Return the score of each row, [row, signal], as a share of the limit."""
        found: Floats = -self.forest.score_samples(scaled) / self.limit
        return found

    def contributions(self, scaled: Floats) -> Floats:
        """Return the share of each signal, [row, signal]: by how much the score falls if the signal were as usual."""
        score = -self.forest.score_samples(scaled)
        falls = np.zeros(scaled.shape)
        for signal in range(scaled.shape[1]):
            usual = scaled.copy()
            usual[:, signal] = 0.0
            falls[:, signal] = np.maximum(score + self.forest.score_samples(usual), 0.0)
        return shares(falls)
