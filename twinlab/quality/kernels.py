# ruff: noqa: PLR0917 (numba compiles positional arguments only)
"""Numba kernels of the quality tests: one pass over ``[time, asset]``, whatever tests are switched on.

All state is per asset and is carried forward along time, so each kernel reads its input once and in storage order. A
value that fails the gross range test, and a transient zero or spike of a counter, is ignored by the other tests: they
would flag its good neighbours.

References
----------
.. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1:
   tests 4 (gross range), 6 (spike), 7 (rate of change) and 8 (flat line).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit
from twinlab.quality.transients import transients

__all__ = ["LARGEST", "NEVER", "Limits", "gap_runs", "judge", "judge_line", "judge_plain", "shortest_and_longest"]

# Plain integers: constants of the machine code; an IntEnum would cost a look-up per cell.
PASS: Final = np.uint8(1)
NOT_EVALUATED: Final = np.uint8(2)
SUSPECT: Final = np.uint8(3)
FAIL: Final = np.uint8(4)
MISSING: Final = np.uint8(9)

#: A duration in nanoseconds longer than any series: the test is off.
NEVER: Final = 2**62
LARGEST: Final = float(np.finfo(np.float64).max)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.bool_]


class Limits(NamedTuple):
    """What the kernels test against; the defaults switch every test off.

    Values, thresholds and ``slack`` share the signal's unit; durations are nanoseconds; rates are units per second.
    """

    # Flag of a value before any other test: PASS, since it isn't missing.
    present: int = 2
    range_on: bool = False
    # Infinity is outside every span: no sensor reports it.
    fail_low: float = -LARGEST
    fail_high: float = LARGEST
    suspect_low: float = -LARGEST
    suspect_high: float = LARGEST
    spike_on: bool = False
    spike_suspect: float = np.inf
    spike_fail: float = np.inf
    spike_reach: int = 0
    rate_on: bool = False
    rate_suspect: float = np.inf
    rate_fail: float = np.inf
    rate_reach: int = 0
    flat_on: bool = False
    flat_after: int = NEVER
    flat_reach: int = 0
    counter_on: bool = False
    # Longest time from the reading before a transient zero or spike of a counter to the one after it.
    transient_reach: int = 0
    # Value at which a counter starts again from zero; 0 if it doesn't.
    wraps_at: float = 0.0
    states_on: bool = False
    # A gap between two reports that are no further apart isn't missing: no value was expected.
    heartbeat: int = 0
    # A threshold is exceeded only by more than this, so that float rounding has no effect.
    slack: float = 0.0


@njit(inline="always")
def _worse(old: np.uint8, new: np.uint8) -> np.uint8:
    """Return the worse flag: of pass, suspect and fail the larger number; any of them instead of not evaluated."""
    return new if old == NOT_EVALUATED or new > old else old


@njit(inline="always")
def _graded(size: float, suspect: float, fail: float) -> np.uint8:
    if size > fail:
        return FAIL
    return SUSPECT if size > suspect else PASS


@njit(inline="always")
def _range_flag(v: float, j: int, spans: Floats | None, limits: Limits, codes: Codes) -> np.uint8:
    if limits.states_on:
        # The comparison comes first: casting a huge float to an integer is undefined.
        if not 0.0 <= v < codes.size or v != np.floor(v) or not codes[int(v)]:
            return FAIL
        return PASS
    fail_low, fail_high = limits.fail_low, limits.fail_high
    suspect_low, suspect_high = limits.suspect_low, limits.suspect_high
    # Compiled separately for None: with limits in registers the single-cell tests are vectorised.
    if spans is not None:
        fail_low, fail_high, suspect_low, suspect_high = spans[0, j], spans[1, j], spans[2, j], spans[3, j]
    if not fail_low - limits.slack <= v <= fail_high + limits.slack:
        return FAIL
    if not limits.range_on:
        return np.uint8(limits.present)
    if not suspect_low - limits.slack <= v <= suspect_high + limits.slack:
        return SUSPECT
    return PASS


@njit(cache=True, nogil=True, error_model="numpy")
def judge_plain(
    values: Floats,
    first: int,
    since: Integers,
    until: Integers,
    spans: Floats | None,
    limits: Limits,
    codes: Codes,
    out: Flags,
) -> None:
    """Missing, gross range and unknown state code: tests that look at one cell only.

    Arguments as in `judge`.
    """
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            v = values[first + i, j]
            if i >= until[j]:
                out[i, j] = NOT_EVALUATED
            elif np.isnan(v):
                out[i, j] = MISSING if i >= since[j] else NOT_EVALUATED
            else:
                out[i, j] = _range_flag(v, j, spans, limits, codes)


@njit(cache=True, nogil=True, error_model="numpy")
def judge_line(values: Floats, limits: Limits, codes: Codes, out: Flags) -> None:
    """Missing, gross range and unknown state code of ``values [n]``, all expected and with the same limits."""
    if limits.states_on:
        for i in range(values.size):
            v = values[i]
            out[i] = MISSING if np.isnan(v) else _range_flag(v, 0, None, limits, codes)
        return
    present = np.uint8(PASS if limits.range_on else limits.present)
    fail_low, fail_high = limits.fail_low - limits.slack, limits.fail_high + limits.slack
    # Without this test nothing is outside.
    low = limits.suspect_low - limits.slack if limits.range_on else -np.inf
    high = limits.suspect_high + limits.slack if limits.range_on else np.inf
    for i in range(values.size):
        v = values[i]
        flag = SUSPECT if v < low or v > high else present
        flag = FAIL if v < fail_low or v > fail_high else flag
        out[i] = MISSING if np.isnan(v) else flag


@njit(cache=True, nogil=True, error_model="numpy")
def shortest_and_longest(times: Integers) -> tuple[int, int]:
    """Return the shortest and the longest distance of two times that follow each other; at least two."""
    shortest = longest = times[1] - times[0]
    for i in range(times.size - 1):
        step = times[i + 1] - times[i]
        shortest = min(shortest, step)
        longest = max(longest, step)
    return shortest, longest


@njit(inline="always")
def _spike_flag(v: float, before: float, after: float, t_before: int, t_after: int, limits: Limits) -> np.uint8:
    # On the straight line between the neighbours; equal distances give QARTOD's mean exactly.
    if t_before == t_after:
        expected = (before + after) / 2.0
    else:
        expected = before + (after - before) * t_before / (t_before + t_after)
    flag: np.uint8 = _graded(abs(v - expected) - limits.slack, limits.spike_suspect, limits.spike_fail)
    return flag


@njit(inline="always")
def _counted(v: float, last: float, limits: Limits) -> tuple[float, bool]:
    """Return what a counter counted between two readings, and whether a decrease is unexplained."""
    step = v - last
    if step >= -limits.slack:
        return abs(step), False
    # Serial-number arithmetic (RFC 1982): the shorter way round is assumed.
    if 0.0 < step + limits.wraps_at < limits.wraps_at / 2.0:
        return step + limits.wraps_at, False
    # Started again from zero. A reading above half the last one is more likely a wrong reading than a reset.
    if 0.0 <= v <= last / 2.0:
        return v, False
    return abs(step), True


@njit(inline="always")
def _step_flag(v: float, last: float, lag: int, limits: Limits) -> np.uint8:
    """Rate of change, and a counter's unexplained decrease: both compare with the value before."""
    step, flag = abs(v - last), PASS
    if limits.counter_on:
        step, unexplained = _counted(v, last, limits)
        flag = SUSPECT if unexplained else PASS
    if limits.rate_on:
        seconds = lag / 1e9
        flag = max(flag, _graded(step - limits.slack, limits.rate_suspect * seconds, limits.rate_fail * seconds))
    return flag


