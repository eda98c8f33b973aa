"""What really happened after a start, in the schema of results: reality as one more replication."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.simulate.calibration.operation import Operation, legs_of
from twinlab.simulate.timetable.entities import Carried
from twinlab.simulate.timetable.names import Names
from twinlab.simulate.timetable.signals import Span, results_of

__all__ = ["reality"]

Floats = npt.NDArray[np.float64]


def reality(
    names: Names, state: xr.Dataset, operation: Operation, *, until: np.datetime64, step: np.timedelta64
) -> xr.Dataset:
    """Return what happened from a state's start on to ``until``, with the signals and KPIs of a run.

    Parameters
    ----------
    names : Names
    state : Dataset
        State at the start.
    operation : Operation
        The history, with what happened afterwards.
    until : datetime64
    step : timedelta64

    Returns
    -------
    Dataset
        As of `TimetableModel.advance`, without a replication.
    """
    origin = pd.Timestamp(state["start"].item()).to_datetime64().astype("M8[ns]")
    epoch = float(origin.astype(np.int64) / 1e9)
    second = np.timedelta64(1, "s")
    span = Span(0.0, float((until - origin) / second), float(step / second), origin)
    trips = operation.trips.drop_duplicates("event_id").set_index("event_id").reindex(state["trip"].to_numpy())
    start, end = (trips[name].to_numpy() - epoch for name in ("start", "end"))
    never = np.isnan(start)
    carried = _carried(state, operation, epoch, span) if "entity" in state.coords else None
    return results_of(names, state, span, [(0, (start, end, never), carried)]).isel(replication=0, drop=True)


def _carried(state: xr.Dataset, operation: Operation, epoch: float, span: Span) -> Carried:
    """Return the entities that were on their way at the start or came in the span, with the trips that they took."""
    place = {name: number for number, name in enumerate(state["trip"].to_numpy().tolist())}
    ids = operation.trips["event_id"].to_numpy()
    hub = {name: number for number, name in enumerate(state["hub"].to_numpy().tolist())}
    entities = operation.entities
    here = entities["id"].isin(state["entity"].to_numpy()).to_numpy()
    here = here | ((entities["registered"] >= epoch) & (entities["registered"] < epoch + span.stop)).to_numpy()
    entities = entities[here]
    legs = legs_of(operation.legs, entities)
    entities = entities.loc[legs["entity"].drop_duplicates()]
    number = pd.Series(np.arange(len(entities)), index=entities.index)
    at = legs["trip"].to_numpy(dtype=np.int64)
    trip = np.array([place.get(name, -1) for name in ids[at].tolist()])
    who = number.loc[legs["entity"]].to_numpy()
    first = np.flatnonzero(np.append(True, who[1:] != who[:-1]))
    last = np.append(first[1:], len(who)) - 1
    ends = (operation.trips[name].to_numpy()[at] for name in ("origin", "destination"))
    origin, destination = (np.array([hub.get(name, -1) for name in each.tolist()]) for each in ends)
    times = {name: entities[name].to_numpy() - epoch for name in ("registered", "promised", "delivered")}
    known = trip >= 0
    count = np.arange(len(who)) - first[np.searchsorted(first, np.arange(len(who)), side="right") - 1] + 1
    return Carried(
        np.maximum(origin[first], 0), destination[last], times["registered"], times["promised"], times["delivered"],
        who[known], count[known], trip[known], 0,
    )  # fmt: skip
