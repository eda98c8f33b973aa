# ruff: noqa: PLR0917 (numba compiles positional arguments only)
"""Numba kernels of single tests for a few long series: the state of a series stays in registers.

`twinlab.quality.kernels.judge` gives the same flags; it is made for many series side by side, as a history has them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit

__all__ = ["rates_of_few", "spikes_of_few"]

PASS: Final = np.uint8(1)
NOT_EVALUATED: Final = np.uint8(2)
SUSPECT: Final = np.uint8(3)
FAIL: Final = np.uint8(4)
MISSING: Final = np.uint8(9)
_LONG_AGO: Final = -(2**62)
#: Values that are judged together if none of them is missing.
_BLOCK: Final = 128

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]


@njit(nogil=True, error_model="numpy")
def _rates_one_by_one(
    line: Floats, times: Integers, start: int, stop: int, last: int, suspect: float, fail: float, reach: int, out: Flags
) -> int:
    """Judge the values of one series from ``start`` on by the one before, of row ``last`` (-1 for none); return the last row."""
    for i in range(start, stop):
        v = line[i]
        if not abs(v) < np.inf:
            out[i] = MISSING if np.isnan(v) else FAIL
            continue
        out[i] = NOT_EVALUATED
        if last >= 0 and times[i] - times[last] <= reach:
            step, seconds = abs(v - line[last]), (times[i] - times[last]) / 1e9
            flag = SUSPECT if step > suspect * seconds else PASS
            out[i] = FAIL if step > fail * seconds else flag
        last = i
    return last


@njit(cache=True, nogil=True, error_model="numpy")
def rates_of_few(values: Floats, times: Integers, suspect: float, fail: float, reach: int, out: Flags) -> None:
    """Rate of change of each series ``[series, time]``; limits are units a second, ``reach`` is ns."""
    size = values.shape[1]
    for j in range(values.shape[0]):
        line, flags = values[j], out[j]
        last = _rates_one_by_one(line, times, 0, min(1, size), -1, suspect, fail, reach, flags)
        for start in range(1, size, _BLOCK):
            stop = min(start + _BLOCK, size)
            known = last == start - 1
            # Compiled to vectors: no step of a loop depends on the one before.
            here, before = line[start:stop], line[start - 1 : stop - 1]
            now, then, found = times[start:stop], times[start - 1 : stop - 1], flags[start:stop]
            finite = 0
            for i in range(here.size):
                finite += abs(here[i]) < np.inf
            if not known or finite < here.size:
                last = _rates_one_by_one(line, times, start, stop, last, suspect, fail, reach, flags)
                continue
            for i in range(here.size):
                step, lag = abs(here[i] - before[i]), now[i] - then[i]
                seconds = lag / 1e9
                flag = SUSPECT if step > suspect * seconds else PASS
                flag = FAIL if step > fail * seconds else flag
                found[i] = flag if lag <= reach else NOT_EVALUATED
            last = stop - 1


@njit(cache=True, nogil=True, error_model="numpy")
def spikes_of_few(values: Floats, times: Integers, suspect: float, fail: float, reach: int, out: Flags) -> None:
    """Height above the line between the neighbours, of each series ``[series, time]``; ``reach`` is ns."""
    for j in range(values.shape[0]):
        before = here = 0.0
        before_t = here_t = _LONG_AGO
        row = -1
        for i in range(values.shape[1]):
            v, now = values[j, i], times[i]
            if not abs(v) < np.inf:
                out[j, i] = MISSING if np.isnan(v) else FAIL
                continue
            out[j, i] = NOT_EVALUATED
            lag_before, lag = here_t - before_t, now - here_t
            if row >= 0 and lag_before <= reach and lag <= reach:
                if lag_before == lag:
                    expected = (before + v) / 2.0
                else:
                    expected = before + (v - before) * lag_before / (lag_before + lag)
                size = abs(here - expected)
                flag = SUSPECT if size > suspect else PASS
                out[j, row] = FAIL if size > fail else flag
            before, before_t = here, here_t
            here, here_t = v, now
            row = i
