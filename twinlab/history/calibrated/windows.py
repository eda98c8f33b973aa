"""Statistics of windows of calibrated cells.

Where one correction applies in a whole window, they follow from those of the window: exact, and no cell is read. Where the
correction changes within a window, they are computed from its cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.history.calibrated.cells import Corrections, cell_times
from twinlab.history.layout.encoding import decode
from twinlab.history.read.lazy import Lazy, LazyWindows, finished
from twinlab.model.calibration import Calibration, corrected
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import parse_duration

__all__ = ["STATISTICS", "CalibratedWindows"]

#: Statistics that a correction changes.
STATISTICS = ("mean", "min", "max", "sum")
_PARTS = {"mean": ("sum", "count"), "sum": ("sum", "count"), "min": ("min", "max"), "max": ("min", "max")}
#: Cells that are read at once.
_AT_ONCE = 2**22
_COUNTED = (Flag.PASS, Flag.SUSPECT)


@dataclass(frozen=True)
class CalibratedWindows(Lazy):
    """One of `STATISTICS` of the windows of ``plain``, of corrected cells that pass or are suspect."""

    plain: LazyWindows
    corrections: Corrections

    @property
    def cost(self) -> int:
        """Number of cells that are read for one element, where the correction doesn't change."""
        return self.plain.cost

    @property
    def token(self) -> tuple[object, ...]:
        """What distinguishes it from any other."""
        return (type(self).__name__, self.plain.token, self.corrections.token)

    def rectangle(self, first: int, stop: int, columns: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return windows, numbered from the origin, of stored columns."""
        plain, what = self.plain, self.plain.statistic
        if not any(self.corrections.of(column) for column in columns.tolist()):
            return plain.rectangle(first, stop, columns)
        parts = self.reader.windows(self.name, plain.step, first, stop, columns, _PARTS[what])
        found = {name: finished(parts, name, self.signal) for name in {what, *_PARTS[what]}}
        out = np.array(found[what], dtype=np.float64)
        for place, column in enumerate(columns.tolist()):
            several = self.corrections.of(column)
            if several:
                mine = {name: part[:, place].astype(np.float64) for name, part in found.items()}
                out[:, place] = self._column(mine, several, first, stop, column)
        return out

    def _column(
        self,
        found: dict[str, NDArray[np.float64]],
        several: tuple[Calibration, ...],
        first: int,
        stop: int,
        column: int,
    ) -> NDArray[np.float64]:
        """Return the windows of one column, whose statistics before the correction are ``found``."""
        cadence, per = self.reader.group.cadence_ns, self._per
        begin = cell_times(self.corrections, cadence, first * per, stop * per)[::per]
        end = begin + (per - 1) * cadence
        what = self.plain.statistic
        out = found[what]
        changing = np.zeros(stop - first, dtype=bool)
        for one in several:
            same = one.constant_between(begin, end)
            changing |= ~same
            since, until = one.span_ns
            rows = np.flatnonzero(same & (begin >= since) & (begin < until))
            gain, offset = one.gain_at(begin[rows]), one.offset_at(begin[rows])
            before = found[what][rows]
            if what in ("min", "max"):
                # The lowest value is the highest one before a gain below zero.
                other = found["max" if what == "min" else "min"][rows]
                before = np.where(gain < 0, other, before)
            out[rows] = gain * before + offset * (found["count"][rows] if what == "sum" else 1)
        for low, high in _spans(np.flatnonzero(changing), max(1, _AT_ONCE // per)):
            out[low:high] = self._from_cells(several, first + low, first + high, column)
        return out

    @property
    def _per(self) -> int:
        return parse_duration(self.plain.step) // self.reader.group.cadence_ns

    def _from_cells(self, several: tuple[Calibration, ...], first: int, stop: int, column: int) -> NDArray[np.float64]:
        per = self._per
        k0, k1 = first * per, stop * per
        stored, flags = self.reader.cells(self.name, k0, k1, np.array([column], dtype=np.int64))
        times = cell_times(self.corrections, self.reader.group.cadence_ns, k0, k1)
        values = corrected(decode(stored[:, 0], self.signal), times, several).reshape(-1, per)
        good = np.isin(flags[:, 0], _COUNTED).reshape(-1, per) & ~np.isnan(values)
        count = good.sum(axis=1)
        what = self.plain.statistic
        if what == "min":
            found: NDArray[Any] = np.where(good, values, np.inf).min(axis=1)
        elif what == "max":
            found = np.where(good, values, -np.inf).max(axis=1)
        else:
            found = np.where(good, values, 0.0).sum(axis=1)
            if what == "mean":
                found /= np.maximum(count, 1)
        return np.where(count == 0, np.nan, found)


def _spans(rows: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Yield runs of consecutive rows as [low, high), each of at most ``most``.

    >>> list(_spans(np.array([1, 2, 3, 7]), 2))
    [(1, 3), (3, 4), (7, 8)]
    """
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        for low in range(0, len(run), most):
            part = run[low : low + most]
            yield int(part[0]), int(part[-1]) + 1
