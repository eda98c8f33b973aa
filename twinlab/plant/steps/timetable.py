"""What is timed ahead: trips, the trucks' reports, and parcels; the plan's own until a command changes a trip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.plant.network.clocks import Ints
from twinlab.plant.network.faults import Reported, send_reports
from twinlab.plant.network.parcels import Parcels
from twinlab.plant.network.tracks import Tracks
from twinlab.plant.network.trips import Trips
from twinlab.plant.steps.plan import Plan

__all__ = ["Happenings", "Timetable", "happenings", "plan_timetable"]


@dataclass(frozen=True)
class Timetable:
    """Trips, reports and parcels from the first to the last second, with all commands so far."""

    trips: Trips
    tracks: Tracks
    reported: Reported
    parcels: Parcels


@dataclass(frozen=True)
class Happenings:
    """What of a timetable happens in a step: indices of trips, parcels, legs and reports."""

    departed: Ints
    arrived: Ints
    registered: Ints
    delivered: Ints
    # The reports of the tracks; those that the trucks don't send are in `Reported.silent`.
    reports: slice


def plan_timetable(plan: Plan) -> Timetable:
    """Return the timetable without commands."""
    return Timetable(plan.trips, plan.tracks, send_reports(plan.truck_faults, plan.tracks), plan.parcels)


def happenings(timetable: Timetable, begin: int, end: int) -> Happenings:
    """Return what happens from ``begin`` until before ``end`` (UTC seconds)."""

    def within(seconds: Ints) -> Ints:
        return np.flatnonzero((seconds >= begin) & (seconds < end))

    trips, parcels = timetable.trips, timetable.parcels
    low, high = np.searchsorted(timetable.tracks.time, [begin, end])
    return Happenings(
        within(trips.start), within(trips.end), within(parcels.registered), within(parcels.delivered),
        slice(int(low), int(high)),
    )  # fmt: skip
