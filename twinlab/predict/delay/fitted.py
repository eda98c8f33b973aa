"""A fitted predictor of delays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.predict.delay.connections import missed_connections
from twinlab.predict.delay.estimators import LEVELS, Choice
from twinlab.predict.delay.features import Planned, groups_of_events, stacked
from twinlab.predict.delay.intervals import Intervals, PastErrors
from twinlab.predict.delay.opened import delay_predictions, open_cases
from twinlab.predict.delay.phases import PHASES, past_cases, phases, stages
from twinlab.predict.delay.plan import GIVEN_UP, HOUR, NEVER, Floats, Ints
from twinlab.predict.delay.reasons import Effects, texts
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.features.cases import Cases
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.estimator import FittedEstimator
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import CantTell
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.summary import Summary

__all__ = ["FittedDelay"]

#: Issue times of an update are at most so old: it is what a state's window has beyond the longest feature.
_UPDATED: Final = np.timedelta64(3, "D")


@dataclass(frozen=True, repr=False)
class FittedDelay(Summary):
    """A `DelayPredictor` that was fitted.

    `predict` returns quantiles, or with ``predicts="late"`` the probability of being late, in the schema of predictions; `table` both with reasons, for
    a person.

    Parameters
    ----------
    settings : DelaySettings
    name : str
        Of the model.
    parameters : str
        Hash of the predictor's parameters.
    predicts : "delay" or "late"
        What `predict` returns.
    calibration : str
        Span of past errors.
    quantiles, probability : FittedEstimator
    choices : pair of Choice
        Candidates that were chosen for the two, with the losses of all.
    intervals : Intervals
        Margins from past errors.
    turnaround : int
        Least span between two events of a chain, ns.
    names, kinds : tuple of str
        Features, and the kind of reason that each belongs to.
    usual : array (feature,)
        Median of each feature in training.
    training : pair of datetime64
        First issue time of the training cases, and the instant at which they were known.
    compared : datetime64
        Events that had ended by then are among the past errors.
    """

    settings: DelaySettings
    name: str
    parameters: str
    predicts: Literal["delay", "late"]
    calibration: str
    quantiles: FittedEstimator
    probability: FittedEstimator
    choices: tuple[Choice, Choice]
    intervals: Intervals
    turnaround: int
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    usual: Floats
    training: tuple[np.datetime64, np.datetime64]
    compared: np.datetime64

    @property
    def inputs(self) -> Inputs:
        """What `predict` reads."""
        return self.settings.inputs

    def content_hash(self) -> str:
        """Hash of the parameters and of what was fitted."""
        return hash_of(
            self.parameters,
            self.quantiles.content_hash(),
            self.probability.content_hash(),
            self.intervals.errors,
            self.turnaround,
        )

    def update(self, state: State) -> FittedDelay:
        """Return the predictor with the errors of the events that have ended since; those older than the calibration span no longer count.

        What is predicted doesn't change, its interval does. Events whose issue times are more than three days old are left out: a state has too short a
        past for their features.
        """
        planned = Planned(state, self.settings)
        cases, true = past_cases(planned.plan, self.settings)
        begin = state.issue_time - _UPDATED
        rows = (planned.plan.end[cases.asset] > self.compared.astype("datetime64[ns]").astype("int64")) & (
            cases.issued >= begin
        )
        cases, true = cases.take(rows), true[rows]
        if not len(cases):
            return self
        found = self.quantiles.predict(self._features(planned, cases))
        errors = PastErrors(
            cases.issued.astype("int64"),
            stages(planned.plan, cases),
            groups_of_events(planned, cases),
            found[:, 0] - true,
            true - found[:, -1],
        )
        since = state.issue_time - duration(self.calibration, what="calibration")
        errors = self.intervals.errors.joined(errors, since=int(since.astype("datetime64[ns]").astype("int64")))
        intervals = Intervals.of(errors, alpha=self.intervals.alpha, least_cases=self.intervals.least_cases)
        return replace(self, intervals=intervals, compared=state.issue_time)

    def predict(self, state: State) -> xr.Dataset:
        """Return quantiles of the delay in minutes, or the probability of being late, of each event that is open at the issue time."""
        return self.late(state) if self.predicts == "late" else self.delay(state)

    def delay(self, state: State) -> xr.Dataset:
        """Return quantiles of the delay in minutes of each event that is open at the issue time."""
        planned, cases = open_cases(state, self.settings)
        values = self._interval(planned, cases, self._features(planned, cases))
        refused = self._refused(planned, cases)
        return delay_predictions(
            values, state=state, planned=planned, cases=cases, fitted=self, quantiles=LEVELS, refused=refused
        )

    def late(self, state: State) -> xr.Dataset:
        """Return the probability that each event that is open at the issue time will be late."""
        planned, cases = open_cases(state, self.settings)
        found = self.probability.predict(self._features(planned, cases))[:, 0] if len(cases) else np.empty(0)
        refused = self._refused(planned, cases)
        return delay_predictions(found, state=state, planned=planned, cases=cases, fitted=self, refused=refused)

    def table(self, state: State) -> pd.DataFrame:
        """Return a row for each event that is open at the issue time, sorted by planned start.

        Columns ``event_id, asset``, the links, ``planned_start, planned_end, phase``, ``earliest`` (from when the asset can begin, because of the events
        before), ``low, expected, high`` (when it will end, or with ``of="start"`` begin; 90 % between low and high), ``late`` (probability), ``reason``
        and ``cant_tell``, the reason where there is no number.
        """
        planned, cases = open_cases(state, self.settings)
        plan, rows, x = planned.plan, cases.asset, self._features(planned, cases)
        bounds = self._interval(planned, cases, x)
        chance = self.probability.predict(x)[:, 0] if len(cases) else np.empty(0)
        refused = self._refused(planned, cases)
        for place in refused:
            bounds[place], chance[place] = np.nan, np.nan
        effects = Effects.of(self.quantiles, x, self.usual, self.kinds)
        ahead = planned.before(cases, self.turnaround)
        reason = np.array(texts(planned, cases, ahead, effects, names=self.names, x=x, usual=self.usual), object)
        reason[list(refused)] = ""
        base = plan.planned_end if self.settings.of == "end" else plan.planned_start
        when = _instants(base[rows][:, None], bounds)
        case, event = plan.members(rows)
        table = plan.events.iloc[event]
        kept = ["event_id", "asset", *(name for name in self.settings.links if name != "asset")]
        out = table[[*kept, "planned_start", "planned_end"]].reset_index(drop=True)
        out["phase"] = [PHASES[one] for one in phases(plan, cases)[case]]
        before = plan.table["event_id"].to_numpy(object)[ahead.before]
        out["before"] = np.where(ahead.before >= 0, before, "")[case]
        out["earliest"] = pd.to_datetime(np.where(ahead.ready < NEVER, ahead.ready, np.iinfo("int64").min)[case])
        for place, name in enumerate(("low", "expected", "high")):
            out[name] = when[case, place]
        out["late"], out["reason"] = chance[case], reason[case]
        out["cant_tell"] = [refused[k].reason if k in refused else "" for k in case.tolist()]
        if self.settings.chain != "asset":
            missed = missed_connections(out, plan.events)
            out["reason"] = [
                "; ".join(filter(None, [missed.get(str(event), ""), text]))
                for event, text in zip(out["event_id"], out["reason"], strict=True)
            ]
        return out.sort_values(["planned_start", "event_id"], ignore_index=True)

    def past(self, state: State, *, since: np.datetime64) -> pd.DataFrame:
        """Return what it would have predicted for past events, each at its own issue times (``leads``, overdue, under way), with what came.

        Parameters
        ----------
        state : State
            Later than the events; its history begins ``inputs.window`` before the first issue time.
        since : datetime64
            Planned start of the first event; later than the training span for an honest score.

        Returns
        -------
        DataFrame
            Columns ``event_id, issue_time, lead_time, phase, low, expected, high`` (minutes), ``late`` (probability), ``actual`` (minutes).
        """
        planned = Planned(state, self.settings)
        cases, true = past_cases(planned.plan, self.settings, since=since)
        x = self._features(planned, cases)
        bounds = self._interval(planned, cases, x)
        chance = self.probability.predict(x)[:, 0] if len(cases) else np.empty(0)
        for place in self._refused(planned, cases):
            bounds[place], chance[place] = np.nan, np.nan
        return pd.DataFrame(
            {
                "event_id": np.array(cases.ids, object)[cases.asset],
                "issue_time": cases.issued,
                "lead_time": cases.leads,
                "phase": [PHASES[one] for one in phases(planned.plan, cases)],
                **{name: bounds[:, place] for place, name in enumerate(("low", "expected", "high"))},
                "late": chance,
                "actual": true,
            }
        )

    def _features(self, planned: Planned, cases: Cases) -> Floats:
        return stacked(planned.columns(cases, self.turnaround))[2]

    def _interval(self, planned: Planned, cases: Cases, x: Floats) -> Floats:
        """Return the quantiles with the margins of past errors; NaN where there are too few of them."""
        if not len(cases):
            return np.empty((0, len(LEVELS)))
        found = self.quantiles.predict(x)
        low, high = self.intervals.margins(stages(planned.plan, cases), groups_of_events(planned, cases))
        middle = found[:, 1]
        out = np.stack([np.minimum(found[:, 0] - low, middle), middle, np.maximum(found[:, -1] + high, middle)], axis=1)
        out[~np.isfinite(out).all(axis=1)] = np.nan
        return out

    def _refused(self, planned: Planned, cases: Cases) -> dict[int, CantTell]:
        """Return the reasons for no number, by place of the case."""
        phase = phases(planned.plan, cases)
        found = self.intervals.reasons(stages(planned.plan, cases), groups_of_events(planned, cases))
        out = {place: CantTell(text) for place, text in found.items()}
        waits = -cases.leads.astype("timedelta64[ns]").astype("int64")
        for place in np.flatnonzero((phase == 1) & (waits > GIVEN_UP)):
            out[int(place)] = CantTell(
                f"it hasn't begun {waits[place] / HOUR:.0f} h after its planned start, and may be cancelled"
            )
        return out


def _instants(base: Ints, minutes: Floats) -> NDArray[np.datetime64]:
    """Return instants some minutes after others, in whole seconds; NaT of NaN."""
    seconds = np.where(np.isnan(minutes), 0, np.round(minutes * 60)).astype("int64")
    found: NDArray[np.datetime64] = (base + seconds * 10**9).astype("datetime64[ns]")
    found[np.isnan(minutes)] = np.datetime64("NaT")
    return found
