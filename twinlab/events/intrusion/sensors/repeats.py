"""Windows of values that are exactly those of an earlier window, of the same sensor or of another one; and values that stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["longest_runs", "repeated", "runs_before"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
#: Odd, so that it has an inverse modulo 2^64 (multiplier of Knuth's MMIX generator).
_BASE = np.uint64(6364136223846793005)
#: A window with fewer different values may repeat by chance.
_DISTINCT = 8


def repeated(values: Floats, *, window: int) -> Booleans:
    """Return which values belong to a window that equals an earlier one, shape (time, asset).

    Windows begin at any row; of the same asset the earlier one must have ended. Windows with a missing value, or with fewer than eight
    different values, count as different from all. Sensors with noise finer than their resolution never repeat hours by chance.

    Parameters
    ----------
    values : array, shape (time, asset)
        NaN is missing.
    window : int
        Rows.

    >>> rows = np.random.default_rng(0).normal(size=(60, 1)).round(3)
    >>> rows[40:56] = rows[5:21]
    >>> np.flatnonzero(repeated(rows, window=12)[:, 0]).tolist() == list(range(40, 56))
    True
    """
    out = np.zeros(values.shape, dtype=bool)
    rows, assets = values.shape
    count = rows - window + 1
    if count <= 0:
        return out
    good = np.stack([_varied(values[:, asset], window) for asset in range(assets)], axis=1)
    hashes = _hashes(values, window)
    start, asset = np.nonzero(good)
    keys = hashes[start, asset]
    # By key, then time, then asset: the first of equal ones is the earliest.
    order = np.lexsort((asset, start, keys))
    keys, start, asset = keys[order], start[order], asset[order]
    new = np.ones(len(keys), dtype=bool)
    new[1:] = keys[1:] != keys[:-1]
    first = np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))
    later = ~new & (start > start[first]) & ((asset != asset[first]) | (start - start[first] >= window))
    marks = np.zeros((rows + 1, assets), dtype=np.int64)
    np.add.at(marks, (start[later], asset[later]), 1)
    np.add.at(marks, (start[later] + window, asset[later]), -1)
    return np.asarray(np.cumsum(marks, axis=0)[:rows] > 0)


def runs_before(values: Floats) -> NDArray[np.int64]:
    """Return for each value how many rows up to it have the same value without a gap, shape (time, asset).

    >>> runs_before(np.array([[1.0], [1.0], [2.0], [np.nan], [2.0]]))[:, 0].tolist()
    [1, 2, 1, 0, 1]
    """
    rows = np.arange(values.shape[0])[:, None]
    there = ~np.isnan(values)
    fresh = np.ones(values.shape, dtype=bool)
    fresh[1:] = values[1:] != values[:-1]
    last = np.maximum.accumulate(np.where(fresh, rows, 0), axis=0)
    return np.asarray(np.where(there, rows - last + 1, 0))


def longest_runs(values: Floats) -> NDArray[np.int64]:
    """Return the longest run of equal values of each asset, rows."""
    return runs_before(values).max(axis=0) if len(values) else np.zeros(values.shape[1], dtype=np.int64)


def _varied(line: Floats, window: int) -> Booleans:
    """Return for each window whether it is complete and varied enough."""
    complete = _sums(np.isnan(line).astype(np.int64), window) == 0
    # Of equal values in a window only the first counts: the one whose last occurrence before it is before the window.
    _, codes = np.unique(np.where(np.isnan(line), np.inf, line), return_inverse=True)
    seen = np.full(codes.max() + 1, -1)
    before = np.empty(len(line), dtype=np.int64)
    for row, code in enumerate(codes.tolist()):
        before[row], seen[code] = seen[code], row
    # Value at row r with the same value at p counts as new for windows that begin after p, up to r.
    marks = np.zeros(len(line) + 2, dtype=np.int64)
    rows = np.arange(len(line))
    low, high = np.maximum(before + 1, rows - window + 1).clip(0), rows
    valid = low <= high
    np.add.at(marks, low[valid], 1)
    np.add.at(marks, high[valid] + 1, -1)
    different = np.cumsum(marks)[: len(line) - window + 1]
    return np.asarray(complete & (different >= _DISTINCT))


def _sums(line: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    total = np.concatenate([[0], np.cumsum(line)])
    return np.asarray(total[window:] - total[:-window])


def _hashes(values: Floats, window: int) -> NDArray[np.uint64]:
    """Return a polynomial hash of each window modulo 2^64, shape (windows, asset)."""
    rows = values.shape[0]
    bits = np.ascontiguousarray(np.where(np.isnan(values), 0.0, values) + 0.0).view(np.uint64)
    # Mixed, since equal low bits of different numbers would give equal sums.
    bits = (bits ^ (bits >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(29)
    powers = np.ones(rows, dtype=np.uint64)
    with np.errstate(over="ignore"):
        powers[1:] = np.multiply.accumulate(np.full(rows - 1, _BASE, dtype=np.uint64)) if rows > 1 else []
        total = np.zeros((rows + 1, values.shape[1]), dtype=np.uint64)
        total[1:] = np.cumsum(bits * powers[::-1, None], axis=0, dtype=np.uint64)
        # The first row of a window gets the same power in each window.
        return np.asarray((total[window:] - total[:-window]) * powers[: rows - window + 1, None])
