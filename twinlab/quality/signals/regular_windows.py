# ruff: noqa: FBT001, FURB136, PLR0917 (numba compiles positional arguments only; `max` would keep a missing value)
"""Numba kernels of the attenuated signal test at a regular cadence: lanes of values side by side, compiled to vectors.

A lane is a part of a series; a short table has one lane a series, a long series many. The range of a window is that of the
end of one block of its length and the beginning of the next (van Herk, Pattern Recognition Letters 13 (1992) 517-521,
Gil and Werman, IEEE Trans. PAMI 15 (1993) 504-507); variances are sums of distances that go on from value to value.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit

__all__ = ["variation_of_rows"]

PASS: Final = 1
NOT_EVALUATED: Final = 2
SUSPECT: Final = 3
FAIL: Final = 4
MISSING: Final = 9
#: A flag that rounding could change: the window is judged again.
IN_DOUBT: Final = 0

_LANES: Final = 32
#: Rows between two new starts of the sums, if a window isn't longer.
_ROWS: Final = 128
#: Rounding of a double, with a margin.
_ROUNDING: Final = 1e-15

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]


@njit(nogil=True, error_model="numpy")
def _load(values: Floats, series: Integers, first: Integers, row: int, wide: bool, buffer: Floats) -> None:
    """Copy rows from ``row`` on of each lane; NaN beyond the ends. ``wide``: the lanes are series side by side."""
    size, rows = values.shape[0], buffer.shape[0]
    if wide:
        start, column = first[0] + row, series[0]
        count = min(_LANES, values.shape[1] - column)
        for p in range(rows):
            inside = 0 <= start + p < size
            for k in range(_LANES):
                buffer[p, k] = values[start + p, column + k] if inside and k < count else np.nan
        return
    for k in range(_LANES):
        start, column = first[k] + row, series[k]
        low = min(max(-start, 0), rows)
        high = max(min(size - start, rows), low)
        buffer[:low, k] = np.nan
        for p in range(low, high):
            buffer[p, k] = values[start + p, column]
        buffer[high:, k] = np.nan


@njit(nogil=True, error_model="numpy")
def _store(
    flags: Integers, series: Integers, first: Integers, row: int, stop: Integers, count: int, wide: bool, out: Flags
) -> None:
    """Copy the flags of rows from ``row`` on of each lane, up to its end."""
    if wide:
        start, column = first[0] + row, series[0]
        for p in range(min(flags.shape[0], stop[0] - start)):
            for k in range(count):
                out[start + p, column + k] = flags[p, k]
        return
    for k in range(count):
        start, column = first[k] + row, series[k]
        for p in range(min(flags.shape[0], stop[k] - start)):
            out[start + p, column] = flags[p, k]


@njit(nogil=True, error_model="numpy")
def _ranges(
    buffer: Floats, ends: Floats, run: Floats, least: int, suspect: float, fail: float, flags: Integers
) -> None:
    """Judge a block as long as a window; ``ends[:, p]`` is the highest, lowest and number of values of the one before from row p."""
    window = buffer.shape[0]
    run[0], run[1], run[2] = -np.inf, np.inf, 0.0
    for p in range(window):
        for k in range(_LANES):
            v = buffer[p, k]
            known = v == v  # noqa: PLR0124  (NaN differs from itself)
            high = v if v > run[0, k] else run[0, k]
            low = v if v < run[1, k] else run[1, k]
            n = run[2, k] + (1.0 if known else 0.0)
            run[0, k], run[1, k], run[2, k] = high, low, n
            high = ends[0, p + 1, k] if ends[0, p + 1, k] > high else high
            low = ends[1, p + 1, k] if ends[1, p + 1, k] < low else low
            spread = high - low
            flag = SUSPECT if spread < suspect else PASS
            flag = FAIL if spread < fail else flag
            flag = NOT_EVALUATED if n + ends[2, p + 1, k] < least else flag
            flags[p, k] = flag if known else MISSING
    run[0], run[1], run[2] = -np.inf, np.inf, 0.0
    for q in range(window):
        p = window - 1 - q
        for k in range(_LANES):
            v = buffer[p, k]
            run[0, k] = v if v > run[0, k] else run[0, k]
            run[1, k] = v if v < run[1, k] else run[1, k]
            run[2, k] += 1.0 if v == v else 0.0  # noqa: PLR0124
            ends[0, p, k], ends[1, p, k], ends[2, p, k] = run[0, k], run[1, k], run[2, k]


@njit(nogil=True, error_model="numpy")
def _variances(
    buffer: Floats, window: int, centre: Floats, run: Floats, least: int, suspect: float, fail: float, flags: Integers
) -> int:
    """Judge the rows after the first ``window``, by squared limits; return how many flags are in doubt."""
    doubts = 0
    rounding = _ROUNDING * buffer.shape[0]
    run[:] = 0.0
    for p in range(window):
        for k in range(_LANES):
            v = buffer[p, k]
            distance = v - centre[k] if v == v else 0.0  # noqa: PLR0124
            run[0, k] += distance
            run[1, k] += distance * distance
            run[2, k] += 1.0 if v == v else 0.0  # noqa: PLR0124
    for k in range(_LANES):
        run[3, k] = run[1, k]
    for p in range(flags.shape[0]):
        for k in range(_LANES):
            v, u = buffer[window + p, k], buffer[p, k]
            known, left = v == v, u == u  # noqa: PLR0124
            distance = v - centre[k] if known else 0.0
            gone = u - centre[k] if left else 0.0
            total = run[0, k] + (distance - gone)
            squares = run[1, k] + (distance * distance - gone * gone)
            n = run[2, k] + ((1.0 if known else 0.0) - (1.0 if left else 0.0))
            largest = squares if squares > run[3, k] else run[3, k]
            run[0, k], run[1, k], run[2, k], run[3, k] = total, squares, n, largest
            # Variance, limits and what rounding may have changed, all times n squared: no division.
            variance, some, worst = squares * n - total * total, suspect * n * n, fail * n * n
            error = rounding * largest * n
            flag = SUSPECT if variance < some else PASS
            # No variance is below 0, however it is rounded.
            flag = FAIL if (variance < worst) & (fail > 0.0) else flag
            sure = (abs(variance - some) > error) & ((abs(variance - worst) > error) | (fail == 0.0))
            flag = flag if sure else IN_DOUBT
            flag = NOT_EVALUATED if n < least else flag
            flag = flag if known else MISSING
            doubts += 1 if flag == IN_DOUBT else 0
            flags[p, k] = flag
    return doubts


@njit(nogil=True, error_model="numpy")
def _judge_again(buffer: Floats, window: int, suspect: float, fail: float, flags: Integers) -> None:
    """Decide the flags in doubt by distances from the window's last value."""
    for p in range(flags.shape[0]):
        for k in range(_LANES):
            if flags[p, k] != IN_DOUBT:
                continue
            total = squares = n = 0.0
            for q in range(p + 1, p + window + 1):
                if not np.isnan(buffer[q, k]):
                    distance = buffer[q, k] - buffer[p + window, k]
                    total += distance
                    squares += distance * distance
                    n += 1.0
            variance = max(squares - total * total / n, 0.0) / n
            flag = SUSPECT if variance < suspect else PASS
            flags[p, k] = FAIL if variance < fail else flag


