"""Ensembles of LightGBM's trees, as text, with the exact contribution of each feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.sklearn import library

__all__ = ["FittedTrees", "Trees"]

Floats = NDArray[np.float64]
_USUAL: Final = {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
}


@dataclass(frozen=True)
class Trees:
    """Parameters of an ensemble of boosted trees.

    Parameters
    ----------
    objective : str
        LightGBM's: "binary" or "regression".
    rounds : int
        Trees of each member.
    seeds : int
        Members; their raw values are averaged.
    parameters : mapping
        Further parameters of LightGBM, in the place of the usual ones.
    """

    objective: str
    rounds: int = 150
    seeds: int = 3
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def fit(self, x: Floats, y: Floats, *, rising: int | None = None, seeds: int | None = None) -> FittedTrees:
        """Fit to features (rows, features) and values.

        Parameters
        ----------
        x, y : array
        rising : int, optional
            Feature with which the value must not fall.
        seeds : int, optional
            Members, in the place of ``seeds``.
        """
        lightgbm = library("lightgbm")
        parameters = {**_USUAL, **self.parameters, "objective": self.objective}
        if rising is not None:
            parameters["monotone_constraints"] = [int(place == rising) for place in range(x.shape[1])]
        data = lightgbm.Dataset(x, y, params=parameters, free_raw_data=False)
        texts = [
            lightgbm.train({**parameters, "seed": seed}, data, num_boost_round=self.rounds).model_to_string()
            for seed in range(seeds or self.seeds)
        ]
        return FittedTrees(tuple(texts))


@dataclass(frozen=True)
class FittedTrees:
    """An ensemble that was fitted: the text of each member."""

    texts: tuple[str, ...]

    @cached_property
    def _members(self) -> list[Any]:
        return [library("lightgbm").Booster(model_str=text) for text in self.texts]

    def predict(self, x: Floats) -> Floats:
        """Return raw values (rows,): log odds of a probability."""
        if not len(x):
            return np.empty(0)
        return np.asarray(np.mean([one.predict(x, raw_score=True) for one in self._members], axis=0), float)

    def contributions(self, x: Floats) -> Floats:
        """Return by how much each feature changes the raw value (rows, features + 1); the last column is the mean [1]_.

        References
        ----------
        .. [1] S. Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature Machine
           Intelligence 2 (2020) 56-67.
        """
        if not len(x):
            return np.empty((0, x.shape[1] + 1))
        return np.asarray(np.mean([one.predict(x, pred_contrib=True) for one in self._members], axis=0), float)

    def content_hash(self) -> str:
        """Hash of the texts."""
        return hash_of(list(self.texts))
