"""Cold rooms: heat enters through walls and doors, compressors remove it; advanced minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints, to_local
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS

__all__ = [
    "ColdRooms",
    "RoomMinutes",
    "RoomPlan",
    "RoomState",
    "plan_cold_rooms",
    "sample_cold_rooms",
    "simulate_cold_rooms",
    "step_cold_rooms",
    "usual_set_point",
]

_STEP = 300
#: Heat input per minute as a share of the difference to the hall's temperature: through the walls, through the open door
#: of a chilled room, and through that of a frozen room, which has a curtain.
_WALL, _DOOR, _CURTAIN = 0.0015, 0.020, 0.010
#: Cooling by a running compressor, K per minute.
_CHILLED, _FROZEN = 0.060, 0.125
#: Set points of thermostats that nobody has changed, degC.
_CHILLED_SET_POINT, _FREEZER_SET_POINT = 4.0, -20.0


@dataclass(frozen=True)
class ColdRooms:
    """States of all cold rooms every five minutes, [room, sample], and their master data."""

    time: Ints
    # degC
    temperature: Floats
    door: npt.NDArray[np.int8]
    compressor: npt.NDArray[np.int8]
    hub: Ints
    frozen: npt.NDArray[np.bool_]
    # degC
    upper_limit: Floats
    # Doors left open and failed compressors, one row each: room, first second, first second after.
    left_open: Ints
    failed: Ints

    def __len__(self) -> int:
        return len(self.hub)


@dataclass(frozen=True)
class RoomPlan:
    """What the rooms' surroundings will do, drawn for the whole span at once: [minute, room], or one element per room."""

    begin: int
    hub: Ints
    frozen: npt.NDArray[np.bool_]
    left_open: Ints
    failed: Ints
    door: npt.NDArray[np.bool_]
    works: npt.NDArray[np.bool_]
    # Share of their capacity that compressors have, and heat through a leaking seal as `_WALL`.
    capacity: Floats
    leak: Floats
    # K per minute.
    wobble: Floats
    power: Floats
    # degC, one element per minute: temperature of the halls around the rooms.
    hall: Floats


@dataclass(frozen=True)
class RoomState:
    """State of the rooms before a minute, one element per room, and what commands have changed."""

    minute: int
    # degC
    temperature: Floats
    running: npt.NDArray[np.bool_]
    # degC
    set_to: Floats
    # -1 as people use it, 0 kept closed, 1 kept open.
    held_door: npt.NDArray[np.int8]
    stopped: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RoomMinutes:
    """States of the rooms every minute of a step, [minute, room]."""

    time: Ints
    # degC
    temperature: Floats
    door: npt.NDArray[np.bool_]
    compressor: npt.NDArray[np.bool_]
    # degC, one element per room.
    set_to: Floats


def simulate_cold_rooms(size: ParcelSize) -> ColdRooms:
    """Simulate the cold rooms minute by minute; return their states every five minutes."""
    plan, state = plan_cold_rooms(size)
    _, minutes = step_cold_rooms(plan, state, len(plan.hall))
    return sample_cold_rooms(plan, [minutes])


