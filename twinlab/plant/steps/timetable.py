"""What is timed ahead: trips, the trucks' reports, and parcels; the plan's own until a command changes a trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinlab.plant.network.clocks import Floats, Ints
from twinlab.plant.network.faults import Reported, send_reports
from twinlab.plant.network.parcels import Parcels, change_parcels
from twinlab.plant.network.tracks import Tracks, change_tracks
from twinlab.plant.network.trips import TURN, Trips, drive_again, replace_trips
from twinlab.plant.steps.commands import Command
from twinlab.plant.steps.plan import Plan

__all__ = ["Happenings", "Timetable", "change_timetable", "happenings", "plan_timetable"]


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


def change_timetable(plan: Plan, timetable: Timetable, commands: Sequence[Command], at: int) -> Timetable:
    """Return the timetable after all commands so far, the last of them at ``at``; what was before it stays.

    A trip that is held, or whose truck is late from the one before, leaves later; a slow truck needs longer. Parcels
    that miss a connection take the next one.
    """
    trips = _retimed(plan, commands)
    changed = (trips.start != timetable.trips.start) | (trips.end != timetable.trips.end)
    trucks = np.unique(trips.truck[changed]).tolist()
    if not trucks:
        return timetable
    tracks = change_tracks(
        timetable.tracks, plan.size, plan.roads, base=plan.trips, trips=trips, trucks=trucks, since=at
    )
    parcels = change_parcels(plan.size, timetable.parcels, before=timetable.trips, trips=trips)
    return Timetable(trips, tracks, send_reports(plan.truck_faults, tracks), parcels)


def _retimed(plan: Plan, commands: Sequence[Command]) -> Trips:
    """Return the trips of the plan as commands have changed them."""
    trips = plan.trips
    held: dict[int, int] = {}
    slow: dict[int, list[tuple[int, int, float]]] = {}
    for one in commands:
        if one.kind == "hold_trip":
            held[one.asset] = held.get(one.asset, 0) + round(60 * one.value)
        elif one.kind == "slow_truck":
            # A command ends the ones before it.
            before = [(first, min(last, one.at), share) for first, last, share in slow.get(one.asset, [])]
            slow[one.asset] = [*before, (one.at, one.at + one.seconds, one.value)]
    start, end = trips.start.copy(), trips.end.copy()
    hindered = plan.wear.disturbances.slow if plan.wear is not None else {}
    again: dict[int, Floats] = {}
    for truck in sorted({*slow, *trips.truck[list(held)].tolist()}):
        free = 0
        for trip in np.flatnonzero((trips.truck == truck) & ~trips.cancelled).tolist():
            leaves = int(trips.start[trip]) + held.get(trip, 0)
            if leaves < free:
                leaves = free + TURN
            spans = [*(span for each in hindered.get(trip, {}).values() for span in each), *slow.get(truck, [])]
            if leaves != trips.start[trip] or any(first < end[trip] and last > leaves for first, last, _ in spans):
                length = float(plan.roads.length[trips.origin[trip], trips.destination[trip]])
                again[trip] = drive_again(trips, trip, length, start=leaves, slower=spans)
                start[trip], end[trip] = leaves, leaves + 60 * (len(again[trip]) - 1)
            free = int(end[trip])
    return replace_trips(trips, start, end, again)


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
