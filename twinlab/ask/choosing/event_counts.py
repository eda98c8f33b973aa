"""Choose the call of a question about recorded events: how many, how late, which were cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from twinlab.ask.choosing.asset_times import promise_of
from twinlab.ask.choosing.event_conditions import (
    as_condition,
    column_of_unit,
    event_condition,
    events_of,
    late_condition,
    number_of,
    other_comparison,
)
from twinlab.ask.choosing.event_groups import distinct_of, event_group, hinted_column, number_column
from twinlab.ask.choosing.event_links import compared_groups, event_links, through_events
from twinlab.ask.parsing.frame import span_of
from twinlab.ask.parsing.instants import When
from twinlab.ask.plans.plan import EventCall, instant_text

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.plans.plan import Span

__all__ = ["event_call", "event_type_of"]

At = Literal["planned_start", "start", "end", "between"]
Measure = Literal["count", "days", "distinct", "share", "mean", "median", "min", "max", "sum", "list"]
#: A last window that is shorter isn't counted: what is left of a day in another time zone.
_HARDLY = pd.Timedelta(hours=6)
_ABOUT_EVENTS = (
    "late",
    "on_time",
    "early",
    "cancelled",
    "delay",
    "delay_at_start",
    "delay_at_end",
    "at_start",
    "at_end",
    "under_way",
)


def event_type_of(frame: Frame) -> str | None:
    """Return the event type that a question is about; None if it is about none."""
    named = list(dict.fromkeys(one.name for _, found in frame.items.unused("event_type") for one in found))
    if named:
        return named[0] if len(named) == 1 else None
    if promise_of(frame) is not None:
        return None
    through = through_events(frame)
    if through is not None:
        return through
    if frame.items.has("busiest") and len(frame.model.event_types) == 1 and not frame.signals():
        return next(iter(frame.model.event_types))
    columns = {
        one.of for _, found in frame.items.unused("property") for one in found if one.of in frame.model.event_types
    }
    if not frame.items.has(*_ABOUT_EVENTS):
        if len(columns) == 1 and not frame.signals():
            return columns.pop()
        linked_by = {one.of for _, found in frame.items.unused("link") for one in found}
        if (
            len(linked_by) == 1
            and not frame.signals()
            and not frame.asset_types
            and frame.items.has("highest", "lowest", "highest ", "lowest ", "distinct")
        ):
            # "Top 5 destinations": the events that have one.
            return linked_by.pop()
        return None
    types = set(frame.asset_types) | {one.of for _, found in frame.assets for one in found}
    of_assets = [name for name, kind in frame.model.event_types.items() if kind.asset in types]
    linked = [name for name, kind in frame.model.event_types.items() if types & set(kind.links.values())]
    fitting = of_assets or linked or list(frame.model.event_types)
    if len(fitting) > 1 and frame.items.has("delay_at_start", "delay_at_end"):
        # "The departure delay of each hub" is of the events whose rule is about their start.
        side = "start" if frame.items.has("delay_at_start") else "end"
        ruled = {rule.on for rule in frame.model.rules.values() if rule.late is not None and rule.at == side}
        fitting = [one for one in fitting if one in ruled]
    return fitting[0] if len(fitting) == 1 else None


def event_call(frame: Frame) -> EventCall | None:
    """Return a call about recorded events; None if the question isn't about any."""
    on = event_type_of(frame)
    if on is None:
        return None
    for place, found in frame.items.unused("event_type"):
        if any(one.name == on for one in found):
            frame.items.use(place)
    return _EventQuestion(frame, on).call()


