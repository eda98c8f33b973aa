# ruff: noqa: PLR0917 (numba compiles positional arguments only)
"""Numba kernels of the tests that compare, one pass each; NaN is missing."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["far_from_peers"]

# Plain integers: constants of the machine code.
PASS: Final = np.uint8(1)
NOT_EVALUATED: Final = np.uint8(2)
SUSPECT: Final = np.uint8(3)
FAIL: Final = np.uint8(4)
MISSING: Final = np.uint8(9)

# Standard deviation of a normal distribution in units of its median absolute deviation.
_MAD_TO_SIGMA: Final = 1.482602218505602

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]


@njit(nogil=True)
def _put(line: Floats, low: int, high: int, rank: int) -> None:
    """Reorder ``line[low:high + 1]`` so that ``line[rank]`` is where sorting would put it (quickselect, Hoare)."""
    while high > low:
        pivot = line[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while line[i] < pivot:
                i += 1
            while line[j] > pivot:
                j -= 1
            if i <= j:
                line[i], line[j] = line[j], line[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            return


@njit(nogil=True, error_model="numpy")
def _middle(line: Floats, n: int) -> tuple[float, float, float]:
    """Return the values of rank (n - 2) // 2, n // 2 and, one above the first, between them, of ``line[:n]``.

    These are all that the median of n values, and that of any n - 1 of them, depend on. Reorders ``line``.
    """
    k = (n - 1) // 2
    _put(line, 0, n - 1, k)
    below, above = -np.inf, np.inf
    for i in range(k):
        below = max(below, line[i])
    for i in range(k + 1, n):
        above = min(above, line[i])
    return below, line[k], above


@njit(inline="always")
def _median_of_others(v: float, n: int, below: float, here: float, above: float) -> float:
    """Return the median of n values without one of them, ``v``; see `_middle`."""
    if n % 2:
        # An even number of others: the two in the middle once v is gone.
        if v < here:
            return (here + above) / 2.0
        if v > here:
            return (below + here) / 2.0
        return (below + above) / 2.0
    # An odd number of others: ranks k and k + 1 are in the middle of all.
    return above if v <= here else here


@njit(cache=True, nogil=True, error_model="numpy")
def far_from_peers(
    values: Floats, groups: Integers, suspect: float, fail: float, smallest: float, least: int, out: Flags
) -> None:
    """Compare each value with the median of the others of its group at the same instant.

    Parameters
    ----------
    values : float64 [instant, asset]
    groups : int64 [asset]
        Rising: assets are sorted by group.
    suspect, fail : float
        Distances from the median of the others, in robust standard deviations of the group.
    smallest : float
        Smallest standard deviation that is assumed, in the signal's unit.
    least : int
        Smallest number of others.
    out : uint8 [instant, asset]
    """
    assets = values.shape[1]
    line = np.empty(assets)
    for i in range(values.shape[0]):
        start = 0
        while start < assets:
            stop = start
            n = 0
            while stop < assets and groups[stop] == groups[start]:
                v = values[i, stop]
                if not np.isnan(v):
                    line[n] = v
                    n += 1
                stop += 1
            if n <= least:
                for j in range(start, stop):
                    out[i, j] = MISSING if np.isnan(values[i, j]) else NOT_EVALUATED
                start = stop
                continue
            below, here, above = _middle(line, n)
            centre = here if n % 2 else (here + above) / 2.0
            for k in range(n):
                line[k] = abs(line[k] - centre)
            _, near, far = _middle(line, n)
            sigma = max(_MAD_TO_SIGMA * (near if n % 2 else (near + far) / 2.0), smallest)
            for j in range(start, stop):
                v = values[i, j]
                flag = PASS
                distance = abs(v - _median_of_others(v, n, below, here, above))
                if distance > suspect * sigma:
                    flag = FAIL if distance > fail * sigma else SUSPECT
                out[i, j] = MISSING if np.isnan(v) else flag
            start = stop
