"""Asset types with their signals and properties, relationships between assets, and event types."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from twinlab.model.basics import ExtendedModel, Model, Term, Unit
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.signal import Sensitivity, Signal

__all__ = ["AssetType", "EventType", "PropertySpec", "RelationshipType"]

WithoutStart = Literal["not started", "cancelled"]
DataType = Literal["text", "number", "integer", "boolean", "time"]

#: Names and endings of variables that history adds to a type's signals.
_RESERVED_NAMES = ("asset", "time")
_RESERVED_ENDINGS = (
    *("_qc", "_mean", "_min", "_max", "_sum", "_count", "_share", "_state", "_increase"),
    *("_pass", "_not_evaluated", "_suspect", "_fail", "_missing"),
)


class PropertySpec(Model):
    """A fact about an asset or an event."""

    dtype: DataType = "text"
    """Type of the values."""
    unit: Unit | None = None
    """Unit of numbers."""
    title: str | None = None
    """Name for people."""
    sensitivity: Sensitivity = "internal"
    """Who may see it: open, internal or personal."""


class Lifetime(Model):
    """When an asset exists: properties of its type that are times; without a value there is no limit."""

    start: Annotated[Term | None, Field(alias="from")] = None
    """Property with the time at which it began."""
    until: Term | None = None
    """Property with the time at which it ended."""


class AssetType(ExtendedModel):
    """A kind of asset with its signals and static properties."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"lifetime"})

    title: str | None = None
    """Name for people."""
    label: str | None = None
    """Property with the name that people use, if it isn't the id."""
    position: tuple[str, str] | None = None
    """Properties with latitude and longitude in degrees, or signals if the asset moves: (latitude, longitude)."""
    signals: dict[Term, Signal] = Field(default_factory=dict)
    """What is measured: name -> signal."""
    properties: dict[Term, PropertySpec] = Field(default_factory=dict)
    """Facts about an asset: name -> property."""
    lifetime: Lifetime | None = None
    """Before and after it, no value is missing: a sensor that was replaced isn't missing for ever."""

    @model_validator(mode="after")
    def _known_lifetime(self) -> Self:
        for key, name in (("from", self.lifetime.start), ("until", self.lifetime.until)) if self.lifetime else ():
            spec = self.properties.get(name or "")
            if name is not None and (spec is None or spec.dtype != "time"):
                msg = f"lifetime.{key}: expected a property with dtype: time, got {name!r}"
                raise ValueError(msg)
        return self

    @field_validator("signals")
    @classmethod
    def _free_names(cls, signals: dict[str, Signal]) -> dict[str, Signal]:
        for name in signals:
            base = next((name.removesuffix(end) for end in _RESERVED_ENDINGS if name.endswith(end)), None)
            if name in _RESERVED_NAMES or base in signals:
                msg = f"the signal name {name!r} is reserved for a variable of the history; choose another"
                raise ValueError(msg)
        return signals


class RelationshipType(Model):
    """A directed link between assets, valid in time."""

    source: Annotated[Term, Field(alias="from")]
    """Asset type that the link leads from."""
    target: Annotated[Term, Field(alias="to")]
    """Asset type that it leads to."""
    title: str | None = None
    """Name for people."""
    locates: bool = False
    """While the link is valid, the source is where the target is: a parcel in a truck, a room in a building."""


class EventType(Model):
    """A kind of event: planned and actual start and end, with links and properties."""

    title: str | None = None
    """Name for people."""
    asset: Term | None = None
    """Asset type of the event's own asset (the aircraft of a flight)."""
    links: dict[Term, Term] = Field(default_factory=dict)
    """Other assets that take part: link name -> asset type."""
    without_start: WithoutStart = "not started"
    """Status of an event whose planned start has passed without an actual one; "cancelled" if the source records a
    missing start for no other reason."""
    properties: dict[Term, PropertySpec] = Field(default_factory=dict)
    """Facts about an event: name -> property."""

    @model_validator(mode="after")
    def _free_names(self) -> Self:
        taken = [name for name in (*self.links, *self.properties) if name in EVENT_COLUMNS]
        taken += [name for name in self.links if name in self.properties]
        if taken:
            msg = f"the name {taken[0]!r} is another column of the event table; choose another"
            raise ValueError(msg)
        return self
