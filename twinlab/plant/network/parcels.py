"""Parcels: origin and destination, the trips that transport them, and their stays at hubs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Ints, from_local
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.network.trips import Trips

__all__ = ["FIRST_NUMBER", "Parcels", "change_parcels", "simulate_parcels"]

#: Number of the first parcel.
FIRST_NUMBER = 10_001
#: Minimal time to change trucks, seconds: longer than the delay of any truck.
_CHANGE = 23_400
_SLOT = 4 * HOUR
_LEGS = 3
_HORIZON = 7 * DAY


@dataclass(frozen=True)
class Parcels:
    """All parcels by number, their legs and their stays; times in seconds since 1970, UTC."""

    origin: Ints
    destination: Ints
    registered: Ints
    promised: Ints
    # Zero where the parcel isn't delivered before the end of the files.
    delivered: Ints
    # grams
    weight: Ints
    express: npt.NDArray[np.bool_]
    chilled: npt.NDArray[np.bool_]
    # One entry per leg, sorted by parcel and number: parcel, number from 1, trip.
    leg_parcel: Ints
    leg_number: Ints
    leg_trip: Ints
    # One entry per stay at a hub, sorted by parcel and time; `until` is zero if it lasts beyond the end of the files.
    stay_parcel: Ints
    stay_hub: Ints
    stay_since: Ints
    stay_until: Ints

    def __len__(self) -> int:
        return len(self.origin)


def simulate_parcels(size: ParcelSize, trips: Trips) -> Parcels:
    """Return the parcels registered within the size's span, with their legs and stays."""
    random = size.random("parcels")
    registered = _registered(size, random)
    weights = np.array([town.weight for town in TOWNS[: size.hubs]])
    origin = random.choice(size.hubs, len(registered), p=weights / weights.sum())
    ready = (registered + HOUR + _SLOT - 1) // _SLOT * _SLOT
    groups, place = np.unique(np.stack([origin, ready]), axis=1, return_inverse=True)
    connections = _Connections(trips, size.hubs)
    draw = random.random(len(registered))
    destination, path = np.full(len(registered), -1), np.full(len(registered), -1)
    order = np.argsort(place.ravel(), kind="stable")
    bounds = np.searchsorted(place.ravel()[order], np.arange(groups.shape[1] + 1))
    for number in range(groups.shape[1]):
        members = order[bounds[number] : bounds[number + 1]]
        found = connections.from_hub(int(groups[0, number]), int(groups[1, number]))
        if not found:
            continue
        hubs = np.array(list(found), dtype=np.int64)
        share = np.cumsum(weights[hubs])
        chosen = np.searchsorted(share / share[-1], draw[members], side="right")
        destination[members] = hubs[np.minimum(chosen, len(hubs) - 1)]
        path[members] = np.array(list(found.values()))[np.minimum(chosen, len(hubs) - 1)]
    kept = np.flatnonzero(path >= 0)
    return _parcels_on(
        size,
        trips,
        connections,
        origin=origin[kept],
        destination=destination[kept],
        registered=registered[kept],
        path=path[kept],
    )


