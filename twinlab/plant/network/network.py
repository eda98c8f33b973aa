"""Simulate the whole network: true states, faults, and the values that sensors report."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.cold_rooms import ColdRooms, simulate_cold_rooms
from twinlab.plant.network.faults import Fault, Logged, Reported, add_forklift_faults, add_room_faults, add_truck_faults
from twinlab.plant.network.forklifts import Forklifts, simulate_forklifts
from twinlab.plant.network.parcels import Parcels, simulate_parcels
from twinlab.plant.network.roads import Roads, build_roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.network.tracks import Tracks, simulate_tracks
from twinlab.plant.network.trips import Trips, simulate_trips

__all__ = ["Network", "simulate_network"]

#: Old names of attributes, valid for one more release.
_RENAMED = {"lifts": "forklifts", "lift": "forklift", "lift_silent": "forklift_silent"}
#: Called with (steps done, number of steps, name of the next step).
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Network:
    """True states of the network, and the values that its sensors report (with faults)."""

    size: ParcelSize
    roads: Roads
    trips: Trips
    tracks: Tracks
    rooms: ColdRooms
    forklifts: Forklifts
    parcels: Parcels
    logged: Logged
    reported: Reported
    # [forklift, sample] missing reports.
    forklift_silent: npt.NDArray[np.bool_]
    faults: tuple[Fault, ...]
    # The forklifts as their boxes report them.
    sent: Forklifts

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (old names of attributes of several types)
        """Return an attribute by its old name, with a warning."""
        if name not in _RENAMED:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(msg)
        warnings.warn(f"Network.{name} is now Network.{_RENAMED[name]}", DeprecationWarning, stacklevel=2)
        return getattr(self, _RENAMED[name])

    def hub(self, number: int) -> str:
        """Return a hub's code."""
        return TOWNS[number].code

    def truck(self, number: int) -> str:
        """Return a truck's id."""
        return f"T{number + 1:03d}"

    def room(self, number: int) -> str:
        """Return a cold room's id."""
        return f"R{number + 1:02d}"

    def forklift(self, number: int) -> str:
        """Return a forklift's id."""
        return f"F{number + 1:02d}"

    def asset(self, asset_type: str, number: int) -> str:
        """Return an asset's id."""
        return {"truck": self.truck, "cold_room": self.room, "forklift": self.forklift}[asset_type](number)


def simulate_network(size: ParcelSize, *, progress: Progress | None = None) -> Network:
    """Simulate a network for all its weeks; the same size always gives the same network.

    Parameters
    ----------
    size : ParcelSize
        Numbers of assets, duration and seed.
    progress : callable, optional
        Called with (steps done, number of steps, name of the next step).

    Examples
    --------
    >>> network = simulate_network(ParcelSize(hubs=2, trucks=1, cold_rooms=1, forklifts=1, parcels_a_week=1, weeks=1))
    >>> network.truck(0)
    'T001'
    """
    report = progress or (lambda _done, _total, _what: None)
    report(0, 5, "trips")
    roads = build_roads(size)
    trips = simulate_trips(size, roads)
    report(1, 5, "trucks")
    tracks = simulate_tracks(size, roads, trips)
    reported, of_trucks = add_truck_faults(size, tracks)
    report(2, 5, "cold rooms")
    rooms = simulate_cold_rooms(size)
    logged, of_rooms = add_room_faults(size, rooms)
    report(3, 5, "forklifts")
    forklifts = simulate_forklifts(size)
    silent, of_lifts = add_forklift_faults(size, forklifts)
    report(4, 5, "parcels")
    parcels = simulate_parcels(size, trips)
    report(5, 5, "")
    faults = (*of_rooms, *of_trucks, *of_lifts)
    return Network(size, roads, trips, tracks, rooms, forklifts, parcels, logged, reported, silent, faults, forklifts)