@njit(inline="always")
def _flat_flag(
    v: float, last: float, t: int, lag: int, j: int, run_t: Integers, run_known: Codes, limits: Limits
) -> np.uint8:
    """Update the run of equal values that ``v`` belongs to (since when, and whether its beginning is known) and return its flag."""
    joined = lag <= limits.flat_reach
    if not joined or v != last:
        run_t[j] = t
        run_known[j] = joined
    if t - run_t[j] >= limits.flat_after:
        return SUSPECT
    return PASS if run_known[j] else NOT_EVALUATED


@njit(inline="always")
def _set_not_due(out: Flags, first: int, low: int, high: int, j: int) -> None:
    """Set missing cells between two rows to not evaluated: no value was expected there."""
    for k in range(max(low + 1 - first, 0), min(high - first, out.shape[0])):
        if out[k, j] == MISSING:
            out[k, j] = NOT_EVALUATED


@njit(cache=True, nogil=True, error_model="numpy")
def apply_heartbeat(values: Floats, times: Integers, first: int, until: Integers, heartbeat: int, out: Flags) -> None:
    """Turn *missing* into *not evaluated* where two reports, or the last one and ``until``, are ``heartbeat`` ns apart.

    Arguments as in `judge`. A gap whose end isn't among ``values`` counts as longer.
    """
    rows, assets = values.shape
    last = np.full(assets, -1, np.int64)
    for r in range(rows):
        for j in range(assets):
            if r - first < until[j] and not np.isnan(values[r, j]):
                if last[j] >= 0 and times[r] - times[last[j]] <= heartbeat:
                    _set_not_due(out, first, last[j], r, j)
                last[j] = r
    step = times[rows - 1] - times[rows - 2] if rows > 1 else 0
    for j in range(assets):
        end = until[j] + first
        if last[j] >= 0 and end <= rows:
            known = times[end] if end < rows else times[rows - 1] + step
            if known - times[last[j]] <= heartbeat:
                _set_not_due(out, first, last[j], end, j)


