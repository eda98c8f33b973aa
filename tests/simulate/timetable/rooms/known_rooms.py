"""Rooms with known parameters."""

from dataclasses import replace

import numpy as np

from twinlab.simulate.timetable.rooms.fits import RoomFits, RoomNames
from twinlab.simulate.timetable.rooms.futures import RoomsNow

NAMES = RoomNames("room", "temperature", "degC", "door", (0, 1), ("closed", "open"), "compressor")
EPOCH = 1_767_571_200  # Monday, 2026-01-05
DAY, STEP = 86_400.0, 300.0


def fits(rooms=2, **changed):
    one = RoomFits(
        NAMES, tuple(f"R{n}" for n in range(rooms)), STEP, np.full(rooms, 1 / 40_000), np.full(rooms, 1 / 3000), np.full(rooms, 20.0),
        np.full(rooms, 20.0), np.zeros(2), np.full(rooms, 1e-3), np.full(rooms, 4.7), np.full(rooms, 3.3), np.full(rooms, 0.02),
        np.full((rooms, 168), 0.5), np.linspace(300, 900, 11), 0.0, np.zeros(0),
    )  # fmt: skip
    return replace(one, **changed)


def now(rooms=2, **changed):
    nothing = np.full(rooms, np.nan)
    return replace(RoomsNow(np.full(rooms, 4.0), nothing, np.zeros(rooms, bool), nothing, np.zeros(rooms)), **changed)
