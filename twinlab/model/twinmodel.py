"""The twin's words: asset types, signals, properties, relationships and event types, as read from ``twin.yaml``."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, field_validator, model_validator

from twinlab.model.basics import NANOSECONDS, Duration, Model, Term, Unit, parse_duration, yaml_text
from twinlab.model.rules import Rule
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.terms import nearest

__all__ = [
    "AssetType",
    "EventType",
    "Model",
    "PropertySpec",
    "RelationshipType",
    "Rule",
    "Signal",
    "Term",
    "TwinModel",
    "Unit",
    "parse_duration",
]

Kind = Literal["gauge", "state", "counter"]
Combine = Literal["last", "mean", "min", "max", "sum"]
Sensitivity = Literal["open", "internal", "personal"]
WithoutStart = Literal["not started", "cancelled"]
DataType = Literal["text", "number", "integer", "boolean", "time"]
Span = tuple[float, float]

#: Names and endings of variables that history adds beside a type's signals.
_RESERVED_NAMES = ("asset", "time")
_RESERVED_ENDINGS = (
    *("_qc", "_mean", "_min", "_max", "_sum", "_count", "_share", "_state", "_increase"),
    *("_pass", "_not_evaluated", "_suspect", "_fail", "_missing"),
)


class Signal(Model):
    """One measured quantity of an asset type."""

    kind: Kind = "gauge"
    unit: Unit = "1"
    """Unit of the values in history, in pint's short spelling; "1" for a bare number. States have none."""
    resolution: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Step to which values are rounded; finer than the sensor's own. Needed for gauges and counters."""
    cadence: Duration = "1min"
    """Regular step of the history's time axis."""
    combine: Combine = "last"
    """How several observations in one cell become one value."""
    sensor_span: Span | None = None
    """What the sensor can report at all; outside is "fail"."""
    expected_span: Span | None = None
    """What operation normally shows; outside is "suspect"."""
    spike: Span | None = None
    """Largest distance from the mean of both neighbours (QARTOD), in the signal's unit: (suspect, fail)."""
    max_rate: Span | None = None
    """Largest change, in the signal's unit a second: (suspect, fail)."""
    flat_line: Duration | None = None
    """A value that doesn't change for this long is suspect."""
    gap: Duration | None = None
    """A hole in the data longer than this is reported as a gap."""
    heartbeat: Duration | None = None
    """The longest that the asset is silent while all is well (it reports on change, or seldom at rest): between two
    reports no further apart nothing is missing. By default every cell is due."""
    states: dict[int, str] | None = None
    """States only: number stored -> its name."""
    wraps_at: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Counters only: value at which the counter starts again from zero."""
    title: str | None = None
    definition: str | None = None
    owner: str | None = None
    sensitivity: Sensitivity = "internal"

    @field_validator("sensor_span", "expected_span", "spike", "max_rate")
    @classmethod
    def _ordered(cls, span: Span | None) -> Span | None:
        if span is not None and not span[0] < span[1]:
            msg = f"expected a span whose first number is the smaller one, got {list(span)}"
            raise ValueError(msg)
        return span

    @field_validator("spike", "max_rate")
    @classmethod
    def _positive(cls, span: Span | None) -> Span | None:
        if span is not None and span[0] < 0:
            msg = f"expected two sizes of change, which are positive: (suspect, fail), got {list(span)}"
            raise ValueError(msg)
        return span

    @field_validator("cadence")
    @classmethod
    def _divides_a_day(cls, cadence: str) -> str:
        # Rollups are aligned to midnight UTC, so that their windows hold whole cells.
        if NANOSECONDS["d"] % parse_duration(cadence):
            msg = f"expected a cadence that divides a day, such as '1s', '10s', '1min', '15min', '1h' or '1d', got {cadence!r}"
            raise ValueError(msg)
        return cadence

    @field_validator("states")
    @classmethod
    def _named_once(cls, states: dict[int, str] | None) -> dict[int, str] | None:
        if states is not None and len(set(states.values())) < len(states):
            msg = f"expected each state's name once, got {list(states.values())}"
            raise ValueError(msg)
        return states

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "state":
            if not self.states:
                msg = "a state signal needs `states:`, for example {0: closed, 1: open}"
                raise ValueError(msg)
            if any(not 0 <= code < 2**15 for code in self.states):
                msg = f"state codes must lie in 0..32767, got {sorted(self.states)}"
                raise ValueError(msg)
            if self.combine not in ("last", "min", "max"):
                msg = f"a state can't be combined by {self.combine!r}; use last, min or max"
                raise ValueError(msg)
        elif self.resolution is None:
            msg = f"a {self.kind} needs `resolution:` (the rounding step in {self.unit}, finer than the sensor's own)"
            raise ValueError(msg)
        if self.heartbeat is not None and parse_duration(self.heartbeat) <= self.cadence_ns:
            msg = (
                f"heartbeat {self.heartbeat!r} isn't longer than the cadence {self.cadence!r}, so it would excuse nothing; "
                "remove it, or write the longest time between two reports while all is well"
            )
            raise ValueError(msg)
        if self.wraps_at is not None and self.kind != "counter":
            msg = f"only a counter wraps; remove `wraps_at` or write `kind: counter`, got kind {self.kind!r}"
            raise ValueError(msg)
        if self.sensor_span and self.expected_span:
            low, high = self.expected_span
            if low < self.sensor_span[0] or high > self.sensor_span[1]:
                msg = (
                    f"expected_span {list(self.expected_span)} must lie inside sensor_span {list(self.sensor_span)}; "
                    "widen the sensor's span or narrow the expected one"
                )
                raise ValueError(msg)
        return self

    @property
    def cadence_ns(self) -> int:
        """The cadence in nanoseconds."""
        return parse_duration(self.cadence)

    @property
    def storage_dtype(self) -> np.dtype:
        """The integer type of the stored array: int16 for states, else int32, or int64 where the span needs it."""
        if self.kind == "state" or self.resolution is None:
            return np.dtype("int16")
        reach = max(map(abs, self.sensor_span)) if self.sensor_span else 0.0
        # Sixteen-fold head room: readings beyond the sensor's span are flagged, not lost.
        return np.dtype("int64" if math.isinf(reach) or 16 * reach / self.resolution >= 2**31 else "int32")


class PropertySpec(Model):
    """A fact about an asset or an event."""

    dtype: DataType = "text"
    unit: Unit | None = None
    title: str | None = None
    sensitivity: Sensitivity = "internal"


class AssetType(Model):
    """A kind of asset with its signals and static properties."""

    title: str | None = None
    label: str | None = None
    """Property that holds the name people use, if it isn't the id."""
    position: tuple[str, str] | None = None
    """Properties, or for what moves signals, that hold latitude and longitude in degrees: (latitude, longitude)."""
    signals: dict[Term, Signal] = Field(default_factory=dict)
    properties: dict[Term, PropertySpec] = Field(default_factory=dict)

    @field_validator("signals")
    @classmethod
    def _free_names(cls, signals: dict[str, Signal]) -> dict[str, Signal]:
        for name in signals:
            base = next((name.removesuffix(end) for end in _RESERVED_ENDINGS if name.endswith(end)), None)
            if name in _RESERVED_NAMES or base in signals:
                msg = f"the signal name {name!r} is needed for the history's own {name!r}; choose another"
                raise ValueError(msg)
        return signals


