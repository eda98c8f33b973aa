"""Typed plans: what is asked of a twin, as JSON that is checked before anything runs.

A plan has one call. Each kind of call is a frozen model with the arguments of one question to the twin; names in it are checked
against the twin's model by `twinlab.ask.plans.faults`.
"""

from __future__ import annotations

from datetime import datetime
from json import dumps
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from twinlab.model.basics import Duration, Model, Term

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AssetCall",
    "AttentionCall",
    "Call",
    "Contrast",
    "Elapsed",
    "EventCall",
    "FindCall",
    "KpiCall",
    "Plan",
    "RuleCall",
    "Span",
    "SummaryCall",
    "WhereCall",
    "instant_text",
]

Statistic = Literal["mean", "median", "min", "max", "range", "latest", "increase", "sum"]
Per = Literal["day", "week", "month"]
EventPer = Literal["day", "week", "month", "weekday", "hour"]
Order = Literal["highest", "lowest"]
EventMeasure = Literal["count", "days", "distinct", "share", "mean", "median", "min", "max", "sum", "list"]
AssetMeasure = Literal["count", "list", "share", "distinct", "mean", "median", "min", "max", "sum"]
EpisodeMeasure = Literal["list", "count", "duration", "share", "assets", "days"]
EpisodeOrder = Literal["longest", "first", "last", "most"]

_LONGEST_TEXT = 1_000


def _instant(text: str) -> str:
    found = datetime.fromisoformat(text)
    if found.tzinfo is not None or not 1700 < found.year < 2200:
        msg = f"expected an instant in UTC without a zone, such as 2026-01-05T06:00, got {text!r}"
        raise ValueError(msg)
    return text


def instant_text(when: pd.Timestamp) -> str:
    """Return an instant as sentences name it.

    >>> import pandas as pd
    >>> instant_text(pd.Timestamp("2026-01-05T06:00:30"))
    '2026-01-05 06:00'
    """
    return f"{when:%Y-%m-%d %H:%M}"


Instant = Annotated[str, AfterValidator(_instant)]
Text = Annotated[str, Field(max_length=_LONGEST_TEXT)]
Top = Annotated[int, Field(ge=1, le=100)]


class Span(Model):
    """A half-open span ``[start, stop)``, UTC."""

    start: Instant
    """First instant."""
    stop: Instant
    """First instant after the span."""

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if datetime.fromisoformat(self.start) >= datetime.fromisoformat(self.stop):
            msg = f"expected a start before the stop, got {self.start} and {self.stop}"
            raise ValueError(msg)
        return self


class Related(Model):
    """Only assets that are linked to one asset."""

    relationship: Term
    """A relationship of the model."""
    target: Text
    """Id of the asset at its end; of an `inverse` one at its start."""
    inverse: bool = False
    """Whether the assets that are asked for are at the end of the link: the truck that has a parcel."""
    span: Span | None = None
    """Linked at any time of this span; by default at the instant of the call."""


class _OfAssets(Model):
    on: Term
    """Asset type."""
    assets: list[Text] | None = None
    """Only these assets; by default all."""
    where: dict[Term, Text] = Field(default_factory=dict)
    """Only assets whose property has this value."""
    related: Related | None = None
    """Only assets that are linked to another one at the end of the span."""


class SummaryCall(_OfAssets):
    """A statistic of a signal: of each asset, and of all."""

    do: Literal["summary"] = "summary"
    signal: Term
    """The signal."""
    statistic: Statistic
    """Of the usable values in the span; ``range`` is mean, least and greatest; ``increase`` of a counter."""
    span: Span
    """When."""
    per: Per | None = None
    """A value for each day, week from Monday on, or month of the span, UTC."""
    order: Order | None = None
    """Assets with the highest or lowest value first; with `per`, days, weeks or months."""
    top: Top | None = None
    """Only so many of them."""


