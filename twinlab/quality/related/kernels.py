# ruff: noqa: PLR0917 (numba compiles positional arguments only)
"""Numba kernels of the tests that compare, one pass each; NaN is missing."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit

__all__ = [
    "far_from_expected",
    "far_from_peers",
    "graded",
    "median_near",
    "outside_conditional_spans",
    "positions",
]

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


@njit(nogil=True, error_model="numpy")
def _middle_within(line: Floats, n: int, low: float, high: float, band: Floats) -> tuple[float, float, float]:
    """Return what `_middle` does, faster if the ranks are those of values from ``low`` to ``high``; keeps ``line``."""
    under = m = 0
    for i in range(n):
        v = line[i]
        band[m] = v
        m += low <= v <= high
        under += v < low
    k = (n - 1) // 2 - under
    if k < 1 or k + 1 >= m:
        band[:n] = line[:n]
        found: tuple[float, float, float] = _middle(band, n)
        return found
    _put(band, 0, m - 1, k)
    below, above = -np.inf, np.inf
    for i in range(k):
        below = max(below, band[i])
    for i in range(k + 1, m):
        above = min(above, band[i])
    return below, band[k], above


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


@njit(nogil=True, error_model="numpy")
def median_near(line: Floats, n: int, low: float, high: float, band: Floats) -> float:
    """Return the median of ``line[:n]``, n >= 3, faster if it is between ``low`` and ``high``; ``band`` has a place more."""
    _, here, above = _middle_within(line, n, low, high, band)
    return float(here if n % 2 else (here + above) / 2.0)


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
    band = np.empty(assets + 1)
    # Median and deviation of each group at the instant before (by the group's first asset): a guess where the next are.
    centres = np.full(assets, np.nan)
    spreads = np.full(assets, np.nan)
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
            width = 0.2 * spreads[start] + 1e-9
            below, here, above = _middle_within(line, n, centres[start] - width, centres[start] + width, band)
            centre = here if n % 2 else (here + above) / 2.0
            for k in range(n):
                line[k] = abs(line[k] - centre)
            _, near, far = _middle_within(line, n, 0.8 * spreads[start], 1.2 * spreads[start], band)
            spread = near if n % 2 else (near + far) / 2.0
            centres[start], spreads[start] = centre, spread
            sigma = max(_MAD_TO_SIGMA * spread, smallest)
            for j in range(start, stop):
                v = values[i, j]
                flag = PASS
                distance = abs(v - _median_of_others(v, n, below, here, above))
                if distance > suspect * sigma:
                    flag = FAIL if distance > fail * sigma else SUSPECT
                out[i, j] = MISSING if np.isnan(v) else flag
            start = stop


@njit(nogil=True, error_model="numpy")
def graded(size: float, suspect: float, fail: float) -> np.uint8:
    """Return the flag of a distance: fail above one limit, suspect above another."""
    if size > fail:
        return FAIL
    return SUSPECT if size > suspect else PASS


@njit(cache=True, nogil=True, error_model="numpy")
def far_from_expected(values: Floats, expected: Floats, suspect: float, fail: float, out: Flags) -> None:
    """Compare each value with what is expected of it.

    Parameters
    ----------
    values, expected : float64 [time, series]
    suspect, fail : float
        Distances.
    out : uint8 [time, series]
    """
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            v, wanted = values[i, j], expected[i, j]
            flag = graded(abs(v - wanted), suspect, fail)
            flag = NOT_EVALUATED if np.isnan(wanted) else flag
            out[i, j] = MISSING if np.isnan(v) else flag


@njit(cache=True, nogil=True, error_model="numpy")
def outside_conditional_spans(values: Floats, other: Floats, spans: Floats, out: Flags) -> None:
    """Judge each value by the last span that covers another signal.

    Parameters
    ----------
    values, other : float64 [time, series]
    spans : float64 [span, 6]
        Lowest and highest value of the other signal, then of values that don't fail, and of values that aren't suspect.
    out : uint8 [time, series]
    """
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            v, x = values[i, j], other[i, j]
            flag = NOT_EVALUATED
            for k in range(spans.shape[0]):
                if spans[k, 0] <= x <= spans[k, 1]:
                    flag = PASS if spans[k, 4] <= v <= spans[k, 5] else SUSPECT
                    if v < spans[k, 2] or v > spans[k, 3]:
                        flag = FAIL
            out[i, j] = MISSING if np.isnan(v) else flag


@njit(nogil=True, error_model="numpy")
def _is_further(
    latitude: float, longitude: float, last_latitude: float, last_longitude: float, distance: float
) -> bool:
    """Return whether two positions in radians are further apart than a distance in radians of a great circle."""
    north = abs(latitude - last_latitude)
    east = abs(longitude - last_longitude)
    east = min(east, 2.0 * np.pi - east)
    # No meridian and parallel are further apart than at the equator: no sine is needed.
    if north * north + east * east <= distance * distance:
        return False
    if distance >= np.pi:
        return False
    a, b, c = np.sin(north / 2.0), np.sin(east / 2.0), np.sin(distance / 2.0)
    return bool(a * a + np.cos(latitude) * np.cos(last_latitude) * b * b > c * c)


@njit(cache=True, nogil=True, error_model="numpy")
def positions(
    latitudes: Floats,
    longitudes: Floats,
    times: Integers,
    box: Floats,
    suspect: Floats,
    fail: Floats,
    within: int,
    out: Flags,
) -> None:
    """Fail positions outside a box, and judge the distance from the position before.

    Parameters
    ----------
    latitudes, longitudes : float64 [time, series]
        Degrees.
    times : int64 [time]
        Rising, ns.
    box : float64 [4]
        West, south, east, north, degrees; west > east over the date line.
    suspect, fail : float64 [2]
        Largest distance, radians, and speed, radians a nanosecond.
    within : int
        Largest age of the position before, ns.
    out : uint8 [time, series]
    """
    radians = np.pi / 180.0
    series = latitudes.shape[1]
    last_latitude = np.zeros(series)
    last_longitude = np.zeros(series)
    seen = np.full(series, -(2**62), np.int64)
    judged = suspect[0] < np.inf or suspect[1] < np.inf
    for i in range(latitudes.shape[0]):
        for j in range(series):
            north, east = latitudes[i, j], longitudes[i, j]
            if np.isnan(north):
                out[i, j] = MISSING
                continue
            if np.isnan(east):
                out[i, j] = NOT_EVALUATED
                continue
            over = box[0] <= east <= box[2] if box[0] <= box[2] else east >= box[0] or east <= box[2]
            if not (box[1] <= north <= box[3] and over and abs(north) <= 90.0 and abs(east) <= 180.0):
                out[i, j] = FAIL
                continue
            lag = times[i] - seen[j]
            flag = PASS
            if judged:
                north *= radians
                east *= radians
                if lag > within:
                    flag = NOT_EVALUATED
                elif _is_further(north, east, last_latitude[j], last_longitude[j], min(suspect[0], suspect[1] * lag)):
                    furthest = min(fail[0], fail[1] * lag)
                    failing = _is_further(north, east, last_latitude[j], last_longitude[j], furthest)
                    flag = FAIL if failing else SUSPECT
                last_latitude[j] = north
                last_longitude[j] = east
                seen[j] = times[i]
            out[i, j] = flag
