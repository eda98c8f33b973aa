"""Loops over the stored integers of a tile, compiled by numba: where conditions are true, as runs of cells."""

# ruff: noqa: ANN001, ANN201, ANN202, PLR0917  (numba types arguments and takes no keywords)
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from twinlab._compiled import njit
from twinlab.events.finding.evaluation.truth import FALSE, TRUE, UNKNOWN

__all__ = ["code_runs", "runs_buffer", "tile_codes", "tile_runs"]

#: Cells that are looked at together.
_CHUNK = 64


@njit(cache=True, nogil=True)
def _inside(values, low, high):
    """Return whether some and whether all of a few values are in an interval; without branches, for vector instructions."""
    some, every = np.uint8(0), np.uint8(1)
    for i in range(values.size):
        v = values[i]
        hit = np.uint8(v >= low) & np.uint8(v <= high)
        some |= hit
        every &= hit
    return some, every


@njit(cache=True, nogil=True)
def _worst(flags):
    """Return the highest of a few flags."""
    worst = np.uint8(0)
    for i in range(flags.size):
        worst = max(worst, flags[i])
    return worst


@njit(cache=True, nogil=True)
def tile_runs(values, flags, flag, c0, c1, first, none, valid, place, low, high, until, held, since, out):
    """Append the runs of cells whose held value is in an interval to ``out`` (3, run); return how many there are.

    Row ``r`` of the tile is asset ``place[r]`` (-1: not wanted), whose intervals are ``low[place, :] .. high[place, :]``;
    column ``c0`` is cell ``first``. A usable value is valid for ``valid`` cells. Passed from tile to tile, by asset: the cell
    ``until`` which the last usable value is valid, ``held``: its truth, and ``since`` which cell a run lasts (-1: none).
    """
    n = 0
    for r in range(values.shape[0]):
        a = place[r]
        if a < 0:
            continue
        end, true, begun = until[a], held[a] == TRUE, since[a]
        lowest, highest = low[a, 0], high[a, 0]
        for j in range(1, low.shape[1]):
            lowest, highest = min(lowest, low[a, j]), max(highest, high[a, j])
        for at in range(c0, c1, _CHUNK):
            part = values[r, at : min(at + _CHUNK, c1)]
            marks = flags[r, at : min(at + _CHUNK, c1)]
            k = first + at - c0
            some, every = _inside(part, lowest, highest)
            if not some and begun < 0 and not (true and k < end):
                # No run begins here: the last value, if there is one, is in no interval or no longer valid.
                true = False
                continue
            if every and low.shape[1] == 1 and (flag or _worst(marks)) <= 3:
                if begun < 0:
                    begun = k
                true = True
                end = k + part.size - 1 + valid
                continue
            for i in range(part.size):
                v = part[i]
                if (flag or marks[i]) <= 3 and v != none:
                    true = False
                    for j in range(low.shape[1]):
                        if low[a, j] <= v <= high[a, j]:
                            true = True
                    end = k + i + valid
                elif k + i >= end:
                    true = False
                if true and begun < 0:
                    begun = k + i
                elif not true and begun >= 0:
                    out[0, n], out[1, n], out[2, n] = a, begun, k + i
                    n += 1
                    begun = -1
        until[a], held[a], since[a] = end, TRUE if true else FALSE, begun
    return n


@njit(cache=True, nogil=True)
def tile_codes(values, flags, flag, c0, c1, first, none, valid, place, edges, codes, until, held, out):
    """Put the truth of each cell's held value into ``out`` (row, cell); arguments as of `tile_runs`.

    A value between ``edges[a, j - 1]`` (included) and ``edges[a, j]`` has the truth ``codes[a, j]``; ``held`` is the truth of
    the last usable value.
    """
    for r in range(values.shape[0]):
        a = place[r]
        if a < 0:
            continue
        end, code = until[a], held[a]
        for i in range(c0, c1):
            v = values[r, i]
            k = first + i - c0
            f = flag or flags[r, i]
            if f <= 3 and v != none:
                j = 0
                for e in range(edges.shape[1]):
                    j += v >= edges[a, e]
                code = codes[a, j]
                end = k + valid
            elif k >= end:
                code = UNKNOWN
            out[r, i - c0] = code
        until[a], held[a] = end, code


@njit(cache=True, nogil=True)
def code_runs(truth, cells, first, place, since, out):
    """Append the runs of true cells of ``truth`` (row, cell) to ``out``; return how many there are."""
    n = 0
    for r in range(truth.shape[0]):
        a = place[r]
        if a < 0:
            continue
        begun = since[a]
        for i in range(cells):
            true = truth[r, i] == TRUE
            if true and begun < 0:
                begun = first + i
            elif not true and begun >= 0:
                out[0, n], out[1, n], out[2, n] = a, begun, first + i
                n += 1
                begun = -1
        since[a] = begun
    return n


def runs_buffer(rows: int, cells: int) -> np.ndarray:
    """Return an array (3, run) with room for all runs of a tile."""
    return np.empty((3, rows * (cells // 2 + 2)), np.int64)