class FindCall(_OfAssets):
    """The times at which a condition was true."""

    do: Literal["find"] = "find"
    condition: Text
    """As `twin.find` takes it: ``temperature > 8 degC``."""
    lasting: Duration | None = None
    """Only events of at least this duration."""
    span: Span
    """When."""
    measure: EpisodeMeasure = "list"
    """What is asked of the events: the list, how many, how long in all, the share of the time, of which assets, on which days."""
    order: EpisodeOrder = "longest"
    """Which come first if there is a `top`."""
    top: Top | None = None
    """Only so many."""


class RuleCall(Model):
    """The exceptions that a rule of the model found."""

    do: Literal["rule"] = "rule"
    rule: Term
    """The rule."""
    assets: list[Text] | None = None
    """Only these assets; by default all."""
    related: Related | None = None
    """Only assets that are linked to another one."""
    lasting: Duration | None = None
    """Only exceptions of at least this duration."""
    span: Span
    """When."""
    measure: EpisodeMeasure = "list"
    """As in a `FindCall`."""
    order: EpisodeOrder = "longest"
    """Which come first if there is a `top`."""
    top: Top | None = None
    """Only so many."""


class EventCall(Model):
    """Counts and statistics of recorded events."""

    do: Literal["events"] = "events"
    on: Term
    """Event type."""
    measure: EventMeasure
    """What is asked: how many, on how many days, of how many different `by`, which share, a statistic of `column`, or the list."""
    column: Term | None = None
    """A number of each event, ``start_delay``, ``end_delay``, ``duration`` or a property; for a list also one of its times."""
    condition: Text | None = None
    """Only events for which it is true: ``end_delay > 30 min``. With ``share`` it is the share of all."""
    events: list[Text] | None = None
    """Only these events, by their ids."""
    links: dict[Term, Text] = Field(default_factory=dict)
    """Only events with this link: origin -> EWR; ``asset`` is the asset itself."""
    where: dict[Term, Text] = Field(default_factory=dict)
    """Only events whose property has this value."""
    by: Term | None = None
    """A value for each of these: a link, ``asset`` or a property."""
    groups: list[Text] | None = None
    """Only these groups of `by`."""
    per: EventPer | None = None
    """A value for each day, week from Monday on, or month of the span, or for each weekday or hour of the day, UTC; by the time `at`."""
    average: bool = False
    """The mean number of a window in place of the number of each."""
    at: Literal["planned_start", "start", "end", "between"] = "planned_start"
    """Which time of an event has to be in the span; ``between``: events that had begun before its end and hadn't ended at its start."""
    span: Span
    """When."""
    order: Order | None = None
    """Groups or events with the highest or lowest value first."""
    top: Top | None = None
    """Only so many groups or events."""

    @model_validator(mode="after")
    def _column_with_statistic(self) -> Self:
        if self.measure == "distinct" and self.by is None:
            msg = "the measure 'distinct' needs a `by`"
            raise ValueError(msg)
        if self.by is not None and self.per is not None:
            msg = f"expected groups `by` or a value `per` {self.per}, got both"
            raise ValueError(msg)
        if self.measure not in ("count", "days", "distinct", "share", "list") and self.column is None:
            msg = f"the measure {self.measure!r} needs a `column`"
            raise ValueError(msg)
        if self.measure == "share" and self.condition is None:
            msg = "the measure 'share' needs a `condition`"
            raise ValueError(msg)
        return self


class KpiCall(Model):
    """A KPI of the model over a span."""

    do: Literal["kpi"] = "kpi"
    kpi: Term
    """The KPI."""
    by: Term | None = None
    """A value for each of these."""
    group: Text | None = None
    """Only this group of `by`."""
    groups: list[Text] | None = None
    """Only these groups of `by`."""
    per: Per | None = None
    """A value for each day, week from Monday on, or month of the span, UTC; `every` then has no effect."""
    every: Duration
    """Width of its windows."""
    span: Span
    """When; windows are whole."""
    order: Order | None = None
    """Groups with the highest or lowest value first."""
    top: Top | None = None
    """Only so many groups."""


