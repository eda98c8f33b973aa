"""Signals of rooms in the schema of results, and at every step in that of the history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from twinlab.simulate.timetable.rooms.fits import RoomFits, RoomNames
from twinlab.simulate.timetable.rooms.futures import RoomFutures
from twinlab.simulate.timetable.signals import Span

__all__ = ["room_history", "room_signals"]


def room_signals(fits: RoomFits, futures: RoomFutures, span: Span) -> xr.Dataset:
    """Return the values at the beginning of each cell of results, variables ``<room>_<signal>``, dims ``replication, time, <room>``."""
    at = np.floor(span.edges[:-1] / fits.step + 1e-9).astype(np.int64)
    kind = fits.names.room
    return xr.Dataset(
        {
            f"{kind}_{name}": (
                ("replication", "time", kind),
                values[:, at],
                {"asset_type": kind, "signal": name, **attrs},
            )
            for name, values, attrs in _signals(fits.names, futures)
        },
        coords={kind: np.array(fits.rooms, dtype=object)},
    )


def room_history(fits: RoomFits, futures: RoomFutures, start: np.datetime64) -> xr.Dataset:
    """Return the values at every step, dims ``replication, time, asset``."""
    steps = futures.temperature.shape[1]
    times = start.astype("M8[ns]") + (fits.step * 1e9 * np.arange(steps)).astype("m8[ns]")
    data = {
        name: (("replication", "time", "asset"), values, attrs) for name, values, attrs in _signals(fits.names, futures)
    }
    return xr.Dataset(data, coords={"time": times, "asset": np.array(fits.rooms, dtype=object)})


def _signals(names: RoomNames, futures: RoomFutures) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    point = {"cell_methods": "time: point"}
    yield (
        names.temperature,
        futures.temperature,
        {"units": names.units, "long_name": "Temperature", "kind": "gauge", **point},
    )
    states = [(names.door, futures.door, names.door_codes, names.door_meanings, "Door")]
    if names.compressor is not None:
        codes, meanings = names.compressor_codes, names.compressor_meanings
        states.append((names.compressor, futures.running, codes, meanings, "Compressor"))
    for name, which, codes, meanings, title in states:
        flags = {"flag_values": np.array(codes, dtype=np.int16), "flag_meanings": " ".join(meanings)}
        attrs = {"long_name": title, "kind": "state", **flags, **point}
        yield name, np.where(which, float(codes[1]), float(codes[0])), attrs
