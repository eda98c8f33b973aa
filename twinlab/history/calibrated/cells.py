"""Cells of a gauge with its calibrations applied, read when they are needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.history.read.lazy import Lazy
from twinlab.model.calibration import Calibration, corrected

__all__ = ["CalibratedCells", "Corrections", "cell_times"]


@dataclass(frozen=True)
class Corrections:
    """The calibrations of one signal by stored column, and where the axis of its cells begins."""

    by_column: dict[int, tuple[Calibration, ...]] = field(default_factory=dict)
    #: Start of cell 0, ns since 1970.
    origin_ns: int = 0

    def of(self, column: int) -> tuple[Calibration, ...]:
        """Return the calibrations of a stored column."""
        return self.by_column.get(column, ())

    @cached_property
    def token(self) -> str:
        """What distinguishes them from any others."""
        return repr((sorted(self.by_column.items()), self.origin_ns))


@dataclass(frozen=True)
class CalibratedCells(Lazy):
    """Cells of ``plain`` (values of a gauge), corrected where a calibration is valid at the start of the cell."""

    plain: Lazy
    corrections: Corrections

    @property
    def token(self) -> tuple[object, ...]:
        """What distinguishes it from any other."""
        return (type(self).__name__, self.plain.token, self.corrections.token)

    def rectangle(self, first: int, stop: int, columns: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return cells, numbered from the origin, of stored columns."""
        values: NDArray[Any] = self.plain.rectangle(first, stop, columns)
        if not any(self.corrections.of(column) for column in columns.tolist()):
            return values
        out = np.array(values, dtype=np.float64)
        times = cell_times(self.corrections, self.reader.group.cadence_ns, first, stop)
        for place, column in enumerate(columns.tolist()):
            out[:, place] = corrected(out[:, place], times, self.corrections.of(column))
        return out


def cell_times(corrections: Corrections, cadence_ns: int, first: int, stop: int) -> NDArray[np.int64]:
    """Return the starts of cells, in ns since 1970."""
    return corrections.origin_ns + np.arange(first, stop, dtype=np.int64) * cadence_ns
