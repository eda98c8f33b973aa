"""The whole network: true states, faults, and the values that sensors report."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.cold_rooms import ColdRooms
from twinlab.plant.network.failures.condition import Condition
from twinlab.plant.network.faults import Fault, Logged, Reported
from twinlab.plant.network.forklifts import Forklifts
from twinlab.plant.network.names import asset_name
from twinlab.plant.network.parcels import Parcels
from twinlab.plant.network.roads import Roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.network.tracks import Tracks
from twinlab.plant.network.trips import Trips

__all__ = ["Network"]

#: Old names of attributes, valid for one more release.
_RENAMED = {"lifts": "forklifts", "lift": "forklift", "lift_silent": "forklift_silent"}


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
    # None without failures.
    condition: Condition | None = None

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
        return asset_name("truck", number)

    def room(self, number: int) -> str:
        """Return a cold room's id."""
        return asset_name("cold_room", number)

    def forklift(self, number: int) -> str:
        """Return a forklift's id."""
        return asset_name("forklift", number)

    def asset(self, asset_type: str, number: int) -> str:
        """Return an asset's id."""
        return asset_name(asset_type, number)
