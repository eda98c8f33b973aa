"""Trips of the trucks: the weekly plan, and actual times from traffic, breaks and jams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints, from_local, to_local
from twinlab.plant.network.roads import Roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS

__all__ = ["Trips", "simulate_trips"]

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

    def __len__(self) -> int:
        return len(self.truck)

    def ids(self) -> list[str]:
        """Return the trips' numbers in the dispatcher's format."""
        return [f"TR{number:05d}" for number in range(1, len(self) + 1)]


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
    expected, _ = _drive(planned, length, random=None)
    planned_end = planned + -(-(expected * 60 * 104 // 100) // 300) * 300
    delay = np.rint(random.exponential(3.5, len(truck))).astype(np.int64)
    delay += np.where(random.random(len(truck)) < 0.04, random.integers(20, 110, len(truck)), 0)
    start = planned + 60 * delay
    jam = np.where(random.random(len(truck)) < 0.06, random.integers(30, 150, len(truck)), 0)
    minutes, km = _drive(start, length, random=random, jam=jam)
    start, end = np.where(cancelled, 0, start), np.where(cancelled, 0, start + 60 * minutes)
    first = np.concatenate([[0], np.cumsum(minutes + 1)])
    return Trips(truck, origin, destination, planned, planned_end, start, end, cancelled, jam, km, first, home)


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


def _drive(
    start: Ints, length: Floats, *, random: np.random.Generator | None, jam: Ints | None = None
) -> tuple[Ints, Floats]:
    """Return the minutes that each trip takes, and the km after each minute, trips concatenated."""
    minutes: list[Ints] = []
    tracks: list[Floats] = []
    for at in range(0, len(start), 512):
        part = slice(at, at + 512)
        along = _along(start[part], random=random, jam=None if jam is None else jam[part])
        goal = length[part]
        need = np.argmax(along >= goal[:, None], axis=1)
        minutes.append(need.astype(np.int64))
        if random is not None:
            shown = np.arange(_MINUTES + 1)[None, :] <= need[:, None]
            tracks.append(np.minimum(along, goal[:, None])[shown])
    return (
        np.concatenate(minutes) if minutes else np.zeros(0, dtype=np.int64),
        np.concatenate(tracks) if tracks else np.zeros(0),
    )


def _along(start: Ints, *, random: np.random.Generator | None, jam: Ints | None) -> Floats:
    """Return the distance that a truck can have driven after each minute of a day, [trip, minute], km."""
    count = len(start)
    minute = np.arange(_MINUTES)
    hour = (to_local(start)[:, None] + 60 * minute) / HOUR % 24
    speed = _FASTEST * np.interp(hour, np.arange(25) + 0.5, np.append(_TRAFFIC, _TRAFFIC[0]))
    speed[:, :10] *= 0.55  # through the town
    cycle = minute % (_WHEEL + _BREAK)
    speed[:, cycle >= _WHEEL] = 0.0
    if random is not None:
        speed *= np.clip(random.normal(1.0, 0.03, (count, 1)), 0.9, 1.06)
        speed *= np.repeat(np.clip(random.normal(1.0, 0.05, (count, _MINUTES // 5)), 0.8, 1.12), 5, axis=1)
        speed = np.minimum(speed, 89.0)
        since = random.integers(20, 150, count)
        stuck = (minute >= since[:, None]) & (minute < (since + (0 if jam is None else jam))[:, None])
        speed[stuck] *= 0.08
    return np.concatenate([np.zeros((count, 1)), np.cumsum(speed, axis=1) / 60], axis=1)
