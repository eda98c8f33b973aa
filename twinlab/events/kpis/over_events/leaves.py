"""What expressions over events are made of: the columns of an event table, and what they can be where they aren't known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.events.finding.event_columns import column_numbers, column_texts
from twinlab.events.kpis.intervals import Interval, Truth
from twinlab.model.asset_types import EventType
from twinlab.model.expressions import bound

__all__ = ["EventLeaves", "PossibleEvents", "UnknownEvent"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EventLeaves:
    """Columns of an event table, NaN where they aren't known; durations and delays in seconds."""

    table: pd.DataFrame
    spec: EventType

    cadence_ns = None

    def signal(self, name: str) -> Interval:
        """Raise an error: events have no signals."""
        msg = f"expected a column of the event table, got the signal {name!r}"
        raise SchemaError(msg)

    reports = property = signal

    def column(self, name: str) -> Interval:
        """Return a column of the event table."""
        return Interval.exact(self._numbers(name))

    def text(self, value: bound.Property | bound.Column) -> NDArray[np.object_]:
        """Return a text column, None where it isn't known."""
        return column_texts(self.table, value.name)

    def calculated(self, value: bound.Change | bound.Rate) -> Interval:
        """Raise an error: an event doesn't change."""
        msg = f"expected a value of single events, got a change of {value.value}"
        raise SchemaError(msg)

    def indicator(self, truth: Truth) -> Interval:  # noqa: ARG002  (a protocol)
        """Raise an error: an event has no windows."""
        msg = "expected a value of single events, got a window of a condition"
        raise SchemaError(msg)

    def _numbers(self, name: str) -> Floats:
        return column_numbers(self.table, name, self.spec)


class PossibleEvents(EventLeaves):
    """Columns of an event table; where a number isn't known, all that it can be."""

    def column(self, name: str) -> Interval:
        """Return a column, with the least and the greatest that it can be."""
        found = self._numbers(name)
        unknown = np.isnan(found)
        low, high = _reach(name, self.spec)
        return Interval(np.where(unknown, low, found), np.where(unknown, high, found))


class UnknownEvent(EventLeaves):
    """An event of which nothing is known."""

    def column(self, name: str) -> Interval:
        """Return the least and the greatest that a column can be."""
        low, high = _reach(name, self.spec)
        return Interval(np.array([low]), np.array([high]))


def _reach(name: str, spec: EventType) -> tuple[float, float]:
    prop = spec.properties.get(name)
    if (prop is not None and prop.dtype == "boolean") or (prop is None and name == "cancelled"):
        return 0.0, 1.0
    return (0.0 if prop is None and name == "duration" else -np.inf), np.inf
