# ruff: noqa: PLR0917 (numba compiles positional arguments only)
"""Which trips take an entity to its destination first: earliest planned arrivals (connection scan algorithm [1]_).

Trips have instants here, and the ways change with the time of the day; `network.routing` has ways by mean times, the same at any time.

.. [1] Dibbelt, Pajor, Strasser, Wagner (2018), "Connection Scan Algorithm".
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit

__all__ = ["LEGS", "first_departure", "first_departures", "quickest_paths"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Most trips of a path that the tables have room for.
LEGS = 4
#: An entity doesn't wait longer than this for a trip, seconds.
_LONGEST = 7 * 86_400.0


@njit(cache=True, nogil=True)
def quickest_paths(
    origin: Ints,
    destination: Ints,
    planned_start: Floats,
    planned_end: Floats,
    usable: Bools,
    order: Ints,
    hubs: int,
    change: float,
    most: int,
) -> npt.NDArray[np.int32]:
    """Return, for an entity whose first trip could be trip k at the earliest, the trips to each hub, -1 after the last.

    Shape ``(trip, hub, LEGS)``. ``order`` sorts the trips by planned start; ``change`` is the least time between a planned
    arrival and the next planned departure, ``most`` the largest number of trips.
    """
    count = len(order)
    paths = np.full((len(origin), hubs, LEGS), -1, dtype=np.int32)
    label_trip = np.empty(count + 1, dtype=np.int32)
    label_before = np.empty(count + 1, dtype=np.int32)
    label_legs = np.empty(count + 1, dtype=np.int32)
    arrival, label = np.empty(hubs), np.empty(hubs, dtype=np.int32)
    for begin in range(count):
        first = order[begin]
        if not usable[first]:
            continue
        arrival[:] = np.inf
        label[:] = -1
        arrival[origin[first]] = planned_start[first] - change
        labels, reached, latest = 0, 1, -np.inf
        for at in range(begin, count):
            k = order[at]
            leaves = planned_start[k]
            if leaves > planned_start[first] + _LONGEST or (reached == hubs and leaves > latest):
                break
            a, b = origin[k], destination[k]
            if not usable[k] or arrival[a] + change > leaves or planned_end[k] >= arrival[b] or b == origin[first]:
                continue
            legs = 1 if label[a] < 0 else label_legs[label[a]] + 1
            if legs > most:
                continue
            if np.isinf(arrival[b]):
                reached += 1
            label_trip[labels], label_before[labels], label_legs[labels] = k, label[a], legs
            arrival[b], label[b] = planned_end[k], labels
            labels += 1
            latest = -np.inf
            for h in range(hubs):
                if h != origin[first] and arrival[h] > latest:
                    latest = arrival[h]
        for h in range(hubs):
            one = label[h]
            while one >= 0:
                paths[first, h, label_legs[one] - 1] = label_trip[one]
                one = label_before[one]
    return paths


@njit(cache=True, nogil=True)
def first_departure(hub: int, ready: float, by_hub: Ints, bounds: Ints, planned_start: Floats, usable: Bools) -> int:
    """Return the first usable trip that leaves a hub from an instant on, -1 without one.

    ``by_hub`` has the trips sorted by origin and planned start; those of a hub are ``by_hub[bounds[hub]:bounds[hub + 1]]``.
    """
    low, high = bounds[hub], bounds[hub + 1]
    while low < high:
        middle = (low + high) // 2
        if planned_start[by_hub[middle]] < ready:
            low = middle + 1
        else:
            high = middle
    while low < bounds[hub + 1] and not usable[by_hub[low]]:
        low += 1
    return by_hub[low] if low < bounds[hub + 1] else -1


@njit(cache=True, nogil=True)
def first_departures(
    hub: Ints, ready: Floats, by_hub: Ints, bounds: Ints, planned_start: Floats, usable: Bools
) -> Ints:
    """Return `first_departure` of several hubs and instants."""
    found = np.empty(len(hub), dtype=np.int64)
    for place in range(len(hub)):
        found[place] = first_departure(hub[place], ready[place], by_hub, bounds, planned_start, usable)
    return found