class _EventQuestion:
    """A question about the events of one type, read part by part.

    Parameters
    ----------
    frame : Frame
    on : str
        Event type.
    """

    measure: Measure
    order: Literal["highest", "lowest"] | None

    def __init__(self, frame: Frame, on: str) -> None:
        self.frame, self.on, self.kind = frame, on, frame.model.event_types[on]
        self.side = self.about_start = _about_start(frame)
        if self.about_start is None:
            # The model says by which end an event is late.
            rules = {rule.at for rule in frame.model.rules.values() if rule.on == on and rule.late is not None}
            self.about_start = True if rules == {"start"} else None
        self.average = False

    def call(self) -> EventCall:
        """Return the call."""
        frame = self.frame
        self._read_groups()
        self._read_condition()
        asked = frame.items.has("count", "how_often", "share", "list", "which", "when")
        edge = frame.items.take("first", "final")
        self._read_measure()
        if edge is not None:
            self._read_edge(edge)
        if self.by is not None and frame.per is not None:
            frame.refuse("by_and_per", by=self.by, per=frame.per)
        self._choose_column(asked=asked)
        if frame.per in ("weekday", "hour"):
            frame.note("hours")
        at: At = _window(self.condition, self.measure, side=self.side)
        span = _under_way(frame)
        if self.kind.asset is not None:
            frame.take_asset_type(self.kind.asset)
        return EventCall(
            on=self.on, measure=self.measure, column=self.column, condition=self.condition, events=self.events, links=self.links, where=self.where, by=self.by,
            groups=self.groups, at="between" if span is not None else at, per=frame.per, average=self.average,
            span=span or _whole_windows(frame, frame.span_of_events(self.on)), order=self.order,
            top=frame.top or (1 if self.order and (self.by or frame.per or self.measure == "list") else None),
        )  # fmt: skip

    def _read_groups(self) -> None:
        """Read what the events are grouped by, and their links."""
        frame = self.frame
        self.by, self.column = event_group(frame, self.on, self.kind)
        self.links = event_links(frame, self.on, about_start=self.about_start)
        self.groups = None
        if self.by is None or frame.compared:
            by, self.groups = compared_groups(frame, self.on, self.links)
            self.by = by or self.by
        self.distinct = distinct_of(frame, self.on) if self.by is None else None
        self.by = self.distinct or self.by
        if frame.through and not frame.items.has("count"):
            # "Which airlines fly from LGA": each of them.
            self.distinct = None

    def _read_condition(self) -> None:
        """Read which events count, and the number of each that is asked for."""
        frame = self.frame
        other = other_comparison(frame, self.on)
        self.column = self.column or number_column(frame, self.on, self.kind)
        self.named_number = self.column is not None
        self.events = events_of(frame, self.on)
        if self.events is not None:
            for place, found in frame.items.unused("property"):
                if any(one.of == self.on for one in found):
                    # In the table.
                    frame.items.use(place)
        while frame.items.take("uses"):
            pass
        frame.items.take("now", "latest")
        condition, self.delay = event_condition(
            frame, self.on, about_start=self.about_start, named=self.side is not None
        )
        self.where = frame.take_values(self.on) | number_of(frame, self.on)
        self.condition = " and ".join(one for one in (condition, other) if one) or None
        self.column = self.column or hinted_column(frame, self.kind)

    def _read_measure(self) -> None:
        """Read what is asked of the events."""
        frame = self.frame
        counted = frame.items.has("count")
        if self.column is None and self.delay is None and frame.unit is not None and frame.items.has("how_much"):
            # "How many kilometres did it fly".
            self.column = column_of_unit(frame, self.on, frame.unit)
        column = self.column or self.delay
        grouped = self.by is not None or frame.per is not None
        self.measure, self.order = _measure(frame, self.condition, column, grouped=grouped)
        if self.distinct:
            self.measure, self.order, self.column = "distinct", None, None
        if frame.days:
            self.measure, self.order = "days", None
        asks_number = counted or frame.days or self.measure == "share"
        if self.delay and self.condition is None and asks_number and self.measure in ("count", "days", "share"):
            # "How many trips had a delay" counts the late ones.
            self.condition = late_condition(frame, self.on, about_start=self.about_start)
        if self.measure == "share" and self.condition is None:
            self.condition, self.links, self.where = as_condition(self.links, self.where)
            if self.condition is None:
                frame.refuse("no_condition")
        self.average = self.measure == "mean" and counted and column is None and frame.per in ("day", "week", "month")
        if self.average:
            self.measure = "count"
        if frame.compared and self.measure == "list" and (self.order is None or self.column is None):
            self.measure, self.order = "count", None

    def _read_edge(self, edge: str) -> None:
        """Order by time if the first or the last event is asked for."""
        if self.measure in ("list", "count", "mean") and self.column is None and self.order is None:
            end = self.frame.items.has("at_end") or self.side is False
            self.measure, self.column = "list", "end" if end else "start"
            self.order = "lowest" if edge == "first" else "highest"

    def _choose_column(self, *, asked: bool) -> None:
        """Choose the number of each event, where the words leave it open."""
        default = self.delay or "duration"
        if self.column is None and self.measure == "list" and self.order is not None:
            self.column = default
        if self.column is None and self.measure not in ("count", "days", "distinct", "share", "list"):
            self.column = default
        if (
            self.named_number
            and self.measure == "count"
            and self.order is None
            and not asked
            and not self.average
            and self.frame.per is None
        ):
            # "Distance from JFK to Los Angeles".
            self.measure = "mean"
        plain = self.condition is None and self.order is None and not asked and not self.average
        if self.delay and self.measure in ("list", "count") and plain:
            self.measure, self.column = "mean", self.delay
        if self.events is not None and self.measure == "count" and not self.frame.items.has("count"):
            self.measure = "list"
        if self.measure == "list" and (self.frame.per is not None or (self.by is not None and self.order is None)):
            # "Which airlines fly to Honolulu": each with its number of flights.
            self.measure = "count"


