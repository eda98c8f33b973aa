"""What a twin's model can be asked about: which assets fail, and which signals are numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["can_predict", "counted_events", "failing_types", "forecast_signals", "has_outlook"]


def can_predict(twin: TwinReader) -> bool:
    """Return whether a twin has the methods; plain data and views of a part of a twin have none."""
    return hasattr(twin, "failure_risk") and hasattr(twin, "forecast")


def failing_types(model: TwinModel) -> list[str]:
    """Return the asset types that have signals, and failures as events of one type."""
    found = [str(one.asset) for name, one in model.event_types.items() if "failure" in name and one.asset]
    return [name for name, one in model.asset_types.items() if found.count(name) == 1 and one.signals]


def forecast_signals(model: TwinModel) -> dict[str, list[str]]:
    """Return the signals of each asset type that are numbers and no position; types without any are left out."""
    found = {
        kind: [name for name, one in spec.signals.items() if one.kind != "state" and name not in (spec.position or ())]
        for kind, spec in model.asset_types.items()
    }
    return {kind: names for kind, names in found.items() if names}


def counted_events(model: TwinModel) -> dict[str, list[str]]:
    """Return what the events of each type can be counted by: their asset, and their links."""
    found = {name: [*(["asset"] if spec.asset else []), *spec.links] for name, spec in model.event_types.items()}
    return {name: links for name, links in found.items() if links}


def has_outlook(twin: TwinReader) -> bool:
    """Return whether a twin has the methods, and its model something to predict."""
    return can_predict(twin) and bool(
        failing_types(twin.model) or forecast_signals(twin.model) or counted_events(twin.model) or twin.model.kpis
    )
