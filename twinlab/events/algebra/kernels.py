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
    mine: Integers, offsets: Integers, start: Integers, end: Integers,
    theirs: Integers, their_offsets: Integers, their_start: Integers, their_end: Integers, rows: int,
) -> tuple[Integers, Integers]:  # fmt: skip
    """Return the rows of spans of the same key that overlap, by row of mine, then by start of theirs.

    ``mine`` and ``theirs`` are rows sorted by key and start, and starts and ends are in this order; ``rows`` is how many
    rows mine has.
    """
    # Of two spans that overlap, either mine starts within the other after its start, or the other starts within mine.
    free = np.zeros(rows + 1, dtype=np.int64)
    row = other = mine[:0]
    for counting in (True, False):
        for k in range(offsets.size - 1):
            low, stop = offsets[k], offsets[k + 1]
            their_low, their_stop = their_offsets[k], their_offsets[k + 1]
            p = low
            for q in range(their_low, their_stop):
                while p < stop and start[p] <= their_start[q]:
                    p += 1
                i = p
                while i < stop and start[i] < their_end[q]:
                    if counting:
                        free[mine[i] + 1] += 1
                    else:
                        row[free[mine[i]]], other[free[mine[i]]] = mine[i], theirs[q]
                        free[mine[i]] += 1
                    i += 1
            q = their_low
            for p in range(low, stop):
                while q < their_stop and their_start[q] < start[p]:
                    q += 1
                j = q
                while j < their_stop and their_start[j] < end[p]:
                    if not counting:
                        row[free[mine[p]]], other[free[mine[p]]] = mine[p], theirs[j]
                        free[mine[p]] += 1
                    j += 1
                if counting:
                    free[mine[p] + 1] += j - q
        if counting:
            for i in range(rows):
                free[i + 1] += free[i]
            row = np.empty(free[rows], dtype=np.int64)
            other = np.empty(free[rows], dtype=np.int64)
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
