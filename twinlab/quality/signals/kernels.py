"""Numba kernels of the tests of one signal: tables ``[time, series]``, NaN for missing, one pass each."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["outside_spans"]

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
def outside_spans(values: Floats, rows: npt.NDArray[np.int32], spans: Floats, out: Flags) -> None:
    """Judge each value by the spans of its row.

    Parameters
    ----------
    values : float64 [time, series]
    rows : int32 [time]
        Row of ``spans`` for each time.
    spans : float64 [row, 4]
        Lowest and highest value that doesn't fail, and that isn't suspect; NaN: not evaluated.
    out : uint8 [time, series]
    """
    for i in range(values.shape[0]):
        fail_low, fail_high, low, high = spans[rows[i], 0], spans[rows[i], 1], spans[rows[i], 2], spans[rows[i], 3]
        known = PASS if low == low else NOT_EVALUATED  # noqa: PLR0124  (NaN differs from itself)
        for j in range(values.shape[1]):
            v = values[i, j]
            flag = known
            if v < low or v > high:
                flag = SUSPECT
            if v < fail_low or v > fail_high:
                flag = FAIL
            out[i, j] = MISSING if np.isnan(v) else flag
