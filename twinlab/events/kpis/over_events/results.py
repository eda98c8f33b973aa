"""Aggregates over events: which events a window has, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.kpis.bounded import Bounded
from twinlab.events.kpis.intervals import Interval, Truth, condition_bounds, value_bounds
from twinlab.events.kpis.over_events import aggregates as event_aggregates
from twinlab.events.kpis.over_events.aggregates import Members
from twinlab.events.kpis.over_events.leaves import EventLeaves, PossibleEvents, UnknownEvent
from twinlab.events.kpis.over_time.aggregates import Folded
from twinlab.events.kpis.windows import Windows
from twinlab.model.kpis.subjects import Subjects

if TYPE_CHECKING:
    from twinlab.model.asset_types import EventType
    from twinlab.model.kpis.formulas import EventAggregate
    from twinlab.model.reader import TwinReader

__all__ = ["WindowEvents", "event_table", "over_events", "times_of"]

Ints = NDArray[np.int64]

#: Where an event's time isn't known, the one that counts instead.
_INSTEAD = {"planned_start": "start", "start": "planned_start", "planned_end": "end", "end": "planned_end"}


@dataclass(frozen=True)
class WindowEvents:
    """The events of some windows."""

    table: pd.DataFrame
    spec: EventType
    window: Ints
    #: -1 where the group isn't known.
    group: Ints
    groups: int
    #: Share of each window that is settled.
    settled: NDArray[np.float64]


def event_table(twin: TwinReader, event_type: str) -> pd.DataFrame:
    """Return the events of a type; of a relationship a row for each time that it was valid."""
    subjects = Subjects(twin.model)
    if not subjects.is_relationship(event_type):
        return twin.events(event_type)
    links, target = twin.relationships(event_type), subjects.relationships[event_type].target
    nothing = np.full(len(links), np.datetime64("NaT", "ns"))
    times = {
        "start": links["valid_from"],
        "end": links["valid_until"],
        "planned_start": nothing,
        "planned_end": nothing,
    }
    return pd.DataFrame({"asset": links["source"], target: links["target"], "type": event_type, **times})


def times_of(table: pd.DataFrame, at: str) -> Ints:
    """Return the time that puts each event into a window, nanoseconds since 1970; the least int64 where none is known."""
    found = table[at].fillna(table[_INSTEAD[at]])
    return found.to_numpy(dtype="datetime64[ns]").astype("int64")


def over_events(events: WindowEvents, aggregates: Sequence[EventAggregate], windows: Windows) -> list[Folded]:
    """Return aggregates of one event type by window and group."""
    return [_aggregate(events, one, windows) for one in aggregates]


def _aggregate(events: WindowEvents, one: EventAggregate, windows: Windows) -> Folded:
    possible = PossibleEvents(events.table, events.spec)
    size = len(events.table)
    where = _whole(condition_bounds(one.where, possible), size) if one.where is not None else _always(size)
    members = Members(
        events.window,
        np.where(events.group >= 0, events.window * events.groups + events.group, -1),
        (len(windows), events.groups),
        where,
        events.settled < 1,
    )
    result, sure = _result(events, one, members, possible)
    number = members.sums(members.sure & sure)
    expected = members.sums(members.sure) + members.sums(members.maybe)
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.where(expected > 0, number / expected, 1.0) * events.settled[:, None]
    # As shares, so that a window without events has a coverage, too.
    return Folded(result, known, np.ones(members.shape), number)


def _result(
    events: WindowEvents, one: EventAggregate, members: Members, possible: PossibleEvents
) -> tuple[Bounded, NDArray[np.bool_]]:
    """Return the aggregate, and of which events all is known that it needs."""
    size = len(events.table)
    if one.function == "count" or one.part is None:
        return event_aggregates.count(members), np.ones(size, dtype=bool)
    if one.function == "share":
        good = _whole(condition_bounds(one.part, possible), size)  # type: ignore[arg-type]
        return event_aggregates.share(members, good), ~good.unknown
    known = EventLeaves(events.table, events.spec)
    value = np.broadcast_to(value_bounds(one.part, known).low, (size,))  # type: ignore[arg-type]
    bounds = Interval(*(np.broadcast_to(end, (size,)) for end in value_bounds(one.part, possible)))  # type: ignore[arg-type]
    nothing = value_bounds(one.part, UnknownEvent(events.table[:0], events.spec))  # type: ignore[arg-type]
    reach = float(np.ravel(nothing.low)[0]), float(np.ravel(nothing.high)[0])
    sure = bounds.low == bounds.high
    if one.function == "sum":
        return event_aggregates.total(members, value, bounds, reach), sure
    if one.function == "mean":
        return event_aggregates.mean(members, value, bounds, reach), sure
    if one.function in ("median", "quantile"):
        return event_aggregates.quantile(members, value, bounds, reach, level=one.level or 0.0), sure
    return event_aggregates.extreme(members, value, bounds, reach, greatest=one.function == "max"), sure


def _whole(truth: Truth, size: int) -> Truth:
    return Truth(*(np.broadcast_to(one, (size,)) for one in truth))


def _always(size: int) -> Truth:
    return Truth(np.ones(size, dtype=bool), np.zeros(size, dtype=bool))
