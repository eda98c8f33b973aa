"""What the names of an expression mean: of an asset type, an event type, a plain xarray Dataset or a plain table of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from twinlab.errors import UnitError
from twinlab.model.expressions import bound
from twinlab.model.units import canonical_unit
from twinlab.model.units.spelling import UNKNOWN

if TYPE_CHECKING:
    from twinlab.model.asset_types import AssetType, EventType, PropertySpec, RelationshipType

__all__ = [
    "EVENT_DURATIONS",
    "AssetContext",
    "Context",
    "DatasetContext",
    "EventContext",
    "Known",
    "Model",
    "TableContext",
    "Way",
]

Sort = Literal["number", "state", "text", "boolean", "time"]

#: Columns that every event has.
_EVENT_TIMES = ("start", "end", "planned_start", "planned_end")
#: Durations and delays -> the two columns that they are the difference of, the later time first.
EVENT_DURATIONS = {
    "duration": ("end", "start"),
    "start_delay": ("start", "planned_start"),
    "end_delay": ("end", "planned_end"),
}
_EVENT_TEXTS = ("event_id", "type", "asset")
#: Whether the event was called off, by its status or by `without_start` of its type.
_EVENT_FACTS = ("cancelled",)


class Model(Protocol):
    """The part of a `twinlab.model.TwinModel` that names are looked up in."""

    @property
    def asset_types(self) -> Mapping[str, AssetType]:
        """Asset types by name."""

    @property
    def event_types(self) -> Mapping[str, EventType]:
        """Event types by name."""

    @property
    def relationships(self) -> Mapping[str, RelationshipType]:
        """Relationships by name."""


@dataclass(frozen=True)
class Known:
    """What a name means."""

    value: bound.Signal | bound.Property | bound.Column
    sort: Sort
    # Of a state: name -> number.
    states: Mapping[str, float] = field(default_factory=dict)
    # Of a counter.
    counter: bool = False
    wraps_at: float | None = None
    # Why it can't be used; "" if it can.
    refused: str = ""


@dataclass(frozen=True)
class Way:
    """How an asset is in another one: by a relationship, or by the link of an event type to the other asset."""

    via: str
    link: str | None = None
    # A relationship that says where an asset is: the one that "in" means if there are several.
    locates: bool = False


class Context(Protocol):
    """What the names of an expression mean."""

    @property
    def title(self) -> str:
        """For messages: ``asset type 'room'``."""

    @property
    def owner(self) -> str | None:
        """What may be written before a name and a full stop; None for nothing."""

    @property
    def has_time(self) -> bool:
        """Whether values have a history, so that functions over time can be used."""

    def known(self, name: str, *, property_first: bool = False) -> Known | None:
        """Return what a name means; None if it isn't known."""

    def names(self) -> list[str]:
        """Return all names that are known."""

    def other(self, name: str) -> tuple[Context, list[Way]] | None:
        """Return the context of another asset type, and the ways to be in one of its assets; None without such a type."""

    def others(self) -> list[str]:
        """Return the asset types that an asset can be in."""


