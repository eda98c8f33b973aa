"""Values to complete from in the form's fields: columns, units, zones and the names of the model. No widgets."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from functools import cache

from twinlab.apps.mapping_form.draft import LONG_ROLES, ROLES, MappingDraft
from twinlab.apps.mapping_form.keys import Part
from twinlab.apps.mapping_form.preview import Sample, SampleTable
from twinlab.languages import tr
from twinlab.model import asset_types, mapping
from twinlab.model.signal import Signal
from twinlab.model.units import known_units
from twinlab.model.units.spelling import UNKNOWN

__all__ = ["further_roles", "roles", "suggestions", "table_names", "zones"]

_COLUMN_KEYS = frozenset(
    ["column", "clock", "date_column", "elapsed", "plus", "zone_column", "unit_column", "tag", "value"]
)
#: Keys that name a column in these parts, and something else in others.
_ALSO_COLUMNS: dict[object, tuple[str, ...]] = {mapping.AssetsRule: ("id",), mapping.RelationshipRule: ("from", "to")}
_TYPE_KEYS = frozenset(["asset_type", "on", "asset", "from", "to"])


@cache
def zones() -> tuple[str, ...]:
    """Return "UTC", "offset" (each value states its own), and all IANA zones."""
    return ("UTC", "offset", *sorted(zoneinfo.available_timezones() - {"UTC", "localtime", "Factory"}))


def suggestions(draft: MappingDraft, sample: SampleTable | None) -> Callable[[Part, str], Sequence[str]]:
    """Return a function that gives the values to complete from, for a part and the name of a key."""
    columns = tuple(sample.columns) if sample is not None else ()

    def suggest(part: Part, name: str) -> Sequence[str]:
        if name in _COLUMN_KEYS or name in _ALSO_COLUMNS.get(part.holder, ()):
            return columns
        if name in ("unit", "plus_unit"):
            return known_units()
        if name == "zone":
            return zones()
        if name == "signal":
            kinds = draft.model.asset_types.values()
            return tuple(dict.fromkeys(signal for kind in kinds for signal in kind.signals))
        if name == "type" and part.holder is mapping.EventsRule:
            return tuple(draft.model.event_types)
        if name == "type" and part.holder is mapping.RelationshipRule:
            return tuple(draft.model.relationships)
        if name == "type" or (name in _TYPE_KEYS and part.holder.__module__ == asset_types.__name__):
            return tuple(draft.model.asset_types)
        return ()

    return suggest


def table_names(draft: MappingDraft, sample: Sample | None) -> list[str]:
    """Return the tables of a sample, then those that only the mapping names; the name of the source if there are none."""
    rules = (draft.data or {}).get("tables")
    named = [str(one.get("table", "*")) for one in rules if isinstance(one, dict)] if isinstance(rules, list) else []
    seen = list(sample.tables) if sample is not None else []
    others = [name for name in named if name not in seen and not any(fnmatch(one, name) for one in seen)]
    return [*seen, *others] or [draft.source]


def roles(
    draft: MappingDraft, table: str, name: str, *, tags: bool, place: int, several: bool
) -> list[tuple[str, str]]:
    """Return what a rule can mean; one of several rules has a signal, or is removed."""
    own = {key: label for key, label in ROLES.items() if not tags or key in ("", "=ignore")}
    used = draft.used(table, name) if not tags else ""
    if used:
        own[""] = tr("{used} (see YAML)", used=used)
    own = {"": tr("– remove this rule –")} if several else own | ({} if tags else LONG_ROLES)
    fixed = [(label, key) for key, label in own.items()]
    kind = draft.asset_type(table, name, tags=tags, place=place)
    if kind in draft.model.asset_types:
        return fixed + [(_label(key, one), key) for key, one in draft.model.asset_types[kind].signals.items()]
    made: dict[str, str] = {}
    for type_name, asset_type in draft.model.asset_types.items():
        for key in asset_type.signals:
            made[key] = (
                f"{made[key]}, {type_name}" if key in made else tr("{key} of {type_name}", key=key, type_name=type_name)
            )
    return fixed + [(label, key) for key, label in made.items()]


def _label(name: str, signal: Signal) -> str:
    unit = tr("unit unknown") if signal.unit == UNKNOWN else signal.unit
    return f"{name} ({'state' if signal.kind == 'state' else unit})"


def further_roles(draft: MappingDraft, table: str) -> dict[str, str]:
    """Return what a column can be beside its signal: a property of an event or asset that has no column yet.

    The keys are paths within the table's rule: ``@events/0/properties/parcels``. The values are labels.
    """
    found: dict[str, str] = {}
    kinds: dict[str, Mapping[str, asset_types.EventType | asset_types.AssetType]] = {
        "events": draft.model.event_types,
        "assets": draft.model.asset_types,
    }
    for part, known in kinds.items():
        rules = draft.get(table, part)
        for place, rule in enumerate(rules if isinstance(rules, list) else ()):
            kind = known.get(str(rule.get("type"))) if isinstance(rule, dict) else None
            for name in kind.properties if kind is not None else ():
                if draft.get(table, part, place, "properties", name) is None:
                    found[f"@{part}/{place}/properties/{name}"] = tr(
                        "property {name} of {part} {place} ({type})",
                        name=name,
                        part=part,
                        place=place + 1,
                        type=rule["type"],
                    )
    return found
