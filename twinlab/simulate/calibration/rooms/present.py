"""Rooms as they are at an instant, from the last records before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.model.reader import TwinReader
from twinlab.simulate.calibration.rooms.doors import failures
from twinlab.simulate.calibration.rooms.records import RoomRecords, read_rooms, state_since
from twinlab.simulate.calibration.rooms.thermal import pairs_of
from twinlab.simulate.timetable.rooms.fits import RoomFits
from twinlab.simulate.timetable.rooms.futures import RoomsNow, later, swing_at

__all__ = ["PresentRooms", "rooms_at"]

Floats = npt.NDArray[np.float64]

#: How far back records are read: a failure of a compressor lasts about a day.
_BEFORE = np.timedelta64(2, "D")
#: A value older than this many steps isn't the present one.
_OLDEST = 12
#: Slopes that a room needs to show how warm the air around it is.
_FEWEST = 60


@dataclass(frozen=True)
class PresentRooms:
    """Rooms at an instant, and in words what isn't known of them."""

    names: tuple[str, ...]
    now: RoomsNow
    assumed: tuple[str, ...]


def rooms_at(twin: TwinReader, fits: RoomFits, instant: np.datetime64) -> PresentRooms:
    """Return the rooms at an instant, from their last records before it."""
    names, rooms = fits.names, fits.rooms
    records = read_rooms(twin, names, start=instant - _BEFORE, stop=instant)
    place = {name: number for number, name in enumerate(records.rooms)}
    now = float(instant.astype("M8[ns]").astype(np.int64) / 1e9)
    temperature, age, open_since, failed_since = (np.full(len(rooms), np.nan) for _ in range(4))
    running, known_door = np.zeros(len(rooms), dtype=bool), np.zeros(len(rooms), dtype=bool)
    recent = records.seconds >= now - _OLDEST * fits.step
    if len(records.times):
        limit = np.full(len(records.rooms), np.nan)
        here = [(number, place[name]) for number, name in enumerate(rooms) if name in place]
        for number, column in here:
            limit[column] = fits.on_above[number]
        since = state_since(records.seconds, records.door)
        failed = state_since(records.seconds, failures(records, limit))
        for number, column in here:
            temperature[number], age[number] = _last(records.temperature[recent, column], now - records.seconds[recent])
            running[number] = _last(records.running[recent, column], now - records.seconds[recent])[0] == 1
            known_door[number] = not np.isnan(records.door[recent, column]).all()
            if known_door[number]:
                open_since[number] = since[column] - now
            if not np.isnan(temperature[number]):
                failed_since[number] = failed[column] - now
    known, opened, broken = (int((~np.isnan(one)).sum()) for one in (temperature, open_since, failed_since))
    words = (
        f"{known} of asset type {names.room} begin with their last temperature before the start, {opened} with an open door, {broken} with a failed "
        "compressor; openings of doors, failures and repairs are drawn"
    )
    notes = [words]
    unknown = int(np.isnan(temperature).sum())
    if unknown:
        notes.append(
            f"{unknown} of asset type {names.room} have no temperature in the {_OLDEST * fits.step / 60:g} min before the start: it is drawn between the limits "
            "of the thermostat, or round the set-point"
        )
    doors = int((~known_door).sum())
    if doors:
        notes.append(
            f"{doors} of asset type {names.room} have no record of the door before the start: it counts as closed"
        )
    warmer = np.full(len(rooms), _warmer(records, fits, place))
    open_now = (~np.isnan(open_since)).astype(np.float64)
    # The last record is somewhat older than the start.
    temperature = later(
        fits,
        temperature,
        door=open_now,
        running=running,
        warmer=swing_at(fits, now) + warmer,
        seconds=np.nan_to_num(age),
    )
    return PresentRooms(rooms, RoomsNow(temperature, open_since, running, failed_since, warmer), tuple(notes))


def _warmer(records: RoomRecords, fits: RoomFits, place: dict[str, int]) -> float:
    """Return by how much the air around is warmer than usual: what the slopes of closed rooms without cooling show, median over rooms."""
    if len(records.times) < 2:
        return 0.0
    pairs = pairs_of(records)
    around = pairs.cos * fits.swing[0] + pairs.sin * fits.swing[1]
    found = []
    for number, name in enumerate(fits.rooms):
        if name in place and not np.isnan(fits.on_above[number]):
            column = place[name]
            off = pairs.closed(column) & (pairs.running[:, column] == 0)
            if off.sum() >= _FEWEST:
                target = pairs.slope[off, column] / fits.closed[number] + pairs.first[off, column]
                found.append(float(np.mean(target - around[off])) - fits.towards[number])
    return float(np.median(found)) if found else 0.0


def _last(values: Floats, ages: Floats) -> tuple[float, float]:
    """Return the last known value and its age; NaN if there is none."""
    known = np.flatnonzero(~np.isnan(values))
    return (float(values[known[-1]]), float(ages[known[-1]])) if len(known) else (float("nan"), float("nan"))
