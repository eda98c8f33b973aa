"""Aggregates over the time of assets: shares, means, extremes and totals of cells, with bounds.

Each takes cells of whole windows and folds them. What isn't known of a cell counts as bad in the low bound and as good in the high
one: a condition as false or true, a value as the least or greatest that the sensor can report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.events.kpis.bounded import Bounded
from twinlab.events.kpis.intervals import Interval, condition_bounds, value_bounds
from twinlab.events.kpis.over_time.folding import Folding, How
from twinlab.events.kpis.over_time.leaves import PossibleLeaves, ReportedLeaves, ValidLeaves
from twinlab.model.expressions import bound

__all__ = ["CellFold", "Folded", "duration", "extreme", "kinetic_mean", "mean", "share", "total"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Folded:
    """An aggregate by window and group, with the cells behind it.

    Before it is finished, the result is what can be added up, such as the sum of a mean; see `finished`.
    """

    result: Bounded
    #: Cells whose value or truth is sure, all cells that there should be, and those with a value.
    sure: Floats
    expected: Floats
    samples: Floats

    def with_others(self, others: Folded, how: How = "sum") -> Folded:
        """Return the aggregate of these assets and of others."""
        one, other = self.result, others.result
        fold = {"sum": np.add, "min": np.minimum, "max": np.maximum}[how]
        return Folded(
            Bounded(fold(one.value, other.value), fold(one.low, other.low), fold(one.high, other.high)),
            self.sure + others.sure,
            self.expected + others.expected,
            self.samples + others.samples,
        )

    def of_a_mean(self) -> Folded:
        """Return the mean of which the result is the sum: of what is known, and in the bounds of all."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = Bounded(
                self.result.value / self.samples, self.result.low / self.expected, self.result.high / self.expected
            )
        return replace(self, result=found)

    def of_an_extreme(self) -> Folded:
        """Return the extreme, NaN where there is no value, and no bounds where there is nothing."""
        value, nothing = self.result.value, self.expected == 0
        low, high = (np.where(nothing, np.nan, one) for one in (self.result.low, self.result.high))
        return replace(self, result=Bounded(np.where(self.samples > 0, value, np.nan), low, high))

    def of_a_kinetic_mean(self) -> Folded:
        """Return the temperature in kelvin whose rate of decay is the mean."""
        found = self.of_a_mean().result
        with np.errstate(divide="ignore"):
            ends = [_ACTIVATION_K / -np.log(one) for one in (found.value, found.low, found.high)]
        return replace(self, result=Bounded(*ends))


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
    """Return the cells in which a condition is true, of those in which it is known."""
    now, sure = (condition_bounds(condition, leaves) for leaves in (cells.valid, cells.possible))
    yes, no, sure_yes, sure_no = (cells.sum(cells.rows(one)) for one in (*now, *sure))
    expected = cells.folding.fold(cells.expected)
    return Folded(Bounded(yes, sure_yes, expected - sure_no), sure_yes + sure_no, expected, yes + no)


def duration(cells: CellFold, condition: bound.Condition) -> Folded:
    """Return for how many hours a condition is true, summed over the assets; what isn't known isn't in the value."""
    found = share(cells, condition)
    return replace(found, result=found.result.scaled(0.0, cells.cell_s / 3600, 0.0))


def mean(cells: CellFold, value: bound.Value) -> Folded:
    """Return the sum of a value over cells."""
    return _sum(cells, *cells.values(value))


def kinetic_mean(cells: CellFold, value: bound.Value, to_kelvin: Callable[[Floats], Floats]) -> Folded:
    """Return the sum of the rates of decay, for the mean kinetic temperature.

    It is the constant temperature at which as much of a substance would decay as did. With Arrhenius' rate and an activation energy
    of 83.144 kJ/mol, so that dH/R is 10,000 K [1]_::

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
    return _sum(cells, rate(known), Interval(*(rate(one) for one in possible)))


#: dH / R, in kelvin.
_ACTIVATION_K = 10_000.0


def total(cells: CellFold, value: bound.Value, per_s: float) -> Folded:
    """Return a rate summed up over time and assets; ``per_s`` is how much one unit of it gives in a second."""
    found = _sum(cells, *cells.values(value))
    return replace(found, result=found.result.scaled(0.0, cells.cell_s * per_s, 0.0))


def _sum(cells: CellFold, known: Floats, possible: Interval) -> Folded:
    there = ~np.isnan(known)
    sums = [cells.sum(one) for one in (np.where(there, known, 0.0), *possible)]
    expected = cells.folding.fold(cells.expected)
    return Folded(Bounded(*sums), cells.sum(possible.low == possible.high), expected, cells.sum(there))


def extreme(cells: CellFold, value: bound.Value, *, greatest: bool) -> Folded:
    """Return the least or the greatest value, infinite where there is none."""
    how: How = "max" if greatest else "min"
    edge = -np.inf if greatest else np.inf
    known, possible = cells.values(value)
    there = ~np.isnan(known) & cells.expected
    ends = [
        cells.folding.fold(np.where(where, one, edge), how)
        for where, one in ((there, known), (cells.expected, possible.low), (cells.expected, possible.high))
    ]
    expected = cells.folding.fold(cells.expected)
    return Folded(Bounded(*ends), cells.sum(possible.low == possible.high), expected, cells.sum(there))
