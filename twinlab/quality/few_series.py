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

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True, error_model="numpy")
def rates_of_few(values: Floats, times: Integers, suspect: float, fail: float, reach: int, out: Flags) -> None:
    """Rate of change of each series ``[time, series]``; limits are units a second, ``reach`` is ns."""
    slow = 0.999999 * suspect / 1e9
    for j in range(values.shape[1]):
        last = 0.0
        seen = _LONG_AGO
        for i in range(values.shape[0]):
            v, now = values[i, j], times[i]
            if not abs(v) < np.inf:
                out[i, j] = MISSING if np.isnan(v) else FAIL
                continue
            lag = now - seen
            step = abs(v - last)
            flag = PASS
            # Cheap first, and a little too strict; near the limit as the other kernel computes it.
            if step > slow * lag:
                seconds = lag / 1e9
                if step > fail * seconds:
                    flag = FAIL
                elif step > suspect * seconds:
                    flag = SUSPECT
            out[i, j] = flag if lag <= reach else NOT_EVALUATED
            last, seen = v, now


@njit(cache=True, nogil=True, error_model="numpy")
def spikes_of_few(values: Floats, times: Integers, suspect: float, fail: float, reach: int, out: Flags) -> None:
    """Height above the line between the neighbours, of each series ``[time, series]``; ``reach`` is ns."""
    for j in range(values.shape[1]):
        before = here = 0.0
        before_t = here_t = _LONG_AGO
        row = -1
        for i in range(values.shape[0]):
            v, now = values[i, j], times[i]
            if not abs(v) < np.inf:
                out[i, j] = MISSING if np.isnan(v) else FAIL
                continue
            out[i, j] = NOT_EVALUATED
            lag_before, lag = here_t - before_t, now - here_t
            if row >= 0 and lag_before <= reach and lag <= reach:
                if lag_before == lag:
                    expected = (before + v) / 2.0
                else:
                    expected = before + (v - before) * lag_before / (lag_before + lag)
                size = abs(here - expected)
                flag = SUSPECT if size > suspect else PASS
                out[row, j] = FAIL if size > fail else flag
            before, before_t = here, here_t
            here, here_t = v, now
            row = i
