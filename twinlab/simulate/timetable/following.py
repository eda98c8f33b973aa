# ruff: noqa: PLR0917 (numba compiles positional arguments only)
"""Entities followed trip by trip through one replication."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit
from twinlab.simulate.timetable.routing import LEGS, first_departure

__all__ = ["follow"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Legs that one entity can have, those after a rebooking included.
_ROOM = 8


@njit(cache=True, nogil=True)
def follow(
    origin: Ints, goal: Ints, ready: Floats, first: Ints, booked: Ints, which: Floats, share: Floats,
    trip_origin: Ints, trip_destination: Ints, diverted: Bools, planned_start: Floats, start: Floats, end: Floats, cancelled: Bools, usable: Bools,
    by_hub: Ints, bounds: Ints, paths: npt.NDArray[np.int32],
) -> tuple[Ints, Ints, Ints, Floats]:  # fmt: skip
    """Follow each entity trip by trip; who misses a trip, or finds it cancelled or diverted, is booked again. ``goal`` is filled in."""
    count, hubs = len(origin), share.shape[0]
    leg_entity = np.empty(count * _ROOM, dtype=np.int64)
    leg_number = np.empty(count * _ROOM, dtype=np.int64)
    leg_trip = np.empty(count * _ROOM, dtype=np.int64)
    arrived = np.full(count, np.nan)
    legs = 0
    plan = np.empty(LEGS + _ROOM, dtype=np.int64)
    for e in range(count):
        many = first[e + 1] - first[e] if e + 1 < len(first) else 0
        for i in range(min(many, LEGS)):
            plan[i] = booked[first[e] + i]
        at, time = origin[e], ready[e]
        if many == 0:
            k = first_departure(at, time, by_hub, bounds, planned_start, usable)
            if k < 0:
                continue
            if goal[e] < 0:
                goal[e] = _destination(paths[k], share[at], which[e], hubs, at)
            if goal[e] < 0:
                continue
            many = _plan(paths[k, goal[e]], plan)
        done, number = 0, 0
        while done < many and number < _ROOM:
            k = plan[done]
            # A trip that has left before the start is a fact.
            missed = (
                cancelled[k]
                or (diverted[k] and trip_origin[k] != at)
                or (start[k] >= 0 and number + done > 0 and start[k] < time)
            )
            if missed:
                again = first_departure(at, max(time, 0.0), by_hub, bounds, planned_start, usable)
                # Only trips that haven't left by then.
                while again >= 0 and start[again] < time:
                    again = first_departure(at, planned_start[again] + 1.0, by_hub, bounds, planned_start, usable)
                if again < 0:
                    break
                done, many = 0, _plan(paths[again, goal[e]], plan)
                number_before = number
                if many == 0 or number_before >= _ROOM:
                    break
                k = plan[0]
                if start[k] < time:
                    break
            number += 1
            leg_entity[legs], leg_number[legs], leg_trip[legs] = e, number, k
            legs += 1
            time, at = end[k], trip_destination[k]
            done += 1
        if at == goal[e]:
            arrived[e] = time
    return leg_entity[:legs].copy(), leg_number[:legs].copy(), leg_trip[:legs].copy(), arrived


@njit(cache=True, nogil=True)
def _plan(path: npt.NDArray[np.int32], plan: Ints) -> int:
    many = 0
    while many < LEGS and path[many] >= 0:
        plan[many] = path[many]
        many += 1
    return many


@njit(cache=True, nogil=True)
def _destination(paths: npt.NDArray[np.int32], share: Floats, which: float, hubs: int, origin: int) -> int:
    """Return the destination at a probability, among those that can be reached; ``share`` is cumulative."""
    total, before = 0.0, 0.0
    for h in range(hubs):
        if h != origin and paths[h, 0] >= 0:
            total += share[h] - before
        before = share[h]
    if total <= 0:
        return -1
    left, before = which * total, 0.0
    for h in range(hubs):
        if h != origin and paths[h, 0] >= 0:
            left -= share[h] - before
            if left <= 0:
                return h
        before = share[h]
    return -1
