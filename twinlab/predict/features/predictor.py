"""A predictor made of features and an estimator."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.features.cases import Cases
from twinlab.predict.features.feature import Feature, check_known, check_reach, check_serving, matrix
from twinlab.predict.predictions.schema import predictions
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.estimator import Estimator, FittedEstimator
from twinlab.predict.protocol.exporting import export_estimator
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.parameters import Parameters
from twinlab.predict.protocol.predictor import CantTell
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.summary import Summary
from twinlab.predict.protocol.target import Target

__all__ = ["FeaturePredictor", "FittedFeaturePredictor"]


@dataclass(frozen=True)
class FeaturePredictor(Parameters):
    """Features before an estimator; one estimator for all assets and lead times.

    Parameters
    ----------
    inputs : Inputs
        What is read. ``window`` must be as long as the longest lag.
    target : Target
        What is predicted.
    features : tuple of Feature
        Known at the issue time, for all lead times.
    estimator : Estimator
        `SklearnRegressor`, `SklearnClassifier`, `CallableEstimator` or one of your own.
    lead_times : tuple of str
    relative_to : Feature, optional
        A past value, such as a `Lag`, of which the estimator learns and predicts the difference: a level that drifts out of the training span stays
        within what was learnt. A case without it gets no number.
    train_every : str
        Span between the issue times of training cases.
    least_cases : int
        With fewer training cases, `fit` refuses.
    most_cases : int
        Of more training cases so many are drawn at random, always the same ones.
    name : str, optional
        By default the estimator's.

    Raises
    ------
    LeakError
        If a feature isn't known at the issue time for one of the lead times.
    """

    inputs: Inputs
    target: Target
    features: tuple[Feature, ...]
    estimator: Estimator
    lead_times: tuple[str, ...]
    relative_to: Feature | None = None
    train_every: str = "1h"
    least_cases: int = 30
    most_cases: int = 500_000
    name: str = field(default="")

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.estimator.name)
        if not self.lead_times:
            msg = f"expected at least one lead time for {self.name!r}, got none"
            raise SchemaError(msg)
        if self.relative_to is not None and self.target.kind == "probability":
            msg = f"expected no relative_to= for the probability {self.target.name!r}"
            raise SchemaError(msg)
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            msg = f"expected features with different names, got {twice!r} twice"
            raise SchemaError(msg)
        if (self.target.kind == "probability") != (not self.estimator.quantiles):
            msg = (
                f"the target {self.target.name!r} is of kind {self.target.kind!r}, and {self.estimator.name} predicts "
                f"{'quantiles' if self.estimator.quantiles else 'a probability'}; use an estimator of that kind"
            )
            raise SchemaError(msg)
        check_known(self.read, self.leads)
        check_reach(self.read, self.inputs.window_ns)

    @property
    def read(self) -> tuple[Feature, ...]:
        """The features, and what the target is relative to."""
        return self.features if self.relative_to is None else (*self.features, self.relative_to)

    def fit(self, state: State) -> FittedFeaturePredictor:
        """Fit to all cases of the state's history whose true values are known.

        Raises
        ------
        SchemaError
            If there are fewer than ``least_cases`` of them.
        LeakError
            If a feature, with the state's latency, isn't known at the issue time, or has another value in training than it would have had then.
        """
        check_known(self.read, self.leads, latency=state.latency)
        cases, true = self.training_cases(state)
        if len(cases) < self.least_cases:
            msg = (
                f"expected at least {self.least_cases} training cases for {self.name!r}, got {len(cases)} from {state.history.sizes['time']} cells "
                f"of {self.inputs.step}: the history is too short or {self.target.name!r} is missing"
            )
            raise SchemaError(msg)
        x = matrix(self.read, state, cases)
        check_serving(self.read, state, cases, x, window=self.inputs.window_ns)
        if self.relative_to is not None:
            known = ~np.isnan(x[:, -1])
            x, true, cases = x[known, :-1], (true - x[:, -1])[known], cases.take(known)
        model = self.estimator.fit(x, true, [feature.name for feature in self.features])
        return FittedFeaturePredictor(self, model, (cases.issued.min(), state.issue_time), state.facts.get("position"))

    def training_cases(self, state: State) -> tuple[Cases, NDArray[np.float64]]:
        """Return the cases of a state with their true values, those without one left out; at most ``most_cases``."""
        issued = self.training_times(state)
        true = self.target.truth(state, list(issued), self.leads).values
        places = np.flatnonzero(~np.isnan(true))
        if len(places) > self.most_cases:
            places = np.sort(np.random.default_rng(0).choice(places, self.most_cases, replace=False))
        when, ahead, which = np.unravel_index(places, true.shape)
        leads = np.array(self.leads, "timedelta64[ns]")
        return Cases(issued[when], leads[ahead], which, tuple(state.asset_ids)), true.ravel()[places]

    def training_times(self, state: State) -> NDArray[np.datetime64]:
        """Return the issue times of training cases: every ``train_every`` back from the state's own, to the begin of its history, or of its events."""
        every = duration(self.train_every, what="train_every")
        # Features of the first ones lack cells, and are NaN.
        count = int((state.issue_time - min(self.leads) - _begin(state, self.inputs)) // every)
        return np.sort(state.issue_time - every * np.arange(1, max(count, 0) + 1))


def _begin(state: State, inputs: Inputs) -> np.datetime64:
    """Return the first instant of which a state knows something; its issue time if there is none."""
    times = state.history["time"].values
    if times.size:
        first: np.datetime64 = times[0]
        return first
    starts = [table["start"].min() for table in state.events.values()]
    known = [np.datetime64(one, "ns") for one in starts if pd.notna(one)]
    return max(state.issue_time - inputs.training_ns, min(known)) if known else state.issue_time


@dataclass(frozen=True, repr=False)
class FittedFeaturePredictor(Summary):
    """A `FeaturePredictor` with its fitted estimator."""

    of: FeaturePredictor
    model: FittedEstimator
    training: tuple[np.datetime64, np.datetime64]
    position: object = None

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.of.name

    @property
    def inputs(self) -> Inputs:
        """What `predict` reads."""
        return self.of.inputs

    def content_hash(self) -> str:
        """Hash of parameters and of what was fitted."""
        return hash_of(self.of.content_hash(), self.model.content_hash())

    def predict(self, state: State) -> xr.Dataset:
        """Return predictions for all assets and lead times; an asset without any value in the window has none, with the reason."""
        of = self.of
        cases = Cases.grid([state.issue_time], of.leads, state.asset_ids)
        x = matrix(of.read, state, cases)
        base = np.zeros(len(cases)) if of.relative_to is None else x[:, -1]
        x = x[:, : len(of.features)]
        found = self.model.predict(x) if len(cases) else np.empty((0, max(1, len(of.estimator.quantiles))))
        found = found + base[:, None]
        shape = (len(of.leads), len(state.asset_ids))
        values = found.reshape(*shape, -1) if of.estimator.quantiles else found.reshape(shape)
        return predictions(
            values,
            state=state,
            fitted=self,
            target=of.target.name,
            units=of.target.units,
            lead_times=of.leads,
            quantiles=of.estimator.quantiles,
            refused=self._refused(state),
            attrs=of.target.attrs,
        )

    def _refused(self, state: State) -> dict[tuple[int, ...], CantTell]:
        """Return reasons for assets whose variables have no value in the window."""
        if not state.history.data_vars:
            return {}
        has = np.zeros(len(state.asset_ids), bool)
        for values in state.history.data_vars.values():
            has |= values.count("time").values > 0
        reason = f"no value of {', '.join(map(str, state.history.data_vars))} in the {self.inputs.window} before the issue time"
        answer = CantTell(reason)
        return {(lead, int(asset)): answer for asset in np.flatnonzero(~has) for lead in range(len(self.of.leads))}

    def export(self, path: str | Path) -> Path:
        """Write the estimator as a file of arrays, and beside it the module that predicts with it, which needs numpy only.

        ``predict(dict(np.load(path)), rows)`` of the module takes the features in the order of ``names``, and gives the estimator's predictions to the last
        bit; with ``relative_to`` of the parameters they are differences from that feature.

        Parameters
        ----------
        path : path
            Ends in ``.npz``.

        Returns
        -------
        Path
            The module, ``twinlab_trees.py``.

        Raises
        ------
        SchemaError
            If the path has another ending, or the estimator isn't one of LightGBM's trees.
        """
        return export_estimator(self.model, [feature.name for feature in self.of.features], path)

    def update(self, state: State) -> FittedFeaturePredictor:  # noqa: ARG002  (as the protocol has it)
        """Return itself: an estimator learns by a new fit."""
        return self
