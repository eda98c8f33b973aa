"""A model without the fields that somebody doesn't see, and without what refers to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from twinlab.model.asset_types import AssetType, PropertySpec
    from twinlab.model.signal import Signal
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Sees", "filtered_model"]

#: Returns whether a field is seen: (asset type or event type, field, its entry in the model).
Sees: TypeAlias = "Callable[[str, str, Signal | PropertySpec], bool]"


def filtered_model(model: TwinModel, sees: Sees, *, without: frozenset[str] = frozenset()) -> TwinModel:
    """Return a model with the fields that are seen.

    Rules, KPIs, finders, alerts and commands that refer to other fields are left out.

    Parameters
    ----------
    model : TwinModel
    sees : callable
        Asked for each signal and property.
    without : set of str
        Asset types that aren't seen at all; relationships and event types that refer to them have no such link.

    >>> from twinlab.model.load import parse_model
    >>> model = parse_model("{twin: a, event_types: {trip: {properties: {driver: {}, tour: {}}}}}")
    >>> list(filtered_model(model, lambda owner, field, spec: field != "driver").event_types["trip"].properties)
    ['tour']
    """
    kinds = {name: _asset_type(name, kind, sees) for name, kind in model.asset_types.items() if name not in without}
    events = {}
    for name, event in model.event_types.items():
        properties = {prop: spec for prop, spec in event.properties.items() if sees(name, prop, spec)}
        links = {link: target for link, target in event.links.items() if target not in without}
        asset = None if event.asset in without else event.asset
        events[name] = event.model_copy(update={"properties": properties, "links": links, "asset": asset})
    relationships = {
        name: link for name, link in model.relationships.items() if not {link.source, link.target} & without
    }
    seen = model.model_copy(
        update={"asset_types": kinds, "event_types": events, "relationships": relationships, "questions": []}
    )
    return _without_dangling(seen)


def _asset_type(name: str, kind: AssetType, sees: Sees) -> AssetType:
    properties = {prop: spec for prop, spec in kind.properties.items() if sees(name, prop, spec)}
    signals = {signal: spec for signal, spec in kind.signals.items() if sees(name, signal, spec)}
    known = {*properties, *signals}
    shown = {signal: _signal(spec, known) for signal, spec in signals.items()}
    position = kind.position if kind.position is not None and set(kind.position) <= known else None
    lifetime = kind.lifetime
    if lifetime is not None and not {one for one in (lifetime.start, lifetime.until) if one} <= known:
        lifetime = None
    label = kind.label if kind.label in properties else None
    changed = {"properties": properties, "signals": shown, "position": position, "label": label, "lifetime": lifetime}
    return kind.model_copy(update=changed)


def _signal(signal: Signal, known: set[str]) -> Signal:
    """Return a signal without limits and tests that refer to fields that aren't seen."""
    changed: dict[str, Any] = {
        key: None for key, span in signal.limits_of_assets.items() if not set(span.properties) <= known
    }
    tests = {test: given for test, given in signal.tests.items() if set(signal.others_of(test)) <= known}
    if len(tests) < len(signal.tests):
        changed["tests"] = tests
    return signal.model_copy(update=changed) if changed else signal


def _without_dangling(model: TwinModel) -> TwinModel:
    rules = {name: rule for name, rule in model.rules.items() if not rule.faults(model)}
    kpis = {name: kpi for name, kpi in model.kpis.items() if not list(kpi.faults(model))}
    finders = {name: finder for name, finder in model.events.items() if not finder.faults(name, model)}
    seen = model.model_copy(update={"rules": rules, "kpis": kpis, "events": finders})
    alerts = {name: alert for name, alert in seen.alerts.items() if not alert.faults(seen)}
    return seen.model_copy(update={"alerts": alerts, **_commands(seen)})


def _commands(model: TwinModel) -> dict[str, Any]:
    """Return the commands whose reported signals are seen."""
    given: Any = getattr(model, "commands", None)
    if not given:
        return {}
    kept = {
        kind: {name: spec for name, spec in specs.items() if spec.signal in model.asset_types[kind].signals}
        for kind, specs in given.items()
        if kind in model.asset_types
    }
    return {"commands": kept}
