"""Openings of doors, and failures of compressors, as spans of records."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.simulate.calibration.rooms.records import RoomRecords, long_spells

__all__ = ["failures", "spells"]

Floats = npt.NDArray[np.float64]

#: A compressor that is off while the room is warmer than its thermostat allows by this much has failed, K. A sensor that drifts by
#: less changes nothing.
_TOO_WARM = 1.5
#: It has to be so for this many values.
_LEAST = 6


def spells(records: RoomRecords, state: Floats) -> pd.DataFrame:
    """Return the spans in which a state is 1: columns ``asset, start, end``; no end where it lasts to the end of the records.

    Unknown values in between end nothing.
    """
    rows = []
    times = pd.DatetimeIndex(records.times)
    for room, name in enumerate(records.rooms):
        known = np.flatnonzero(~np.isnan(state[:, room]))
        values = state[known, room]
        edges = np.flatnonzero(np.diff(np.concatenate([[0.0], values])))
        for begin, end in zip(edges[::2].tolist(), [*edges[1::2].tolist(), None][: len(edges[::2])], strict=True):
            rows.append((name, times[known[begin]], pd.NaT if end is None else times[known[end]]))
    return pd.DataFrame(rows, columns=["asset", "start", "end"]).astype({"start": "M8[ns]", "end": "M8[ns]"})


def failures(records: RoomRecords, on_above: Floats) -> Floats:
    """Return where compressors have failed, 1 or 0, NaN where it isn't known: off for long, and the room too warm."""
    with np.errstate(invalid="ignore"):
        broken = (records.running == 0) & (records.temperature > on_above + _TOO_WARM)
    return np.where(np.isnan(records.running), np.nan, long_spells(broken, _LEAST).astype(np.float64))
