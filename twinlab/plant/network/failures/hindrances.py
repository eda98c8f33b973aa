"""What hinders trucks for some hours around a hub: storms, congested rush hours, too few ramps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.plant.network.clocks import DAY, HOUR, from_local
from twinlab.plant.network.roads import Roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS

__all__ = ["Hindrance", "draw_hindrances"]

#: Chance of each day of the week, Monday first, to have a congested rush hour.
_RUSH = (0.16, 0.15, 0.15, 0.18, 0.30, 0.03, 0.03)


@dataclass(frozen=True)
class Hindrance:
    """Something that hinders the trucks at a hub for a while; times are UTC seconds."""

    cause: str
    """``weather`` or ``congestion``: trucks near the hub are slower. ``hub_limit``: they wait for a ramp."""
    hub: int
    start: int
    stop: int
    amount: float
    """Share of the speed that is left; of ``hub_limit`` the minutes between two trucks that leave."""


def draw_hindrances(size: ParcelSize, roads: Roads) -> tuple[Hindrance, ...]:
    """Return what hinders trucks, sorted by start; nothing if the size has no rates."""
    if size.failures is None:
        return ()
    found = [*_storms(size, roads), *_rush_hours(size), *_limits(size)]
    return tuple(sorted(found, key=lambda one: (one.start, one.hub, one.cause)))


def _count(random: np.random.Generator, mean: float) -> int:
    """Return how often something happens: at least once if it can."""
    return max(1, int(random.poisson(mean))) if mean else 0


def _storms(size: ParcelSize, roads: Roads) -> list[Hindrance]:
    random = size.random("weather")
    begin, stop = size.span
    assert size.failures is not None
    found = []
    for _ in range(_count(random, size.failures.weather * size.weeks)):
        centre, radius = int(random.integers(size.hubs)), random.uniform(100.0, 300.0)
        start = begin + int(random.random() * (stop - begin)) // 600 * 600
        long, left = round(random.uniform(4.0, 14.0) * 6) * 600, round(float(random.uniform(0.5, 0.85)), 2)
        hubs = np.flatnonzero(roads.length[centre] <= radius).tolist()
        found += [Hindrance("weather", hub, start, start + long, left) for hub in hubs]
    return found


def _share(hub: int, size: ParcelSize) -> float:
    """Return the traffic of a hub relative to the average one."""
    weights = [town.weight for town in TOWNS[: size.hubs]]
    return weights[hub] * len(weights) / sum(weights)


def _rush_hours(size: ParcelSize) -> list[Hindrance]:
    random = size.random("congestion")
    assert size.failures is not None
    found = []
    for hub in range(size.hubs):
        for _ in range(_count(random, size.failures.congestion * size.weeks * _share(hub, size))):
            day = 7 * int(random.integers(size.weeks)) + int(random.choice(7, p=_RUSH))
            start = _evening(size, day, random.uniform(15.5, 18.5))
            long, left = round(random.uniform(1.5, 4.0) * 6) * 600, round(float(random.uniform(0.35, 0.7)), 2)
            found.append(Hindrance("congestion", hub, start, start + long, left))
    return found


def _limits(size: ParcelSize) -> list[Hindrance]:
    random = size.random("hubs at their limit")
    assert size.failures is not None
    found = []
    for hub in range(size.hubs):
        for _ in range(_count(random, size.failures.hub_limit * size.weeks * _share(hub, size))):
            day = 7 * int(random.integers(size.weeks)) + int(random.integers(5))
            start = _evening(size, day, random.uniform(16.0, 18.0))
            long, minutes = round(random.uniform(3.0, 7.0) * 6) * 600, float(random.integers(15, 50))
            found.append(Hindrance("hub_limit", hub, start, start + long, minutes))
    return found


def _evening(size: ParcelSize, day: int, hour: float) -> int:
    """Return the instant of a local hour on a day since the begin."""
    wall = size.span[0] // DAY * DAY + DAY * day + round(hour * HOUR) // 600 * 600
    return int(from_local(np.array([wall], dtype=np.int64))[0])
