"""What of ``commands:`` doesn't fit the rest of the model: signals, relationships, units, conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError, TwinlabError
from twinlab.model.commands.effects import QueueEffect, RoomEffect, StoppingEffect, TripEffect
from twinlab.model.commands.spec import CommandSpec
from twinlab.model.expressions import bound
from twinlab.model.expressions.binder import bind_condition
from twinlab.model.expressions.contexts import AssetContext
from twinlab.model.expressions.walk import descendants
from twinlab.model.terms import nearest
from twinlab.model.units import compatible

if TYPE_CHECKING:
    from twinlab.model.asset_types import AssetType
    from twinlab.model.expressions.contexts import Model as Names

__all__ = ["command_faults", "present_condition"]

#: What of an expression depends on more than present values of the asset.
_OVER_TIME = (
    bound.Window, bound.Rate, bound.Change, bound.Indicator, bound.ForAtLeast, bound.WithinAfter, bound.Related
)  # fmt: skip


def command_faults(commands: Mapping[str, Mapping[str, CommandSpec]], model: Names) -> list[str]:
    """Return what of the commands doesn't fit the model, a line each that begins with its path."""
    found: list[str] = []
    for kind, specs in commands.items():
        if kind not in model.asset_types:
            found.append(f"commands.{kind}: there is no asset type {kind!r}{nearest(kind, model.asset_types)}")
            continue
        for name, spec in specs.items():
            found += [f"commands.{kind}.{name}.{fault}" for fault in _faults(spec, kind, model)]
    return found


def present_condition(text: str, kind: str, model: Names) -> bound.Condition:
    """Return a condition of an asset type that compares present values only.

    Raises
    ------
    SchemaError
        If it can't be read, or needs values of other times or assets.
    """
    condition = bind_condition(text, AssetContext(model, kind, labels=False))
    if any(isinstance(one, _OVER_TIME) for one in descendants(condition)):
        msg = f"expected a condition of present values of the asset, got one over time or of another asset: {text!r}"
        raise SchemaError(msg)
    return condition


def _faults(spec: CommandSpec, kind: str, model: Names) -> Iterator[str]:
    asset_type = model.asset_types[kind]
    yield from _signal("signal", spec.signal, kind, asset_type, unit=spec.unit)
    for place, name in enumerate(spec.watched):
        yield from _signal(f"watched[{place}]", name, kind, asset_type)
    for place, text in enumerate(spec.interlocks):
        yield from _condition(f"interlocks[{place}]", text, kind, model)
    for place, effect in enumerate(spec.simulate_with):
        for fault in _effect(effect, spec, kind, model):
            yield f"simulate_with[{place}].{fault}"


def _effect(
    effect: QueueEffect | RoomEffect | TripEffect | StoppingEffect, spec: CommandSpec, kind: str, model: Names
) -> Iterator[str]:
    asset_type = model.asset_types[kind]
    match effect:
        case QueueEffect():
            if not compatible(spec.unit, "m/s"):
                yield f"kind: expected a parameter that is a speed for 'queue', got one in {spec.unit!r}"
            yield from _queue(effect, kind, model)
        case RoomEffect():
            yield from _signal("temperature", effect.temperature, kind, asset_type, unit=spec.unit)
            yield from _state("door", effect.door, "open", kind, asset_type)
            yield from _state("compressor", effect.compressor, "on", kind, asset_type)
            if effect.warmest not in asset_type.properties:
                known = nearest(effect.warmest, asset_type.properties)
                yield f"warmest: {kind!r} has no property {effect.warmest!r}{known}"
        case TripEffect():
            if spec.unit != "1":
                yield f"kind: expected a parameter that is a share, of unit '1', for 'trip', got one in {spec.unit!r}"
            yield from _event("trips", effect.trips, (effect.destination,), model, of=kind)
            yield from _event("legs", effect.legs, (effect.truck, effect.origin, effect.destination), model)
        case StoppingEffect():
            if not compatible(spec.unit, "m/s"):
                yield f"kind: expected a parameter that is a speed for 'stopping', got one in {spec.unit!r}"
            yield from _signal("distance", effect.distance, kind, asset_type, unit="m")


def _queue(effect: QueueEffect, kind: str, model: Names) -> Iterator[str]:
    links = model.relationships
    for key in ("place", "waiting"):
        name = getattr(effect, key)
        if name not in links:
            yield f"{key}: there is no relationship {name!r}{nearest(name, links)}"
    if effect.place in links and links[effect.place].source != kind:
        yield f"place: expected a relationship from {kind!r}, got {effect.place!r} from {links[effect.place].source!r}"
    if effect.place in links and effect.waiting in links:
        if links[effect.place].target != links[effect.waiting].target:
            yield (
                f"waiting: expected a relationship to {links[effect.place].target!r}, as `place`, got "
                f"{effect.waiting!r} to {links[effect.waiting].target!r}"
            )
        item = model.asset_types[links[effect.waiting].source]
        if effect.only is not None:
            found = item.properties.get(effect.only)
            if found is None or found.dtype != "boolean":
                yield f"only: expected a property of {links[effect.waiting].source!r} that is a boolean, got {effect.only!r}"
    if (effect.arrivals is None) != (effect.link is None):
        yield "link: expected `arrivals` and `link` together: an event type and its link to the place"
    elif effect.arrivals is not None and effect.link is not None:
        yield from _event("arrivals", effect.arrivals, (effect.link,), model)
    if effect.working is not None:
        yield from _condition("working", effect.working, kind, model)


def _event(key: str, name: str, links: tuple[str, ...], model: Names, *, of: str | None = None) -> Iterator[str]:
    if name not in model.event_types:
        yield f"{key}: there is no event type {name!r}{nearest(name, model.event_types)}"
        return
    event = model.event_types[name]
    if of is not None and event.asset != of:
        yield f"{key}: expected an event type of {of!r}, got {name!r} of {event.asset!r}"
    for link in links:
        if link not in event.links:
            yield f"{key}: the event type {name!r} has no link {link!r}{nearest(link, event.links)}"


def _signal(key: str, name: str, kind: str, asset_type: AssetType, *, unit: str | None = None) -> Iterator[str]:
    if name not in asset_type.signals:
        yield f"{key}: {kind!r} has no signal {name!r}{nearest(name, asset_type.signals)}"
    elif unit is not None and not compatible(str(asset_type.signals[name].unit), unit):
        yield f"{key}: expected a signal in a unit that converts to {unit!r}, got {name!r} in {asset_type.signals[name].unit!r}"


def _state(key: str, name: str, wanted: str, kind: str, asset_type: AssetType) -> Iterator[str]:
    if name not in asset_type.signals:
        yield from _signal(key, name, kind, asset_type)
    elif wanted not in (asset_type.signals[name].states or {}).values():
        yield f"{key}: expected a signal with a state {wanted!r}, got {name!r}"


def _condition(key: str, text: str, kind: str, model: Names) -> Iterator[str]:
    try:
        present_condition(text, kind, model)
    except TwinlabError as error:
        yield f"{key}: {str(error).splitlines()[0]}"
