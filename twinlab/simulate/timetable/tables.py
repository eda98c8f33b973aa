"""Event tables of a replication, in the schema of the twin's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.simulate.timetable.entities import Carried
from twinlab.simulate.timetable.names import Names
from twinlab.simulate.timetable.signals import Span

__all__ = ["event_tables"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def event_tables(
    names: Names, state: xr.Dataset, span: Span, times: tuple[Floats, Floats, Bools], carried: Carried | None
) -> dict[str, pd.DataFrame]:
    """Return the trips, and the legs of entities, that were planned in the span or under way in it.

    What begins or ends after the span has no actual time.
    """
    start, end, _ = times
    planned = state["trip_planned_start"].to_numpy(), state["trip_planned_end"].to_numpy()
    shown = _shown(span, planned[0], start, end)
    hubs, carriers = state["hub"].to_numpy(), state["carrier"].to_numpy()
    origin, destination = (hubs[state[f"trip_{name}"].to_numpy()] for name in ("origin", "destination"))
    code = state["trip_carrier"].to_numpy()
    carrier = np.where(code >= 0, carriers[code], None)
    columns = _times(span, planned, (start, end))
    trips = pd.DataFrame(
        {
            "event_id": state["trip"].to_numpy(),
            "type": names.trip,
            "asset": carrier,
            **columns,
            "origin": origin,
            "destination": destination,
        }
    )
    found = {names.trip: trips[shown].reset_index(drop=True)}
    if carried is not None and names.leg is not None:
        at = carried.leg_trip
        used = shown[at]
        known = state["entity"].to_numpy()
        ids = np.concatenate([known, [f"new/{number + 1}" for number in range(len(carried.origin) - len(known))]])
        who = ids[carried.leg_entity]
        legs = pd.DataFrame(
            {
                "event_id": [f"{one}/{number}" for one, number in zip(who, carried.leg_number.tolist(), strict=True)],
                "type": names.leg, "asset": who, **{name: column[at] for name, column in columns.items()},
                names.leg_carrier or names.carrier: carrier[at], "origin": origin[at], "destination": destination[at],
            }
        )  # fmt: skip
        found[names.leg] = legs[used].reset_index(drop=True)
    return found


def _shown(span: Span, planned: Floats, start: Floats, end: Floats) -> Bools:
    with np.errstate(invalid="ignore"):
        under_way = (start < span.stop) & ~(end < span.begin)
    return np.asarray(span.inside(planned) | under_way)


def _times(
    span: Span, planned: tuple[Floats, Floats], actual: tuple[Floats, Floats]
) -> dict[str, npt.NDArray[np.datetime64]]:
    def instants(seconds: Floats) -> npt.NDArray[np.datetime64]:
        found = span.origin + np.round(np.nan_to_num(seconds)).astype("m8[s]").astype("m8[ns]")
        return np.where(np.isnan(seconds), np.datetime64("NaT", "ns"), found)

    happened = [instants(np.where(each < span.stop, each, np.nan)) for each in actual]
    return {
        "start": happened[0], "end": happened[1], "planned_start": instants(planned[0]), "planned_end": instants(planned[1])
    }  # fmt: skip
