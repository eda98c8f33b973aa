"""Runs of true cells in arrays (time, asset)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Runs", "last_valid_rows", "runs_of"]


@dataclass(frozen=True)
class Runs:
    """Runs of true cells: column, first row, first row after."""

    column: NDArray[np.int64]
    first: NDArray[np.int64]
    stop: NDArray[np.int64]


def runs_of(mask: NDArray[np.bool_]) -> Runs:
    """Return the runs of true cells of each column, column by column.

    >>> found = runs_of(np.array([[True, False], [True, True], [False, True]]))
    >>> found.column.tolist(), found.first.tolist(), found.stop.tolist()
    ([0, 1], [0, 1], [2, 3])
    """
    rows, columns = mask.shape
    # With a false cell before and after each column, changes are beginnings and ends by turns.
    edged = np.zeros((columns, rows + 2), dtype=np.bool_)
    edged[:, 1:-1] = mask.T
    change = np.flatnonzero(edged[:, 1:] != edged[:, :-1])
    column, first = np.divmod(change[::2], rows + 1)
    return Runs(column, first, change[1::2] - column * (rows + 1))


def last_valid_rows(good: NDArray[np.bool_], *, most: int | None = None) -> NDArray[np.int64]:
    """Return for each cell the row of the last good cell at or above it, -1 if there is none.

    Parameters
    ----------
    good : array (time, asset), bool
    most : int, optional
        For how many rows a good cell is valid, itself included; without limit by default.

    >>> last_valid_rows(np.array([[False], [True], [False], [False]]), most=2).ravel().tolist()
    [-1, 1, 1, -1]
    """
    own = np.arange(good.shape[0])[:, None]
    rows = np.maximum.accumulate(np.where(good, own, -1), axis=0)
    return rows if most is None else np.where(own - rows < most, rows, -1)
