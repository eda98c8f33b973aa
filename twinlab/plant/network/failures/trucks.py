"""Trucks whose brakes drag and whose engines get too hot: the temperatures that their boxes report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinlab.plant.network.clocks import DAY, HOUR, Floats
from twinlab.plant.network.failures.failure import Failure
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.tracks import Tracks
from twinlab.plant.network.trips import Trips

__all__ = ["TruckTemperatures", "truck_temperatures"]

#: Speed that the figures below are for, km/h.
_CRUISE = 80.0
#: K above the air at that speed: of the hottest brake, and how much more when it fails.
_BRAKE, _BRAKE_MORE = 55.0, 150.0
#: °C of the coolant under way, and K more at the failure.
_COOLANT, _COOLANT_MORE = 86.0, 22.0
#: After a stop, brake and engine lose the difference to the air with these time constants, seconds.
_BRAKE_COOLS, _ENGINE_COOLS = 0.6 * HOUR, 2.5 * HOUR


@dataclass(frozen=True)
class TruckTemperatures:
    """Temperatures of the trucks' reports, one element per report, °C."""

    brake: Floats
    coolant: Floats


def truck_temperatures(
    size: ParcelSize, tracks: Tracks, trips: Trips, failures: Sequence[Failure]
) -> TruckTemperatures:
    """Return the temperatures at the times of the trucks' reports.

    The noise depends on truck and time only, so that a command which changes other reports leaves it as it is.
    """
    time = tracks.time
    when = time / DAY
    air = 6.0 + 4.0 * np.sin(2 * np.pi * (when - 0.375)) + 9.0 * np.sin(2 * np.pi * (when - 105) / 365.25)
    share = np.clip(tracks.speed / _CRUISE, 0.0, 1.1)
    moving, rest = _since_stop(tracks, trips)
    wear = {kind: _wear(tracks, failures, kind) for kind in ("brake", "cooling")}
    hot_brake = (_BRAKE * (0.5 + 0.5 * share) + _BRAKE_MORE * wear["brake"] * share) * np.exp(-rest / _BRAKE_COOLS)
    engine = _COOLANT + 0.15 * (air - 10.0) + _COOLANT_MORE * wear["cooling"] * share
    coolant = np.where(moving, engine, air + (engine - air) * np.exp(-rest / _ENGINE_COOLS))
    noise = size.random("temperatures of trucks").normal(0.0, 1.0, (2, 4096))
    # A long table that reports share by a multiplicative hash of truck and time.
    place = (time * 2_654_435_761 + tracks.truck * 40_503) >> 7
    return TruckTemperatures(
        air + hot_brake + 7.0 * noise[0, place % 4096] * np.where(moving, 1.0, 0.2),
        coolant + 1.2 * noise[1, (place >> 5) % 4096],
    )


def _since_stop(tracks: Tracks, trips: Trips) -> tuple[np.ndarray, Floats]:
    """Return which reports are sent under way, and for the others the seconds since the truck's last arrival."""
    moving, rest = np.zeros(len(tracks), dtype=bool), np.zeros(len(tracks))
    for truck in np.unique(tracks.truck).tolist():
        at = np.flatnonzero(tracks.truck == truck)
        own = np.flatnonzero((trips.truck == truck) & ~trips.cancelled)
        trip = np.searchsorted(trips.start[own], tracks.time[at], side="right") - 1
        end = np.where(trip >= 0, trips.end[own][np.maximum(trip, 0)] if len(own) else 0, 0)
        moving[at] = tracks.time[at] < end
        rest[at] = np.where(moving[at], 0.0, np.minimum(tracks.time[at] - end, 30 * DAY))
    return moving, rest


def _wear(tracks: Tracks, failures: Sequence[Failure], kind: str) -> Floats:
    wear = np.zeros(len(tracks))
    for one in failures:
        if one.kind == kind:
            at = tracks.truck == one.asset
            wear[at] = np.maximum(wear[at], one.wear(tracks.time[at]))
    return wear
