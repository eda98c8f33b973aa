"""The state of a timetable model as one Dataset, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.simulate.timetable.day_effects import Known
from twinlab.simulate.timetable.entities import Entities
from twinlab.simulate.timetable.trips import Trips

__all__ = ["known_of", "state_dataset", "trips_of"]

_TRIP = (
    "origin",
    "destination",
    "carrier",
    "group",
    "planned_start",
    "planned_end",
    "confirmed",
    "doubt",
    "not_before",
    "link",
)
#: States of earlier versions, and those of twins without positions, don't have these.
_POSITION = ("share", "seen")
_KNOWN = ("values", "group", "epoch", "seen")


def state_dataset(
    trips: Trips,
    known: tuple[Known, Known],
    entities: Entities | None,
    *,
    model: str,
    model_hash: str,
    start: np.datetime64,
    seed: int,
    hubs: npt.NDArray[np.object_],
    carriers: npt.NDArray[np.object_],
    trip_ids: npt.NDArray[np.object_],
    entity_ids: npt.NDArray[np.object_],
    rooms: xr.Dataset | None = None,
) -> xr.Dataset:
    """Return the state at a start; times are in seconds since it. ``rooms`` has variables of their own."""
    data: dict[str, object] = {f"trip_{name}": ("trip", getattr(trips, name)) for name in _TRIP}
    data |= {f"trip_{name}": ("trip", one) for name in _POSITION if (one := getattr(trips, name)) is not None}
    for name in ("start", "end", "cancelled"):
        # What is known at the start stays apart from what happens in the simulation.
        data[f"trip_known_{name}"] = data[f"trip_{name}"] = ("trip", getattr(trips, name))
    for what, one in zip(("delay", "duration"), known, strict=True):
        data |= {f"{what}_{name}": (f"{what}_row", getattr(one, name)) for name in _KNOWN}
        data[f"{what}_features"] = (f"{what}_feature", one.features)
    coords = {"hub": hubs, "carrier": carriers, "trip": trip_ids}
    if entities is not None:
        for name in ("origin", "destination", "registered", "promised"):
            data[f"entity_{name}"] = ("entity", getattr(entities, name))
        data["entity_known_delivered"] = ("entity", entities.delivered)
        data["entity_first_leg"] = ("entity_edge", entities.first_leg)
        data["leg_trip"] = ("leg", entities.leg_trip)
        coords["entity"] = entity_ids
    for name in ("start", "time"):
        data[name] = ((), start.astype("M8[ns]"))
    data["seed"], data["replication"] = ((), np.int64(seed)), ((), np.int64(0))
    found = xr.Dataset(data, coords=coords, attrs={"model": model, "model_hash": model_hash})
    return found if rooms is None else found.assign(rooms.variables)


def trips_of(state: xr.Dataset) -> Trips:
    """Return the trips of a state, as they were known at the start."""
    parts = {name: state[f"trip_{name}"].to_numpy() for name in _TRIP}
    parts |= {name: state[f"trip_{name}"].to_numpy() for name in _POSITION if f"trip_{name}" in state}
    parts |= {name: state[f"trip_known_{name}"].to_numpy() for name in ("start", "end", "cancelled")}
    return Trips(**parts)


def known_of(state: xr.Dataset) -> tuple[Known, Known]:
    """Return what had happened by the start: delays of starts, and durations."""
    delay, duration = (
        Known(*(state[f"{what}_{name}"].to_numpy() for name in (*_KNOWN, "features"))) for what in ("delay", "duration")
    )
    return delay, duration
