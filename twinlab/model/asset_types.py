"""Asset types with their signals and properties, relationships between assets, and event types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from twinlab.errors import UnitError, UnknownTermError
from twinlab.model.basics import ExtendedModel, Model, Term, Unit
from twinlab.model.extensions.options import fault, located
from twinlab.model.privacy.classes import Sensitivity
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.signal import Signal, SpanOfAssets
from twinlab.model.terms import nearest
from twinlab.model.units import conversion, convert

__all__ = ["AssetType", "EventType", "PropertySpec", "RelationshipType"]

WithoutStart = Literal["not started", "cancelled"]
DataType = Literal["text", "number", "integer", "boolean", "time"]

_NO_SPAN = (-np.inf, np.inf)
#: Names and endings of variables that history adds to a type's signals.
_RESERVED_NAMES = ("asset", "time")
_RESERVED_ENDINGS = (
    *("_qc", "_mean", "_min", "_max", "_sum", "_count", "_share", "_state", "_increase"),
    *("_pass", "_not_evaluated", "_suspect", "_fail", "_missing"),
)


class PropertySpec(ExtendedModel):
    """A fact about an asset or an event."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"purposes", "standard", "subject"})

    dtype: DataType = "text"
    """Type of the values."""
    unit: Unit | None = None
    """Unit of numbers."""
    standard: str | None = None
    """By which definition sources compute it, as in a `Signal`; each mapping that feeds it has to state the same one."""
    title: str | None = None
    """Name for people."""
    sensitivity: Sensitivity = "internal"
    """Who may see it: open, internal, personal (relates to a person) or sensitive (of a special category, such as health)."""
    purposes: list[Term] | None = None
    """Names under ``purposes`` that it is shown for; by default each if it is open or internal, else none."""
    subject: Term | None = None
    """Personal: the property of the same type that names the person; by default this one does."""


class Lifetime(Model):
    """When an asset exists: properties of its type that are times; without a value there is no limit."""

    start: Annotated[Term | None, Field(alias="from")] = None
    """Property with the time at which it began."""
    until: Term | None = None
    """Property with the time at which it ended."""


class AssetType(ExtendedModel):
    """A kind of asset with its signals and static properties."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"lifetime", "purposes", "sensitivity"})

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
    sensitivity: Sensitivity = "internal"
    """Who may see the ids: personal if the assets are people."""
    purposes: list[Term] | None = None
    """Personal ids: names under ``purposes`` that they are shown for."""

    @model_validator(mode="after")
    def _known_lifetime(self) -> Self:
        for key, name in (("from", self.lifetime.start), ("until", self.lifetime.until)) if self.lifetime else ():
            spec = self.properties.get(name or "")
            if name is not None and (spec is None or spec.dtype != "time"):
                msg = f"lifetime.{key}: expected a property with dtype: time, got {name!r}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _known_limits(self) -> Self:
        faults = []
        for name, signal in self.signals.items():
            for key, span in signal.limits_of_assets.items():
                for place, prop in enumerate(span.source or ()):
                    problem = self._limit_fault(prop, signal) if isinstance(prop, str) else None
                    if problem is not None:
                        faults.append(fault(("signals", name, key, "from", place), problem, prop))
        if faults:
            raise located(faults)
        return self

    def _limit_fault(self, prop: str, signal: Signal) -> Exception | None:
        spec = self.properties.get(prop)
        if spec is None:
            return UnknownTermError(f"there is no property {prop!r} of this asset type{nearest(prop, self.properties)}")
        if spec.dtype not in ("number", "integer"):
            return ValueError(f"expected a property with dtype: number, got {prop!r}, which is a {spec.dtype}")
        try:
            conversion(spec.unit or "1", signal.unit)
        except UnitError as error:
            return UnitError(
                f"{error} (the property {prop!r} is in {spec.unit or '1'!r}, the signal in {signal.unit!r})"
            )
        return None

    @model_validator(mode="after")
    def _known_others(self) -> Self:
        faults = []
        for name, signal in self.signals.items():
            for test, given in signal.tests.items():
                for other in signal.others_of(test):
                    problem = self._other_fault(name, other)
                    if problem is not None:
                        faults.append(fault(("signals", name, "tests", test), problem, given))
        if faults:
            raise located(faults)
        return self

    def _other_fault(self, name: str, other: str) -> Exception | None:
        """Return what is wrong with another signal that a quality test of a signal needs."""
        if other not in self.signals or other == name:
            known = [one for one in self.signals if one != name]
            return UnknownTermError(f"there is no other signal {other!r} of this asset type{nearest(other, known)}")
        ours, theirs = self.signals[name].cadence, self.signals[other].cadence
        if self.signals[other].cadence_ns != self.signals[name].cadence_ns:
            return ValueError(f"expected a signal of the same cadence, got {other!r} at {theirs!r} beside {ours!r}")
        return None

    def limits(
        self, signal: str, assets: Sequence[str], properties: Mapping[str, Mapping[str, object]]
    ) -> npt.NDArray[np.float64]:
        """Return the limits of a signal for each asset, in the signal's unit.

        Parameters
        ----------
        signal : str
        assets : sequence of str
            Ids of assets of this type.
        properties : mapping
            Asset -> property -> value in the property's unit; an asset or a property without a value may be absent.

        Returns
        -------
        float64 [4, asset]
            Lowest and highest value that the sensor can report, lowest and highest value that is expected; infinite
            where nothing is stated.

        >>> tank = AssetType(
        ...     properties={"height": PropertySpec(dtype="number", unit="cm")},
        ...     signals={"level": Signal(unit="m", resolution=0.01, sensor_span={"from": [0, "height"], "default": [0, 9]})},
        ... )
        >>> tank.limits("level", ["A", "B"], {"A": {"height": 350}})[:2].tolist()
        [[0.0, 0.0], [3.5, 9.0]]
        """
        spec = self.signals[signal]
        out = np.empty((4, len(assets)))
        for rows, span in ((out[:2], spec.sensor_span), (out[2:], spec.expected_span)):
            if isinstance(span, SpanOfAssets):
                rows[:] = self._spans(span, spec.unit, assets, properties)
            else:
                rows[:] = np.reshape(_NO_SPAN if span is None else span, (2, 1))
        return out

    def _spans(
        self, span: SpanOfAssets, unit: str, assets: Sequence[str], properties: Mapping[str, Mapping[str, object]]
    ) -> npt.NDArray[np.float64]:
        default = np.reshape(_NO_SPAN if span.default is None else span.default, (2, 1))
        bounds = self.stated_bounds(span, unit, assets, properties)
        bounds = np.where(bounds[0] < bounds[1], bounds, default)
        for place, one in enumerate(assets):
            own = span.of(one)
            if own is not None:
                bounds[:, place] = own
        return bounds

    def stated_bounds(
        self, span: SpanOfAssets, unit: str, assets: Sequence[str], properties: Mapping[str, Mapping[str, object]]
    ) -> npt.NDArray[np.float64]:
        """Return what `from` of a span says for each asset, in the signal's unit: float64 [2, asset]; NaN for nothing."""
        bounds = np.full((2, len(assets)), np.nan)
        for row, bound in zip(bounds, span.source or (), strict=False):
            if isinstance(bound, str):
                numbers = [properties.get(one, {}).get(bound) for one in assets]
                found = np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)
                row[:] = convert(found, self.properties[bound].unit or "1", unit)
            else:
                row[:] = bound
        return bounds

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
