"""Fold cells (time, asset) to windows and groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twinlab.events.kpis.groups import Memberships
from twinlab.events.kpis.windows import Windows

__all__ = ["Folding", "How", "folding"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
How = Literal["sum", "min", "max"]

_FOLDS = {"sum": np.add, "min": np.minimum, "max": np.maximum}
_EDGES = {"sum": 0.0, "min": np.inf, "max": -np.inf}


@dataclass(frozen=True)
class Folding:
    """Which cells of which assets belong to which window and group.

    Cells are folded to segments first, in which no asset changes its group, and then segments to windows and groups.
    """

    #: First row of each segment, and which segment, asset, window and group each part is of.
    first: Ints
    segment: Ints
    asset: Ints
    window: Ints
    group: Ints
    shape: tuple[int, int]

    def fold(self, values: NDArray[Any], how: How = "sum") -> Floats:
        """Return the sum, least or greatest value of the cells by window and group; 0 or infinite where there are none."""
        if not len(self.first):
            return np.full(self.shape, _EDGES[how])
        return self.gather(_FOLDS[how].reduceat(np.asarray(values, dtype=np.float64), self.first, axis=0), how)

    def gather(self, segments: Floats, how: How = "sum") -> Floats:
        """Return the sum, least or greatest value of segments (segment, asset) by window and group."""
        out = np.full(self.shape, _EDGES[how])
        _FOLDS[how].at(out, (self.window, self.group), segments[self.segment, self.asset])
        return out


def folding(times: Ints, windows: Windows, groups: Memberships, number_of_groups: int) -> Folding:
    """Return how cells that begin at ``times`` are folded; all of them are in the windows."""
    edges = np.unique(np.concatenate([windows.edges[:-1], groups.edges(int(windows.edges[0]), int(windows.edges[-1]))]))
    first = np.searchsorted(times, edges)
    # A segment without a cell: its neighbour begins at the same row.
    keep = np.flatnonzero(np.diff(np.append(first, len(times))) > 0)
    edges, first = edges[keep], first[keep].astype(np.int64)
    low = np.searchsorted(edges, groups.since, side="left")
    high = np.searchsorted(edges, groups.until, side="left")
    number = np.maximum(high - low, 0)
    part = np.repeat(np.arange(len(number)), number)
    segment = np.arange(len(part)) - np.repeat(np.cumsum(number) - number, number) + low[part]
    return Folding(
        first,
        segment,
        groups.asset[part],
        windows.of(edges)[segment] if len(edges) else segment,
        groups.group[part],
        (len(windows), number_of_groups),
    )
