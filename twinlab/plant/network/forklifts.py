"""Forklifts: the battery drains with time, driving and load, and is charged between shifts.

Where they are in their halls, and how fast, is in `motion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints, to_local
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS

__all__ = [
    "CHARGING",
    "DRIVING",
    "IDLE",
    "TOP_SPEED",
    "ForkliftPlan",
    "ForkliftSamples",
    "ForkliftState",
    "Forklifts",
    "join_forklifts",
    "plan_forklifts",
    "present_mode",
    "simulate_forklifts",
    "step_forklifts",
]

_STEP = 600
IDLE, DRIVING, CHARGING = 0, 1, 2
#: km/h, highest speed of a forklift that no command has slowed.
TOP_SPEED = 12.0
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


@dataclass(frozen=True)
class ForkliftPlan:
    """What the forklifts will be used for, drawn for the whole span at once: [sample, forklift]."""

    time: Ints
    offset: Ints
    shift: npt.NDArray[np.bool_]
    lifting: npt.NDArray[np.bool_]
    # Days on which charging is skipped, so that the battery gets low.
    careless: npt.NDArray[np.bool_]
    # kg
    weight: Floats
    # Share of their capacity that batteries have.
    health: Floats
    hub: Ints


@dataclass(frozen=True)
class ForkliftState:
    """State of the forklifts before a sample, one element per forklift, and what commands have set."""

    sample: int
    # percent
    battery: Floats
    plugged: npt.NDArray[np.bool_]
    stopped: npt.NDArray[np.bool_]
    # km/h
    max_speed: Floats


@dataclass(frozen=True)
class ForkliftSamples:
    """States of the forklifts every ten minutes of a step, [sample, forklift]; each reports ``offset`` seconds later."""

    time: Ints
    # percent
    battery: Floats
    # kg
    load: Floats
    mode: npt.NDArray[np.int8]


def simulate_forklifts(size: ParcelSize) -> Forklifts:
    """Simulate the forklifts; return their states every ten minutes."""
    plan, state = plan_forklifts(size)
    _, samples = step_forklifts(plan, state, len(plan.time))
    return join_forklifts(plan, [samples])


def plan_forklifts(size: ParcelSize) -> tuple[ForkliftPlan, ForkliftState]:
    """Return what the forklifts will be used for, and their state at the first sample."""
    random = size.random("lifts")
    begin, stop = size.span
    time = np.arange(begin, stop, _STEP, dtype=np.int64)
    shift = _shifts(size, time, random)
    lifting = random.random(shift.shape) < 0.62
    weight = np.clip(random.gamma(3.0, 160.0, shift.shape), 20.0, 1600.0)
    careless = np.repeat(random.random((size.forklifts, len(time) // 144 + 1)) < 0.06, 144, axis=1)[:, : len(time)]
    battery: Floats = np.asarray(random.uniform(60.0, 100.0, size.forklifts))
    offset = random.integers(0, 60, size.forklifts) * 5
    # Steps read sample by sample.
    shift, lifting, careless = (np.ascontiguousarray(each.T) for each in (shift, lifting, careless))
    weight = np.ascontiguousarray(weight.T)
    # As new; `failures` makes them fade.
    health = np.broadcast_to(1.0, shift.shape)
    plan = ForkliftPlan(time, offset, shift, lifting, careless, weight, health, _places(size, random))
    plugged, stopped = np.zeros((2, size.forklifts), dtype=bool)
    return plan, ForkliftState(0, battery, plugged, stopped, np.full(size.forklifts, TOP_SPEED))


def step_forklifts(plan: ForkliftPlan, state: ForkliftState, until: int) -> tuple[ForkliftState, ForkliftSamples]:
    """Return the state before sample ``until``, and the samples from the state's until then."""
    span = slice(state.sample, until)
    careless, lifting = plan.careless[span], plan.lifting[span]
    weight = plan.weight[span]
    # A stopped forklift is parked, and charged as it is between shifts.
    shift = plan.shift[span] & ~state.stopped
    drain = (_DRIVING + np.where(lifting, _TONNE * weight / 1000.0, 0.0)) / plan.health[span]
    # Who may drive at half the speed only gets half as much done.
    drain = drain * (state.max_speed / TOP_SPEED)
    battery, mode = np.empty(shift.shape), np.empty(shift.shape, dtype=np.int8)
    level, plugged = state.battery, state.plugged
    for step in range(len(shift)):
        wanted = level < np.where(careless[step], 4.0, 24.0)
        wanted |= ~shift[step] & (level < 85.0) & ~careless[step]
        plugged = (plugged | wanted) & (level < np.where(shift[step], 75.0, 99.5))
        now = np.where(plugged, CHARGING, np.where(shift[step], DRIVING, IDLE))
        battery[step], mode[step] = level, now
        change = np.where(now == CHARGING, _CHARGE, np.where(now == DRIVING, -drain[step], -_STANDING))
        level = np.clip(level + change, 1.0, 100.0)
    load = np.where((mode == DRIVING) & lifting, weight, 0.0)
    later = replace(state, sample=until, battery=level, plugged=plugged)
    return later, ForkliftSamples(plan.time[span], battery, load, mode)


def present_mode(plan: ForkliftPlan, state: ForkliftState) -> npt.NDArray[np.int8]:
    """Return what the forklifts do now: in the sample before the state's, with the commands so far."""
    shift = plan.shift[max(0, state.sample - 1)] & ~state.stopped
    return np.where(state.plugged, CHARGING, np.where(shift, DRIVING, IDLE)).astype(np.int8)


def join_forklifts(plan: ForkliftPlan, steps: Sequence[ForkliftSamples]) -> Forklifts:
    """Return the states of steps that follow each other from the first sample on."""
    battery, load, mode = (
        np.ascontiguousarray(np.concatenate([getattr(step, name) for step in steps]).T)
        for name in ("battery", "load", "mode")
    )
    return Forklifts(plan.time, plan.offset, battery, load, mode, plan.hub)


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
