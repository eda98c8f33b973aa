"""What expressions over cells are made of: the values in use, or what they can be at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.events.kpis.intervals import Interval, Truth, value_bounds
from twinlab.events.kpis.over_time.cells import TypeCells
from twinlab.events.rules.runs import last_valid_rows
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import inner

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["CellLeaves", "PossibleLeaves", "ReportedLeaves", "ValidLeaves", "look_back_ns"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CellLeaves:
    """Signals at each cell (time, asset), properties of each asset; subclasses say what a signal's value is."""

    twin: TwinReader
    asset_type: str
    cells: TypeCells

    @property
    def cadence_ns(self) -> int:
        """Distance of two cells."""
        return self.cells.cadence_ns

    def signal(self, name: str) -> Interval:
        """Return a signal's value at each cell."""
        raise NotImplementedError

    def reports(self, name: str) -> Interval:
        """Return a signal's value in the cells with a report, for windows; NaN where none was due."""
        raise NotImplementedError

    def property(self, name: str) -> Interval:
        """Return a number property of each asset; NaN where it isn't known."""
        column = self.twin.assets(self.asset_type)[name].reindex(list(self.cells.assets))
        if pd.api.types.is_datetime64_any_dtype(column):
            found = column.to_numpy(dtype="datetime64[ns]")
            numbers = np.where(np.isnat(found), np.nan, found.astype("int64") / 1e9)
        else:
            numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        return Interval.exact(numbers[None, :])

    def column(self, name: str) -> Interval:
        """Raise an error: cells have no columns of events."""
        msg = f"expected a signal or property of {self.asset_type!r}, got the column {name!r} of an event table"
        raise SchemaError(msg)

    def text(self, value: bound.Property | bound.Column) -> NDArray[np.object_]:
        """Return a text property of each asset, None where it isn't known."""
        column = self.twin.assets(self.asset_type)[value.name].reindex(list(self.cells.assets))
        found = np.array([None if pd.isna(one) else str(one) for one in column.tolist()], dtype=object)
        return found[None, :]

    def calculated(self, value: bound.Change | bound.Rate) -> Interval:
        """Return a change or a rate: exact where all that it looks back on is known, else unlimited."""
        raise NotImplementedError

    def indicator(self, truth: Truth) -> Interval:
        """Return 1 where a condition is true, 0 where it is false, and where it is unknown what that can be."""
        raise NotImplementedError

    def _change(self, value: bound.Change | bound.Rate, part: Floats) -> Floats:
        """Return a change from known numbers, NaN where one of both isn't known."""
        if value.duration_ns is None:
            rows = last_valid_rows(~np.isnan(part))
            now = np.take_along_axis(part, np.maximum(rows, 0), axis=0)
            earlier = np.vstack([np.full((1, part.shape[1]), -1), rows[:-1]])
            before = np.take_along_axis(earlier, np.maximum(rows, 0), axis=0)
            then = np.where(before >= 0, np.take_along_axis(part, np.maximum(before, 0), axis=0), np.nan)
            rise = _rise(now - then, now, value)
            found = rise / np.maximum((rows - before) * self.cadence_ns / 1e9, 1e-9)
            return np.where((rows >= 0) & (before >= 0), found, np.nan)
        cells = max(1, round(value.duration_ns / self.cadence_ns))
        then = np.full_like(part, np.nan)
        then[cells:] = part[:-cells]
        rise = _rise(part - then, part, value)
        return rise / (value.duration_ns / 1e9) if isinstance(value, bound.Rate) else rise


def _rise(difference: Floats, now: Floats, value: bound.Change | bound.Rate) -> Floats:
    if not value.counter:
        return difference
    with np.errstate(invalid="ignore"):
        fallen = difference < 0
    return np.where(fallen, now if value.wraps_at is None else difference + value.wraps_at, difference)


class ReportedLeaves(CellLeaves):
    """Values that were reported; NaN where there are none."""

    def signal(self, name: str) -> Interval:
        """Return the usable values, also over the silence that a heartbeat allows."""
        return Interval.exact(self.cells.signals[name].reported())

    def reports(self, name: str) -> Interval:
        """Return the usable values in their own cells."""
        cells = self.cells.signals[name]
        return Interval.exact(np.where(cells.usable, cells.values, np.nan))

    def calculated(self, value: bound.Change | bound.Rate) -> Interval:
        """Return a change or a rate, NaN where it isn't known."""
        part = value_bounds(value.value, self, in_window=value.duration_ns is None)
        return Interval.exact(self._change(value, np.broadcast_to(part.low, self.cells.expected.shape)))

    def indicator(self, truth: Truth) -> Interval:
        """Return 1 where a condition is true, 0 where it is false, NaN where it is unknown."""
        found = np.where(truth.unknown, np.nan, truth.true)
        return Interval.exact(np.broadcast_to(found, self.cells.expected.shape))


class ValidLeaves(ReportedLeaves):
    """Values as rules and `find` use them: the last good one while it is valid."""

    def signal(self, name: str) -> Interval:
        """Return the last usable value while it is valid."""
        return Interval.exact(self.cells.signals[name].valid())


class PossibleLeaves(CellLeaves):
    """What values can be: those that passed, and elsewhere all that the sensor can report."""

    def signal(self, name: str) -> Interval:
        """Return the value where it is known, else the signal's reach."""
        cells = self.cells.signals[name]
        sure = cells.sure()
        known = ~np.isnan(sure)
        return Interval(np.where(known, sure, cells.least), np.where(known, sure, cells.most))

    def reports(self, name: str) -> Interval:
        """Return the value where it passed, NaN where no report was due, else the signal's reach."""
        cells = self.cells.signals[name]
        found = [np.where(cells.passed, cells.values, edge) for edge in (cells.least, cells.most)]
        # A state has a value between its reports, too.
        unneeded = cells.silent
        return Interval(*(np.where(unneeded, np.nan, one) for one in found))

    def property(self, name: str) -> Interval:
        """Return a number property of each asset; where it isn't known it can be anything."""
        found = super().property(name).low
        unknown = np.isnan(found)
        return Interval(np.where(unknown, -np.inf, found), np.where(unknown, np.inf, found))

    def calculated(self, value: bound.Change | bound.Rate) -> Interval:
        """Return a change or a rate: exact where all that it looks back on is known, else unlimited."""
        part = value_bounds(value.value, self)
        low, high = (np.broadcast_to(one, self.cells.expected.shape) for one in part)
        found = self._change(value, np.where(low == high, low, np.nan))
        if value.duration_ns is None:
            # Of the last two reports, neither is missing if this cell and the one before are known.
            known = (low == high) & np.vstack([np.zeros((1, low.shape[1]), dtype=bool), (low == high)[:-1]])
            found = np.where(known, found, np.nan)
        unknown = np.isnan(found)
        return Interval(np.where(unknown, 0.0 if value.counter else -np.inf, found), np.where(unknown, np.inf, found))

    def indicator(self, truth: Truth) -> Interval:
        """Return 1 where a condition is true, 0 where it is false, where it is unknown both."""
        found = [np.broadcast_to(one.astype(float), self.cells.expected.shape) for one in (truth.true, ~truth.false)]
        return Interval(*found)


def look_back_ns(node: bound.Condition | bound.Value) -> int:
    """Return how far before a cell an expression looks, without the validity of values."""
    own: int = getattr(node, "duration_ns", None) or 0
    return own + max((look_back_ns(part) for part in inner(node)), default=0)