class RelationshipType(Model):
    """A directed link between assets, valid in time."""

    source: Annotated[Term, Field(alias="from")]
    target: Annotated[Term, Field(alias="to")]
    title: str | None = None
    locates: bool = False
    """While it holds, the source is where the target is: a parcel in a truck, a room in a building."""


class EventType(Model):
    """Something that lasts from start to end, planned and actual, with links and properties."""

    title: str | None = None
    asset: Term | None = None
    """Asset type of the event's own asset (the aircraft of a flight)."""
    links: dict[Term, Term] = Field(default_factory=dict)
    """Other assets that take part: link name -> asset type."""
    without_start: WithoutStart = "not started"
    """What an event is whose planned start has passed without an actual one; "cancelled" where the source records no
    other reason for that."""
    properties: dict[Term, PropertySpec] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _free_names(self) -> Self:
        taken = [name for name in (*self.links, *self.properties) if name in EVENT_COLUMNS]
        taken += [name for name in self.links if name in self.properties]
        if taken:
            msg = f"the name {taken[0]!r} stands for another column of an event table already; choose another"
            raise ValueError(msg)
        return self


class TwinModel(Model):
    """A whole ``twin.yaml``."""

    twin: Term
    title: str | None = None
    origin: Annotated[str, BeforeValidator(yaml_text)] = "2000-01-01"
    """First instant of history (UTC); rows before it are kept and counted, not built."""
    asset_types: dict[Term, AssetType] = Field(default_factory=dict)
    relationships: dict[Term, RelationshipType] = Field(default_factory=dict)
    event_types: dict[Term, EventType] = Field(default_factory=dict)
    rules: dict[Term, Rule] = Field(default_factory=dict)
    """What people want to be told about."""

    @field_validator("origin")
    @classmethod
    def _instant(cls, text: str) -> str:
        msg = f"expected an instant in UTC such as 2013-01-01 or 2013-01-01T00:00Z, got {text!r}"
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(msg) from error
        # int64 nanoseconds end in 2262.
        if instant.utcoffset() not in (None, timedelta(0)) or not 1700 < instant.year < 2200:
            raise ValueError(msg)
        return text

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        faults: list[str] = []

        def check(where: str, name: str | None) -> None:
            if name is not None and name not in self.asset_types:
                faults.append(f"{where}: there is no asset type {name!r}{nearest(name, self.asset_types)}")

        for name, link in self.relationships.items():
            check(f"relationships.{name}.from", link.source)
            check(f"relationships.{name}.to", link.target)
        for name, event in self.event_types.items():
            check(f"event_types.{name}.asset", event.asset)
            for key, target in event.links.items():
                check(f"event_types.{name}.links.{key}", target)
        for name, kind in self.asset_types.items():
            where = f"asset_types.{name}"
            if kind.label is not None and kind.label not in kind.properties:
                known = nearest(kind.label, kind.properties)
                faults.append(f"{where}.label: there is no property {kind.label!r} in {where}.properties{known}")
            for place in kind.position or ():
                if place not in kind.properties and place not in kind.signals:
                    known = nearest(place, [*kind.properties, *kind.signals])
                    faults.append(f"{where}.position: there is no property and no signal {place!r} in {where}{known}")
        for name, rule in self.rules.items():
            faults += [f"rules.{name}: {fault}" for fault in rule.faults(self.asset_types, self.event_types)]
        if faults:
            # One fault a line, each beginning with its place: `twinlab.model.load` adds file and line.
            raise ValueError("\n".join(faults))
        return self

    @property
    def origin_ns(self) -> int:
        """The origin in nanoseconds since 1970, UTC."""
        instant = datetime.fromisoformat(self.origin).replace(tzinfo=None)
        return int(np.datetime64(instant, "ns").astype("int64"))
