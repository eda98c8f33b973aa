"""The whole network: simulated once, then written as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.cold_rooms import Rooms, run_rooms
from twinlab.plant.network.faults import Fault, Logged, Reported, fault_rooms, fault_trucks, lift_dropouts
from twinlab.plant.network.forklifts import Lifts, run_lifts
from twinlab.plant.network.parcels import Parcels, send_parcels
from twinlab.plant.network.roads import Roads, build_roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.network.tracks import Tracks, track_trucks
from twinlab.plant.network.trips import Trips, drive_trips

__all__ = ["Network", "simulate_network"]

#: Called with (steps done, steps in all, what comes now).
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Network:
    """What truly happened in the network (the truth), and what its sensors made of it (with faults)."""

    size: ParcelSize
    roads: Roads
    trips: Trips
    tracks: Tracks
    rooms: Rooms
    lifts: Lifts
    parcels: Parcels
    logged: Logged
    reported: Reported
    # [lift, sample] reports that never came.
    lift_silent: npt.NDArray[np.bool_]
    faults: tuple[Fault, ...]

    def hub(self, number: int) -> str:
        """Return a hub's code."""
        return TOWNS[number].code

    def truck(self, number: int) -> str:
        """Return a truck's id."""
        return f"T{number + 1:03d}"

    def room(self, number: int) -> str:
        """Return a cold room's id."""
        return f"R{number + 1:02d}"

    def lift(self, number: int) -> str:
        """Return a forklift's id."""
        return f"F{number + 1:02d}"

    def asset(self, asset_type: str, number: int) -> str:
        """Return an asset's id."""
        return {"truck": self.truck, "cold_room": self.room, "forklift": self.lift}[asset_type](number)


def simulate_network(size: ParcelSize, *, progress: Progress | None = None) -> Network:
    """Let a network run for its weeks; the same size always gives the same network.

    Parameters
    ----------
    size : ParcelSize
        How large, how long, which seed.
    progress : callable, optional
        Told about each step.

    Examples
    --------
    >>> network = simulate_network(ParcelSize(hubs=2, trucks=1, cold_rooms=1, forklifts=1, parcels_a_week=1, weeks=1))
    >>> network.truck(0)
    'T001'
    """
    say = progress or (lambda _done, _total, _what: None)
    say(0, 5, "trips")
    roads = build_roads(size)
    trips = drive_trips(size, roads)
    say(1, 5, "trucks")
    tracks = track_trucks(size, roads, trips)
    reported, of_trucks = fault_trucks(size, tracks)
    say(2, 5, "cold rooms")
    rooms = run_rooms(size)
    logged, of_rooms = fault_rooms(size, rooms)
    say(3, 5, "forklifts")
    lifts = run_lifts(size)
    silent, of_lifts = lift_dropouts(size, lifts)
    say(4, 5, "parcels")
    parcels = send_parcels(size, trips)
    say(5, 5, "")
    faults = (*of_rooms, *of_trucks, *of_lifts)
    return Network(size, roads, trips, tracks, rooms, lifts, parcels, logged, reported, silent, faults)
