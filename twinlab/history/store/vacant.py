"""Vacant rectangles: cells without a value that are flagged missing, stated once instead of stored tile by tile."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "Rectangles"]

#: Rectangles of one signal and year; further ones are stored as tiles, since the catalogue is read and written whole.
MOST = 1024


class Rectangles:
    """Rectangles of cells, each ``(first cell, end, first column, end)``; immutable.

    >>> r = Rectangles([(0, 10, 0, 2)]).added((10, 15, 0, 2)); r.tolist()
    [[0, 15, 0, 2]]
    """

    __slots__ = ("_edges",)

    def __init__(self, edges: Iterable[Iterable[int]] | NDArray[np.int64] = ()) -> None:
        self._edges: NDArray[np.int64] = np.array(edges, dtype=np.int64).reshape(-1, 4)

    def __len__(self) -> int:
        """Return the number of rectangles."""
        return len(self._edges)

    def tolist(self) -> list[list[int]]:
        """Return the rectangles as lists."""
        return [list(map(int, one)) for one in self._edges]

    def added(self, new: tuple[int, int, int, int]) -> Rectangles:
        """Return these and another rectangle; those of the same columns that touch it become one with it."""
        e = self._edges
        near = (e[:, 2] == new[2]) & (e[:, 3] == new[3]) & (e[:, 0] <= new[1]) & (e[:, 1] >= new[0])
        low, high = min([new[0], *e[near, 0].tolist()]), max([new[1], *e[near, 1].tolist()])
        return Rectangles(np.vstack([e[~near], [[low, high, new[2], new[3]]]]))

    def windows(self, per: int) -> Rectangles:
        """Return the windows of ``per`` cells that are wholly within a rectangle, as rectangles of windows."""
        e = self._edges
        low, high = -(-e[:, 0] // per), e[:, 1] // per
        return Rectangles(np.stack([low, high, e[:, 2], e[:, 3]], axis=1)[low < high])

    def paint(self, out: NDArray[np.generic], number: int, times: tuple[int, int], assets: tuple[int, int]) -> None:
        """Set the cells of ``out`` (asset, time), which is at ``times`` and ``assets``, that are within a rectangle."""
        e = self._edges
        if not len(e):
            return
        touched = (e[:, 0] < times[1]) & (e[:, 1] > times[0]) & (e[:, 2] < assets[1]) & (e[:, 3] > assets[0])
        for t0, t1, a0, a1 in e[touched].tolist():
            out[max(a0 - assets[0], 0) : a1 - assets[0], max(t0 - times[0], 0) : t1 - times[0]] = number
