"""Compare a mapping with the model: names that don't exist, and units that don't fit."""

from __future__ import annotations

import math
import re
import string
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from twinlab.errors import SchemaError, TwinlabError, UnitError, UnknownTermError
from twinlab.model.mapping import AssetRule, ClockRule, ColumnRule, EventsRule, Mapping, TableRule, TagRule, TimeRule
from twinlab.model.mapping.tags import Tags
from twinlab.model.terms import nearest
from twinlab.model.time_rule import fixed_offset
from twinlab.model.twinmodel import EventType, PropertySpec, Signal, TwinModel
from twinlab.model.units import conversion
from twinlab.model.units.spelling import UNKNOWN
from twinlab.model.yamltext import Path_, path_text

__all__ = ["FaultsError", "Finding", "mapping_findings"]

_TIMES = ("start", "end", "planned_start", "planned_end")


@dataclass(frozen=True)
class Finding:
    """One fault of a file."""

    path: Path_
    kind: type[TwinlabError]
    message: str
    line: int | None = None


class FaultsError(ValueError):
    """Several faults of one part of a file, each with its path from the top of the file."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(f"{path_text(one.path)}: {one.message}".removeprefix(": ") for one in findings))
        self.findings = tuple(findings)


def mapping_findings(mapping: Mapping, model: TwinModel) -> list[Finding]:
    """Return all faults of a mapping with regard to its model, in the order of the file."""
    found: list[Finding] = []
    for index, table in enumerate(mapping.tables):
        found += _table(table, model, ("tables", index))
    if mapping.stream is not None:
        found += _zone(mapping.stream.zone, ("stream", "zone"))
        found += _clocks(mapping.stream.clocks, ("stream",))
        found += _tags(mapping.stream.tags, None, model, ("stream", "tags"))
    return found


def _unknown(path: Path_, what: str, name: str, known: Iterable[str]) -> Finding:
    return Finding(path, UnknownTermError, f"the model has no {what} {name!r}{nearest(name, known)}")


def _table(table: TableRule, model: TwinModel, path: Path_) -> Iterator[Finding]:
    yield from _time(table.time, model, (*path, "time"))
    yield from _clocks(table.clocks, path)
    yield from _asset(table.asset, model, (*path, "asset"))
    for key, tags in (("columns", table.columns), ("tags", table.tags)):
        yield from _tags(tags, table.asset, model, (*path, key))
    for index, events in enumerate(table.events):
        yield from _events(events, model, (*path, "events", index))
    for index, assets in enumerate(table.assets):
        here = (*path, "assets", index)
        if assets.type not in model.asset_types:
            yield _unknown((*here, "type"), "asset type", assets.type, model.asset_types)
        else:
            specs = model.asset_types[assets.type].properties
            yield from _properties(assets.properties, specs, f"asset type {assets.type!r}", (*here, "properties"))
    for index, link in enumerate(table.relationships):
        here = (*path, "relationships", index)
        if link.type not in model.relationships:
            yield _unknown((*here, "type"), "relationship", link.type, model.relationships)
        for key in ("valid_from", "valid_until"):
            yield from _time(getattr(link, key), model, (*here, key))


def _time(rule: TimeRule | None, model: TwinModel, path: Path_) -> Iterator[Finding]:
    if rule is None:
        return
    if rule.zone is not None:
        yield from _zone(rule.zone, (*path, "zone"), offset=True)
    for code, zone in rule.zones.items():
        yield from _zone(zone, (*path, "zones", code))
    if rule.zone_of is None:
        return
    here, kind = (*path, "zone_of"), rule.zone_of.asset_type
    if kind not in model.asset_types:
        yield _unknown((*here, "asset_type"), "asset type", kind, model.asset_types)
    elif rule.zone_of.property not in model.asset_types[kind].properties:
        known = model.asset_types[kind].properties
        yield _unknown((*here, "property"), f"property of {kind!r} called", rule.zone_of.property, known)
    for asset, zone in rule.zone_of.also.items():
        yield from _zone(zone, (*here, "also", asset))


def _zone(name: str, path: Path_, *, offset: bool = False) -> Iterator[Finding]:
    if name == "UTC" or (offset and name in ("offset", UNKNOWN)) or fixed_offset(name) is not None:
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        close = nearest(name, zoneinfo.available_timezones())
        hint = close if "did you mean" in close else "; write one such as 'UTC', 'Europe/Berlin' or '-05:00'"
        yield Finding(path, UnknownTermError, f"there is no IANA time zone {name!r}{hint}")


def _asset(rule: AssetRule | None, model: TwinModel, path: Path_) -> Iterator[Finding]:
    if rule is None:
        return
    if rule.type not in model.asset_types:
        yield _unknown((*path, "type"), "asset type", rule.type, model.asset_types)
    if rule.pattern is not None:
        try:
            re.compile(rule.pattern)
        except re.error as error:
            yield Finding(
                (*path, "pattern"), SchemaError, f"expected a regular expression, got {rule.pattern!r}: {error}"
            )


def _tags(tags: Tags, asset: AssetRule | None, model: TwinModel, path: Path_) -> Iterator[Finding]:
    for tag, rules in tags.items():
        for index, rule in enumerate(rules):
            here = (*path, tag, index) if len(rules) > 1 else (*path, tag)
            if rule.asset is not None:
                kind = rule.asset.split("/", 1)[0]
                yield from _template(tag, rule.asset, here)
            elif asset is not None:
                kind = asset.type
            else:
                yield Finding(here, SchemaError, "expected `asset: type/id` here, or an `asset:` for the whole table")
                continue
            if kind not in model.asset_types:
                if rule.asset is not None:
                    yield _unknown((*here, "asset"), "asset type", kind, model.asset_types)
                continue
            signals = model.asset_types[kind].signals
            if rule.signal not in signals:
                yield _unknown((*here, "signal"), f"signal of {kind!r} called", rule.signal, signals)
                continue
            yield from _rule(rule, signals[rule.signal], here)


def _template(tag: str, asset: str, path: Path_) -> Iterator[Finding]:
    kind, slash, name = asset.partition("/")
    if not (kind and slash and name):
        yield Finding((*path, "asset"), SchemaError, f"expected 'type/id', such as 'cold_room/3', got {asset!r}")
        return
    pattern = tag[1:-1] if len(tag) > 2 and tag[0] == tag[-1] == "/" else None
    groups = set(re.compile(pattern).groupindex) if pattern else set()
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(asset) if field is not None}
    except ValueError as error:
        yield Finding((*path, "asset"), SchemaError, f"expected 'type/id' or 'type/{{group}}', got {asset!r}: {error}")
        return
    for field in sorted(fields - groups):
        hint = nearest(field, groups) if groups else "; write the tag as a pattern, '/^Room (?P<room>\\d+)$/'"
        yield Finding((*path, "asset"), UnknownTermError, f"the tag's pattern has no group {field!r}{hint}")


def _rule(rule: TagRule, signal: Signal, path: Path_) -> Iterator[Finding]:
    if signal.kind == "state":
        known = set((signal.states or {}).values())
        for written, state in (rule.states or {}).items():
            if state not in known:
                yield _unknown((*path, "states", written), f"state of {rule.signal!r} called", state, known)
        if rule.blank is not None and rule.blank not in known:
            yield _unknown((*path, "blank"), f"state of {rule.signal!r} called", rule.blank, known)
        if rule.unit is not None and rule.unit != "1":
            yield Finding(
                (*path, "unit"), UnitError, f"the state {rule.signal!r} has no unit, got {rule.unit!r}; remove it"
            )
        if rule.swapped_words is not None:
            message = f"{rule.signal!r} is a state, and `swapped_words` is for numbers; remove it"
            yield Finding((*path, "swapped_words"), SchemaError, message)
    else:
        if rule.states:
            message = f"{rule.signal!r} is a {signal.kind}, not a state; remove `states`"
            yield Finding((*path, "states"), SchemaError, message)
        if rule.blank is not None and not _is_number(rule.blank):
            message = f"expected a number, since {rule.signal!r} is a {signal.kind}, got {rule.blank!r}"
            yield Finding((*path, "blank"), SchemaError, message)
        yield from _unit(rule.unit, signal.unit, f"signal {rule.signal!r}", (*path, "unit"))
    yield from _standard(rule.standard, signal.standard, f"signal {rule.signal!r}", path)
    yield from _validity(rule, path)


def _standard(stated: str | None, wanted: str | None, what: str, path: Path_) -> Iterator[Finding]:
    """Compare the definition by which a source computes a value with the model's: two don't mix under one name."""
    if stated == wanted:
        return
    place = path if stated is None else (*path, "standard")
    if wanted is None:
        message = f"the {what} of the model states no standard, and this source computes it by {stated!r}; write it there, too"
    elif stated is None:
        message = (
            f"the {what} is computed by {wanted!r}; write `standard: {wanted}` here if this source computes it so, "
            "else map what it is computed from, such as states, and let a KPI compute it"
        )
    else:
        message = (
            f"the {what} is computed by {wanted!r}, and this source computes it by {stated!r}: they aren't the same quantity; "
            "map what it is computed from, such as states, or give it a name of its own"
        )
    yield Finding(place, SchemaError, message)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _validity(rule: TagRule | ClockRule, path: Path_) -> Iterator[Finding]:
    bounds: list[np.datetime64] = []
    for key in ("valid_from", "valid_until"):
        text = getattr(rule, key)
        if text is None:
            continue
        try:
            bounds.append(np.datetime64(text.removesuffix("Z"), "ns"))
        except ValueError:
            yield Finding(
                (*path, key), SchemaError, f"expected an instant in UTC such as 2013-01-01T00:00Z, got {text!r}"
            )
    if len(bounds) > 1 and not bounds[0] < bounds[1]:
        yield Finding(
            (*path, "valid_until"), SchemaError, f"expected an instant after valid_from, got {rule.valid_until!r}"
        )


def _clocks(clocks: Sequence[ClockRule], path: Path_) -> Iterator[Finding]:
    for index, clock in enumerate(clocks):
        yield from _validity(clock, (*path, "clocks", index))


def _unit(written: str | None, wanted: str | None, what: str, path: Path_) -> Iterator[Finding]:
    if written is None:
        return
    if wanted is None:
        yield Finding(
            path, UnitError, f"the {what} has no unit in the model, so {written!r} can't be converted; give it one"
        )
        return
    try:
        conversion(written, wanted)
    except UnitError as error:
        yield Finding(path, UnitError, f"{error} (the {what} is in {wanted!r})")


def _properties(
    columns: dict[str, ColumnRule], specs: dict[str, PropertySpec], owner: str, path: Path_
) -> Iterator[Finding]:
    for name, column in columns.items():
        if name not in specs:
            yield _unknown((*path, name), f"property of {owner} called", name, specs)
        else:
            yield from _unit(column.unit, specs[name].unit, f"property {name!r}", (*path, name, "unit"))
            yield from _standard(column.standard, specs[name].standard, f"property {name!r}", (*path, name))
            yield from _time_property(column, specs[name], (*path, name))


def _time_property(column: ColumnRule, spec: PropertySpec, path: Path_) -> Iterator[Finding]:
    given = [key for key in ("format", "zone") if getattr(column, key) is not None]
    if given and spec.dtype != "time":
        message = f"expected a property with dtype: time, got {spec.dtype}; remove {' and '.join(given)}"
        yield Finding((*path, given[0]), SchemaError, message)
    if column.texts_only and spec.dtype != "text":
        message = f"expected a property with dtype: text, got {spec.dtype}; remove texts_only, or give the texts their own property"
        yield Finding((*path, "texts_only"), SchemaError, message)
    if column.zone is not None:
        yield from _zone(column.zone, (*path, "zone"), offset=True)


def _events(rule: EventsRule, model: TwinModel, path: Path_) -> Iterator[Finding]:
    for key in _TIMES:
        time: TimeRule | None = getattr(rule, key)
        yield from _time(time, model, (*path, key))
        for way in ("after", "near"):
            other = getattr(time, way, None)
            if other is not None and (other == key or getattr(rule, other) is None):
                message = f"expected the name of another time of this event that has a rule, got {other!r}"
                yield Finding((*path, key, way), SchemaError, message)
    for key in ("duration", "planned_duration"):
        column: ColumnRule | None = getattr(rule, key)
        yield from _unit(None if column is None else column.unit, "s", f"{key} of an event", (*path, key, "unit"))
    yield from _asset(rule.asset, model, (*path, "asset"))
    if rule.type not in model.event_types:
        yield _unknown((*path, "type"), "event type", rule.type, model.event_types)
        return
    event: EventType = model.event_types[rule.type]
    if rule.asset is not None and rule.asset.type in model.asset_types and rule.asset.type != event.asset:
        message = f"the event type {rule.type!r} is about {event.asset or 'no asset'}, got {rule.asset.type!r}"
        yield Finding((*path, "asset", "type"), SchemaError, message)
    for name in rule.links:
        if name not in event.links:
            yield _unknown((*path, "links", name), f"link of event type {rule.type!r} called", name, event.links)
    yield from _properties(rule.properties, event.properties, f"event type {rule.type!r}", (*path, "properties"))
