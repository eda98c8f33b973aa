"""Trips that causes delay: waiting for a ramp, storms, congestion, breakdowns, and a truck that comes late from its trip before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twinlab.plant.network.clocks import Floats
from twinlab.plant.network.failures.failure import Failure
from twinlab.plant.network.failures.hindrances import Hindrance
from twinlab.plant.network.roads import Roads
from twinlab.plant.network.trips import TURN, Drivers, Trips, drive_again, replace_trips

__all__ = ["Delay", "delay_trips", "slow_spans"]

#: Share of the speed of a truck that has broken down: as good as none, but more than 0 as `drive_again` wants.
_BROKEN = 0.001
#: Order in which the causes of a slow trip are added; the minutes of each are those that it adds to the ones before.
_ORDER = ("breakdown", "weather", "congestion")

_Span = tuple[int, int, float]


@dataclass(frozen=True)
class Delay:
    """Minutes by which a cause delays a trip."""

    trip: int
    cause: str
    """``hub_limit``, ``knock_on`` (the truck came late from its trip before), ``breakdown``, ``weather`` or ``congestion``."""
    at: str
    """``start``: it leaves later. ``under way``: it needs longer."""
    minutes: int


def slow_spans(
    trips: Trips, hindrances: Sequence[Hindrance], failures: Sequence[Failure]
) -> dict[int, dict[str, list[_Span]]]:
    """Return the spans in which each trip is slower, by cause.

    Near its origin in the first half of its planned time, near its destination in the second; a truck that breaks down
    doesn't move until it is repaired.
    """
    found: dict[int, dict[str, list[_Span]]] = {}
    middle = (trips.planned_start + trips.planned_end) // 2
    for one in hindrances:
        if one.cause == "hub_limit":
            continue
        for hubs, low, high in (
            (trips.origin, trips.planned_start, middle),
            (trips.destination, middle, trips.planned_end),
        ):
            first, last = np.maximum(low, one.start), np.minimum(high, one.stop)
            for trip in np.flatnonzero((hubs == one.hub) & (first < last) & ~trips.cancelled).tolist():
                span = int(first[trip]), int(last[trip]), one.amount
                found.setdefault(trip, {}).setdefault(one.cause, []).append(span)
    for failure in failures:
        if failure.asset_type == "truck":
            span = failure.failed, failure.repaired, _BROKEN
            for trip in np.flatnonzero((trips.truck == failure.asset) & ~trips.cancelled).tolist():
                # A trip that leaves too late to be under way then is held by its truck's repair all the same.
                if trips.planned_start[trip] < failure.repaired and trips.end[trip] > failure.failed:
                    found.setdefault(trip, {}).setdefault("breakdown", []).append(span)
    return {trip: {cause: spans[cause] for cause in _ORDER if cause in spans} for trip, spans in found.items()}


def delay_trips(
    trips: Trips,
    roads: Roads,
    *,
    hindrances: Sequence[Hindrance],
    slow: Mapping[int, Mapping[str, Sequence[_Span]]],
) -> tuple[Trips, tuple[Delay, ...]]:
    """Return the trips as hindrances and breakdowns (``slow``, see `slow_spans`) delay them, and what delays each."""
    drivers, waits = Drivers(trips), _waits(trips, hindrances)
    start, end = trips.start.copy(), trips.end.copy()
    again: dict[int, Floats] = {}
    delays: list[Delay] = []
    for truck in np.unique(trips.truck[[*slow, *waits]]).tolist() if slow or waits else ():
        free = 0
        for trip in np.flatnonzero((trips.truck == truck) & ~trips.cancelled).tolist():
            leaves = int(trips.start[trip]) + waits.get(trip, 0)
            found = [("hub_limit", "start", waits.get(trip, 0) // 60)]
            if leaves < free:
                found.append(("knock_on", "start", (free + TURN - leaves) // 60))
                leaves = free + TURN
            spans = slow.get(trip, {})
            length = float(roads.length[trips.origin[trip], trips.destination[trip]])
            usual = int(end[trip] - start[trip]) // 60
            so_far: list[_Span] = []
            if leaves != trips.start[trip]:
                again[trip] = drive_again(trips, trip, length, start=leaves, slower=(), drivers=drivers)
                usual = len(again[trip]) - 1
            for cause in _ORDER:
                if cause not in spans:
                    continue
                so_far += spans[cause]
                again[trip] = drive_again(trips, trip, length, start=leaves, slower=so_far, drivers=drivers)
                found.append((cause, "under way", len(again[trip]) - 1 - usual))
                usual = len(again[trip]) - 1
            start[trip], end[trip] = leaves, leaves + 60 * usual
            delays += [Delay(trip, cause, at, minutes) for cause, at, minutes in found if minutes > 0]
            free = int(end[trip])
    return replace_trips(trips, start, end, again), tuple(sorted(delays, key=lambda one: one.trip))


def _waits(trips: Trips, hindrances: Sequence[Hindrance]) -> dict[int, int]:
    """Return the seconds that trips wait for a ramp, in the order in which they would leave."""
    found: dict[int, int] = {}
    for one in hindrances:
        if one.cause != "hub_limit":
            continue
        here = (trips.origin == one.hub) & ~trips.cancelled & (trips.start >= one.start) & (trips.start < one.stop)
        free = one.start
        for trip in sorted(np.flatnonzero(here).tolist(), key=lambda trip: (int(trips.start[trip]), trip)):
            leaves = max(int(trips.start[trip]), free)
            if leaves > trips.start[trip]:
                found[trip] = max(found.get(trip, 0), leaves - int(trips.start[trip]))
            free = leaves + round(60 * one.amount)
    return found
