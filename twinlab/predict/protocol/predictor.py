"""The protocols of predictors, and the answer "can't tell"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
import xarray as xr

from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.state import State

__all__ = ["CantTell", "Fitted", "Predictor"]


@dataclass(frozen=True)
class CantTell:
    """An answer without a number.

    Parameters
    ----------
    reason : str
        Why, for a person: what is missing, and how much of it is needed.

    >>> str(CantTell("2 past cases of cold_room/7; at least 20 are needed"))
    "can't tell: 2 past cases of cold_room/7; at least 20 are needed"
    """

    reason: str

    def __str__(self) -> str:
        return f"can't tell: {self.reason}"


@runtime_checkable
class Fitted(Protocol):
    """A predictor that was fitted. Two calls with the same state return the same numbers."""

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def inputs(self) -> Inputs:
        """What `predict` reads."""

    @property
    def training(self) -> tuple[np.datetime64, np.datetime64]:
        """Start and stop of the data that it was fitted to; stop is the instant at which they were known."""

    def content_hash(self) -> str:
        """Hash of everything that decides what it predicts, hexadecimal; what was fitted is included."""

    def predict(self, state: State) -> xr.Dataset:
        """Return predictions, see `twinlab.predict.predictions.schema`; no number where it can't tell."""

    def update(self, state: State) -> Self:
        """Return the predictor with what has become known since the fit, without a whole new fit; itself if it needs none."""


@runtime_checkable
class Predictor(Protocol):
    """A predictor's parameters; it isn't fitted yet, and `fit` doesn't change it."""

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def inputs(self) -> Inputs:
        """What `fit` and `predict` read."""

    def content_hash(self) -> str:
        """Hash of the parameters, hexadecimal."""

    def fit(self, state: State) -> Fitted:
        """Fit to a state whose history begins ``inputs.training`` before its issue time."""
