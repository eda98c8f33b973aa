"""Watermark and first observations of a source: kept for the newest position, computed for others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Series
from twinlab.history.index.columns import Table
from twinlab.history.index.reach import NEVER

__all__ = ["FirstTimes", "Marks"]

Ints = npt.NDArray[np.int64]
#: Readings of files whose first times are kept in memory; those of others are computed when a row is added to them.
_OPEN = 16


@dataclass(frozen=True)
class Marks:
    """Watermark and first observations of a source at a position."""

    # ns; -NEVER without any claim.
    watermark: int
    series: tuple[Series, ...]
    # Event time of each series' first observation, ns; NEVER if it has none.
    first: Ints

    def observed(self) -> Iterator[Series]:
        """Yield the series that have observations."""
        return (self.series[n] for n in np.flatnonzero(self.first < NEVER).tolist())


class FirstTimes:
    """The first observation of each series, for each reading of a file and for all rows that aren't withdrawn."""

    #: Columns: row range, series and time where the first time of a series within its reading decreased.
    KINDS: ClassVar = {"number": "i4", "series": "i4", "time": "i8"}

    def __init__(self, table: Table | None = None) -> None:
        self.table = Table(self.KINDS) if table is None else table
        self._open: dict[int, Ints] = {}
        self._newest = np.empty(0, dtype=np.int64)

    def of(self, reading: int, readings: npt.NDArray[np.int32], count: int) -> Ints:
        """Return the first times of a reading for ``count`` series, to be lowered in place; see `lower`.

        Parameters
        ----------
        readings : int32
            The reading of each row range.
        """
        found = self._open.pop(reading, None)
        if found is None:
            mine = readings[self.table["number"]] == reading
            found = self._least(mine, count)
        # The readings that were used last are at the end.
        self._open[reading] = found = grown(found, count)
        if len(self._open) > _OPEN:
            self._open.pop(next(iter(self._open)))
        return found

    def lower(self, number: int, which: npt.NDArray[np.int64], times: Ints) -> None:
        """Note that row range ``number`` lowered the first times of some series to those in ``times``."""
        if len(which):
            self.table.extend(np.full(len(which), number), which, times[which])
            self._newest = grown(self._newest, len(times)).copy()
            self._newest[which] = np.minimum(self._newest[which], times[which])

    def newest(self, count: int) -> Ints:
        """Return the first times of all rows that aren't withdrawn."""
        return grown(self._newest, count).copy()

    def end(self, reading: int | None, valid: npt.NDArray[np.bool_], count: int) -> None:
        """Leave out the rows of a reading; ``valid`` states which row ranges still count."""
        self._open.pop(-1 if reading is None else reading, None)
        self._newest = self.at(valid, count)

    def at(self, valid: npt.NDArray[np.bool_], count: int) -> Ints:
        """Return the first times of ``count`` series in the row ranges that are ``valid``."""
        return self._least(valid[self.table["number"]], count)

    def _least(self, mine: npt.NDArray[np.bool_], count: int) -> Ints:
        first = np.full(count, NEVER)
        np.minimum.at(first, self.table["series"][mine], self.table["time"][mine])
        return first


def grown(first: Ints, count: int) -> Ints:
    """Return first times with at least ``count`` elements."""
    if len(first) >= count:
        return first
    return np.concatenate([first, np.full(count - len(first), NEVER)])
