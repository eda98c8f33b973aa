"""Where forklifts are in their halls and how fast they drive, every five seconds; only the live plant shows it.

Each forklift drives around an aisle of its hall: `AISLE` metres, from (0, 0). How fast it would drive is a sum of two waves with
phases from the seed, between standing and `TOP_SPEED`; it drives at most as fast as a command allows, and only while its mode is
driving. In each hall somebody walks to and fro between the long sides of the aisle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import Floats, Ints
from twinlab.plant.network.forklifts import DRIVING, TOP_SPEED
from twinlab.plant.network.size import ParcelSize

__all__ = ["AISLE", "SIGHT", "TICK", "Motion", "MotionState", "move_forklifts", "start_motion"]

#: Seconds between two positions.
TICK = 5
#: m, length and width of the rectangle that a forklift drives around.
AISLE = (80.0, 30.0)
#: m, how far the scanner of a forklift sees people.
SIGHT = 30.0
#: s, how long the person needs to cross the aisle and to come back; m, where along the aisle.
_WALK, _CROSSING = 90, 30.0
#: s, the periods of the two waves of the speed.
_PERIODS = (95.0, 37.0)


@dataclass(frozen=True)
class MotionState:
    """The forklifts before a tick."""

    # Number of the tick: UTC seconds / `TICK`.
    tick: int
    # m, driven since the run began, with a start in the aisle.
    driven: Floats
    # rad, phases of the waves, [wave, forklift].
    phases: Floats


@dataclass(frozen=True)
class Motion:
    """Positions and speeds of a step, [tick, forklift]."""

    time: Ints
    # m
    x: Floats
    y: Floats
    # km/h
    speed: Floats
    # m, to the nearest person that the scanner sees; `SIGHT` if it sees none.
    person: Floats


def start_motion(size: ParcelSize, time: int) -> MotionState:
    """Return the forklifts at the begin of a run (UTC seconds): somewhere in their aisles, by the seed."""
    random = size.random("forklift motion")
    driven = random.uniform(0.0, 2 * sum(AISLE), size.forklifts)
    return MotionState(-(-time // TICK), driven, random.uniform(0.0, 2 * np.pi, (2, size.forklifts)))


def move_forklifts(
    state: MotionState, until: int, *, mode: npt.NDArray[np.int8], max_speed: Floats
) -> tuple[MotionState, Motion]:
    """Return the state before ``until`` (UTC seconds), and the ticks until then.

    Parameters
    ----------
    state : MotionState
        Where the step begins.
    until : int
        UTC seconds.
    mode : array of int8, [forklift]
        What they do in the step.
    max_speed : array, [forklift]
        km/h, how fast they may drive.

    Examples
    --------
    >>> state = start_motion(ParcelSize(forklifts=1), 0)
    >>> _, motion = move_forklifts(state, 600, mode=np.array([DRIVING], np.int8), max_speed=np.array([6.0]))
    >>> len(motion.time), float(motion.speed.max())
    (120, 6.0)
    """
    last = max(state.tick, -(-until // TICK))
    time = np.arange(state.tick, last, dtype=np.int64) * TICK
    waves = [
        np.sin(2 * np.pi * time[:, None] / period + phase) for period, phase in zip(_PERIODS, state.phases, strict=True)
    ]
    wanted = TOP_SPEED * np.clip(0.62 + 0.42 * waves[0] + 0.15 * waves[1], 0.0, 1.0)
    speed = np.where(mode == DRIVING, np.minimum(wanted, max_speed), 0.0)
    # A speed is the one until the next tick.
    driven = state.driven + np.cumsum(np.vstack([np.zeros(len(mode)), speed]), axis=0) / 3.6 * TICK
    x, y = _position(driven[:-1])
    along = np.abs(time[:, None] % _WALK - _WALK / 2) / (_WALK / 2) * AISLE[1]
    person = np.minimum(np.hypot(x - _CROSSING, y - along), SIGHT)
    return MotionState(last, driven[-1], state.phases), Motion(time, x, y, speed, person)


def _position(driven: Floats) -> tuple[Floats, Floats]:
    """Return where a forklift is after so many metres around its aisle.

    >>> [float(one) for one in _position(np.array(100.0))]
    [80.0, 20.0]
    """
    length, width = AISLE
    at = driven % (2 * (length + width))
    corners = [0.0, length, length + width, 2 * length + width, 2 * (length + width)]
    return np.interp(at, corners, [0, length, length, 0, 0]), np.interp(at, corners, [0, 0, width, width, 0])
