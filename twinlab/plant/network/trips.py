"""Trips of the trucks: the weekly plan, and actual times from traffic, breaks and jams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints, from_local, to_local
from twinlab.plant.network.names import asset_name
from twinlab.plant.network.roads import Roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS

__all__ = ["TURN", "Drivers", "Trips", "drive_again", "replace_trips", "simulate_trips"]

#: Shortest and longest road driven in one shift, km.
_NEAR, _FAR = 60.0, 650.0
#: Trucks leave from Sunday 22:00 to Friday night, because of the driving ban on Sundays. Each pair of days is a trip and
#: its return.
_DAYS = (-1, 0, 1, 2, 3, 4)
_FASTEST = 84.0
#: Speed in traffic as a share of the free speed, by local hour.
_TRAFFIC = np.array(
    [1.0] * 5 + [0.97, 0.90, 0.76, 0.74, 0.84, 0.90, 0.91, 0.90, 0.90, 0.88, 0.82, 0.74, 0.70, 0.78, 0.89]
    + [0.95, 0.97, 0.98, 1.0]
)  # fmt: skip
#: A driver rests 45 min after 4.5 h at the wheel (Regulation (EC) No 561/2006, Article 7).
_WHEEL, _BREAK = 270, 45
_MINUTES = 1440
#: A truck that arrives late for its next trip leaves again after this many seconds.
TURN = 1800
_CHUNK = 512


@dataclass(frozen=True)
class Trips:
    """All trips, sorted by planned start; one array element per trip, times in seconds since 1970, UTC."""

    truck: Ints
    origin: Ints
    destination: Ints
    planned_start: Ints
    planned_end: Ints
    # Zero where the trip was cancelled.
    start: Ints
    end: Ints
    cancelled: npt.NDArray[np.bool_]
    # Minutes lost in a jam.
    jam: Ints
    # km after each minute since the start, trips concatenated; trip i is [first[i], first[i + 1]).
    km: Floats
    first: Ints
    # [truck, week] home hub of the truck, with one week after the last.
    home: Ints
    # States of the random generator before the trips were driven, for `drive_again`.
    draws: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.truck)

    def ids(self) -> list[str]:
        """Return the trips' numbers in the dispatcher's format."""
        return [asset_name("trip", number) for number in range(len(self))]


def simulate_trips(size: ParcelSize, roads: Roads) -> Trips:
    """Return the trips of all weeks, and those planned for the week after."""
    random = size.random("trips")
    home, legs = _tours(size, roads, random)
    # Trips of the first Sunday would leave before the files begin, so there are no return trips on that Monday.
    legs = legs[(legs[:, 3] > 0) | (legs[:, 4] > 0)]
    truck, origin, destination, week, day = (legs[:, column] for column in range(5))
    midnight = size.span[0] // DAY * DAY + DAY * (7 * week + day)
    planned = from_local(midnight + _slots(truck, day, size, random))
    cancelled = _cancelled(legs, random)
    order = np.lexsort((truck, planned))
    truck, origin, destination, planned = (each[order] for each in (truck, origin, destination, planned))
    cancelled = cancelled[order]
    length = roads.length[origin, destination]
    planned_end = planned + -(-(_expected_minutes(planned, length) * 60 * 104 // 100) // 300) * 300
    delay = np.rint(random.exponential(3.5, len(truck))).astype(np.int64)
    delay += np.where(random.random(len(truck)) < 0.04, random.integers(20, 110, len(truck)), 0)
    start = planned + 60 * delay
    jam = np.where(random.random(len(truck)) < 0.06, random.integers(30, 150, len(truck)), 0)
    minutes, km, draws = _drive(start, length, random, jam)
    start, end = np.where(cancelled, 0, start), np.where(cancelled, 0, start + 60 * minutes)
    first = np.concatenate([[0], np.cumsum(minutes + 1)])
    return Trips(truck, origin, destination, planned, planned_end, start, end, cancelled, jam, km, first, home, draws)


def partners_of(roads: Roads, hub: int) -> Floats:
    """Return the share of traffic with each other hub that is reachable in one shift."""
    km = roads.length[hub]
    weight = np.array([town.weight for town in TOWNS[: len(km)]])
    share = np.where((km >= _NEAR) & (km <= _FAR), weight * np.exp(-(((km - 330.0) / 190.0) ** 2)), 0.0)
    if not share.any():
        near = int(np.argmin(np.where(km > 0, km, np.inf)))
        share[near] = 1.0
    share /= share.sum()
    return share


def _tours(size: ParcelSize, roads: Roads, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Return the home hub of each truck and week, and the trips: truck, origin, destination, week, day."""
    shares = [partners_of(roads, hub) for hub in range(size.hubs)]
    weights = np.array([town.weight for town in TOWNS[: size.hubs]])
    more = random.choice(size.hubs, size.trucks, p=weights / weights.sum())
    first = np.where(np.arange(size.trucks) < size.hubs, np.arange(size.trucks), more)
    home = np.repeat(first[:, None], size.weeks + 2, axis=1)
    bonds = {truck: 0 if hub else None for truck, hub in enumerate(first.tolist()) if truck < size.hubs}
    moves = _moves(size, shares, home, bonds, random)
    legs: list[tuple[int, int, int, int, int]] = []
    for truck in range(size.trucks):
        for week in range(size.weeks + 1):
            here, then = int(home[truck, week]), int(home[truck, week + 1])
            stops = random.choice(size.hubs, 3, p=shares[here])
            bond = moves.get((truck, week), bonds.get(truck))
            if bond is not None and bond != here:
                stops[0] = bond
                stops[2] = bond if bond != then else stops[2]
            if stops[2] == then:
                both = shares[here] * shares[then]
                both[[here, then]] = 0
                stops[2] = int(np.argmax(both)) if both.any() else here
            for pair, stop in enumerate(stops.tolist()):
                back = then if pair == 2 else here
                if stop == here:
                    # No route by a third hub: directly to the new home.
                    legs.append((truck, here, back, week, _DAYS[2 * pair + 1]))
                    continue
                legs.append((truck, here, stop, week, _DAYS[2 * pair]))
                legs.append((truck, stop, back, week, _DAYS[2 * pair + 1]))
    found = np.array(legs, dtype=np.int64)
    return home, found[found[:, 1] != found[:, 2]]