@njit(cache=True, nogil=True, error_model="numpy")
def judge(
    values: Floats,
    times: Integers,
    first: int,
    since: Integers,
    until: Integers,
    spans: Floats | None,
    limits: Limits,
    codes: Codes,
    out: Flags,
) -> None:
    """Run every test that is switched on in ``limits`` and write the aggregate into ``out``.

    Parameters
    ----------
    values : float64 [time, asset]
        Margin cells included; NaN is missing.
    times : int64 [time]
        Strictly rising, ns.
    first : int
        Row of ``values`` that ``out[0]`` judges.
    since, until : int64 [asset]
        Rows of ``out``: NaN before ``since`` isn't missing yet; nothing from ``until`` on is settled.
    spans : float64 [4, asset], optional
        ``fail_low``, ``fail_high``, ``suspect_low`` and ``suspect_high`` of each asset, instead of those of ``limits``.
    limits, codes : Limits, bool
        ``codes[c]``: whether state code ``c`` is known.
    out : uint8 [n, asset]
    """
    n, assets = out.shape
    # Two neighbours back, per asset: value and time; `row` is the row of the last one, -1 for none.
    last_v = np.zeros(assets)
    prev_v = np.zeros(assets)
    last_t = np.zeros(assets, np.int64)
    prev_t = np.full(assets, -NEVER, np.int64)
    row = np.full(assets, -1, np.int64)
    run_t = np.zeros(assets, np.int64)
    run_known = np.zeros(assets, np.bool_)
    passing = np.zeros(values.shape if limits.counter_on else (0, 0), np.bool_)
    if limits.counter_on:
        present = np.zeros(values.shape, np.bool_)
        for r in range(values.shape[0]):
            for j in range(assets):
                low = limits.fail_low if spans is None else spans[0, j]
                high = limits.fail_high if spans is None else spans[1, j]
                # A missing value is in no span.
                reported = low - limits.slack <= values[r, j] <= high + limits.slack
                present[r, j] = reported & (r - first < until[j])
        transients(values, times, present, limits.slack, limits.wraps_at, limits.transient_reach, passing)
    for r in range(values.shape[0]):
        i = r - first
        t = times[r]
        for j in range(assets):
            v = values[r, j]
            flag = NOT_EVALUATED
            if i < until[j] and np.isnan(v):
                flag = MISSING if i >= since[j] else NOT_EVALUATED
            elif i < until[j]:
                flag = FAIL if limits.counter_on and passing[r, j] else _range_flag(v, j, spans, limits, codes)
                if flag != FAIL:
                    k = row[j] - first
                    lag = t - last_t[j] if row[j] >= 0 else NEVER
                    if limits.spike_on:
                        lag_before = last_t[j] - prev_t[j]
                        if lag <= limits.spike_reach and lag_before <= limits.spike_reach and 0 <= k < n:
                            # The value before now has both neighbours.
                            new = _spike_flag(last_v[j], prev_v[j], v, lag_before, lag, limits)
                            out[k, j] = _worse(out[k, j], new)
                        prev_v[j] = last_v[j]
                        prev_t[j] = last_t[j] if row[j] >= 0 else -NEVER
                    if (limits.rate_on or limits.counter_on) and lag <= limits.rate_reach:
                        flag = _worse(flag, _step_flag(v, last_v[j], lag, limits))
                    if limits.flat_on:
                        flat = _flat_flag(v, last_v[j], t, lag, j, run_t, run_known, limits)
                        flag = flag if flat == NOT_EVALUATED else _worse(flag, flat)
                    last_v[j] = v
                    last_t[j] = t
                    row[j] = r
            if 0 <= i < n:
                out[i, j] = flag
    if limits.heartbeat > 0:
        apply_heartbeat(values, times, first, until, limits.heartbeat, out)


@njit(cache=True, nogil=True, error_model="numpy")
def gap_runs(values: Floats, times: Integers, longest: int, out: Flags) -> None:
    """Mark the cells of every gap whose duration (ns) exceeds ``longest``.

    A gap lasts from its first missing cell to the next value: ``times`` has one more entry than ``values`` has rows.
    """
    for j in range(values.shape[1]):
        start = -1
        for r in range(values.shape[0] + 1):
            missing = r < values.shape[0] and np.isnan(values[r, j])
            if missing:
                start = r if start < 0 else start
                continue
            if start >= 0:
                flag = MISSING if times[r] - times[start] > longest else NOT_EVALUATED
                for k in range(start, r):
                    out[k, j] = flag
                start = -1
            if r < values.shape[0]:
                out[r, j] = PASS
