# ruff: noqa: FBT001, PLR0917 (numba compiles positional arguments only)
"""Numba kernels that compare two signals over windows of time, one pass each; NaN is missing."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit
from twinlab.quality.related.kernels import graded

__all__ = ["out_of_balance", "reports_of", "require_state", "wrong_trend"]

PASS: Final = np.uint8(1)
NOT_EVALUATED: Final = np.uint8(2)
SUSPECT: Final = np.uint8(3)
MISSING: Final = np.uint8(9)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]
Bytes = npt.NDArray[np.uint8]


@njit(nogil=True, error_model="numpy")
def _balance(
    line: Floats,
    counter: Floats,
    times: Integers,
    rates: bool,
    over: int,
    within: int,
    suspect: float,
    fail: float,
    sums: Floats,
    out: Flags,
) -> None:
    """Compare what one series adds up to in a window with what its counter counts; see `out_of_balance`."""
    start = last = both = probe = -1
    total = 0.0
    for i in range(line.size):
        v = line[i]
        if np.isnan(v):
            out[i] = MISSING
            continue
        if last >= 0:
            total += (line[last] + v) / 2.0 * ((times[i] - times[last]) / 1e9) if rates else v
        last = i
        sums[i] = total
        out[i] = NOT_EVALUATED
        if np.isnan(counter[i]):
            continue
        if both < 0 or times[i] - times[both] > within or counter[i] < counter[both]:
            start, probe = -1, i
        both = i
        # The latest row that is `over` or more before this one.
        while times[probe] <= times[i] - over:
            if not np.isnan(line[probe]) and not np.isnan(counter[probe]):
                start = probe
            probe += 1
        if start >= 0:
            size = abs(total - sums[start] - (counter[i] - counter[start]))
            scale = (times[i] - times[start]) / 1e9 if rates else 1.0
            out[i] = graded(size, suspect * scale, fail * scale)


@njit(cache=True, nogil=True, error_model="numpy")
def out_of_balance(
    values: Floats,
    counters: Floats,
    factor: float,
    times: Integers,
    rates: bool,
    over: int,
    within: int,
    suspect: float,
    fail: float,
    out: Flags,
) -> None:
    """Compare a rate, or an increase, with the counter that it belongs to, over windows.

    Parameters
    ----------
    values : float64 [time, series]
        Units of the counter times ``factor`` a second, or since the value before.
    counters : float64 [time, series]
    factor : float
    times : int64 [time]
        Rising, ns.
    rates : bool
        Rates instead of increases.
    over, within : int
        Length of a window; largest distance of two rows that have both values; ns.
    suspect, fail : float
        Distances of the mean rate, or of the sum of the increases.
    out : uint8 [time, series]
    """
    size, series = values.shape
    width = min(32, series)
    lines = np.empty((width, size))
    counted = np.empty((width, size))
    flags = np.empty((width, size), np.uint8)
    sums = np.empty(size)
    for start in range(0, series, width):
        count = min(width, series - start)
        for i in range(size):
            for k in range(count):
                lines[k, i] = values[i, start + k]
                counted[k, i] = factor * counters[i, start + k]
        for k in range(count):
            _balance(lines[k], counted[k], times, rates, over, within, suspect, fail, sums, flags[k])
        for i in range(size):
            for k in range(count):
                out[i, start + k] = flags[k, i]


@njit(nogil=True, error_model="numpy")
def _is_one_of(code: float, codes: Floats) -> bool:
    for k in range(codes.size):  # noqa: SIM110  (numba compiles no generators)
        if code == codes[k]:
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def reports_of(states: Floats, codes: Floats, out: Bytes) -> None:
    """Write what each state ``[time, series]`` reports: 0 nothing (NaN), 1 one of the codes, 2 another one."""
    for i in range(states.shape[0]):
        for j in range(states.shape[1]):
            met = 1 if _is_one_of(states[i, j], codes) else 2
            out[i, j] = 0 if np.isnan(states[i, j]) else met


@njit(cache=True, nogil=True, error_model="numpy")
def require_state(reports: Bytes, times: Integers, held: int, met: Bytes) -> None:
    """Clear ``met`` where a condition isn't met.

    Parameters
    ----------
    reports : uint8 [time, series]
        As `reports_of` writes them; a state is valid until the next one is reported.
    times : int64 [time]
        Rising, ns.
    held : int
        How long a state is valid, ns.
    met : uint8 [time, series]
        1 or 0; changed in place.
    """
    series = reports.shape[1]
    # The time until which the latest state is valid, if it is one of the codes.
    until = np.full(series, -(2**62), np.int64)
    for i in range(reports.shape[0]):
        now = times[i]
        for j in range(series):
            report = reports[i, j]
            until[j] = now + held if report == 1 else until[j]
            until[j] = -(2**62) if report == 2 else until[j]
            met[i, j] = met[i, j] if now <= until[j] else 0


@njit(cache=True, nogil=True, error_model="numpy")
def wrong_trend(
    values: Floats,
    met: Bytes,
    times: Integers,
    lasting: int,
    within: int,
    margin: float,
    sign: float,
    out: Flags,
) -> None:
    """Mark values that moved the wrong way while conditions were met.

    Parameters
    ----------
    values : float64 [time, series]
    met : uint8 [time, series]
        Whether all conditions are met, 1 or 0.
    times : int64 [time]
        Rising, ns.
    lasting, within : int
        How long the conditions are met before a value is judged by the one so long before; how much older that one may
        be; ns.
    margin : float
        Largest change in the wrong direction.
    sign : float
        1 if the value must not rise, -1 if it must not fall.
    out : uint8 [time, series]
    """
    size, series = values.shape
    met_since = np.full(series, -1, np.int64)
    # The latest row with a value that is `lasting` or more before the present one, and the row after those looked at.
    start = np.full(series, -1, np.int64)
    probe = np.zeros(series, np.int64)
    for i in range(size):
        now = times[i]
        for j in range(series):
            v = values[i, j]
            out[i, j] = MISSING if np.isnan(v) else NOT_EVALUATED
            if met[i, j] == 0:
                met_since[j] = -1
                continue
            if met_since[j] < 0:
                met_since[j], start[j], probe[j] = i, -1, i
            while times[probe[j]] <= now - lasting:
                if not np.isnan(values[probe[j], j]):
                    start[j] = probe[j]
                probe[j] += 1
            if not np.isnan(v) and start[j] >= 0 and now - times[start[j]] <= lasting + within:
                out[i, j] = SUSPECT if sign * (v - values[start[j], j]) > margin else PASS