def _moves(
    size: ParcelSize,
    shares: list[Floats],
    home: Ints,
    bonds: dict[int, int | None],
    random: np.random.Generator,
) -> dict[tuple[int, int], int]:
    """Move some trucks to a new home hub; they still serve the old one, so that no hub is disconnected."""
    served: dict[tuple[int, int], int] = {}
    if size.weeks < 2 or size.hubs < 3:
        return served
    count = max(1, round(0.012 * size.trucks * size.weeks))
    for truck in random.permutation(size.trucks)[:count].tolist():
        week = int(random.integers(1, size.weeks))
        old = int(home[truck, week])
        new = 0 if truck in bonds and old else int(random.choice(size.hubs, p=shares[old]))
        home[truck, week:] = new
        served |= {(truck, later): old for later in range(week, size.weeks + 1)}
    return served


def _slots(truck: Ints, day: Ints, size: ParcelSize, random: np.random.Generator) -> Ints:
    """Return the departure of trips, seconds since local midnight."""
    usual = random.integers(0, 20, size.trucks)[truck] + random.integers(0, 4, len(truck))
    evening = 17 * HOUR + 900 * np.minimum(usual, 22)
    return np.where(day == -1, 22 * HOUR + 900 * (usual % 8), evening)


def _cancelled(legs: Ints, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return which trips are cancelled: a few outward trips, each with its return trip on the next day."""
    found = np.zeros(len(legs), dtype=bool)
    same = (legs[:-1, 0] == legs[1:, 0]) & (legs[:-1, 1] == legs[1:, 2]) & (legs[:-1, 2] == legs[1:, 1])
    same &= np.isin(legs[:-1, 4], _DAYS[::2]) & (legs[1:, 4] == legs[:-1, 4] + 1)
    out = np.flatnonzero(same & (random.random(len(same)) < 0.018))
    if not len(out) and same.any():
        out = np.flatnonzero(same)[len(np.flatnonzero(same)) // 2 :][:1]
    found[out] = found[out + 1] = True
    return found


@dataclass(frozen=True)
class _Draws:
    """What differs between drivers and days, one row per trip: speeds as shares, and the minute at which a jam begins."""

    driver: Floats
    # [trip, five minutes]
    traffic: Floats
    jam_from: Ints


def _draw(random: np.random.Generator, count: int) -> _Draws:
    return _Draws(
        np.clip(random.normal(1.0, 0.03, (count, 1)), 0.9, 1.06),
        np.clip(random.normal(1.0, 0.05, (count, _MINUTES // 5)), 0.8, 1.12),
        random.integers(20, 150, count),
    )


def _drive(start: Ints, length: Floats, random: np.random.Generator, jam: Ints) -> tuple[Ints, Floats, tuple[Any, ...]]:
    """Return the minutes that each trip takes, the km after each minute, and the generator's states for `drive_again`."""
    minutes: list[Ints] = []
    tracks: list[Floats] = []
    states = []
    for at in range(0, len(start), _CHUNK):
        part = slice(at, at + _CHUNK)
        states.append(random.bit_generator.state)
        along = _along(start[part], _draw(random, len(start[part])), jam[part])
        goal = length[part]
        need = np.argmax(along >= goal[:, None], axis=1)
        minutes.append(need.astype(np.int64))
        shown = np.arange(_MINUTES + 1)[None, :] <= need[:, None]
        tracks.append(np.minimum(along, goal[:, None])[shown])
    return np.concatenate(minutes), np.concatenate(tracks), tuple(states)


def _expected_minutes(start: Ints, length: Floats) -> Ints:
    """Return the minutes that trips take in usual traffic."""
    parts = [slice(at, at + _CHUNK) for at in range(0, len(start), _CHUNK)]
    return np.concatenate([np.argmax(_along(start[part]) >= length[part][:, None], axis=1) for part in parts])


class Drivers:
    """What differs between the drivers and days of some trips: drawn once for many `drive_again`."""

    def __init__(self, trips: Trips) -> None:
        self._trips = trips
        self._drawn: dict[int, _Draws] = {}

    def of(self, trip: int) -> _Draws:
        """Return what was drawn for a trip."""
        chunk, row = divmod(trip, _CHUNK)
        if chunk not in self._drawn:
            random = np.random.default_rng()
            random.bit_generator.state = self._trips.draws[chunk]
            self._drawn[chunk] = _draw(random, min(_CHUNK, len(self._trips) - chunk * _CHUNK))
        drawn = self._drawn[chunk]
        return _Draws(drawn.driver[row : row + 1], drawn.traffic[row : row + 1], drawn.jam_from[row : row + 1])


def drive_again(
    trips: Trips,
    trip: int,
    length: float,
    *,
    start: int,
    slower: Sequence[tuple[int, int, float]],
    drivers: Drivers | None = None,
) -> Floats:
    """Return the km after each minute of a trip that starts at another time, or with a truck that is slower for a while.

    Driver, traffic and jam are those of the trip as planned. ``slower`` has the first second, the first second after,
    and the share of the speed that is left (more than 0).
    """
    own = (drivers or Drivers(trips)).of(trip)
    days = 1
    while True:
        along = _along(np.array([start]), own, trips.jam[trip : trip + 1], slower=slower, days=days)[0]
        if along[-1] >= length:
            km: Floats = np.minimum(along[: int(np.argmax(along >= length)) + 1], length)
            return km
        days *= 2


def replace_trips(trips: Trips, start: Ints, end: Ints, km: Mapping[int, Floats]) -> Trips:
    """Return trips with other times, and other km after each minute for some of them."""
    parts: list[Floats] = []
    minutes, done = np.diff(trips.first), 0
    for trip, along in sorted(km.items()):
        parts += [trips.km[trips.first[done] : trips.first[trip]], along]
        minutes[trip], done = len(along), trip + 1
    parts.append(trips.km[trips.first[done] :])
    first = np.concatenate([[0], np.cumsum(minutes)])
    return replace(trips, start=start, end=end, km=np.concatenate(parts), first=first)


def _along(
    start: Ints,
    draws: _Draws | None = None,
    jam: Ints | None = None,
    *,
    slower: Sequence[tuple[int, int, float]] = (),
    days: int = 1,
) -> Floats:
    """Return the distance that a truck can have driven after each minute of some days, [trip, minute], km."""
    count = len(start)
    minute = np.arange(days * _MINUTES)
    hour = (to_local(start)[:, None] + 60 * minute) / HOUR % 24
    speed = _FASTEST * np.interp(hour, np.arange(25) + 0.5, np.append(_TRAFFIC, _TRAFFIC[0]))
    speed[:, :10] *= 0.55  # through the town
    cycle = minute % (_WHEEL + _BREAK)
    speed[:, cycle >= _WHEEL] = 0.0
    if draws is not None and jam is not None:
        speed *= draws.driver
        speed *= np.tile(np.repeat(draws.traffic, 5, axis=1), days)
        speed = np.minimum(speed, 89.0)
        since = draws.jam_from
        stuck = (minute >= since[:, None]) & (minute < (since + jam)[:, None])
        speed[stuck] *= 0.08
    for first, last, share in slower:
        at = start[:, None] + 60 * minute
        speed[(at >= first) & (at < last)] *= share
    return np.concatenate([np.zeros((count, 1)), np.cumsum(speed, axis=1) / 60], axis=1)
