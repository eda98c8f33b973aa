"""What predicted delays are compared with: the schedule, the delay so far, and the usual delays of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.delay.estimators import LEVELS
from twinlab.predict.delay.features import Planned
from twinlab.predict.delay.opened import delay_predictions, open_cases
from twinlab.predict.delay.phases import delays, phases
from twinlab.predict.delay.plan import MINUTE, Floats, Ints
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.features.cases import Cases
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import Predictor
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.summary import Summary

__all__ = ["PlainDelay", "delay_baselines"]

_HOURS = 24


@dataclass(frozen=True)
class PlainDelay:
    """Delays without a model.

    Parameters
    ----------
    settings : DelaySettings
    rule : "schedule", "so_far" or "usual"
        No delay; the delay of the start so far; or the quantiles of the delays in training, by hour of the planned start.
    predicts : "delay" or "late"
        Of the probability of being late, "usual" is the share in training.
    """

    settings: DelaySettings
    rule: Literal["schedule", "so_far", "usual"]
    predicts: Literal["delay", "late"] = "delay"

    @property
    def name(self) -> str:
        """The rule."""
        return self.rule

    @property
    def inputs(self) -> Inputs:
        """What is read."""
        return self.settings.inputs

    def content_hash(self) -> str:
        """Hash of the parameters."""
        return hash_of(self)

    def fit(self, state: State) -> FittedPlainDelay:
        """Take the delays of the events that have ended.

        Raises
        ------
        SchemaError
            If there is none.
        """
        planned = Planned(state, self.settings)
        found = delays(planned.plan, self.settings)
        known = ~np.isnan(found)
        if not known.any():
            msg = f"no delay of {self.settings.event_type!r} is known in the {self.settings.training} before {state.issue_time}"
            raise SchemaError(msg)
        if self.predicts == "late":
            late = duration(self.settings.late, what="late") / np.timedelta64(1, "m")
            found = np.where(known, found >= late, np.nan)
        hour = _hours(planned, np.arange(len(planned.plan)))
        parts = [found[known & (hour == one)] for one in range(_HOURS)]
        table = np.stack([self._usual(one if len(one) else found[known]) for one in parts])
        first = np.datetime64(int(planned.plan.planned_start[known].min()), "ns")
        return FittedPlainDelay(self, table, (first, state.issue_time))

    def _usual(self, values: Floats) -> Floats:
        return values.mean(keepdims=True) if self.predicts == "late" else np.quantile(values, LEVELS)


@dataclass(frozen=True, repr=False)
class FittedPlainDelay(Summary):
    """A `PlainDelay` with quantiles or shares by hour: array (hour, quantile)."""

    of: PlainDelay
    table: Floats
    training: tuple[np.datetime64, np.datetime64]

    @property
    def name(self) -> str:
        """The rule."""
        return self.of.name

    @property
    def inputs(self) -> Inputs:
        """What `predict` reads."""
        return self.of.inputs

    def content_hash(self) -> str:
        """Hash of parameters and numbers."""
        return hash_of(self.of, self.table)

    def update(self, state: State) -> FittedPlainDelay:  # noqa: ARG002  (as the protocol has it)
        """Return itself."""
        return self

    def predict(self, state: State) -> xr.Dataset:
        """Return the predictions of each event that is open at the issue time."""
        planned, cases = open_cases(state, self.of.settings)
        values, levels = self._values(planned, cases)
        return delay_predictions(values, state=state, planned=planned, cases=cases, fitted=self, quantiles=levels)

    def _values(self, planned: Planned, cases: Cases) -> tuple[Floats, tuple[float, ...]]:
        if self.of.rule == "usual":
            found = self.table[_hours(planned, cases.asset)]
            return (found[:, 0], ()) if self.of.predicts == "late" else (found, LEVELS)
        minutes = np.zeros(len(cases))
        if self.of.rule == "so_far":
            plan, rows = planned.plan, cases.asset
            begun = phases(plan, cases) == 2
            overdue = np.maximum(-cases.leads.astype("timedelta64[ns]").astype("int64"), 0)
            minutes = np.where(begun, plan.start[rows] - plan.planned_start[rows], overdue) / MINUTE
        if self.of.predicts == "late":
            late = duration(self.of.settings.late, what="late") / np.timedelta64(1, "m")
            return (minutes >= late).astype(float), ()
        return minutes[:, None], (0.5,)


def delay_baselines(settings: DelaySettings, predicts: Literal["delay", "late"]) -> dict[str, Predictor]:
    """Return the baselines of predicted delays by name."""
    rules: tuple[Literal["schedule", "so_far", "usual"], ...] = ("schedule", "so_far", "usual")
    return {rule: PlainDelay(settings, rule, predicts) for rule in rules}


def _hours(planned: Planned, rows: Ints | np.ndarray[tuple[int], np.dtype[np.intp]]) -> Ints:
    """Return the local hour of the planned start of journeys."""
    start = pd.DatetimeIndex(planned.plan.planned_start[rows].astype("datetime64[ns]"), tz="UTC")
    return np.asarray(start.tz_convert(planned.settings.zone).hour, "int64")
