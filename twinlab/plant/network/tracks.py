"""Reports of the trucks: position, speed, odometer and fuel, every five minutes under way, hourly at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.plant.network.clocks import Floats, Ints
from twinlab.plant.network.roads import Roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.network.trips import Trips

__all__ = ["Tracks", "simulate_tracks"]

_STEP = 300
#: At rest, only every twelfth report is sent.
_REST = 12


@dataclass(frozen=True)
class Tracks:
    """Reports of all trucks, sorted by time, one array element per report; and the size of their tanks."""

    truck: Ints
    time: Ints
    latitude: Floats
    longitude: Floats
    # km/h
    speed: Floats
    # km
    odometer: Floats
    # litres
    fuel: Floats
    # litres, one element per truck.
    tank: Floats

    def __len__(self) -> int:
        return len(self.truck)


def simulate_tracks(size: ParcelSize, roads: Roads, trips: Trips) -> Tracks:
    """Return the reports of all trucks within the size's span."""
    random = size.random("tracks")
    tank = random.choice([400.0, 480.0, 600.0], size.trucks)
    driven = ~trips.cancelled & (trips.start < size.span[1])
    parts = [
        _track(
            truck,
            np.flatnonzero(driven & (trips.truck == truck)),
            size,
            roads=roads,
            trips=trips,
            tank=float(tank[truck]),
        )
        for truck in range(size.trucks)
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[0], columns[1]))
    truck, time = (column[order].astype(np.int64) for column in columns[:2])
    latitude, longitude, speed, odometer, fuel = (column[order] for column in columns[2:])
    return Tracks(truck, time, latitude, longitude, speed, odometer, fuel, tank)


def _track(
    truck: int, own: Ints, size: ParcelSize, *, roads: Roads, trips: Trips, tank: float
) -> tuple[Ints, Ints, Floats, Floats, Floats, Floats, Floats]:
    """Return the reports of one truck, sorted by time."""
    random = size.random(f"truck {truck}")
    begin, stop = size.span
    time = np.arange(begin + int(random.integers(_STEP)), stop, _STEP)
    trip = np.searchsorted(trips.start[own], time, side="right") - 1
    end = trips.end[own]
    under_way = (trip >= 0) & (time < (end[np.maximum(trip, 0)] + _STEP if len(own) else 0))
    keep = under_way | (np.arange(len(time)) % _REST == 0)
    time, trip = time[keep], trip[keep]
    knots, km, base = _knots(own, trips, float(random.integers(40_000, 600_000)))
    odometer = np.interp(time, knots, km)
    speed = (odometer - np.interp(time - 60, knots, km)) * 60.0
    fuel = _fuel(own, trips, random, base=base, time=time, trip=trip, odometer=odometer, tank=tank)
    lat, lon = _places(truck, own, trips, roads, trip=trip, odometer=odometer, base=base)
    near = random.normal(0.0, 1.0, (2, len(time))) * 2.5e-5
    speed = np.where(speed > 0.5, np.maximum(speed + random.normal(0.0, 0.7, len(time)), 0.0), 0.0)
    return np.full(len(time), truck), time, lat + near[0], lon + near[1] * 1.5, speed, odometer, fuel


def _knots(own: Ints, trips: Trips, odometer: float) -> tuple[Ints, Floats, Floats]:
    """Return times and odometer values to interpolate between, and the odometer at the start of each trip."""
    times: list[Ints] = [np.array([0])]
    km: list[Floats] = [np.array([odometer])]
    base = []
    for trip in own.tolist():
        along = trips.km[trips.first[trip] : trips.first[trip + 1]]
        times.append(trips.start[trip] + 60 * np.arange(len(along)))
        km.append(odometer + along)
        base.append(odometer)
        odometer += float(along[-1])
    return np.concatenate(times), np.concatenate(km), np.array(base)


def _places(
    truck: int, own: Ints, trips: Trips, roads: Roads, *, trip: Ints, odometer: Floats, base: Floats
) -> tuple[Floats, Floats]:
    home = TOWNS[int(trips.home[truck, 0])]
    if not len(own):
        return np.full(len(trip), home.latitude), np.full(len(trip), home.longitude)
    at = np.maximum(trip, 0)
    lat, lon = roads.place(trips.origin[own][at], trips.destination[own][at], odometer - base[at])
    return np.where(trip < 0, home.latitude, lat), np.where(trip < 0, home.longitude, lon)


def _fuel(
    own: Ints,
    trips: Trips,
    random: np.random.Generator,
    *,
    base: Floats,
    time: Ints,
    trip: Ints,
    odometer: Floats,
    tank: float,
) -> Floats:
    """Return litres in the tank: less with distance; refilled after a trip if low."""
    level, need = tank * random.uniform(0.5, 0.95), random.uniform(0.24, 0.31)
    start, after, burnt = np.zeros(len(own)), np.zeros(len(own)), np.zeros(len(own))
    for place, number in enumerate(own.tolist()):
        km = float(trips.km[trips.first[number + 1] - 1])
        burnt[place] = need * random.normal(1.0, 0.04)
        if level < burnt[place] * km + 0.08 * tank:
            level = tank * 0.97  # refilled before departure
        start[place] = level
        level -= burnt[place] * km
        if level < 0.45 * tank:
            level = tank * random.uniform(0.95, 0.98)
        after[place] = level
    slosh = random.normal(0.0, 0.4, len(time))
    if not len(own):
        return np.clip(np.full(len(time), level) + slosh, 0.0, tank)
    at = np.maximum(trip, 0)
    filled = time >= trips.end[own][at] + 900
    fuel = np.where(filled, after[at], start[at] - burnt[at] * (odometer - base[at]))
    return np.clip(np.where(trip < 0, start[0], fuel) + slosh, 0.0, tank)
