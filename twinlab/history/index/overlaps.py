"""Files whose row ranges overlap in time: their values of one instant have to be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit
from twinlab.harmonise.claims import Claims, Series
from twinlab.history.index.reach import NEVER

__all__ = ["Overlaps"]

Ints = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def _extend(code: npt.NDArray[np.int32], time: Ints, lut: npt.NDArray[np.int32], low: Ints, high: Ints) -> None:
    """Extend the time range of each series."""
    for i in range(code.size):
        s, t = lut[code[i]], time[i]
        low[s], high[s] = min(low[s], t), max(high[s], t)


class Overlaps:
    """Overlaps that weren't compared yet."""

    def __init__(self) -> None:
        # Reading -> assets and span (ns) in which several of its row ranges have observations.
        self.found: dict[int, tuple[set[tuple[str, str]], int, int]] = {}
        # Reading of the last row range of a file, with the time range of each of its series.
        self._reached: tuple[int, Ints, Ints] | None = None

    def add(
        self,
        reading: int,
        claims: Sequence[tuple[Claims, npt.NDArray[np.int32]]],
        names: tuple[Series, ...],
        earlier: Callable[[], tuple[Ints, Ints]],
    ) -> None:
        """Add the assets whose time range in new claims overlaps that of the reading's earlier row ranges.

        Parameters
        ----------
        claims : sequence of (Claims, int32[series])
            The new claims, and the index's number of each of their series.
        names : tuple of Series
            The series of the index.
        earlier : callable
            Returns the time range of each series in the earlier row ranges, or a wider one.
        """
        low, high = np.full(len(names), NEVER), np.full(len(names), -NEVER)
        for part, lut in claims:
            _extend(part.code, part.event_time, lut, low, high)
        if self._reached is not None and self._reached[0] == reading:
            before_low, before_high = np.full(len(names), NEVER), np.full(len(names), -NEVER)
            before_low[: len(self._reached[1])], before_high[: len(self._reached[2])] = self._reached[1:]
        else:
            before_low, before_high = earlier()
        at = np.flatnonzero((low <= before_high) & (high >= before_low))
        if len(at):
            assets, start, stop = self.found.setdefault(reading, (set(), NEVER, -NEVER))
            assets |= {(names[n].asset_type, names[n].asset) for n in at.tolist()}
            start = min(start, int(np.maximum(low, before_low)[at].min()))
            stop = max(stop, int(np.minimum(high, before_high)[at].max()) + 1)
            self.found[reading] = (assets, start, stop)
        self._reached = (reading, np.minimum(low, before_low), np.maximum(high, before_high))