@dataclass(frozen=True)
class AssetContext:
    """Signals and properties of an asset type.

    A name that is both is the signal, except alone on the right side of a comparison.

    Parameters
    ----------
    model : TwinModel
    asset_type : str
    labels : bool
        Whether signals with ``role: label`` may be used; rules, which are evaluated at once, can't.

    >>> from twinlab.model import parse_model
    >>> model = parse_model("{twin: x, asset_types: {room: {signals: {warmth: {unit: degC, resolution: 1}}}}}")
    >>> AssetContext(model, "room").known("warmth").value
    Signal(name='warmth', unit='degC')
    """

    model: Model
    asset_type: str
    labels: bool = True

    has_time = True

    @property
    def title(self) -> str:
        """For messages."""
        return f"asset type {self.asset_type!r}"

    @property
    def owner(self) -> str | None:
        """The asset type."""
        return self.asset_type

    @property
    def _spec(self) -> AssetType:
        return self.model.asset_types[self.asset_type]

    def known(self, name: str, *, property_first: bool = False) -> Known | None:
        """Return what a name means; None if it isn't known."""
        spec = self._spec
        if name in spec.properties and (property_first or name not in spec.signals):
            return _of_property(bound.Property, name, spec.properties[name])
        if name not in spec.signals:
            return None
        signal = spec.signals[name]
        refused = ""
        if signal.role == "label" and not self.labels:
            refused = f"the signal {name!r} is a label, which nobody knows yet when a rule is evaluated; compare a measurement"
        if signal.states is not None:
            states = {state: float(code) for code, state in signal.states.items()}
            return Known(bound.Signal(name, "1"), "state", states, refused=refused)
        value = bound.Signal(name, signal.unit)
        return Known(value, "number", counter=signal.kind == "counter", wraps_at=signal.wraps_at, refused=refused)

    def names(self) -> list[str]:
        """Return all signals and properties."""
        return list(dict.fromkeys([*self._spec.signals, *self._spec.properties]))

    def other(self, name: str) -> tuple[Context, list[Way]] | None:
        """Return the context of another asset type, and the ways to be in one of its assets."""
        if name not in self.model.asset_types:
            return None
        mine = self.asset_type
        ways = [
            Way(key, locates=link.locates)
            for key, link in self.model.relationships.items()
            if (link.source, link.target) == (mine, name)
        ]
        for key, event in self.model.event_types.items():
            if event.asset == mine:
                ways += [Way(key, link) for link, target in event.links.items() if target == name]
        return AssetContext(self.model, name, self.labels), ways

    def others(self) -> list[str]:
        """Return the asset types that an asset can be in."""
        found = [(name, self.other(name)) for name in self.model.asset_types]
        return [name for name, way in found if way is not None and way[1]]


@dataclass(frozen=True)
class EventContext:
    """Columns of an event type: its times, duration and delays, whether it was cancelled, links (ids of assets) and properties."""

    model: Model
    event_type: str

    has_time = False

    @property
    def title(self) -> str:
        """For messages."""
        return f"event type {self.event_type!r}"

    @property
    def owner(self) -> str | None:
        """The event type."""
        return self.event_type

    @property
    def _spec(self) -> EventType:
        return self.model.event_types[self.event_type]

    def known(self, name: str, *, property_first: bool = False) -> Known | None:  # noqa: ARG002  (all are columns)
        """Return what a name means; None if it isn't known."""
        spec = self._spec
        if name in spec.properties:
            return _of_property(bound.Column, name, spec.properties[name])
        if name in _EVENT_TIMES:
            return Known(bound.Column(name, bound.TIME), "time")
        if name in EVENT_DURATIONS:
            return Known(bound.Column(name, "s"), "number")
        if name in _EVENT_FACTS:
            return Known(bound.Column(name, "1"), "boolean")
        if name in _EVENT_TEXTS or name in spec.links:
            return Known(bound.Column(name, ""), "text")
        return None

    def names(self) -> list[str]:
        """Return all columns."""
        spec = self._spec
        return list(
            dict.fromkeys(
                [*_EVENT_TIMES, *EVENT_DURATIONS, *_EVENT_FACTS, *_EVENT_TEXTS, *spec.links, *spec.properties]
            )
        )

    def other(self, name: str) -> tuple[Context, list[Way]] | None:  # noqa: ARG002  (a protocol)
        """Return None: an event isn't in an asset."""
        return None

    def others(self) -> list[str]:
        """Return nothing."""
        return []


@dataclass(frozen=True)
class DatasetContext:
    """Variables of an xarray Dataset, with the CF attributes ``units``, ``flag_values`` and ``flag_meanings``.

    Variables with the dimension ``time`` are signals, other variables and coordinates properties.

    >>> import xarray as xr
    >>> ds = xr.Dataset({"warmth": ("time", [1.0], {"units": "degree_Celsius"})})
    >>> DatasetContext(ds).known("warmth").value
    Signal(name='warmth', unit='degC')
    """

    ds: Any
    time: str = "time"

    owner = None
    has_time = True
    title = "dataset"

    def known(self, name: str, *, property_first: bool = False) -> Known | None:  # noqa: ARG002  (a name is one variable)
        """Return what a name means; None if it isn't known."""
        if name not in self.ds.variables or name in self.ds.dims:
            return None
        found = self.ds[name]
        if found.dtype.kind in "mM":
            return Known(bound.Property(name, bound.TIME), "time", refused=_varying(found, self.time, name))
        if found.dtype.kind not in "biuf":
            return Known(bound.Property(name, ""), "text", refused=_varying(found, self.time, name))
        kind = bound.Signal if self.time in found.dims else bound.Property
        states = _flag_states(found.attrs)
        if states:
            return Known(kind(name, "1"), "state", states)
        if found.dtype.kind == "b":
            return Known(kind(name, "1"), "boolean")
        return Known(kind(name, _unit_of(found.attrs)), "number")

    def names(self) -> list[str]:
        """Return all variables except dimensions and quality flags."""
        names = [str(name) for name in self.ds.variables if name not in self.ds.dims]
        return [name for name in names if not name.endswith("_qc") or name.removesuffix("_qc") not in names]

    def other(self, name: str) -> tuple[Context, list[Way]] | None:  # noqa: ARG002  (a protocol)
        """Return None: a dataset has no relationships."""
        return None

    def others(self) -> list[str]:
        """Return nothing."""
        return []


