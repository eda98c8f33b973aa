"""Reports of the trucks: position, speed, odometer and fuel, every five minutes under way, hourly at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import Floats, Ints
from twinlab.plant.network.roads import Roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.network.trips import Trips

__all__ = ["Tracks", "change_tracks", "simulate_tracks"]

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
    tank = size.random("tracks").choice([400.0, 480.0, 600.0], size.trucks)
    parts = [
        _track(truck, size, roads, base=trips, trips=trips, tank=float(tank[truck])) for truck in range(size.trucks)
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return _in_order(columns, tank)


def change_tracks(
    tracks: Tracks, size: ParcelSize, roads: Roads, *, base: Trips, trips: Trips, trucks: Sequence[int], since: int
) -> Tracks:
    """Return reports in which some trucks drive other trips than at first (``base``), from ``since`` on."""
    kept = (tracks.time < since) | ~np.isin(tracks.truck, np.asarray(trucks))
    names = ("truck", "time", "latitude", "longitude", "speed", "odometer", "fuel")
    parts = [[getattr(tracks, name)[kept] for name in names]]
    for truck in trucks:
        changed = _track(truck, size, roads, base=base, trips=trips, tank=float(tracks.tank[truck]))
        parts.append([column[changed[1] >= since] for column in changed])
    return _in_order([np.concatenate(column) for column in zip(*parts, strict=True)], tracks.tank)


def _in_order(columns: list[Floats], tank: Floats) -> Tracks:
    order = np.lexsort((columns[0], columns[1]))
    truck, time = (column[order].astype(np.int64) for column in columns[:2])
    latitude, longitude, speed, odometer, fuel = (column[order] for column in columns[2:])
    return Tracks(truck, time, latitude, longitude, speed, odometer, fuel, tank)


def _track(
    truck: int, size: ParcelSize, roads: Roads, *, base: Trips, trips: Trips, tank: float
) -> tuple[Ints, Ints, Floats, Floats, Floats, Floats, Floats]:
    """Return the reports of one truck, sorted by time."""
    random = size.random(f"truck {truck}")
    begin, stop = size.span
    own = np.flatnonzero(~base.cancelled & (base.start < stop) & (base.truck == truck))
    grid = np.arange(begin + int(random.integers(_STEP)), stop, _STEP)
    kept = _kept(grid, own, base)
    odometer_at_first = float(random.integers(40_000, 600_000))
    level, start, after, burnt = _fuel_of_trips(own, base, random, tank)
    noise = _noise(random, int(kept.sum()))
    if trips is not base:
        # Reports at the same times as at first keep their noise.
        every = _noise(size.random(f"truck {truck}, changed"), len(grid))
        every[:, kept] = noise
        kept = _kept(grid, own, trips)
        noise = every[:, kept]
    time = grid[kept]
    trip = np.searchsorted(trips.start[own], time, side="right") - 1
    knots, km, origin = _knots(own, trips, odometer_at_first)
    odometer = np.interp(time, knots, km)
    speed = (odometer - np.interp(time - 60, knots, km)) * 60.0
    lat, lon = _places(truck, own, trips, roads, trip=trip, odometer=odometer, base=origin)
    speed = np.where(speed > 0.5, np.maximum(speed + noise[3], 0.0), 0.0)
    fuel = np.full(len(time), level)
    if len(own):
        at = np.maximum(trip, 0)
        filled = time >= trips.end[own][at] + 900
        fuel = np.where(filled, after[at], start[at] - burnt[at] * (odometer - origin[at]))
        fuel = np.where(trip < 0, start[0], fuel)
    near = noise[1:3] * 2.5e-5
    fuel = np.clip(fuel + noise[0], 0.0, tank)
    return np.full(len(time), truck), time, lat + near[0], lon + near[1] * 1.5, speed, odometer, fuel


def _kept(grid: Ints, own: Ints, trips: Trips) -> npt.NDArray[np.bool_]:
    """Return at which times a report is sent: always under way, seldom at rest."""
    trip = np.searchsorted(trips.start[own], grid, side="right") - 1
    end = trips.end[own]
    under_way = (trip >= 0) & (grid < (end[np.maximum(trip, 0)] + _STEP if len(own) else 0))
    kept: npt.NDArray[np.bool_] = under_way | (np.arange(len(grid)) % _REST == 0)
    return kept


def _noise(random: np.random.Generator, count: int) -> Floats:
    """Return the noise of reports: of the fuel (litres), of two coordinates (parts of 2.5e-5 degrees), of the speed (km/h)."""
    slosh = random.normal(0.0, 0.4, count)
    near = random.normal(0.0, 1.0, (2, count))
    return np.stack([slosh, *near, random.normal(0.0, 0.7, count)])


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


def _fuel_of_trips(
    own: Ints, trips: Trips, random: np.random.Generator, tank: float
) -> tuple[float, Floats, Floats, Floats]:
    """Return the litres in the tank after all trips, at the start of each and after it, and litres burnt per km.

    The tank is refilled after a trip if the level is low.
    """
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
    return level, start, after, burnt