def _about_start(frame: Frame) -> bool | None:
    """Return whether the question is about beginnings (departures), or ends; None if it says neither."""
    if frame.items.has("delay_at_start") or frame.items.take("at_start"):
        return True
    return False if frame.items.has("delay_at_end") or frame.items.take("at_end") else None


def _under_way(frame: Frame) -> Span | None:
    """Return the span in which events have to be under way; None if the question doesn't ask for that."""
    if not frame.items.take("under_way"):
        return None
    if frame.whens:
        return frame.span
    frame.note("now", time=instant_text(frame.now))
    return span_of(When(frame.now - pd.Timedelta(minutes=1), frame.now))


def _whole_windows(frame: Frame, span: Span) -> Span:
    """Return the span without a last month, week or day of which hardly anything is known, if the question names no time."""
    if frame.whens or frame.per not in ("day", "week", "month"):
        return span
    period = {"day": "D", "week": "W-SUN", "month": "M"}[frame.per]
    stop = pd.Timestamp(span.stop)
    last = (stop - pd.Timedelta(1, unit="ns")).to_period(period)
    begun = stop - last.start_time
    if begun >= _HARDLY or last.start_time <= pd.Timestamp(span.start):
        return span
    frame.note("unfinished", per=frame.per)
    return span.model_copy(update={"stop": last.start_time.isoformat()})


def _measure(
    frame: Frame, condition: str | None, column: str | None, *, grouped: bool
) -> tuple[Measure, Literal["highest", "lowest"] | None]:
    items = frame.items
    items.take("duration")
    order: Literal["highest", "lowest"] | None = None
    counted = items.take("count", "how_often") is not None
    share = items.take("share") is not None
    for symbol, name in (
        ("mean", "mean"),
        ("median", "median"),
        ("maximum", "max"),
        ("minimum", "min"),
        ("sum", "sum"),
        ("how_much", "sum"),
        ("hours_of", "sum"),
    ):
        if items.take(symbol):
            order = _order(frame)
            items.take("how_long")
            return name, order  # type: ignore[return-value]
    if items.take("how_long"):
        # "How long did the longest trip take" asks for that trip.
        order = _order(frame)
        return ("mean", None) if order is None or grouped else ("list", order)
    order = _order(frame)
    if share:
        return "share", order
    if counted:
        return "count", order
    if items.has("which", "list", "when") and order is None:
        return "list", None
    if order is not None and not grouped:
        return "list", order
    if order is not None and column is not None and condition is None:
        return "mean", order
    return "count", order


def _order(frame: Frame) -> Literal["highest", "lowest"] | None:
    found = frame.items.take("highest", "lowest", "highest ", "lowest ")
    return None if found is None else ("highest" if found.startswith("highest") else "lowest")


def _window(condition: str | None, measure: str, *, side: bool | None) -> Literal["planned_start", "start", "end"]:
    """Return which time of an event has to be in the span: "how many departed" are those that did, all else counts by plan."""
    if side is None or condition is not None or measure not in ("count", "list"):
        return "planned_start"
    return "start" if side else "end"
