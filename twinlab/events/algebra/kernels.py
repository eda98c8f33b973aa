# ruff: noqa: PLR0917 (numba compiles positional arguments only)
"""Numba kernels on spans that are grouped by a key: one pass each, without a copy of a table."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit

__all__ = ["furthest_so_far", "merge_sorted", "order_by_key", "pairs", "positions"]

_NEVER: Final = np.iinfo(np.int64).max
Integers = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def order_by_key(keys: Integers, order: Integers, groups: int) -> tuple[Integers, Integers]:
    """Sort rows by key, stably; ``order`` is their order within a key. Returns the rows, and where each key begins.

    Rows with a negative key are left out.
    """
    offsets = np.zeros(groups + 1, dtype=np.int64)
    for i in range(keys.size):
        if keys[i] >= 0:
            offsets[keys[i] + 1] += 1
    for k in range(groups):
        offsets[k + 1] += offsets[k]
    free = offsets[:-1].copy()
    rows = np.empty(offsets[groups], dtype=np.int64)
    for i in order:
        k = keys[i]
        if k >= 0:
            rows[free[k]] = i
            free[k] += 1
    return rows, offsets


@njit(cache=True, nogil=True)
def positions(keys: Integers, values: Integers, offsets: Integers, sorted_values: Integers, right: bool) -> Integers:  # noqa: FBT001
    """Return where each value would be inserted among the sorted values of its key (0 for a negative key)."""
    out = np.zeros(keys.size, dtype=np.int64)
    for i in range(keys.size):
        k = keys[i]
        if k < 0:
            continue
        low, high, value = offsets[k], offsets[k + 1], values[i]
        while low < high:
            middle = (low + high) >> 1
            there = sorted_values[middle]
            if there < value or (right and there == value):
                low = middle + 1
            else:
                high = middle
        out[i] = low
    return out


@njit(cache=True, nogil=True)
def merge_sorted(
    rows: Integers, offsets: Integers, start: Integers, end: Integers, gap: int, group: Integers
) -> tuple[Integers, Integers, Integers]:
    """Join spans of a key that overlap, touch, or are at most ``gap`` apart; ``rows`` are sorted by key and start.

    Writes to ``group`` which joined span each row is in. Returns key, start and end of the joined ones, in order.
    """
    key_out = np.empty(rows.size, dtype=np.int64)
    start_out = np.empty(rows.size, dtype=np.int64)
    end_out = np.empty(rows.size, dtype=np.int64)
    size = 0
    for k in range(offsets.size - 1):
        reach = 0
        for p in range(offsets[k], offsets[k + 1]):
            i = rows[p]
            if p == offsets[k] or start[i] > reach:
                key_out[size], start_out[size], end_out[size] = k, start[i], end[i]
                size += 1
            elif end[i] > end_out[size - 1]:
                end_out[size - 1] = end[i]
            last = end_out[size - 1]
            reach = last + gap if last <= _NEVER - gap else _NEVER
            group[i] = size - 1
    return key_out[:size], start_out[:size], end_out[:size]


@njit(cache=True, nogil=True)
def pairs(
    first: Integers, stop: Integers, first_of_mine: Integers, stop_of_mine: Integers, mine: Integers, theirs: Integers
) -> tuple[Integers, Integers]:
    """Return the pairs of rows, by row of mine, then in the order of theirs.

    ``theirs[first[i] : stop[i]]`` are paired with row i of mine, and ``mine[first_of_mine[j] : stop_of_mine[j]]``, which come
    first in the order, with row j of theirs.
    """
    free = np.zeros(first.size + 1, dtype=np.int64)
    for i in range(first.size):
        free[i + 1] += max(stop[i] - first[i], 0)
    for j in theirs:
        for q in range(first_of_mine[j], stop_of_mine[j]):
            free[mine[q] + 1] += 1
    for i in range(first.size):
        free[i + 1] += free[i]
    row = np.empty(free[first.size], dtype=np.int64)
    other = np.empty(free[first.size], dtype=np.int64)
    for j in theirs:
        for q in range(first_of_mine[j], stop_of_mine[j]):
            i = mine[q]
            row[free[i]], other[free[i]] = i, j
            free[i] += 1
    for i in range(first.size):
        for p in range(first[i], stop[i]):
            row[free[i]], other[free[i]] = i, theirs[p]
            free[i] += 1
    return row, other


@njit(cache=True, nogil=True)
def furthest_so_far(offsets: Integers, rows: Integers, end: Integers) -> Integers:
    """Return, in the order of ``rows``, the row with the latest end among those of the key up to there."""
    out = np.empty(rows.size, dtype=np.int64)
    for k in range(offsets.size - 1):
        best = -1
        for p in range(offsets[k], offsets[k + 1]):
            if best < 0 or end[rows[p]] >= end[best]:
                best = rows[p]
            out[p] = best
    return out
