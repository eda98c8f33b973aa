"""The part of a twin's model that somebody may see: without the fields and types that they may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twinlab.model.asset_types import AssetType, EventType, Lifetime, PropertySpec
from twinlab.model.signal import Signal, SpanOfAssets
from twinlab.model.twinmodel import TwinModel

__all__ = ["SeesField", "visible_model"]

_Spec = TypeVar("_Spec", Signal, PropertySpec)
#: Called with the asset type or event type, the name of a field, and the field; returns whether it is seen.
SeesField = Callable[[str, str, Signal | PropertySpec], bool]


def visible_model(
    model: TwinModel, sees_field: SeesField, *, sees_type: Callable[[str], bool] = lambda _: True
) -> TwinModel:
    """Return a model without what somebody may not see, and without what refers to it.

    Parameters
    ----------
    model : TwinModel
    sees_field : callable
        Whether a signal, a property of an asset or a field of an event is seen.
    sees_type : callable, optional
        Whether any asset of an asset type is seen; by default of all types.

    Returns
    -------
    TwinModel
        Its rules, KPIs, finders, alerts and links refer to nothing that was removed. The same object if all is seen.
    """
    types = {name: _visible_type(name, kind, sees_field) for name, kind in model.asset_types.items() if sees_type(name)}
    events = {
        name: _visible_event(name, kind, sees_field, types)
        for name, kind in model.event_types.items()
        if kind.asset is None or kind.asset in types
    }
    if types == model.asset_types and events == model.event_types:
        return model
    links = {name: link for name, link in model.relationships.items() if link.source in types and link.target in types}
    seen = model.model_copy(update={"asset_types": types, "event_types": events, "relationships": links})
    return _without_dangling(seen)


def _visible_type(name: str, kind: AssetType, sees_field: SeesField) -> AssetType:
    signals = _seen(name, kind.signals, sees_field)
    properties = _seen(name, kind.properties, sees_field)
    if len(signals) == len(kind.signals) and len(properties) == len(kind.properties):
        return kind
    places = {*signals, *properties}
    return kind.model_copy(
        update={
            "signals": {key: _without_others(signal, signals, properties) for key, signal in signals.items()},
            "properties": properties,
            "label": kind.label if kind.label in properties else None,
            "position": kind.position if kind.position is not None and places.issuperset(kind.position) else None,
            "lifetime": None if kind.lifetime is None else _visible_lifetime(kind.lifetime, properties),
        }
    )


def _visible_event(name: str, kind: EventType, sees_field: SeesField, types: dict[str, AssetType]) -> EventType:
    properties = _seen(name, kind.properties, sees_field)
    links = {key: target for key, target in kind.links.items() if target in types}
    if len(properties) == len(kind.properties) and len(links) == len(kind.links):
        return kind
    return kind.model_copy(update={"properties": properties, "links": links})


def _seen(owner: str, fields: dict[str, _Spec], sees_field: SeesField) -> dict[str, _Spec]:
    return {name: spec for name, spec in fields.items() if sees_field(owner, name, spec)}


def _without_others(signal: Signal, signals: dict[str, Signal], properties: dict[str, PropertySpec]) -> Signal:
    """Return a signal without limits and tests that refer to fields which aren't seen."""
    changes: dict[str, object] = {}
    for key in ("sensor_span", "expected_span"):
        span = getattr(signal, key)
        if isinstance(span, SpanOfAssets) and not set(span.properties) <= properties.keys():
            changes[key] = span.default
    tests = {name: given for name, given in signal.tests.items() if set(signal.others_of(name)) <= signals.keys()}
    if len(tests) < len(signal.tests):
        changes["tests"] = tests
    return signal.model_copy(update=changes) if changes else signal


def _visible_lifetime(lifetime: Lifetime, properties: dict[str, PropertySpec]) -> Lifetime | None:
    known = {
        key: name if name in properties else None
        for key, name in (("start", lifetime.start), ("until", lifetime.until))
    }
    return lifetime.model_copy(update=known) if any(known.values()) else None


def _without_dangling(seen: TwinModel) -> TwinModel:
    """Return a model without rules, KPIs, finders and alerts that refer to what it doesn't have any more."""
    seen = seen.model_copy(update={"rules": {name: rule for name, rule in seen.rules.items() if not rule.faults(seen)}})
    finders = {name: finder for name, finder in seen.events.items() if not finder.faults(name, seen)}
    seen = seen.model_copy(update={"events": finders})
    seen = seen.model_copy(update={"kpis": {name: kpi for name, kpi in seen.kpis.items() if not kpi.faults(seen)}})
    alerts = {name: alert for name, alert in seen.alerts.items() if not alert.faults(seen)}
    return seen.model_copy(update={"alerts": alerts})
