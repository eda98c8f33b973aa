"""Loops over cells, compiled by numba: arrays (asset, cell), contiguous by asset, read once."""

# ruff: noqa: ANN001, ANN201, PLR0917, PLR1714  (numba types arguments, takes no keywords, merges nothing)
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from twinlab._compiled import njit

__all__ = [
    "fill_forward",
    "fold_high",
    "fold_low",
    "fold_samples",
    "fold_sum",
    "fold_tile",
    "merge_windows",
    "reduce_windows",
    "rise_counters",
    "share_states",
]


@njit(cache=True, nogil=True)
def fold_tile(values, flags, constant, first, per, none, total, low, high, count):
    """Fold (asset, cell) into (asset, window); ``first`` is the index of the first cell, counted from window 0."""
    cells = values.shape[1]
    for a in range(values.shape[0]):
        k = 0
        while k < cells:
            w = (first + k) // per
            stop = min(cells, (w + 1) * per - first)
            s, n = np.int64(0), 0
            lo, hi = low[a, w], high[a, w]
            if constant:
                # All pass, and a cell that passes has a value: `write_cells` checks it.
                for i in range(k, stop):
                    v = values[a, i]
                    s += v
                    lo = min(lo, v)
                    hi = max(hi, v)
                n = stop - k
            else:
                for i in range(k, stop):
                    f = flags[a, i]
                    v = values[a, i]
                    if (f == 1 or f == 3) and v != none:
                        s += v
                        lo = min(lo, v)
                        hi = max(hi, v)
                        n += 1
            total[a, w] += s
            low[a, w] = lo
            high[a, w] = hi
            count[a, w] += n
            k = stop


@njit(cache=True, nogil=True)
def reduce_windows(values, flags, per, none, total, low, high, good, counts):
    """Fold (asset, cell) into (asset, window)."""
    for a in range(values.shape[0]):
        for w in range(total.shape[1]):
            s, n = np.int64(0), np.uint32(0)
            lo, hi = none, none
            c1, c2, c3, c4, c9 = 0, 0, 0, 0, 0
            for k in range(w * per, (w + 1) * per):
                f = flags[a, k]
                v = values[a, k]
                if f == 1:
                    c1 += 1
                elif f == 2:
                    c2 += 1
                elif f == 3:
                    c3 += 1
                elif f == 4:
                    c4 += 1
                elif f == 9:
                    c9 += 1
                if (f == 1 or f == 3) and v != none:
                    s += v
                    if n == 0 or v < lo:
                        lo = v
                    if n == 0 or v > hi:
                        hi = v
                    n += 1
            total[a, w] = s
            low[a, w] = lo
            high[a, w] = hi
            good[a, w] = n
            counts[0, a, w] = c1
            counts[1, a, w] = c2
            counts[2, a, w] = c3
            counts[3, a, w] = c4
            counts[4, a, w] = c9


@njit(cache=True, nogil=True)
def fold_samples(values, flags, place, codes, total, low, high, good, counts):
    """Fold samples (asset, time) into bins: ``place`` is the bin of each time, ``codes`` are the flags to count."""
    rank = np.full(256, -1, np.int64)
    for i in range(codes.size):
        rank[codes[i]] = i
    for a in range(values.shape[0]):
        for k in range(values.shape[1]):
            f, v, b = flags[a, k], values[a, k], place[k]
            if rank[f] >= 0:
                counts[rank[f], a, b] += 1
            if (f == 1 or f == 3) and v == v:  # noqa: PLR0124  (NaN isn't itself)
                total[a, b] += v
                if good[a, b] == 0 or v < low[a, b]:
                    low[a, b] = v
                if good[a, b] == 0 or v > high[a, b]:
                    high[a, b] = v
                good[a, b] += 1


@njit(cache=True, nogil=True)
def merge_windows(values, place, how, out):
    """Merge windows (asset, time) into bins: the sum (0), the lowest (1) or the highest (2) of those that aren't NaN.

    ``place`` is the bin of each window, ``out`` is NaN or, for a sum of integers, zero before.
    """
    for a in range(values.shape[0]):
        for k in range(values.shape[1]):
            v, b = values[a, k], place[k]
            if v != v:  # noqa: PLR0124  (NaN isn't itself)
                continue
            at = out[a, b]
            if at != at or (how == 1 and v < at) or (how == 2 and v > at):  # noqa: PLR0124
                out[a, b] = v
            elif how == 0:
                out[a, b] = at + v


@njit(cache=True, nogil=True)
def fold_sum(values, per, out):
    """Sum ``per`` windows each: (asset, window) to (asset, longer window)."""
    for a in range(out.shape[0]):
        for w in range(out.shape[1]):
            s = out[a, w] * 0
            for k in range(w * per, (w + 1) * per):
                s += values[a, k]
            out[a, w] = s


@njit(cache=True, nogil=True)
def fold_low(values, per, none, out):
    """Take the smallest of ``per`` windows each, ignoring ``none``: (asset, window) to (asset, longer window)."""
    for a in range(out.shape[0]):
        for w in range(out.shape[1]):
            low = none
            for k in range(w * per, (w + 1) * per):
                v = values[a, k]
                if v != none and (low == none or v < low):
                    low = v
            out[a, w] = low


@njit(cache=True, nogil=True)
def fold_high(values, per, out):
    """Take the largest of ``per`` windows each; "no value" is the smallest integer."""
    for a in range(out.shape[0]):
        for w in range(out.shape[1]):
            high = values[a, w * per]
            for k in range(w * per + 1, (w + 1) * per):
                high = max(high, values[a, k])
            out[a, w] = high


@njit(cache=True, nogil=True)
def fill_forward(values, flags, carry, none, out):
    """Fill each cell with the last observation up to it, starting with ``carry``."""
    for a in range(values.shape[0]):
        last = carry[a]
        for k in range(values.shape[1]):
            if flags[a, k] <= 3 and values[a, k] != none:
                last = values[a, k]
            out[a, k] = last


@njit(cache=True, nogil=True)
def share_states(states, per, codes, none, out):
    """Count the cells of each window in each state, (asset, window, state); unknown codes are the last state."""
    for a in range(states.shape[0]):
        for w in range(out.shape[1]):
            for k in range(w * per, min((w + 1) * per, states.shape[1])):
                v = states[a, k]
                if v == none:
                    continue
                for c in range(codes.size):
                    if codes[c] == v:
                        out[a, w, c] += 1
                        break
                else:
                    out[a, w, codes.size] += 1


@njit(cache=True, nogil=True)
def rise_counters(values, flags, per, carry, none, wrap, out, seen):
    """Sum the increases and count the observations of each window.

    A decrease is judged as in `twinlab.quality.counter_flags`: a wrap by the shorter way round counts on over ``wrap``; a
    reading of at most half the one before is a reset and counts from zero. Any other decrease is a wrong reading, of which
    nobody knows which one: it counts as a decrease, so that sums over it are exact once the counter reads right again.
    """
    for a in range(values.shape[0]):
        last = carry[a]
        for k in range(values.shape[1]):
            v = values[a, k]
            if flags[a, k] > 3 or v == none:
                continue
            w = k // per
            seen[a, w] += 1
            if last != none:
                rise = np.int64(v) - np.int64(last)
                if rise < 0:
                    if rise + wrap > 0 and 2 * (rise + wrap) < wrap:
                        rise += wrap
                    elif v >= 0 and 2 * np.int64(v) <= last:
                        rise = np.int64(v)
                out[a, w] += rise
            last = v