class WhereCall(Model):
    """Where an asset is."""

    do: Literal["where"] = "where"
    on: Term
    """Asset type."""
    asset: Text
    """The asset."""
    at: Instant
    """When."""


class Later(Model):
    """A comparison of two times of an asset: delivered after it was promised."""

    column: Term
    """A property that is a time."""
    sign: Literal[">", "<", ">=", "<="]
    """Later or earlier."""
    than: Term
    """Another one."""


class Elapsed(Model):
    """The time from one time of an asset to another: from being handed in to being delivered."""

    since: Term
    """A property that is a time."""
    until: Term
    """Another one."""


class Limit(Model):
    """A comparison of a property with a number."""

    column: Term
    """A property that is a number."""
    sign: Literal[">", ">=", "<", "<="]
    """How."""
    number: float
    """With what, in the unit of the property."""


class AssetCall(_OfAssets):
    """Assets themselves: how many, which, or a fact about them."""

    do: Literal["assets"] = "assets"
    measure: AssetMeasure
    """How many, which, which share of all, how many different values of `column`, or a statistic of it."""
    column: Term | None = None
    """A property."""
    elapsed: Elapsed | None = None
    """A number of each asset in place of a `column`, in minutes."""
    span: Span | None = None
    """Only assets whose `during`, a property that is a time, is in the span."""
    during: Term | None = None
    """The property."""
    per: Per | None = None
    """How many for each day, week or month of `during`."""
    limits: list[Limit] = Field(default_factory=list)
    """Only assets for which each of them is true."""
    later: Later | None = None
    """Only assets for which it is true; those that lack one of the times aren't among them."""
    by: Term | None = None
    """How many for each value of this property, or for each asset at the end of this relationship."""
    lacking: Term | None = None
    """Only assets without a value of this property, or with one that is later than `at`: "not delivered"."""
    known: Term | None = None
    """Only assets with a value of this property, of a time one up to `at`: "delivered"."""
    at: Instant
    """When links are looked at."""
    order: Order | None = None
    """Assets with the highest or lowest value of `column` first."""
    top: Top | None = None
    """Only so many assets."""


class AttentionCall(Model):
    """What needs attention: the exceptions of all rules at an instant."""

    do: Literal["attention"] = "attention"
    at: Instant
    """When."""
    on: Term | None = None
    """Only exceptions of this asset type or event type."""


Call = Annotated[
    SummaryCall | FindCall | RuleCall | EventCall | KpiCall | WhereCall | AssetCall | AttentionCall,
    Field(discriminator="do"),
]


class Contrast(Model):
    """A comparison of two assets or groups of a call, or of two spans: whether the first has more, or by how much."""

    asks: Literal["whether", "which", "difference"]
    """Whether the first number is higher or lower than the second, which of the two is, or by how much the first is."""
    direction: Order | None = None
    """Higher or lower; None for a difference without a sign."""
    first: Text | None = None
    """Asset or group; None if two spans are compared, or a KPI with its target."""
    second: Text | None = None
    """Asset or group with which it is compared."""


class Plan(Model):
    """One question as a call of twinlab.

    >>> plan = Plan.model_validate(
    ...     {"question": "Where is T1?", "call": {"do": "where", "on": "truck", "asset": "T1", "at": "2026-01-05T06:00"}}
    ... )
    >>> plan.call.do
    'where'
    """

    question: Annotated[str, Field(max_length=2_000)]
    """The question in words."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    """Language of the question."""
    call: Call
    """What is asked of the twin."""
    versus: Span | None = None
    """Ask the same of this span, and compare."""
    contrast: Contrast | None = None
    """What is asked of two numbers."""
    unit: Annotated[str, Field(max_length=40)] | None = None
    """Unit of the answer; by default that of the model."""
    notes: list[Text] = Field(default_factory=list)
    """What was assumed, a sentence each; shown with the answer."""

    @property
    def text(self) -> str:
        """The plan as JSON, without what is as by default."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        return dumps({**data, "call": {"do": self.call.do, **data["call"]}}, ensure_ascii=False)
