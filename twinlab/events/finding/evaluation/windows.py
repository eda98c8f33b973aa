"""Statistics of the values in a window behind each cell, at equal cost for each length of the window.

A window ends in one block of its own length and began in the block before: its statistic is that of the end of one block
and of the beginning of the next. Blocks begin at multiples of the length since 1970, so that the result doesn't depend, not
even in the last bit, on where an array begins; and nothing is subtracted, so that sums are as exact as sums of the values.
"""

# ruff: noqa: ANN001, PLR0917  (numba types arguments and takes no keywords)
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinlab._compiled import njit

__all__ = ["windowed"]

_SUM, _MIN, _MAX = 0, 1, 2


@njit(cache=True, nogil=True)
def _windows(values, block, first, kind, out, count) -> None:
    """Put the sum, least or largest value of rows ``first[t] .. t`` into ``out``, and the number of values into ``count``."""
    rows, columns = values.shape
    start = 0.0 if kind == _SUM else np.inf if kind == _MIN else -np.inf
    behind = np.empty((rows, columns))
    number = np.empty((rows, columns), np.int64)
    for t in range(rows - 1, -1, -1):
        new = t == rows - 1 or block[t] != block[t + 1]
        for a in range(columns):
            so_far = start if new else behind[t + 1, a]
            n = 0 if new else number[t + 1, a]
            v = values[t, a]
            if not np.isnan(v):
                so_far = so_far + v if kind == _SUM else min(so_far, v) if kind == _MIN else max(so_far, v)
                n += 1
            behind[t, a], number[t, a] = so_far, n
    for t in range(rows):
        new = t == 0 or block[t] != block[t - 1]
        for a in range(columns):
            so_far = start if new else out[t - 1, a]
            n = 0 if new else count[t - 1, a]
            v = values[t, a]
            if not np.isnan(v):
                so_far = so_far + v if kind == _SUM else min(so_far, v) if kind == _MIN else max(so_far, v)
                n += 1
            out[t, a], count[t, a] = so_far, n
    for t in range(rows):
        begin = first[t]
        if block[begin] == block[t]:
            continue
        for a in range(columns):
            there = behind[begin, a]
            mine = out[t, a]
            out[t, a] = there + mine if kind == _SUM else min(there, mine) if kind == _MIN else max(there, mine)
            count[t, a] += number[begin, a]


def windowed(
    values: NDArray[np.float64],
    times: NDArray[np.int64],
    duration_ns: int,
    statistic: Literal["mean", "min", "max", "sum", "count"],
) -> NDArray[np.float64]:
    """Return a statistic of the values in ``(t - duration, t]``, NaN where there is none (`count`: 0).

    Parameters
    ----------
    values : float64 array (time, asset)
        NaN where there is no value.
    times : int64 array (time)
        Nanoseconds since 1970, rising.

    >>> minutes = np.arange(4) * 60 * 10**9
    >>> windowed(np.array([[1.0], [np.nan], [3.0], [5.0]]), minutes, 2 * 60 * 10**9, "mean").ravel().tolist()
    [1.0, 1.0, 3.0, 4.0]
    """
    first = np.searchsorted(times, times - duration_ns, side="right")
    out = np.empty(values.shape)
    count = np.empty(values.shape, dtype=np.int64)
    kind = {"min": _MIN, "max": _MAX}.get(statistic, _SUM)
    _windows(np.ascontiguousarray(values), times // duration_ns, first, kind, out, count)
    if statistic == "count":
        return count.astype(float)
    if statistic == "mean":
        return out / np.where(count == 0, np.nan, count)
    return np.where(count == 0, np.nan, out)