@dataclass(frozen=True, eq=False)
class TableContext:
    """Columns of a table of events, a DataFrame: its times, durations, delays, booleans, numbers (of no known unit) and texts.

    >>> import pandas as pd
    >>> times = pd.to_datetime(["2026-03-01"])
    >>> context = TableContext(pd.DataFrame({"start": times, "end": times, "load": [1.5]}))
    >>> context.names()
    ['start', 'end', 'load', 'duration']
    """

    table: Any
    # What may be written before a name and a full stop.
    owner: str | None = None

    has_time = False
    title = "the table of events"

    def known(self, name: str, *, property_first: bool = False) -> Known | None:  # noqa: ARG002  (all are columns)
        """Return what a name means; None if it isn't known."""
        if name in self._computed():
            return Known(bound.Column(name, "s"), "number")
        if name not in self.table:
            return (
                Known(bound.Column(name, "1"), "boolean") if name in _EVENT_FACTS and "status" in self.table else None
            )
        column = self.table[name]
        kind = column.dtype.kind
        if kind == "M":
            return Known(bound.Column(name, bound.TIME), "time")
        if kind == "m":
            return Known(bound.Column(name, "s"), "number")
        if kind == "b" or (column.dtype == object and column.count() and column.dropna().map(type).eq(bool).all()):
            return Known(bound.Column(name, "1"), "boolean")
        return Known(bound.Column(name, UNKNOWN), "number") if kind in "iuf" else Known(bound.Column(name, ""), "text")

    def names(self) -> list[str]:
        """Return all columns, and what is computed from them."""
        facts = [one for one in _EVENT_FACTS if self.known(one) is not None]
        return list(dict.fromkeys([*map(str, self.table), *self._computed(), *facts]))

    def _computed(self) -> list[str]:
        found = self.table.columns
        return [one for one, needed in EVENT_DURATIONS.items() if one not in found and found.isin(needed).sum() == 2]

    def other(self, name: str) -> tuple[Context, list[Way]] | None:  # noqa: ARG002  (a protocol)
        """Return None: a table has no relationships."""
        return None

    def others(self) -> list[str]:
        """Return nothing."""
        return []


def _of_property(kind: type[bound.Property | bound.Column], name: str, spec: PropertySpec) -> Known:
    if spec.dtype in ("number", "integer"):
        return Known(kind(name, spec.unit or "1"), "number")
    if spec.dtype == "time":
        return Known(kind(name, bound.TIME), "time")
    if spec.dtype == "boolean":
        return Known(kind(name, "1"), "boolean")
    return Known(kind(name, ""), "text")


def _varying(found: Any, time: str, name: str) -> str:  # noqa: ANN401  (an xarray DataArray)
    return (
        f"the variable {name!r} has a {found.dtype} at each time, which can't be compared" if time in found.dims else ""
    )


def _flag_states(attrs: Mapping[Any, Any]) -> dict[str, float]:
    meanings, values = attrs.get("flag_meanings"), attrs.get("flag_values")
    if meanings is None or values is None:
        return {}
    return {str(name): float(code) for name, code in zip(str(meanings).split(), values, strict=False)}


def _unit_of(attrs: Mapping[Any, Any]) -> str:
    """Return the unit that is stated, `UNKNOWN` if none is or nobody knows it."""
    try:
        return canonical_unit(str(attrs["units"])) if "units" in attrs else UNKNOWN
    except UnitError:
        return UNKNOWN
