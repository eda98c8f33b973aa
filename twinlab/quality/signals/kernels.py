# ruff: noqa: FBT001, PLR0917 (numba compiles positional arguments only)
"""Numba kernels of the tests of one signal: tables ``[time, series]``, NaN for missing, one pass each."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit

__all__ = [
    "forbidden_changes",
    "frequent_changes",
    "irregular_intervals",
    "outside_spans",
    "sparse_periods",
    "variation_in_window",
]

# Plain integers: constants of the machine code.
PASS: Final = np.uint8(1)
NOT_EVALUATED: Final = np.uint8(2)
SUSPECT: Final = np.uint8(3)
FAIL: Final = np.uint8(4)
MISSING: Final = np.uint8(9)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True, error_model="numpy")
def outside_spans(values: Floats, edges: Integers, spans: Floats, out: Flags) -> None:
    """Judge each value by the spans of its run of rows.

    Parameters
    ----------
    values : float64 [time, series]
    edges : int64 [run + 1]
        Row at which each run begins, and the number of rows.
    spans : float64 [run, 4]
        Lowest and highest value that doesn't fail, and that isn't suspect; NaN: not evaluated.
    out : uint8 [time, series]
    """
    series = values.shape[1]
    line, flags = values.reshape(-1), out.reshape(-1)
    for run in range(spans.shape[0]):
        fail_low, fail_high, low, high = spans[run, 0], spans[run, 1], spans[run, 2], spans[run, 3]
        known = PASS if low == low else NOT_EVALUATED  # noqa: PLR0124  (NaN differs from itself)
        part = line[edges[run] * series : edges[run + 1] * series]
        judged = flags[edges[run] * series : edges[run + 1] * series]
        for i in range(part.size):
            v = part[i]
            flag = SUSPECT if v < low or v > high else known
            flag = FAIL if v < fail_low or v > fail_high else flag
            judged[i] = MISSING if np.isnan(v) else flag


@njit(nogil=True, error_model="numpy")
def _judge_window(spread: float, n: int, least: int, suspect: float, fail: float) -> np.uint8:
    if n < least:
        return NOT_EVALUATED
    if spread < fail:
        return FAIL
    return SUSPECT if spread < suspect else PASS


@njit(nogil=True, error_model="numpy")
def _ranges(
    line: Floats, times: Integers, window: int, least: int, suspect: float, fail: float, queues: Integers, out: Flags
) -> None:
    """Range of the values within ``window`` before each value of one series; two monotonic queues."""
    highs, lows = queues[0], queues[1]
    high_head = high_tail = low_head = low_tail = first = n = 0
    for i in range(line.size):
        v = line[i]
        start = times[i] - window
        while times[first] <= start:
            n -= line[first] == line[first]
            first += 1
        if np.isnan(v):
            out[i] = MISSING
            continue
        n += 1
        while high_tail > high_head and line[highs[high_tail - 1]] <= v:
            high_tail -= 1
        while low_tail > low_head and line[lows[low_tail - 1]] >= v:
            low_tail -= 1
        highs[high_tail] = lows[low_tail] = i
        high_tail += 1
        low_tail += 1
        while highs[high_head] < first:
            high_head += 1
        while lows[low_head] < first:
            low_head += 1
        out[i] = _judge_window(line[highs[high_head]] - line[lows[low_head]], n, least, suspect, fail)


@njit(nogil=True, error_model="numpy")
def _variations(
    line: Floats, times: Integers, window: int, least: int, suspect: float, fail: float, out: Flags
) -> None:
    """Variance of the values within ``window`` before each value of one series; limits are squared.

    Sums of distances from a reference value near by, which is renewed once a window, and when a value leaves whose
    distance was so large that it would leave a rounding error behind.
    """
    reference = total = squares = 0.0
    first = n = added = 0
    for i in range(line.size):
        v = line[i]
        largest = 0.0
        start = times[i] - window
        while times[first] <= start:
            gone = line[first]
            first += 1
            if not np.isnan(gone):
                distance = gone - reference
                n -= 1
                total -= distance
                squares -= distance * distance
                largest = max(largest, distance * distance)
        if np.isnan(v):
            out[i] = MISSING
            # A rounding error is removed before the next value is judged.
            added = n if largest > 0.0 else added
            continue
        distance = v - reference
        n += 1
        added += 1
        total += distance
        squares += distance * distance
        # Neither is true of infinite values that are gone, and of what they leave.
        if added >= n or not largest <= 1e8 * squares:
            reference, total, squares, added = v, 0.0, 0.0, 0
            for k in range(first, i):
                if not np.isnan(line[k]):
                    distance = line[k] - reference
                    total += distance
                    squares += distance * distance
        variance = max(squares - total * total / n, 0.0) / n
        out[i] = _judge_window(variance, n, least, suspect, fail)


@njit(cache=True, nogil=True, error_model="numpy")
def variation_in_window(
    values: Floats, times: Integers, window: int, least: int, suspect: float, fail: float, ranges: bool, out: Flags
) -> None:
    """Judge the range, or the standard deviation, of the values of the last ``window`` ns by lower limits.

    Parameters
    ----------
    values : float64 [time, series]
    times : int64 [time]
        Rising, ns.
    window : int
        The window is open at its start and closed at the value, ns.
    least : int
        Smallest number of values in a window.
    suspect, fail : float
        A variation below is suspect, and fails.
    ranges : bool
        Range instead of standard deviation.
    out : uint8 [time, series]
    """
    size, series = values.shape
    # Eight series at a time are read by cache lines and judged one by one.
    width = min(8, series)
    lines = np.empty((width, size))
    flags = np.empty((width, size), np.uint8)
    queues = np.empty((2, size if ranges else 0), np.int64)
    for start in range(0, series, width):
        count = min(width, series - start)
        for i in range(size):
            for k in range(count):
                lines[k, i] = values[i, start + k]
        for k in range(count):
            if ranges:
                _ranges(lines[k], times, window, least, suspect, fail, queues, flags[k])
            else:
                _variations(lines[k], times, window, least, suspect * suspect, fail * fail, flags[k])
        for i in range(size):
            for k in range(count):
                out[i, start + k] = flags[k, i]


@njit(cache=True, nogil=True, error_model="numpy")
def forbidden_changes(values: Floats, times: Integers, allowed: npt.NDArray[np.bool_], within: int, out: Flags) -> None:
    """Fail a state that can't follow the one before it.

    Parameters
    ----------
    values : float64 [time, series]
        State codes.
    times : int64 [time]
        Rising, ns.
    allowed : bool [code, code]
        From (row) to (column); other codes aren't evaluated.
    within : int
        Largest distance of the state before, ns.
    out : uint8 [time, series]
    """
    codes = allowed.shape[0]
    last = np.full(values.shape[1], -1, np.int64)
    seen = np.zeros(values.shape[1], np.int64)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            v = values[i, j]
            if np.isnan(v):
                out[i, j] = MISSING
                continue
            # The comparison comes first: casting a huge float to an integer is undefined.
            code = int(v) if 0.0 <= v < codes and v == np.floor(v) else -1
            if code < 0 or last[j] < 0 or times[i] - seen[j] > within:
                out[i, j] = NOT_EVALUATED
            else:
                out[i, j] = PASS if allowed[last[j], code] else FAIL
            last[j] = code
            seen[j] = times[i]


@njit(cache=True, nogil=True, error_model="numpy")
def frequent_changes(values: Floats, times: Integers, window: int, most: int, within: int, out: Flags) -> None:
    """Mark values whose series changed more than ``most`` times in the ``window`` ns up to them.

    A change counts at the later of two values that are no further apart than ``within`` ns.
    """
    series = values.shape[1]
    last = np.full(series, np.nan)
    seen = np.zeros(series, np.int64)
    # The times of the last `most + 1` changes of each series, the oldest one at `place`.
    changes = np.full((series, most + 1), -(2**62), np.int64)
    place = np.zeros(series, np.int64)
    for i in range(values.shape[0]):
        for j in range(series):
            v = values[i, j]
            if np.isnan(v):
                out[i, j] = MISSING
                continue
            known = not np.isnan(last[j]) and times[i] - seen[j] <= within
            if known and v != last[j]:
                changes[j, place[j]] = times[i]
                place[j] = place[j] + 1 if place[j] < most else 0
            many = changes[j, place[j]] > times[i] - window
            out[i, j] = SUSPECT if many else (PASS if known else NOT_EVALUATED)
            last[j] = v
            seen[j] = times[i]


@njit(cache=True, nogil=True, error_model="numpy")
def sparse_periods(
    values: Floats, times: Integers, periods: Integers, step: int, period: int, share: float, out: Flags
) -> None:
    """Mark the values of periods that have fewer than a share of the expected values.

    Parameters
    ----------
    values : float64 [time, series]
    times : int64 [time]
        Rising, ns.
    periods : int64 [time]
        Time, on the scale of ``times``, at which the period of each time begins; rising.
    step, period : int
        Distance of two expected values; length of a period; ns.
    share : float
    out : uint8 [time, series]
    """
    size, series = values.shape
    counts = np.zeros(series, np.int64)
    start = 0
    while start < size:
        stop = start
        counts[:] = 0
        while stop < size and periods[stop] == periods[start]:
            for j in range(series):
                counts[j] += not np.isnan(values[stop, j])
            stop += 1
        whole = start > 0 or times[0] - periods[0] < step
        for j in range(series):
            flag = PASS if counts[j] * step >= share * period else SUSPECT
            # Not over for a series that hasn't said anything since.
            later = stop
            while later < size and periods[later] - periods[start] <= period and np.isnan(values[later, j]):
                later += 1
            if not whole or later == size or periods[later] - periods[start] > period:
                flag = NOT_EVALUATED
            for i in range(start, stop):
                out[i, j] = MISSING if np.isnan(values[i, j]) else flag
        start = stop


@njit(cache=True, nogil=True, error_model="numpy")
def irregular_intervals(values: Floats, times: Integers, shortest: int, longest: int, gap: int, out: Flags) -> None:
    """Mark values whose distance from the one before isn't between ``shortest`` and ``longest`` ns.

    Distances above ``gap`` ns aren't evaluated; ``times`` may repeat.
    """
    seen = np.full(values.shape[1], -(2**62), np.int64)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            if np.isnan(values[i, j]):
                out[i, j] = MISSING
                continue
            lag = times[i] - seen[j]
            out[i, j] = PASS if shortest <= lag <= longest else SUSPECT
            if lag > gap:
                out[i, j] = NOT_EVALUATED
            seen[j] = times[i]
