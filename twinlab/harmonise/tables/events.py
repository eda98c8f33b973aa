"""Rows of tables as events: planned and actual times, links to assets, properties in the model's units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.harmonise.cells import Rows, encode, plain_texts
from twinlab.harmonise.claims import NAT, Bools, Context, EventClaims, Ints
from twinlab.harmonise.tables.durations import durations, shifted
from twinlab.harmonise.tables.properties import arrow_type, as_instants, property_array, text_array
from twinlab.harmonise.tables.row_assets import row_assets
from twinlab.harmonise.times.resolve import resolve_times
from twinlab.model.mapping import ColumnRule, EventsRule, WhereRule
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import EventType, TwinModel

__all__ = ["event_arrow_schema", "event_claims", "joined_key"]

_TIMES = ("planned_start", "planned_end", "start", "end")


def event_arrow_schema(event: EventType) -> pa.Schema:
    """Return the columns of an event type's table: `EVENT_COLUMNS`, then links, then properties.

    >>> event_arrow_schema(EventType()).names
    ['event_id', 'type', 'asset', 'start', 'end', 'planned_start', 'planned_end']
    """
    fields = [pa.field(name, pa.string()) for name in ("event_id", "type", "asset")]
    fields += [pa.field(name, pa.timestamp("ns")) for name in ("start", "end", "planned_start", "planned_end")]
    fields += [pa.field(name, pa.string()) for name in event.links]
    fields += [pa.field(name, arrow_type(spec)) for name, spec in event.properties.items()]
    return pa.schema(fields)


def event_claims(rule: EventsRule, rows: Rows, context: Context) -> EventClaims:
    """Return the rows of a table as events of one type; rows without a key are reported and left out.

    A row without actual times (a cancelled trip, for example) becomes an event without them.

    Raises
    ------
    UnknownTermError
        If the rule names an event type, a link or a property that isn't in the model.
    SchemaError
        If times are relative to each other.
    """
    if rule.where:
        part = rows.select(_rows_where(rule.where, rows))
        found = event_claims(rule.model_copy(update={"where": []}), part, context)
        rows.findings.add(part.findings)
        return found
    event = _event_type(rule, context.model)
    key = joined_key(rows, rule.key)
    if rule.part is not None:
        key = pc.binary_join_element_wise(key, rule.part, "/")
    whole = key.is_valid().to_numpy(zero_copy_only=False)
    if not whole.all():
        reason = f"the row has no key ({', '.join(rule.key)}), so its event has no identity"
        rows.findings.problem_rows(~whole, column=rule.key[0], texts=None, reason=reason)
    times = _times(rule, rows, context)
    columns: dict[str, pa.Array] = {
        "event_id": key,
        "type": pa.array([rule.type] * 1).take(pa.array(np.zeros(rows.count, dtype=np.int8))),
    }
    columns["asset"] = _asset(rule, rows)
    columns |= {name: as_instants(found) for name, found in times.items()}
    schema = event_arrow_schema(event)
    columns |= {name: text_array(source, rows) for name, source in rule.links.items()}
    columns |= {
        name: property_array(source, event.properties[name], rows, context) for name, source in rule.properties.items()
    }
    arrays = [columns.get(field.name, pa.nulls(rows.count, field.type)) for field in schema]
    table = pa.Table.from_arrays(
        [array.cast(field.type) for array, field in zip(arrays, schema, strict=True)], schema=schema
    )
    if whole.all():
        return EventClaims(rule.type, table, rows.ordinals, rows.row_numbers, rows.retracts)
    kept = rows.select(whole)
    return EventClaims(rule.type, table.filter(pa.array(whole)), kept.ordinals, kept.row_numbers, kept.retracts)


def _rows_where(conditions: Sequence[WhereRule], rows: Rows) -> Bools:
    """Return the rows to which all conditions apply."""
    wanted = np.ones(rows.count, dtype=bool)
    for where in conditions:
        codes, terms = encode(rows.texts(where.column))
        fits = np.ones(len(terms), dtype=bool)
        if where.values is not None:
            fits &= [term in where.values for term in terms]
        if where.other_than is not None:
            fits &= [term not in where.other_than for term in terms]
        wanted &= np.append(fits, False)[codes] & ~rows.without_codes(where.column, where.missing).empty
    return wanted


def _event_type(rule: EventsRule, model: TwinModel) -> EventType:
    event = model.event_types.get(rule.type)
    if event is None:
        msg = f"the mapping names the event type {rule.type!r}{nearest(rule.type, model.event_types)}"
        raise UnknownTermError(msg)
    for what, given, known in (("link", rule.links, event.links), ("property", rule.properties, event.properties)):
        for name in given:
            if name not in known:
                msg = f"the mapping names the {what} {name!r} of {rule.type!r}{nearest(name, known)}"
                raise UnknownTermError(msg)
    return event


def joined_key(rows: Rows, columns: Sequence[str]) -> pa.Array:
    """Return the texts of several columns joined with ``/`` (string[n]); null where one of them is empty."""
    texts = [plain_texts(rows.texts(name)) for name in columns]
    if len(texts) == 1:
        return texts[0]
    safe = [
        pc.replace_substring(pc.replace_substring(text, "%", "%25"), "/", "%2F")
        if _has(text, "/") or _has(text, "%")
        else text
        for text in texts
    ]
    return pc.binary_join_element_wise(*safe, "/")


def _has(text: pa.Array, what: str) -> bool:
    return bool(pc.any(pc.match_substring(text, what)).as_py())


def _times(rule: EventsRule, rows: Rows, context: Context) -> dict[str, Ints]:
    """Resolve the four times of an event; times that others are relative to come first."""
    rules = {name: found for name in _TIMES if (found := getattr(rule, name)) is not None}
    done: dict[str, Ints] = {}
    while len(done) < len(rules):
        ready = [
            name
            for name, found in rules.items()
            if name not in done and all(other in done for other in (found.after, found.near) if other is not None)
        ]
        if not ready:
            stuck = ", ".join(name for name in rules if name not in done)
            msg = f"the times {stuck} of {rule.type!r} are relative to each other or to a time that isn't given; give one of them a date"
            raise SchemaError(msg)
        for name in ready:
            done[name] = resolve_times(rules[name], rows, context, others=done)
    for length, first, last in (
        (rule.duration, "start", "end"),
        (rule.planned_duration, "planned_start", "planned_end"),
    ):
        if length is not None and first in done:
            done[last] = shifted(done[first], durations(length, rows))
        elif length is not None:
            done[first] = shifted(done[last], -durations(length, rows))
    return {name: done.get(name, np.full(rows.count, NAT)) for name in _TIMES}


def _asset(rule: EventsRule, rows: Rows) -> pa.Array:
    if rule.asset is None:
        return pa.nulls(rows.count, pa.string())
    if rule.asset.column is not None and rule.asset.pattern is None:
        return text_array(ColumnRule(column=rule.asset.column), rows)
    assets = row_assets(rule.asset, rows)
    return pa.array([*assets.names, None], pa.string()).take(
        pa.array(np.where(assets.codes < 0, len(assets.names), assets.codes))
    )
