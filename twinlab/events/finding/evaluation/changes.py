"""Changes and rates of values (time, asset), of counters corrected by their wraps and new starts; NaN where they aren't known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinlab.events.rules.runs import last_valid_rows

__all__ = ["change", "corrections", "rate"]

Values = NDArray[np.float64]


def change(now: Values, times: NDArray[np.int64], duration_ns: int, corrected: Values | None = None) -> Values:
    """Return what a value is minus what it was a duration ago; ``corrected`` is what `corrections` returns, of a counter.

    >>> change(np.array([[1.0], [4.0]]), np.array([0, 60]), 60).ravel().tolist()
    [nan, 3.0]
    """
    rows = np.searchsorted(times, times - duration_ns, side="right") - 1
    before, there = (rows >= 0)[:, None], np.maximum(rows, 0)
    found = now - np.where(before, now[there], np.nan)
    if corrected is None:
        return found
    total = np.cumsum(corrected, axis=0)
    return found + (total - np.where(before, total[there], 0.0))


def rate(own: Values, times: NDArray[np.int64], valid_ns: int, corrected: Values | None = None) -> Values:
    """Return the change per second between the last two good observations, while the last one is valid.

    Parameters
    ----------
    own : float64 array (time, asset)
        NaN in cells without an observation.
    times : int64 array (time)
        Nanoseconds.
    valid_ns : int
        For how long an observation is valid.
    corrected : float64 array (time, asset), optional
        What `corrections` returns, of a counter.
    """
    last = last_valid_rows(~np.isnan(own))
    before = np.full_like(last, -1)
    before[1:] = last[:-1]
    there = np.maximum(before, 0)
    passed = times[:, None] - times[there]
    rise = own - np.take_along_axis(own, there, axis=0)
    if corrected is not None:
        rise += corrected
    with np.errstate(all="ignore"):
        found = np.where((before >= 0) & (passed < valid_ns), rise / (passed / 1e9), np.nan)
    kept = np.maximum(last, 0)
    valid = (last >= 0) & (times[:, None] - times[kept] < valid_ns)
    return np.where(valid, np.take_along_axis(found, kept, axis=0), np.nan)


def corrections(own: Values, wraps_at: float | None) -> Values:
    """Return what must be added to the change since the observation before, 0 unless a counter began again.

    As in the history's ``_increase``: a wrap by the shorter way round counts on; a reading of at most half the one before is a
    new start from 0; any other fall is a wrong reading.
    """
    last = last_valid_rows(~np.isnan(own))
    before = np.full_like(last, -1)
    before[1:] = last[:-1]
    earlier = np.where(before >= 0, np.take_along_axis(own, np.maximum(before, 0), axis=0), np.nan)
    wrap = wraps_at or 0.0
    with np.errstate(invalid="ignore"):
        rise = own - earlier
        wrapped = (rise < 0) & (rise + wrap > 0) & (2 * (rise + wrap) < wrap)
        again = (rise < 0) & ~wrapped & (own >= 0) & (2 * own <= earlier)
    return np.where(wrapped, wrap, np.where(again, earlier, 0.0))
