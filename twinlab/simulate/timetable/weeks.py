"""Hours of the week, and seconds of local time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["HOURS", "hour_of_week", "local_seconds"]

HOURS = 168


def local_seconds(epoch: npt.ArrayLike, zone: str | None) -> npt.NDArray[np.float64]:
    """Return instants in seconds since 1970 (UTC) as what clocks of a zone show, counted in the same way; None is UTC.

    >>> (local_seconds([0.0, 1_780_000_000.0], "Europe/Berlin") - [0.0, 1_780_000_000.0]).tolist()
    [3600.0, 7200.0]
    """
    seconds = np.asarray(epoch, dtype=np.float64)
    if zone is None:
        return seconds
    known = np.isfinite(seconds)
    whole = np.where(known, seconds, 0.0)
    clock = pd.DatetimeIndex(whole.ravel().astype("M8[s]"), tz="UTC").tz_convert(zone).tz_localize(None)
    offset = clock.to_numpy().astype("M8[s]").astype(np.int64).reshape(seconds.shape) - np.floor(whole)
    return np.where(known, seconds + offset, seconds)


def hour_of_week(times: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the hour of the week of instants, 0 on Monday 00:00.

    >>> hour_of_week(np.array(["2026-03-23T01:30"], "M8[ns]")).tolist()
    [1]
    """
    hours = np.asarray(times, dtype="M8[h]").astype(np.int64)
    # 1970-01-01 was a Thursday.
    return (hours + 3 * 24) % HOURS