def plan_cold_rooms(size: ParcelSize) -> tuple[RoomPlan, RoomState]:
    """Return what will happen around the rooms, and their state at the first minute."""
    random = size.random("rooms")
    count = size.cold_rooms
    begin, stop = size.span
    minutes = (stop - begin) // 60
    hub = _hubs(size, random)
    frozen = _is_freezer(np.arange(count))
    door, left_open = _doors(size, begin + 60 * np.arange(minutes, dtype=np.int64), random)
    failed = _failures(size, random, left_open)
    works = np.ones((minutes, count), dtype=bool)
    for room, first, last in failed.tolist():
        works[(first - begin) // 60 : (last - begin) // 60, room] = False
    set_to = np.where(frozen, _FREEZER_SET_POINT, _CHILLED_SET_POINT)
    power = np.where(frozen, _FROZEN, _CHILLED) * random.uniform(0.92, 1.08, count)
    when = (begin + 60 * np.arange(minutes)) / DAY
    hall = 15.0 + 2.5 * np.sin(2 * np.pi * (when - 0.375)) + 4.0 * np.sin(2 * np.pi * (when - 105) / 365.25)
    first = set_to + random.uniform(-0.5, 0.5, count)
    wobble = random.normal(0.0, 0.012, (minutes, count))
    # As new; `failures` makes them wear.
    capacity, leak = np.broadcast_to(1.0, works.shape), np.broadcast_to(0.0, works.shape)
    plan = RoomPlan(
        begin, hub, frozen, left_open, failed, np.ascontiguousarray(door.T), works, capacity, leak, wobble, power, hall
    )  # fmt: skip
    nobody = np.full(count, -1, dtype=np.int8)
    return plan, RoomState(0, first, np.zeros(count, dtype=bool), set_to, nobody, np.zeros(count, dtype=bool))


def step_cold_rooms(plan: RoomPlan, state: RoomState, until: int) -> tuple[RoomState, RoomMinutes]:
    """Return the state before minute ``until``, and the minutes from the state's until then."""
    span = slice(state.minute, until)
    door = np.where(state.held_door >= 0, state.held_door == 1, plan.door[span])
    works = plan.works[span] & ~state.stopped
    heat = np.where(door, _WALL + np.where(plan.frozen, _CURTAIN, _DOOR), _WALL) + plan.leak[span]
    hall, wobble, set_to, power = plan.hall[span], plan.wobble[span], state.set_to, plan.power * plan.capacity[span]
    temperature, running = np.empty(door.shape), np.empty(door.shape, dtype=bool)
    now, on = state.temperature, state.running
    for minute in range(len(door)):
        on = np.where(on, now > set_to - 0.7, now > set_to + 0.7) & works[minute]
        temperature[minute], running[minute] = now, on
        now = now + heat[minute] * (hall[minute] - now) - power[minute] * on + wobble[minute]
    time = plan.begin + 60 * np.arange(state.minute, until, dtype=np.int64)
    later = replace(state, minute=until, temperature=now, running=on)
    return later, RoomMinutes(time, temperature, door, running, set_to)


def sample_cold_rooms(plan: RoomPlan, steps: Sequence[RoomMinutes]) -> ColdRooms:
    """Return the states every five minutes of steps that follow each other from the first minute on."""
    time, temperature, door, compressor = (
        np.concatenate([getattr(step, name) for step in steps])[:: _STEP // 60]
        for name in ("time", "temperature", "door", "compressor")
    )
    return ColdRooms(
        time=time,
        temperature=np.ascontiguousarray(temperature.T),
        door=np.ascontiguousarray(door.T).astype(np.int8),
        compressor=np.ascontiguousarray(compressor.T).astype(np.int8),
        hub=plan.hub,
        frozen=plan.frozen,
        upper_limit=np.where(plan.frozen, -15.0, 8.0),
        left_open=plan.left_open,
        failed=plan.failed,
    )


def usual_set_point(room: int) -> float:
    """Return the set point in degC of a room's thermostat if nobody changes it.

    >>> usual_set_point(0), usual_set_point(3)
    (4.0, -20.0)
    """
    return _FREEZER_SET_POINT if _is_freezer(np.array(room)) else _CHILLED_SET_POINT


def _is_freezer(room: Ints) -> npt.NDArray[np.bool_]:
    return np.asarray(room % 4 == 3)


def _hubs(size: ParcelSize, random: np.random.Generator) -> Ints:
    weights = np.array([town.weight for town in TOWNS[: size.hubs]])
    more = random.choice(size.hubs, size.cold_rooms, p=weights / weights.sum())
    return np.sort(np.where(np.arange(size.cold_rooms) < size.hubs, np.arange(size.cold_rooms), more))


def _doors(size: ParcelSize, time: Ints, random: np.random.Generator) -> tuple[npt.NDArray[np.bool_], Ints]:
    """Return which doors are open each minute, and which were left open (longer than any work takes)."""
    hour = to_local(time) % DAY // HOUR
    weekday = (to_local(time) // DAY + 3) % 7
    busy = np.where((hour >= 5) & (hour < 22), 14 / (17 * 60), 1 / (7 * 60)) * np.where(weekday >= 6, 0.15, 1.0)
    door = np.zeros((size.cold_rooms, len(time)), dtype=bool)
    for room in range(size.cold_rooms):
        opened = np.flatnonzero(random.random(len(time)) < busy)
        for at, long in zip(opened.tolist(), random.integers(1, 6, len(opened)).tolist(), strict=True):
            door[room, at : at + long] = True
    planted = []
    count = max(2, round(0.10 * size.cold_rooms * size.weeks))
    rooms = random.integers(0, size.cold_rooms, count)
    taken: set[tuple[int, int]] = set()
    for room, share in zip(rooms.tolist(), random.random(count).tolist(), strict=True):
        at = int(share * (len(time) - 400)) + 60
        if (room, at // 1440) in taken:
            continue
        taken |= {(room, at // 1440 + near) for near in (-1, 0, 1)}
        long = int(random.integers(35, 150))
        door[room, max(0, at - 30) : at + long + 30] = False
        door[room, at : at + long] = True
        planted.append((room, int(time[at]), int(time[0]) + 60 * (at + long)))
    # Some doors are still open when the files end, so that there are active exceptions; every fourth room is a frozen one.
    for number in range(max(1, size.cold_rooms // 15)):
        room, at = 12 * number, len(time) - 50 - 25 * number
        door[room, at - 30 : at], door[room, at:] = False, True
        planted.append((room, int(time[at]), size.span[1]))
    return door, np.array(sorted(planted), dtype=np.int64).reshape(-1, 3)


def _failures(size: ParcelSize, random: np.random.Generator, left_open: Ints) -> Ints:
    """Return failures of compressors, which last for hours: room, first second, first second after."""
    begin, stop = size.span
    found = []
    for _ in range(max(1, round(0.03 * size.cold_rooms * size.weeks))):
        room, hours = int(random.integers(size.cold_rooms)), int(random.integers(8, 26))
        at = begin + HOUR * int(random.integers(4, (stop - begin) // HOUR - 30))
        busy = left_open[left_open[:, 0] == room]
        if not ((busy[:, 1] < at + 40 * HOUR) & (busy[:, 2] > at - 6 * HOUR)).any():
            found.append((room, at, at + hours * HOUR))
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 3)
