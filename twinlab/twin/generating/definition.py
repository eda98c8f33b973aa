"""Model and mapping of a synthetic twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinlab.model.mapping import Mapping
from twinlab.model.synthetic.section import SyntheticData

if TYPE_CHECKING:
    from twinlab.model.asset_types import AssetType, EventType
    from twinlab.model.twinmodel import TwinModel

__all__ = ["SOURCE", "is_personal", "shown_properties", "shown_signals", "synthetic_mapping", "synthetic_model"]

#: Name of the only source of a synthetic twin.
SOURCE = "synthetic"
_TIME = {"zone": "UTC"}
_TIMES = ("start", "end", "planned_start", "planned_end")


def is_personal(part: Any) -> bool:  # noqa: ANN401  (a signal, a property or an asset type)
    """Return whether something relates to persons, which a synthetic twin leaves out."""
    return part.sensitivity in ("personal", "sensitive")


def shown_signals(kind: AssetType) -> list[str]:
    """Return the signals of an asset type that are no personal data."""
    return [name for name, signal in kind.signals.items() if not is_personal(signal)]


def shown_properties(kind: AssetType | EventType) -> list[str]:
    """Return the properties that are no personal data."""
    return [name for name, spec in kind.properties.items() if not is_personal(spec)]


def synthetic_model(model: TwinModel, about: SyntheticData) -> TwinModel:
    """Return the model of a synthetic twin: that of the original, with another name and the statement, without what sends or notifies."""
    title = f"{model.title or model.twin} (synthetic)"
    without: dict[str, Any] = {"commands": {}, "alerts": {}, "channels": {}, "predictions": {}, "questions": []}
    name = f"{model.twin.removesuffix('_synthetic')}_synthetic"
    return model.model_copy(update={**without, "twin": name, "title": title, "synthetic": about})


def synthetic_mapping(model: TwinModel) -> Mapping:
    """Return the mapping of the source of a synthetic twin: a table for each asset type's signals, assets, events and links."""
    tables: list[dict[str, Any]] = []
    for kind, spec in model.asset_types.items():
        for cadence in dict.fromkeys(spec.signals[name].cadence for name in shown_signals(spec)):
            names = [name for name in shown_signals(spec) if spec.signals[name].cadence == cadence]
            columns = {name: _column(model, kind, name) for name in names}
            tables.append(
                {
                    "table": f"{kind}_{cadence}",
                    "time": _TIME | {"column": "time"},
                    "asset": {"type": kind, "column": "asset"},
                    "columns": columns,
                }
            )
        properties = {name: _property(spec, name) for name in shown_properties(spec)}
        tables.append({"table": f"{kind}_assets", "assets": [{"type": kind, "id": "asset", "properties": properties}]})
    for kind, event in model.event_types.items():
        rule: dict[str, Any] = {"type": kind, "key": ["event_id"]}
        if event.asset is not None:
            rule["asset"] = {"type": event.asset, "column": "asset"}
        rule |= {name: _TIME | {"column": name} for name in _TIMES}
        rule |= {"links": {name: name for name in event.links}}
        rule |= {"properties": {name: _property(event, name) for name in shown_properties(event)}}
        tables.append({"table": f"{kind}_events", "events": [rule]})
    for link in model.relationships:
        times = {name: _TIME | {"column": name} for name in ("valid_from", "valid_until")}
        tables.append(
            {"table": f"{link}_links", "relationships": [{"type": link, "from": "source", "to": "target", **times}]}
        )
    return Mapping.model_validate({"source": SOURCE, "tables": tables})


def _column(model: TwinModel, kind: str, name: str) -> dict[str, Any]:
    signal = model.asset_types[kind].signals[name]
    stated: dict[str, Any] = {"signal": name}
    if signal.states:
        return stated | {"states": {state: state for state in signal.states.values()}}
    return stated | {"unit": signal.unit} | ({"standard": signal.standard} if signal.standard else {})


def _property(kind: AssetType | EventType, name: str) -> dict[str, Any]:
    spec = kind.properties[name]
    stated: dict[str, Any] = {"column": name}
    if spec.unit is not None:
        stated["unit"] = spec.unit
    if spec.standard is not None:
        stated["standard"] = spec.standard
    return stated
