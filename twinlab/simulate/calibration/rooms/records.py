"""Records of rooms as arrays on one grid of times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.model.reader import TwinReader
from twinlab.simulate.timetable.rooms.fits import RoomNames

__all__ = ["RoomRecords", "long_spells", "read_rooms", "state_since", "without_jumps"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Flags of values that aren't used: failed and missing.
_UNUSABLE = (4, 9)
#: No room warms up or cools down by more from one record to the next, K.
_JUMP = 6.0


@dataclass(frozen=True)
class RoomRecords:
    """Records of rooms, shape ``(time, room)``."""

    rooms: tuple[str, ...]
    times: npt.NDArray[np.datetime64]
    temperature: Floats
    """NaN where there is no usable value."""
    door: Floats
    """1 open, 0 closed, NaN unknown."""
    running: Floats
    """1 on, 0 off, NaN unknown; all NaN without a compressor."""

    @property
    def seconds(self) -> Floats:
        """Times in seconds since 1970."""
        return np.asarray(self.times.astype("M8[ns]").astype(np.int64) / 1e9)

    @property
    def step(self) -> float:
        """Usual seconds between two values."""
        return float(np.median(np.diff(self.seconds))) if len(self.times) > 1 else float("nan")


def read_rooms(twin: TwinReader, names: RoomNames, *, start: object, stop: object) -> RoomRecords:
    """Read the records of all rooms in ``[start, stop)``."""
    signals = [one for one in (names.temperature, names.door, names.compressor) if one is not None]
    data = twin.history(names.room, signals=signals, start=start, stop=stop)
    rooms = tuple(map(str, data["asset"].to_numpy().tolist()))
    nothing = np.full((data.sizes["time"], len(rooms)), np.nan)
    running = nothing if names.compressor is None else _state_of(data, names.compressor, names.compressor_codes)
    temperature = without_jumps(_usable(data, names.temperature))
    return RoomRecords(
        rooms,
        data["time"].to_numpy(),
        temperature,
        _state_of(data, names.door, names.door_codes),
        running,
    )


def state_since(times: Floats, state: Floats) -> Floats:
    """Return since when each room has been in the state that it is in at the end, seconds; NaN where that is 0 or not known."""
    found = np.full(state.shape[1], np.nan)
    for room in range(state.shape[1]):
        known = np.flatnonzero(~np.isnan(state[:, room]))
        if not len(known) or state[known[-1], room] != 1:
            continue
        before = known[state[known, room] != 1]
        first = known[known > before[-1]][0] if len(before) else known[0]
        found[room] = times[first]
    return found


def long_spells(which: Bools, least: int) -> Bools:
    """Return where something is so for at least this many values in a row, shape ``(time, room)``."""
    last = pd.DataFrame(which.astype(float)).rolling(least).min().to_numpy() == 1
    whole = last.copy()
    for back in range(1, least):
        # Earlier values of a long spell belong to it.
        whole[:-back] |= last[back:]
    return np.asarray(whole)


def without_jumps(temperature: Floats) -> Floats:
    """Return temperatures without the spans between two jumps that no room can make, such as those in another unit.

    A span is left out if its median is far from that of the room.
    """
    found = temperature.copy()
    for room in range(temperature.shape[1]):
        known = np.flatnonzero(~np.isnan(temperature[:, room]))
        values = temperature[known, room]
        jumps = np.flatnonzero(np.abs(np.diff(values)) > _JUMP) + 1
        for part in np.split(np.arange(len(known)), jumps) if len(jumps) else ():
            if abs(float(np.median(values[part]) - np.median(values))) > _JUMP:
                found[known[part], room] = np.nan
    return found


def _usable(data: xr.Dataset, name: str) -> Floats:
    values, flags = data[name].transpose("time", "asset"), data[f"{name}_qc"].transpose("time", "asset")
    return np.where(np.isin(flags.to_numpy(), _UNUSABLE), np.nan, values.to_numpy().astype(np.float64))


def _state_of(data: xr.Dataset, name: str, codes: tuple[int, int]) -> Floats:
    values = _usable(data, name)
    return np.where(values == codes[1], 1.0, np.where(values == codes[0], 0.0, np.nan))
