"""Values to complete from in the form's fields: columns, units, zones and the names of the model. No widgets."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from functools import cache

from twinlab.apps.mapping_form.draft import MappingDraft
from twinlab.apps.mapping_form.keys import Part
from twinlab.apps.mapping_form.preview import Sample, SampleTable
from twinlab.model import asset_types, mapping
from twinlab.model.units import known_units

__all__ = ["suggestions", "table_names", "zones"]

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