def _registered(size: ParcelSize, random: np.random.Generator) -> Ints:
    """Return when parcels are registered: Monday to Saturday in opening hours, mostly in the afternoon."""
    begin, stop = size.span
    count = size.parcels_a_week * size.weeks
    week = np.repeat(np.arange(size.weeks), size.parcels_a_week)
    day = random.choice(6, count, p=[0.21, 0.19, 0.18, 0.18, 0.18, 0.06])
    clock = np.clip(random.normal(14.5, 3.0, count), 7.0, 20.0) * HOUR
    found = from_local(begin // DAY * DAY + DAY * (7 * week + day) + clock.astype(np.int64))
    return np.sort(found[(found >= begin) & (found < stop)])


class _Connections:
    """Earliest arrivals by planned trips (connection scan algorithm: Dibbelt, Pajor, Strasser, Wagner 2018)."""

    def __init__(self, trips: Trips, hubs: int) -> None:
        self.hubs = hubs
        self.number = np.flatnonzero(~trips.cancelled)
        self.leaves = trips.planned_start[self.number]
        self.plan = list(
            zip(
                self.number.tolist(),
                trips.origin[self.number].tolist(),
                trips.destination[self.number].tolist(),
                self.leaves.tolist(),
                trips.planned_end[self.number].tolist(),
                strict=True,
            )
        )
        self.paths: list[tuple[int, ...]] = []
        self._known: dict[tuple[int, ...], int] = {}

    def from_hub(self, origin: int, ready: int) -> dict[int, int]:
        """Return, for each reachable hub, the index of the path that arrives first."""
        reached: dict[int, tuple[int, tuple[int, ...]]] = {origin: (ready - _CHANGE, ())}
        for at in range(int(np.searchsorted(self.leaves, ready)), len(self.plan)):
            trip, start, end, leaves, arrives = self.plan[at]
            if leaves > ready + _HORIZON:
                break
            here = reached.get(start)
            if here is None or here[0] + _CHANGE > leaves or len(here[1]) >= _LEGS:
                continue
            if end not in reached or arrives < reached[end][0]:
                reached[end] = (arrives, (*here[1], trip))
            if len(reached) == self.hubs and leaves > max(arrival for arrival, _ in reached.values()):
                break
        del reached[origin]
        return {hub: self._path(way) for hub, (_, way) in sorted(reached.items())}

    def _path(self, way: tuple[int, ...]) -> int:
        if way not in self._known:
            self._known[way] = len(self.paths)
            self.paths.append(way)
        return self._known[way]


def _parcels_on(
    size: ParcelSize,
    trips: Trips,
    connections: _Connections,
    *,
    origin: Ints,
    destination: Ints,
    registered: Ints,
    path: Ints,
) -> Parcels:
    random = size.random("parcel facts")
    count = len(origin)
    legs = np.array([len(way) for way in connections.paths], dtype=np.int64)
    begins = np.concatenate([[0], np.cumsum(legs)])
    flat = np.array([trip for way in connections.paths for trip in way], dtype=np.int64)
    many = legs[path] if count else np.zeros(0, dtype=np.int64)
    parcel = np.repeat(np.arange(count), many)
    first = np.concatenate([[0], np.cumsum(many)])
    number = np.arange(len(parcel)) - first[parcel]
    trip = flat[begins[path][parcel] + number] if count else np.zeros(0, dtype=np.int64)
    handling = _handling(random, count)
    delivered, stays = _times(
        size, trips, (parcel, trip), origin=origin, destination=destination, registered=registered, handling=handling
    )
    weight = np.clip(np.exp(random.normal(7.6, 0.9, count)), 80, 31_500).astype(np.int64)
    return Parcels(
        origin, destination, registered,
        promised=trips.planned_end[trip[first[1:] - 1]] + 14 * HOUR,
        delivered=delivered,
        weight=weight,
        express=random.random(count) < 0.15,
        chilled=random.random(count) < 0.12,
        leg_parcel=parcel, leg_number=number + 1, leg_trip=trip,
        stay_parcel=stays[0], stay_hub=stays[1], stay_since=stays[2], stay_until=stays[3],
    )  # fmt: skip


def _handling(random: np.random.Generator, count: int) -> Ints:
    """Return how long each parcel is at its last hub before it is delivered, seconds."""
    return random.integers(3 * HOUR, 14 * HOUR, count)


def change_parcels(size: ParcelSize, parcels: Parcels, *, before: Trips, trips: Trips) -> Parcels:
    """Return the parcels after changes of trips: those that miss a connection take the next one to their destination."""
    changed = (before.start != trips.start) | (before.end != trips.end)
    bounds = np.searchsorted(parcels.leg_parcel, np.arange(len(parcels) + 1)).tolist()
    legs = parcels.leg_trip.tolist()
    connections = _Connections(trips, size.hubs)
    ways: dict[int, list[int]] = {}
    for parcel in np.unique(parcels.leg_parcel[changed[parcels.leg_trip]]).tolist():
        booked = legs[bounds[parcel] : bounds[parcel + 1]]
        hubs = int(parcels.origin[parcel]), int(parcels.destination[parcel])
        ways[parcel] = _way(trips, connections, booked, hubs, ready=int(parcels.registered[parcel]))
    many = np.diff(bounds)
    for parcel, way in ways.items():
        many[parcel] = len(way)
    leg_parcel = np.repeat(np.arange(len(parcels)), many)
    first = np.concatenate([[0], np.cumsum(many)])
    leg_trip = np.zeros(len(leg_parcel), dtype=np.int64)
    same = ~np.isin(leg_parcel, list(ways))
    leg_trip[same] = parcels.leg_trip[~np.isin(parcels.leg_parcel, list(ways))]
    for parcel, way in ways.items():
        leg_trip[first[parcel] : first[parcel + 1]] = way
    delivered, stays = _times(
        size, trips, (leg_parcel, leg_trip), origin=parcels.origin, destination=parcels.destination,
        registered=parcels.registered, handling=_handling(size.random("parcel facts"), len(parcels)),
    )  # fmt: skip
    return replace(
        parcels, delivered=delivered, leg_parcel=leg_parcel, leg_trip=leg_trip,
        leg_number=np.arange(len(leg_parcel)) - first[leg_parcel] + 1,
        stay_parcel=stays[0], stay_hub=stays[1], stay_since=stays[2], stay_until=stays[3],
    )  # fmt: skip


def _way(trips: Trips, connections: _Connections, booked: list[int], hubs: tuple[int, int], *, ready: int) -> list[int]:
    """Return the trips that a parcel takes; they end before the destination if no trip of the plan goes on from there."""
    here, destination = hubs
    way: list[int] = []
    while booked:
        trip = booked.pop(0)
        if trips.start[trip] < ready:
            found = connections.from_hub(here, ready).get(destination)
            booked = list(connections.paths[found]) if found is not None else []
            continue
        way.append(trip)
        here, ready = int(trips.destination[trip]), int(trips.end[trip])
    return way


def _times(
    size: ParcelSize,
    trips: Trips,
    legs: tuple[Ints, Ints],
    *,
    origin: Ints,
    destination: Ints,
    registered: Ints,
    handling: Ints,
) -> tuple[Ints, tuple[Ints, Ints, Ints, Ints]]:
    """Return when parcels are delivered (0 if not before the end), and their stays at hubs: parcel, hub, since, until.

    ``legs`` are the parcel and the trip of each leg. A stay is before each leg, and after the last one.
    """
    parcel, trip = legs
    stop = size.span[1]
    first = np.searchsorted(parcel, np.arange(len(origin) + 1))
    travelled = first[1:] > first[:-1]
    last = trip[np.maximum(first[1:] - 1, 0)] if len(trip) else np.zeros(len(origin), dtype=np.int64)
    at, since = np.where(travelled, trips.destination[last], origin), np.where(travelled, trips.end[last], registered)
    delivered = np.where(at == destination, since + handling, stop)
    before = np.where(np.arange(len(parcel)) == first[parcel], registered[parcel], np.roll(trips.end[trip], 1))
    who = np.concatenate([parcel, np.arange(len(origin))])
    hub = np.concatenate([trips.origin[trip], at])
    begins = np.concatenate([before, since])
    until = np.concatenate([trips.start[trip], delivered])
    order = np.lexsort((begins, who))
    order = order[begins[order] < stop]
    until = np.where(until < stop, until, 0)
    return np.where(delivered < stop, delivered, 0), (who[order], hub[order], begins[order], until[order])
