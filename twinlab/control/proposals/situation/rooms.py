"""A room now, with the model that is fitted to its own past."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.control.proposals.effects.outcome import Unknown
from twinlab.control.proposals.effects.rooms import Room
from twinlab.control.proposals.situation.memory import Memory
from twinlab.model.basics import parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from twinlab.model.commands.effects import RoomEffect
    from twinlab.model.reader import TwinReader
    from twinlab.simulate.timetable.rooms.fits import RoomFits

__all__ = ["only_room", "room_now"]

#: Fits are made again after so long.
_HOUR = np.timedelta64(1, "h")
#: Records that show whether a sensor fits its thermostat; by how much it doesn't, K; and in how many records.
_RECENT, _TOO_COLD, _FEW = np.timedelta64(3, "h"), 2.5, 3
#: Arrays of fits and of the present state that aren't one element a room.
_COMMON = ("swing", "open_lasting", "repair")


def room_now(
    twin: TwinReader,
    asset_type: str,
    asset: str,
    options: RoomEffect,
    *,
    set_point: float,
    now: np.datetime64,
    memory: Memory,
) -> Room | Unknown:
    """Return a room as it is, or why that isn't known.

    The thermostat switches as far from the set point as it has on average; the set point is the one that is reported.

    Parameters
    ----------
    twin : TwinReader
    asset_type, asset : str
    options : RoomEffect
    set_point : float
        Reported set point, in the unit of the temperature.
    now : datetime64
        Present, UTC.
    memory : Memory
        What was learnt from the past before, for the next call.
    """
    from twinlab.simulate.calibration.rooms.fitting import fit_rooms  # noqa: PLC0415  (loads SciPy)
    from twinlab.simulate.calibration.rooms.names import room_names  # noqa: PLC0415
    from twinlab.simulate.calibration.rooms.present import rooms_at  # noqa: PLC0415

    names = room_names(twin.model)
    wanted = (asset_type, options.temperature, options.door, options.compressor)
    if names is None or (names.room, names.temperature, names.door, names.compressor) != wanted:
        return Unknown(f"the rooms of the twin that can be simulated aren't {asset_type} with {', '.join(wanted[1:])}")
    stop = now.astype("M8[h]").astype("M8[ns]")
    start = stop - np.timedelta64(parse_duration(options.learn), "ns")
    key = ("rooms", asset_type, options.learn, str(stop))
    fitted = memory.get(key, lambda: fit_rooms(twin, start=start, stop=stop, zone=None, seed=0))
    if fitted is None or asset not in fitted.rooms.rooms:
        return Unknown(f"the last {options.learn} of {asset_type}/{asset} have too few values to fit its behaviour to")
    present = rooms_at(twin, fitted.rooms, now)
    place = fitted.rooms.rooms.index(asset)
    one = only_room(fitted.rooms, place)
    half = (one.on_above - one.off_below) / 2
    one = replace(one, on_above=set_point + half, off_below=set_point - half)
    recent = twin.history(
        asset_type, signals=[options.temperature, options.compressor], assets=[asset], start=now - _RECENT, stop=now
    )
    states = twin.model.asset_types[asset_type].signals[options.compressor].states or {}
    strange = _contradiction(recent, options, states, float(one.off_below[0]))
    if strange is not None:
        return Unknown(strange)
    warmest: Any = twin.assets(asset_type).loc[asset, options.warmest]
    if pd.isna(warmest):
        return Unknown(f"{options.warmest} of {asset_type}/{asset} isn't known")
    parts = {field.name: getattr(present.now, field.name)[place : place + 1] for field in fields(present.now)}
    return Room(asset, one, type(present.now)(**parts), float(warmest))


def _contradiction(recent: xr.Dataset, options: RoomEffect, states: Mapping[int, str], off_below: float) -> str | None:
    """Return why the sensor can't be believed: a thermostat doesn't cool what is far colder than where it stops."""
    values, motor = (recent[name].to_numpy().ravel() for name in (options.temperature, options.compressor))
    runs = np.isin(motor, [float(code) for code, text in states.items() if text == "on"])
    cold = values[runs & (values < off_below - _TOO_COLD)]
    if len(cold) < _FEW:
        return None
    return (
        f"{options.temperature} doesn't fit the thermostat: the compressor ran at {np.median(cold):.1f}, though it stops below "
        f"{off_below:.1f}; is the sensor, its unit or the set point wrong?"
    )


def only_room(fits: RoomFits, place: int) -> RoomFits:
    """Return fits of all rooms as those of one."""
    arrays = {
        field.name: getattr(fits, field.name)[place : place + 1]
        for field in fields(fits)
        if isinstance(getattr(fits, field.name), np.ndarray) and field.name not in _COMMON
    }
    return replace(fits, rooms=(fits.rooms[place],), **arrays)
