"""Forklifts: they lift, the battery drains with the load, and they charge between shifts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints, to_local
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS

__all__ = ["CHARGING", "DRIVING", "IDLE", "Lifts", "run_lifts"]

_STEP = 600
IDLE, DRIVING, CHARGING = 0, 1, 2
#: Percent of the battery each ten minutes: standing, driving, and for each tonne lifted on top; charging gives it back.
_STANDING, _DRIVING, _TONNE, _CHARGE = 0.03, 1.55, 1.5, 4.6


@dataclass(frozen=True)
class Lifts:
    """State of all forklifts every ten minutes, [lift, sample]; and where they work."""

    time: Ints
    # Seconds after ``time`` at which each lift reports.
    offset: Ints
    # percent
    battery: Floats
    # kg
    load: Floats
    mode: npt.NDArray[np.int8]
    # [lift, week] hub.
    hub: Ints

    def __len__(self) -> int:
        return len(self.hub)


def run_lifts(size: ParcelSize) -> Lifts:
    """Return what the forklifts do."""
    random = size.random("lifts")
    begin, stop = size.span
    time = np.arange(begin, stop, _STEP, dtype=np.int64)
    shift = _shifts(size, time, random)
    lifting = random.random(shift.shape) < 0.62
    weight = np.clip(random.gamma(3.0, 160.0, shift.shape), 20.0, 1600.0)
    # Somebody who skips the charging at noon: the battery gets low.
    careless = np.repeat(random.random((size.forklifts, len(time) // 144 + 1)) < 0.06, 144, axis=1)[:, : len(time)]
    battery, mode = _step_all(shift, lifting, weight, careless, random)
    load = np.where((mode == DRIVING) & lifting, weight, 0.0)
    offset = random.integers(0, 60, size.forklifts) * 5
    return Lifts(time, offset, battery, load, mode, _places(size, random))


def _shifts(size: ParcelSize, time: Ints, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return who has somebody at the wheel: nights and mornings, when the trucks are in."""
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
    """Return where each forklift works each week; some are brought to another hub."""
    weights = np.array([town.weight for town in TOWNS[: size.hubs]])
    first = random.choice(size.hubs, size.forklifts, p=weights / weights.sum())
    place = np.repeat(first[:, None], size.weeks + 1, axis=1)
    if size.weeks > 1 and size.hubs > 1:
        for lift in random.permutation(size.forklifts)[: max(1, round(0.01 * size.forklifts * size.weeks))].tolist():
            week = int(random.integers(1, size.weeks))
            place[lift, week:] = (place[lift, week] + int(random.integers(1, size.hubs))) % size.hubs
    return place
