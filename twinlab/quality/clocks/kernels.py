# ruff: noqa: PLR0917 (numba compiles positional arguments only)
"""Numba kernels of the clock tests; NaN is missing."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit
from twinlab.quality.related.kernels import median_near

__all__ = ["bin_means", "lagged_correlations", "medians"]

_FEWEST: Final = 3
#: Share of the squares that must be variance, so that differences of sums over all bins don't lose digits.
_VARYING: Final = 1e-6

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def medians(values: Floats, least: int, out: Floats) -> None:
    """Write the median of each row ``[instant, asset]``; NaN where fewer than ``least`` (at least 3) have a value."""
    line = np.empty(values.shape[1])
    band = np.empty(values.shape[1] + 1)
    # The value before and its usual change: a guess where the next one is.
    near, change = np.nan, 0.0
    for i in range(values.shape[0]):
        n = 0
        for j in range(values.shape[1]):
            if not np.isnan(values[i, j]):
                line[n] = values[i, j]
                n += 1
        if n < max(least, _FEWEST):
            out[i] = np.nan
            continue
        width = 4.0 * change + 1e-9
        out[i] = median_near(line, n, near - width, near + width, band)
        change = abs(out[i] - near) if near == near else 0.0  # noqa: PLR0124  (NaN differs from itself)
        near = out[i]


@njit(cache=True, nogil=True, error_model="numpy")
def bin_means(values: Floats, bins: Integers, out: Floats) -> None:
    """Write the mean of the values ``[time, series]`` of each bin ``[bin, series]``; ``bins`` rises from 0."""
    counts = np.zeros(out.shape[1], np.int64)
    start = 0
    out[:] = np.nan
    while start < bins.size:
        b = bins[start]
        counts[:] = 0
        stop = start
        while stop < bins.size and bins[stop] == b:
            for j in range(out.shape[1]):
                v = values[stop, j]
                if not np.isnan(v):
                    out[b, j] = v if counts[j] == 0 else out[b, j] + v
                    counts[j] += 1
            stop += 1
        for j in range(out.shape[1]):
            if counts[j] > 0:
                out[b, j] /= counts[j]
        start = stop


# Sums in any order, so that several are made at once.
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _correlation(
    line: Floats, known: Floats, other: Floats, other_known: Floats, first: int, stop: int, ahead: int, fewest: int
) -> float:
    """Pearson's correlation of ``line[b]`` and ``other[b + ahead]`` over the pairs of [first, stop) that both have.

    Where nothing is known, ``line`` or ``other`` is 0 and its ``known`` too, else that is 1.
    """
    n = sum_x = sum_y = sum_xx = sum_yy = sum_xy = 0.0
    for b in range(first, stop):
        x, y, has_x, has_y = line[b], other[b + ahead], known[b], other_known[b + ahead]
        n += has_x * has_y
        sum_x += x * has_y
        sum_y += y * has_x
        sum_xx += x * x * has_y
        sum_yy += y * y * has_x
        sum_xy += x * y
    if n < fewest:
        return np.nan
    varying = (n * sum_xx - sum_x * sum_x) * (n * sum_yy - sum_y * sum_y)
    return float((n * sum_xy - sum_x * sum_y) / np.sqrt(varying)) if varying > 0 else np.nan


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _product(line: Floats, other: Floats) -> float:
    total = 0.0
    for b in range(line.size):
        total += line[b] * other[b]
    return total


@njit(nogil=True, error_model="numpy")
def _add_up(line: Floats, known: Floats, sums: Floats) -> None:
    """Write the sums of values, of their squares and of their number up to each bin, [3, bin + 1]."""
    sums[:, 0] = 0.0
    for b in range(line.size):
        sums[0, b + 1] = sums[0, b] + line[b]
        sums[1, b + 1] = sums[1, b] + line[b] * line[b]
        sums[2, b + 1] = sums[2, b] + known[b]


@njit(nogil=True, error_model="numpy")
def _split(values: Floats, line: Floats, known: Floats) -> None:
    """Write values around their mean, so that sums of squares don't lose digits, 0 where one is missing, and whether it is known."""
    mean = np.nanmean(values)
    for b in range(values.size):
        known[b] = 0.0 if np.isnan(values[b]) else 1.0
        line[b] = 0.0 if np.isnan(values[b]) else values[b] - mean


@njit(cache=True, nogil=True, error_model="numpy")
def lagged_correlations(
    values: Floats, reference: Floats, starts: Integers, stops: Integers, largest: int, share: float, out: Floats
) -> None:
    """Write where each series fits the reference best, period by period.

    Parameters
    ----------
    values : float64 [bin, series]
    reference : float64 [bin, series]
        Begins ``largest`` bins before ``values`` and ends as much after; may have one series for all.
    starts, stops : int64 [period]
        Bins of each period.
    largest : int
        Largest lag in bins.
    share : float
        Share of a period's bins that two series need in common.
    out : float64 [3, period, series]
        Lag in bins (positive if the values come later than the reference's), the correlation there, and without a lag;
        NaN if it can't be said.
    """
    size, series = values.shape
    line, known = np.empty(size), np.empty(size)
    other, other_known = np.empty(reference.shape[0]), np.empty(reference.shape[0])
    sums, other_sums = np.empty((3, size + 1)), np.empty((3, other.size + 1))
    found = np.empty(2 * largest + 1)
    for j in range(series):
        _split(values[:, j], line, known)
        _add_up(line, known, sums)
        if j == 0 or reference.shape[1] > 1:
            _split(reference[:, j], other, other_known)
            _add_up(other, other_known, other_sums)
        for p in range(starts.size):
            fewest = max(_FEWEST, int(share * (stops[p] - starts[p])))
            best = -1
            first, stop = starts[p], stops[p]
            n = float(stop - first)
            x, xx, bins = sums[:, stop] - sums[:, first]
            for k in range(found.size):
                ahead = 2 * largest - k
                y, yy, others = other_sums[:, stop + ahead] - other_sums[:, first + ahead]
                varying = (n * xx - x * x) * (n * yy - y * y)
                # As nearly always nothing is missing, only the products differ from lag to lag.
                if bins == n == others and n >= fewest and varying > _VARYING * n * n * xx * yy:
                    products = _product(line[first:stop], other[first + ahead : stop + ahead])
                    found[k] = (n * products - x * y) / np.sqrt(varying)
                else:
                    found[k] = _correlation(line, known, other, other_known, first, stop, ahead, fewest)
                if not np.isnan(found[k]) and (best < 0 or found[k] > found[best]):
                    best = k
            out[:, p, j] = np.nan
            if best < 0 or np.isnan(found[largest]):
                continue
            lag = float(best - largest)
            if 0 < best < found.size - 1:
                # The vertex of the parabola through the three best: a part of a bin.
                bend = found[best - 1] - 2.0 * found[best] + found[best + 1]
                if bend < 0.0:
                    lag += 0.5 * (found[best - 1] - found[best + 1]) / bend
            out[0, p, j] = lag
            out[1, p, j] = found[best]
            out[2, p, j] = found[largest]
