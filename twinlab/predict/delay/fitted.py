"""A fitted predictor of delays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from twinlab.predict.conformal.pools import Pools
from twinlab.predict.delay.estimators import LEVELS
from twinlab.predict.delay.features import Planned, stacked
from twinlab.predict.delay.phases import PHASES, open_rows, past_cases, phases
from twinlab.predict.delay.plan import GIVEN_UP, HOUR, NEVER, Floats, Ints
from twinlab.predict.delay.reasons import Effects, texts
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.features.cases import Cases
from twinlab.predict.predictions.of_events import event_predictions
from twinlab.predict.protocol.estimator import FittedEstimator
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import CantTell
from twinlab.predict.protocol.state import State

__all__ = ["FittedDelay"]


@dataclass(frozen=True)
class FittedDelay:
    """A `DelayPredictor` that was fitted.

    `predict` returns quantiles, `late` the probability of being late, both in the schema of predictions; `table` both with reasons, for a person.
    """

    settings: DelaySettings
    name: str
    parameters: str
    quantiles: FittedEstimator
    probability: FittedEstimator
    pools: Pools
    turnaround: int
    least_cases: int
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    usual: Floats
    training: tuple[np.datetime64, np.datetime64]

    @property
    def inputs(self) -> Inputs:
        """What `predict` reads."""
        return self.settings.inputs

    def content_hash(self) -> str:
        """Hash of the parameters and of what was fitted."""
        pools = self.pools
        return hash_of(
            self.parameters,
            self.quantiles.content_hash(),
            self.probability.content_hash(),
            pools.below,
            pools.above,
            self.turnaround,
        )

    def update(self, state: State) -> FittedDelay:  # noqa: ARG002  (as the protocol has it)
        """Return itself: it learns by a new fit."""
        return self

    def predict(self, state: State) -> xr.Dataset:
        """Return quantiles of the delay in minutes of each event that is open at the issue time."""
        planned, cases = self._open(state)
        x = self._features(planned, cases)
        refused = self._refused(planned, cases)
        return self._schema(
            state,
            planned,
            cases,
            self._interval(planned, cases, x),
            refused=refused,
            target=f"{self.settings.of}_delay",
        )

    def late(self, state: State) -> xr.Dataset:
        """Return the probability that each event that is open at the issue time will be late."""
        planned, cases = self._open(state)
        found = self.probability.predict(self._features(planned, cases))[:, 0] if len(cases) else np.empty(0)
        return self._schema(
            state, planned, cases, found, refused=self._refused(planned, cases), target=f"{self.settings.of}_late"
        )

    def table(self, state: State) -> pd.DataFrame:
        """Return a row for each event that is open at the issue time, sorted by planned start.

        Columns ``event_id, asset``, the links, ``planned_start, planned_end, phase``, ``earliest`` (from when the asset can begin, because of the events
        before), ``low, expected, high`` (when it will end, or with ``of="start"`` begin; 90 % between low and high), ``late`` (probability), ``reason``
        and ``cant_tell``, the reason where there is no number.
        """
        planned, cases = self._open(state)
        plan, rows, x = planned.plan, cases.asset, self._features(planned, cases)
        bounds = self._interval(planned, cases, x)
        chance = self.probability.predict(x)[:, 0] if len(cases) else np.empty(0)
        refused = self._refused(planned, cases)
        for place in refused:
            bounds[place], chance[place] = np.nan, np.nan
        effects = Effects.of(self.quantiles, x, self.usual, self.kinds)
        ahead = planned.before(cases, self.turnaround)
        reason = np.array(texts(planned, cases, ahead, effects, names=self.names, x=x), object)
        reason[list(refused)] = ""
        base = plan.planned_end if self.settings.of == "end" else plan.planned_start
        when = _instants(base[rows][:, None], bounds)
        table = plan.table.iloc[rows]
        kept = ["event_id", "asset", *(name for name in self.settings.links if name != "asset")]
        out = table[[*kept, "planned_start", "planned_end"]].reset_index(drop=True)
        out["phase"] = [PHASES[one] for one in phases(plan, cases)]
        out["earliest"] = pd.to_datetime(np.where(ahead.ready < NEVER, ahead.ready, np.iinfo("int64").min))
        for place, name in enumerate(("low", "expected", "high")):
            out[name] = when[:, place]
        out["late"], out["reason"] = chance, reason
        out["cant_tell"] = [refused[k].reason if k in refused else "" for k in range(len(out))]
        return out.sort_values(["planned_start", "event_id"], ignore_index=True)

    def past(self, state: State, *, since: np.datetime64) -> pd.DataFrame:
        """Return what it would have predicted for past events, each at its own issue times (``leads``, overdue, half way), with what came.

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

    def _open(self, state: State) -> tuple[Planned, Cases]:
        planned = Planned(state, self.settings)
        rows = open_rows(planned.plan, self.settings, state.issue_time)
        issued = np.full(len(rows), state.issue_time, "datetime64[ns]")
        leads = planned.plan.planned_start[rows] - issued.astype("int64")
        ids = tuple(map(str, planned.plan.table["event_id"]))
        return planned, Cases(issued, leads.astype("timedelta64[ns]"), rows, ids)

    def _features(self, planned: Planned, cases: Cases) -> Floats:
        return stacked(planned.columns(cases, self.turnaround))[2]

    def _keys(self, planned: Planned, cases: Cases) -> NDArray[np.intp]:
        phase: Ints = phases(planned.plan, cases)
        return self.pools.places(phase, np.full(len(phase), "", object))

    def _interval(self, planned: Planned, cases: Cases, x: Floats) -> Floats:
        """Return the quantiles with the margins of past errors; NaN where there are too few of them."""
        if not len(cases):
            return np.empty((0, len(LEVELS)))
        found, key = self.quantiles.predict(x), self._keys(planned, cases)
        low, high = self.pools.margins(np.maximum(key, 0))
        middle = found[:, 1]
        out = np.stack([np.minimum(found[:, 0] - low, middle), middle, np.maximum(found[:, -1] + high, middle)], axis=1)
        out[~np.isfinite(out).all(axis=1) | (key < 0)] = np.nan
        return out

    def _refused(self, planned: Planned, cases: Cases) -> dict[int, CantTell]:
        """Return the reasons for no number, by place of the case."""
        phase, key = phases(planned.plan, cases), self._keys(planned, cases)
        count = np.where(key >= 0, self.pools.count[np.maximum(key, 0)], 0)
        waits = -cases.leads.astype("timedelta64[ns]").astype("int64")
        out = {}
        for place in np.flatnonzero(count < self.least_cases):
            name = PHASES[phase[place]]
            out[int(place)] = CantTell(
                f"{count[place]} past events {name} were compared; at least {self.least_cases} are needed"
            )
        for place in np.flatnonzero((phase == 1) & (waits > GIVEN_UP)):
            out[int(place)] = CantTell(
                f"it hasn't begun {waits[place] / HOUR:.0f} h after its planned start, and may be cancelled"
            )
        return out

    def _schema(
        self,
        state: State,
        planned: Planned,
        cases: Cases,
        values: Floats,
        *,
        refused: Mapping[int, CantTell],
        target: str,
    ) -> xr.Dataset:
        table = planned.plan.table.iloc[cases.asset]
        coords: dict[str, ArrayLike] = {
            "planned_start": table["planned_start"].to_numpy("datetime64[ns]"),
            "phase": np.array([PHASES[one] for one in phases(planned.plan, cases)], object),
        }
        return event_predictions(
            values,
            state=state,
            fitted=self,
            target=target,
            units="min" if values.ndim == 2 else "1",
            event_ids=list(table["event_id"]),
            assets=list(table["asset"]),
            # The schema has none below 0; `minutes to planned start` of an event that is overdue or under way is.
            lead_times=np.maximum(cases.leads, np.timedelta64(0, "ns")),
            quantiles=LEVELS if values.ndim == 2 else (),
            refused=refused,
            coords=coords,
            attrs={"event_type": self.settings.event_type, "late": self.settings.late},
        )


def _instants(base: Ints, minutes: Floats) -> NDArray[np.datetime64]:
    """Return instants some minutes after others, in whole seconds; NaT of NaN."""
    seconds = np.where(np.isnan(minutes), 0, np.round(minutes * 60)).astype("int64")
    found: NDArray[np.datetime64] = (base + seconds * 10**9).astype("datetime64[ns]")
    found[np.isnan(minutes)] = np.datetime64("NaT")
    return found
