"""The events that are open at an issue time, and predictions of them in the schema."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from twinlab.predict.delay.features import Planned
from twinlab.predict.delay.phases import PHASES, open_rows, phases
from twinlab.predict.delay.plan import Floats
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.features.cases import Cases
from twinlab.predict.predictions.of_events import event_predictions
from twinlab.predict.protocol.predictor import CantTell, Fitted
from twinlab.predict.protocol.state import State

__all__ = ["delay_predictions", "open_cases"]


def open_cases(state: State, settings: DelaySettings) -> tuple[Planned, Cases]:
    """Return the planned events of a state, and a case for each journey that is planned, overdue or under way at its issue time."""
    planned = Planned(state, settings)
    rows = open_rows(planned.plan, settings, state.issue_time)
    issued = np.full(len(rows), state.issue_time, "datetime64[ns]")
    leads = planned.plan.planned_start[rows] - issued.astype("int64")
    ids = tuple(map(str, planned.plan.table["event_id"]))
    return planned, Cases(issued, leads.astype("timedelta64[ns]"), rows, ids)


def delay_predictions(
    values: Floats,
    *,
    state: State,
    planned: Planned,
    cases: Cases,
    fitted: Fitted,
    quantiles: tuple[float, ...] = (),
    refused: Mapping[int, CantTell] | None = None,
) -> xr.Dataset:
    """Return predictions of the events of open journeys.

    Parameters
    ----------
    values : array (case,) or (case, quantile)
        Probability of being late, or minutes of delay.
    state, planned, cases
        As of `open_cases`.
    fitted : Fitted
        What made them.
    quantiles : tuple of float
        Levels; empty for a probability.
    refused : mapping of int to CantTell
        Reasons by case.
    """
    case, event = planned.plan.members(cases.asset)
    table, settings, reasons = planned.plan.events.iloc[event], planned.settings, refused or {}
    coords: dict[str, ArrayLike] = {
        "planned_start": table["planned_start"].to_numpy("datetime64[ns]"),
        "planned_end": table["planned_end"].to_numpy("datetime64[ns]"),
        "phase": np.array([PHASES[one] for one in phases(planned.plan, cases)], object)[case],
        # Scores can be grouped by them.
        **{name: table[name].fillna("").to_numpy(object) for name in settings.links if name != "asset"},
    }
    return event_predictions(
        values[case],
        state=state,
        fitted=fitted,
        target=f"{settings.of}_{'delay' if quantiles else 'late'}",
        units="min" if quantiles else "1",
        event_ids=list(table["event_id"]),
        assets=list(table["asset"].fillna("")),
        # The schema has none below 0; `minutes to planned start` of an event that is overdue or under way is.
        lead_times=np.maximum(cases.leads[case], np.timedelta64(0, "ns")),
        quantiles=quantiles,
        refused={place: reasons[k] for place, k in enumerate(case.tolist()) if k in reasons},
        coords=coords,
        attrs={"truth": "delay", "event_type": settings.event_type, "of": settings.of, "late": settings.late},
    )
