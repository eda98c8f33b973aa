"""Transient readings of counters: a zero or a spike after which the counter goes on where it was.

A reading that repeats once or more (a zero while the meter starts, a stale value) and is below both the reading before
and the one after is a transient dip; a single reading above both is a transient spike. Three rules distinguish them
from a reset, a wrap and a jump:

1. the counter goes on: the reading after is at least the reading before;
2. that is the smaller change: the counter rose across the transient by at most half of the transient's own size;
3. a fall that is a wrap by the shorter way round (RFC 1982) isn't transient, unless the rise after it is none.

A reset stays below what it was for longer, or begins to count from zero: neither is transient. Which readings are
transient depends only on those within the reach, so that it doesn't depend on the order of arrival.
"""

# ruff: noqa: PLR0917 (numba compiles positional arguments only)

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit

__all__ = ["transients"]

#: How far around a fall readings are looked at: further than a transient and what it is compared with.
_REACHES: Final = 4

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@njit(inline="always")
def _goes_on(before: float, within: float, after: float, slack: float) -> bool:
    """Whether a counter went on after a reading out of line."""
    size = min(abs(before - within), abs(after - within))
    return after >= before - slack and size > slack and 2.0 * (after - before) <= size + slack


@njit(inline="always")
def _wraps(high: float, low: float, wraps_at: float) -> bool:
    """Whether the fall from ``high`` to ``low`` is a wrap by the shorter way round."""
    return 0.0 < low - high + wraps_at < wraps_at / 2.0


@njit(cache=True, nogil=True, error_model="numpy")
def _spikes(v: Floats, t: Integers, count: int, slack: float, wraps_at: float, reach: int, found: Bools) -> None:
    for i in range(1, count - 1):
        before, after = v[i - 1], v[i + 1]
        # After a zero, a spike can't be told from the first reading of a counter that is reset again.
        if before > slack and v[i] > after and t[i + 1] - t[i - 1] <= reach and _goes_on(before, v[i], after, slack):
            found[i] = not _wraps(v[i], after, wraps_at)


@njit(cache=True, nogil=True, error_model="numpy")
def _dips(v: Floats, t: Integers, count: int, slack: float, wraps_at: float, reach: int, found: Bools) -> None:
    i = 1
    while i < count:
        j = i
        while j + 1 < count and abs(v[j + 1] - v[i]) <= slack:
            j += 1
        if j + 1 < count and v[i] < v[i - 1] - slack and t[j + 1] - t[i - 1] <= reach:
            before, after = v[i - 1], v[j + 1]
            counted = _wraps(before, v[i], wraps_at) and after - v[i] < wraps_at / 2.0
            if _goes_on(before, v[i], after, slack) and not counted:
                found[i : j + 1] = True
        i = j + 1


@njit(cache=True, nogil=True, error_model="numpy")
def transients(
    values: Floats, times: Integers, present: Bools, slack: float, wraps_at: float, reach: int, out: Bools
) -> None:
    """Mark transient readings.

    Parameters
    ----------
    values : float64 [time, asset]
    times : int64 [time]
        Strictly rising, ns.
    present : bool [time, asset]
        Whether the cell has a settled reading that the sensor can report; others are ignored.
    slack : float
        Readings that differ by no more are equal.
    wraps_at : float
        Value at which the counter starts again from zero; 0 if it doesn't.
    reach : int
        Longest time from the reading before a transient to the one after, ns.
    out : bool [time, asset]
        Changed in place.
    """
    rows, assets = values.shape
    # No reading is out of line without a fall before or after it: only the rows around falls are looked at again.
    last = np.full(assets, -np.inf)
    first_fall, last_fall = np.full(assets, rows, np.int64), np.full(assets, -1, np.int64)
    for r in range(rows):
        for a in range(assets):
            value = values[r, a] if present[r, a] else last[a]
            fell = value < last[a]
            first_fall[a] = min(first_fall[a], r) if fell else first_fall[a]
            last_fall[a] = r if fell else last_fall[a]
            last[a] = value
    v, t = np.empty(rows), np.empty(rows, np.int64)
    place = np.empty(rows, np.int64)
    for a in range(assets):
        if last_fall[a] < 0:
            continue
        low = np.searchsorted(times, times[first_fall[a]] - _REACHES * reach)
        high = np.searchsorted(times, times[last_fall[a]] + _REACHES * reach, side="right")
        # Spikes first: between two of them, good readings would look like a dip.
        for kind in range(2):
            count = 0
            for r in range(low, high):
                if present[r, a] and not out[r, a]:
                    v[count], t[count], place[count] = values[r, a], times[r], r
                    count += 1
            found = np.zeros(count, np.bool_)
            if kind == 0:
                _spikes(v, t, count, slack, wraps_at, reach, found)
            else:
                _dips(v, t, count, slack, wraps_at, reach, found)
            for i in range(count):
                if found[i]:
                    out[place[i], a] = True
