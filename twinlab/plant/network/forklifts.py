"""Forklifts: the battery drains with time, driving and load, and is charged between shifts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints, to_local
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS

__all__ = ["CHARGING", "DRIVING", "IDLE", "Forklifts", "simulate_forklifts"]

_STEP = 600
IDLE, DRIVING, CHARGING = 0, 1, 2
#: Change of the battery in ten minutes, percent: parked, driving, per lifted tonne (in addition), charging.
_STANDING, _DRIVING, _TONNE, _CHARGE = 0.03, 1.55, 1.5, 4.6


@dataclass(frozen=True)
class Forklifts:
    """States of all forklifts every ten minutes, [forklift, sample], and their hubs."""

    time: Ints
    # Seconds after ``time`` at which each forklift reports.
    offset: Ints
    # percent
    battery: Floats
    # kg
    load: Floats
    mode: npt.NDArray[np.int8]
    # [forklift, week] hub.
    hub: Ints

    def __len__(self) -> int:
        return len(self.hub)


def simulate_forklifts(size: ParcelSize) -> Forklifts:
    """Simulate the forklifts; return their states every ten minutes."""
    random = size.random("lifts")
    begin, stop = size.span
    time = np.arange(begin, stop, _STEP, dtype=np.int64)
    shift = _shifts(size, time, random)
    lifting = random.random(shift.shape) < 0.62
    weight = np.clip(random.gamma(3.0, 160.0, shift.shape), 20.0, 1600.0)
    # Days on which charging is skipped, so that the battery gets low.
    careless = np.repeat(random.random((size.forklifts, len(time) // 144 + 1)) < 0.06, 144, axis=1)[:, : len(time)]
    battery, mode = _step_all(shift, lifting, weight, careless, random)
    load = np.where((mode == DRIVING) & lifting, weight, 0.0)
    offset = random.integers(0, 60, size.forklifts) * 5
    return Forklifts(time, offset, battery, load, mode, _places(size, random))


def _shifts(size: ParcelSize, time: Ints, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return which forklifts are in use, [forklift, sample]: early and late shifts."""
    wall = to_local(time)
    hour, weekday = wall % DAY / HOUR, (wall // DAY + 3) % 7
    early = (hour >= 4) & (hour < 12) & (weekday < 6)
    late = (hour >= 14) & (hour < 22) & (weekday < 5)
    turn = random.integers(0, 3, size.forklifts)
    found: npt.NDArray[np.bool_] = np.where(
        turn[:, None] == 0, early, np.where(turn[:, None] == 1, late, early | late)
    ).astype(bool)
    return found


def _step_all(
    shift: npt.NDArray[np.bool_],
    lifting: npt.NDArray[np.bool_],
    weight: Floats,
    careless: npt.NDArray[np.bool_],
    random: np.random.Generator,
) -> tuple[Floats, npt.NDArray[np.int8]]:
    count, steps = shift.shape
    battery, mode = np.empty((count, steps)), np.empty((count, steps), dtype=np.int8)
    level: Floats = np.asarray(random.uniform(60.0, 100.0, count))
    plugged = np.zeros(count, dtype=bool)
    drain = _DRIVING + np.where(lifting, _TONNE * weight / 1000.0, 0.0)
    for step in range(steps):
        wanted = level < np.where(careless[:, step], 4.0, 24.0)
        wanted |= ~shift[:, step] & (level < 85.0) & ~careless[:, step]
        plugged = (plugged | wanted) & (level < np.where(shift[:, step], 75.0, 99.5))
        now = np.where(plugged, CHARGING, np.where(shift[:, step], DRIVING, IDLE))
        battery[:, step], mode[:, step] = level, now
        change = np.where(now == CHARGING, _CHARGE, np.where(now == DRIVING, -drain[:, step], -_STANDING))
        level = np.clip(level + change, 1.0, 100.0)
    return battery, mode


def _places(size: ParcelSize, random: np.random.Generator) -> Ints:
    """Return the hub of each forklift in each week; some move to another hub."""
    weights = np.array([town.weight for town in TOWNS[: size.hubs]])
    first = random.choice(size.hubs, size.forklifts, p=weights / weights.sum())
    place = np.repeat(first[:, None], size.weeks + 1, axis=1)
    if size.weeks > 1 and size.hubs > 1:
        for forklift in random.permutation(size.forklifts)[
            : max(1, round(0.01 * size.forklifts * size.weeks))
        ].tolist():
            week = int(random.integers(1, size.weeks))
            place[forklift, week:] = (place[forklift, week] + int(random.integers(1, size.hubs))) % size.hubs
    return place
