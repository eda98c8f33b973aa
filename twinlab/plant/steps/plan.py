"""What happens around the plant whatever it is commanded to do: drawn from the seed, for the whole span at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.cold_rooms import RoomPlan, RoomState, plan_cold_rooms
from twinlab.plant.network.failures.condition import WearPlan, plan_disturbances, plan_wear
from twinlab.plant.network.failures.forklifts import worn_forklifts
from twinlab.plant.network.failures.rooms import dying_sensors, worn_rooms
from twinlab.plant.network.faults import (
    Fault,
    RoomFaults,
    TruckFaults,
    plan_forklift_faults,
    plan_room_faults,
    plan_truck_faults,
)
from twinlab.plant.network.forklifts import ForkliftPlan, ForkliftState, plan_forklifts
from twinlab.plant.network.parcels import Parcels, change_parcels, simulate_parcels
from twinlab.plant.network.roads import Roads, build_roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.tracks import Tracks, simulate_tracks
from twinlab.plant.network.trips import Trips, simulate_trips

__all__ = ["Plan", "Progress", "make_plan"]

#: Called with (steps done, number of steps, name of the next step).
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Plan:
    """The network as it is without commands, and what rooms and forklifts will be exposed to."""

    size: ParcelSize
    roads: Roads
    trips: Trips
    tracks: Tracks
    parcels: Parcels
    truck_faults: TruckFaults
    rooms: RoomPlan
    rooms_at_first: RoomState
    room_faults: RoomFaults
    forklifts: ForkliftPlan
    forklifts_at_first: ForkliftState
    # [forklift, sample] missing reports.
    forklift_silent: npt.NDArray[np.bool_]
    forklift_faults: tuple[Fault, ...]
    # None without failures.
    wear: WearPlan | None = None


def make_plan(size: ParcelSize, *, progress: Progress | None = None) -> Plan:
    """Return the plan of a network; the same size always gives the same one."""
    report = progress or (lambda _done, _total, _what: None)
    report(0, 5, "trips")
    roads = build_roads(size)
    usual = simulate_trips(size, roads)
    disturbances, trips = plan_disturbances(size, roads, usual)
    report(1, 5, "trucks")
    tracks = simulate_tracks(size, roads, trips)
    truck_faults = plan_truck_faults(size, tracks)
    report(2, 5, "parcels")
    parcels = simulate_parcels(size, usual)
    if disturbances is not None:
        parcels = change_parcels(size, parcels, before=usual, trips=trips)
    report(3, 5, "cold rooms")
    rooms, rooms_at_first = plan_cold_rooms(size)
    room_faults = plan_room_faults(size, rooms.hub)
    report(4, 5, "forklifts")
    forklifts, forklifts_at_first = plan_forklifts(size)
    silent, forklift_faults = plan_forklift_faults(size, forklifts.time)
    wear = None
    if disturbances is not None:
        wear = plan_wear(size, disturbances, rooms, forklifts)
        rooms, forklifts = worn_rooms(rooms, disturbances.failures), worn_forklifts(forklifts, disturbances.failures)
        room_faults = dying_sensors(size, room_faults, disturbances.failures)
    report(5, 5, "")
    return Plan(
        size, roads, trips, tracks, parcels, truck_faults, rooms, rooms_at_first, room_faults, forklifts,
        forklifts_at_first, silent, tuple(forklift_faults), wear,
    )  # fmt: skip
