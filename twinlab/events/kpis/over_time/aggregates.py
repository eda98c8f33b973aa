"""Aggregates over the time of assets: shares, means, extremes and totals of cells, with bounds.

Each takes cells of whole windows and folds them. What isn't known of a cell counts as bad in the low bound and as good in the high
one: a condition as false or true, a value as the least or greatest that the sensor can report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twinlab.events.kpis.bounded import Bounded
from twinlab.events.kpis.intervals import Interval, condition_bounds, value_bounds
from twinlab.events.kpis.over_time.folding import Folding
from twinlab.events.kpis.over_time.leaves import PossibleLeaves, ReportedLeaves, ValidLeaves
from twinlab.model.expressions import bound

__all__ = ["CellFold", "Folded", "duration", "extreme", "kinetic_mean", "mean", "share", "total"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Folded:
    """An aggregate by window and group, with the cells behind it."""

    result: Bounded
    #: Cells whose value or truth is sure, all cells that there should be, and those with a value.
    sure: Floats
    expected: Floats
    samples: Floats


@dataclass(frozen=True)
class CellFold:
    """The cells of some windows: how they are read, and how they are folded."""

    reported: ReportedLeaves
    valid: ValidLeaves
    possible: PossibleLeaves
    folding: Folding
    #: The rows that belong to the windows; those before are what expressions look back on.
    first: int
    stop: int

    @property
    def expected(self) -> Bools:
        """Which cells there should be a value in."""
        return self.possible.cells.expected[self.first : self.stop]

    @property
    def cell_s(self) -> float:
        """Length of a cell in seconds."""
        return self.possible.cells.cadence_ns / 1e9

    def rows(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array of all cells, without what is before the windows."""
        return np.broadcast_to(array, self.possible.cells.expected.shape)[self.first : self.stop]

    def sum(self, array: NDArray[Any]) -> Floats:
        """Return sums over the expected cells."""
        return self.folding.fold(np.where(self.expected, array, 0.0))

    def values(self, value: bound.Value) -> tuple[Floats, Interval]:
        """Return a value at each cell of the windows, NaN where it isn't known, and its bounds."""
        known = self.rows(value_bounds(value, self.reported).low)
        return known, Interval(*(self.rows(one) for one in value_bounds(value, self.possible)))


def share(cells: CellFold, condition: bound.Condition) -> Folded:
    """Return the share of time in which a condition is true, of the time in which it is known."""
    now, sure, expected = _truth(cells, condition)
    yes, no = now
    with np.errstate(invalid="ignore", divide="ignore"):
        value = yes / (yes + no)
        low, high = sure[0] / expected, (expected - sure[1]) / expected
    return Folded(Bounded(value, low, high), sure[0] + sure[1], expected, yes + no)


def duration(cells: CellFold, condition: bound.Condition) -> Folded:
    """Return for how many hours a condition is true, summed over the assets; what isn't known isn't in the value."""
    now, sure, expected = _truth(cells, condition)
    hours = cells.cell_s / 3600
    found = Bounded(now[0], sure[0], expected - sure[1]).scaled(0.0, hours, 0.0)
    return Folded(found, sure[0] + sure[1], expected, now[0] + now[1])


def _truth(cells: CellFold, condition: bound.Condition) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats], Floats]:
    now, sure = (condition_bounds(condition, leaves) for leaves in (cells.valid, cells.possible))
    found = [tuple(cells.sum(cells.rows(one)) for one in truth) for truth in (now, sure)]
    expected = cells.folding.fold(cells.expected)
    return (found[0][0], found[0][1]), (found[1][0], found[1][1]), expected


def mean(cells: CellFold, value: bound.Value) -> Folded:
    """Return the mean over time, each cell with the same weight."""
    return _mean(cells, *cells.values(value))


def kinetic_mean(cells: CellFold, value: bound.Value, to_kelvin: Callable[[Floats], Floats]) -> Folded:
    """Return the mean kinetic temperature in kelvin: the constant one at which as much of a substance would decay.

    With Arrhenius' rate and an activation energy of 83.144 kJ/mol, so that dH/R is 10,000 K [1]_::

        T_K = (dH / R) / -ln(mean(exp(-dH / (R * T))))

    References
    ----------
    .. [1] J. D. Haynes, "Worldwide virtual temperatures for product stability testing", Journal of Pharmaceutical Sciences 60
       (1971) 927; United States Pharmacopeia, chapters 659 and 1079.2; ICH Q1A(R2), glossary.
    """

    def rate(temperature: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.exp(-_ACTIVATION_K / np.maximum(to_kelvin(temperature), 0.0))

    known, possible = cells.values(value)
    found = _mean(cells, rate(known), Interval(*(rate(one) for one in possible)))
    with np.errstate(divide="ignore"):
        ends = [_ACTIVATION_K / -np.log(one) for one in (found.result.value, found.result.low, found.result.high)]
    return Folded(Bounded(*ends), found.sure, found.expected, found.samples)


#: dH / R, in kelvin.
_ACTIVATION_K = 10_000.0


def _mean(cells: CellFold, known: Floats, possible: Interval) -> Folded:
    there = ~np.isnan(known)
    expected, number = cells.folding.fold(cells.expected), cells.sum(there)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = cells.sum(np.where(there, known, 0.0)) / number
        low, high = cells.sum(possible.low) / expected, cells.sum(possible.high) / expected
    return Folded(Bounded(value, low, high), cells.sum(possible.low == possible.high), expected, number)


def total(cells: CellFold, value: bound.Value, per_s: float) -> Folded:
    """Return a rate summed up over time and assets; ``per_s`` is how much one unit of it gives in a second."""
    known, possible = cells.values(value)
    there = ~np.isnan(known)
    sums = [cells.sum(one) for one in (np.where(there, known, 0.0), *possible)]
    found = Bounded(*sums).scaled(0.0, cells.cell_s * per_s, 0.0)
    return Folded(found, cells.sum(possible.low == possible.high), cells.folding.fold(cells.expected), cells.sum(there))


def extreme(cells: CellFold, value: bound.Value, *, greatest: bool) -> Folded:
    """Return the least or the greatest value."""
    how: Literal["min", "max"] = "max" if greatest else "min"
    edge = -np.inf if greatest else np.inf
    known, possible = cells.values(value)
    there = ~np.isnan(known) & cells.expected
    best, low, high = (
        cells.folding.fold(np.where(where, one, edge), how)
        for where, one in ((there, known), (cells.expected, possible.low), (cells.expected, possible.high))
    )
    expected = cells.folding.fold(cells.expected)
    nothing = expected == 0
    found = Bounded(
        np.where(np.isinf(best), np.nan, best), np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)
    )
    return Folded(found, cells.sum(possible.low == possible.high), expected, cells.sum(there))
