# ruff: noqa: PLR0917 (numba compiles positional arguments only)
"""Numba kernels: what the cells of a tile add to the statistics of events, and to an overlay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit

__all__ = ["add_cells", "copy_cells"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def add_cells(
    events: Integers, column: Integers, first_column: int, start: Integers, end: Integers, first_ns: int, cadence: int,
    values: Floats, flags: npt.NDArray[np.uint8], usable: npt.NDArray[np.bool_], rank: npt.NDArray[np.uint8],
    above: Floats, below: Floats, sums: Floats, extremes: Floats, peak: Integers, worst: npt.NDArray[np.uint8],
) -> None:  # fmt: skip
    """Add the cells of a tile ``[time, asset]``, which begins at ``first_ns`` and ``first_column``, to events.

    ``events`` are the rows that have cells in the tile. A cell counts for the part of it in the event. ``usable`` and
    ``rank`` are by number of flag. To ``sums`` are added the nanoseconds with a usable value, the values times nanoseconds,
    and the same of what is above and below the limits; ``extremes`` are lowest and highest value, ``peak`` is the begin of
    the first cell with the highest one, ``worst`` the rank of the worst flag.
    """
    size = values.shape[0]
    for e in events:
        c = column[e] - first_column
        low, high = start[e], end[e]
        i = max((low - first_ns) // cadence, 0)
        while i < size and first_ns + i * cadence < high:
            begin = first_ns + i * cadence
            worst[e] = max(worst[e], rank[flags[i, c]])
            v = values[i, c]
            if not np.isnan(v) and usable[flags[i, c]]:
                lasted = float(min(high, begin + cadence) - max(low, begin))
                sums[e, 0] += lasted
                sums[e, 1] += lasted * v
                if v > above[e]:
                    sums[e, 2] += lasted * (v - above[e])
                if v < below[e]:
                    sums[e, 3] += lasted * (below[e] - v)
                if not v >= extremes[e, 0]:
                    extremes[e, 0] = v
                if not v <= extremes[e, 1]:
                    extremes[e, 1] = v
                    peak[e] = begin
            i += 1


@njit(cache=True, nogil=True)
def copy_cells(
    events: Integers, column: Integers, first_column: int, first: Integers, first_cell: int, values: npt.NDArray[np.generic],
    out: npt.NDArray[np.generic],
) -> None:  # fmt: skip
    """Copy the cells of a tile, which begins at ``first_cell``, to the rows of events, which begin at the cells ``first``."""
    for e in events:
        low = max(first[e], first_cell)
        high = min(first[e] + out.shape[1], first_cell + values.shape[0])
        c = column[e] - first_column
        for k in range(low, high):
            out[e, k - first[e]] = values[k - first_cell, c]