@njit(cache=True, nogil=True, error_model="numpy")
def variation_of_rows(
    values: Floats, window: int, least: int, suspect: float, fail: float, ranges: bool, out: Flags
) -> None:
    """Judge the range, or the standard deviation, of the last ``window`` rows by lower limits.

    Parameters
    ----------
    values : float64 [time, series]
        NaN is missing.
    window, least : int
        Rows of a window; smallest number of values in it.
    suspect, fail : float
        A variation below is suspect, and fails.
    ranges : bool
        Range instead of standard deviation.
    out : uint8 [time, series]
    """
    size, count = values.shape
    parts = max(1, _LANES // max(count, 1))
    length = -(-size // parts)
    wide = parts == 1
    rows = window if ranges else max(window, _ROWS)
    series, first, stop = np.zeros(_LANES, np.int64), np.zeros(_LANES, np.int64), np.zeros(_LANES, np.int64)
    buffer = np.empty((rows if ranges else window + rows, _LANES))
    ends = np.empty((3, window + 1 if ranges else 0, _LANES))
    run, centre, flags = np.empty((4, _LANES)), np.empty(_LANES), np.empty((rows, _LANES), np.int64)
    for start in range(0, count * parts, _LANES):
        for k in range(_LANES):
            lane = min(start + k, count * parts - 1)
            series[k], first[k] = lane // parts, lane % parts * length
            stop[k] = min(first[k] + length, size)
        lanes = min(_LANES, count * parts - start)
        if ranges:
            ends[0], ends[1], ends[2] = -np.inf, np.inf, 0.0
            _load(values, series, first, -window, wide, buffer)
            _ranges(buffer, ends, run, least, suspect, fail, flags)
        for row in range(0, length, rows):
            if ranges:
                _load(values, series, first, row, wide, buffer)
                _ranges(buffer, ends, run, least, suspect, fail, flags)
            else:
                _load(values, series, first, row - window, wide, buffer)
                for k in range(_LANES):
                    centre[k] = 0.0
                    for p in range(window, window + rows):
                        if abs(buffer[p, k]) < np.inf:
                            centre[k] = buffer[p, k]
                            break
                if _variances(buffer, window, centre, run, least, suspect * suspect, fail * fail, flags) > 0:
                    _judge_again(buffer, window, suspect * suspect, fail * fail, flags)
            _store(flags, series, first, row, stop, lanes, wide, out)
