"""Harmonise one frame of a ledger: claims, events, assets, relationships, unknown terms and problems."""

from __future__ import annotations

from collections.abc import Callable

from twinlab.harmonise.cells import Rows
from twinlab.harmonise.claims import Claims, Context, FrameLike, Harmonised, Series, UnknownTerm
from twinlab.harmonise.compiled import compile_mapping
from twinlab.harmonise.overflow import report_overflows
from twinlab.harmonise.shared_instants import mark_shared_instants
from twinlab.harmonise.stream import harmonise_observations
from twinlab.harmonise.tables.assets import asset_claims, relationship_claims
from twinlab.harmonise.tables.events import event_claims
from twinlab.harmonise.tables.signals import long_claims, wide_claims
from twinlab.harmonise.tags import TagTable
from twinlab.harmonise.times.resolve import rule_columns
from twinlab.model.mapping import Mapping, TableRule
from twinlab.model.schema import ADDED_PREFIX
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel

__all__ = ["harmonise", "series_of_tags"]


def harmonise(frame: FrameLike, mapping: Mapping, context: Context) -> Harmonised:
    """Translate one frame of a ledger into signals, events, assets and relationships of the model.

    Parameters
    ----------
    frame : Frame
        Observations, records, or the retraction of a file (which has no claims of its own).
    mapping : Mapping
        The mapping of the frame's source.
    context : Context
        The model, the properties of assets known so far, and the state of ``ambiguous: order``. Pass the same context
        to every frame, in frame order. Apart from that state this is a pure function, and for all other rules the
        order of rows doesn't matter.

    Returns
    -------
    Harmonised
        Nothing is guessed, and bad data raise no error: unknown terms are counted and reported with the nearest known
        one, unreadable cells are reported as problems with row and reason.

    Raises
    ------
    UnknownTermError
        If the mapping names an asset type, signal or event type that the model lacks.
    UnitError
        If the mapping gives a unit that doesn't fit its signal's.
    """
    ready = compile_mapping(mapping, context.model)
    if frame.kind == "retract_file":
        return Harmonised(Claims.empty())
    if frame.kind == "observations":
        if mapping.stream is None or ready.stream is None:
            return _all_unknown(frame, f"stream {mapping.source!r}", "the mapping has no `stream:` section")
        return harmonise_observations(frame, mapping.stream, ready.stream, ready, context.model)
    rules = ready.rules(frame.record_type or "")
    if not rules:
        known = nearest(frame.record_type or "", [rule.table for rule in mapping.tables])
        why = f"no table of the mapping of {mapping.source!r} is called so{known}"
        return _all_unknown(frame, f"table {frame.record_type!r}", why)
    return _records(frame, rules, context)


def series_of_tags(mapping: Mapping, model: TwinModel) -> Callable[[str], frozenset[Series]]:
    """Return a function of a tag of the mapping's stream, which returns the series that it has rules for."""
    table = compile_mapping(mapping, model).stream
    return table.series if table is not None else lambda _tag: frozenset()


def _all_unknown(frame: FrameLike, term: str, why: str) -> Harmonised:
    return Harmonised(Claims.empty(), unknown={term: UnknownTerm(frame.rows, f"{why}; its rows stay in the ledger")})


def _records(frame: FrameLike, rules: list[tuple[TableRule, TagTable]], context: Context) -> Harmonised:
    rows = Rows(frame)
    units = getattr(frame, "units", None) or {}
    parts: list[Claims] = []
    known: set[str] = set()
    for rule, table in rules:
        known |= _known_columns(rule)
        if rule.tag is not None:
            parts += long_claims(rule, rows, context, table)
        else:
            parts += wide_claims(rule, rows, context, table, units=units)
            known |= {name for name in rows.names if table.meanings(name)}
    for name in rows.names:
        if name not in known and not name.startswith(ADDED_PREFIX):
            empty = int(rows.cells(name).empty.sum())
            rows.findings.unknown_term(f"column {name!r}", rows.count - empty, rules[0][1].message(name, what="column"))
    events = tuple(event_claims(each, rows, context) for rule, _ in rules for each in rule.events)
    assets = tuple(asset_claims(each, rows, context) for rule, _ in rules for each in rule.assets)
    links = tuple(relationship_claims(each, rows, context) for rule, _ in rules for each in rule.relationships)
    found = rows.findings
    parts, shared = mark_shared_instants(parts, context.model)
    claims = Claims.concat(parts)
    report_overflows(claims, context.model, found)
    return Harmonised(
        claims=claims,
        events=events,
        assets=assets,
        relationships=links,
        unknown=found.unknown,
        problems=tuple(found.problems),
        problem_count=found.problem_count,
        missing=found.missing,
        shared=shared,
    )


def _known_columns(rule: TableRule) -> set[str]:
    """Return the columns that a table's rule uses or ignores, signals apart."""
    known = {*rule.ignore, *rule_columns(rule.time)}
    known |= {name for name in (rule.tag, rule.value, rule.unit_column) if name}
    if rule.asset is not None and rule.asset.column:
        known.add(rule.asset.column)
    meanings = [meaning for tags in (rule.columns, rule.tags) for rules in tags.values() for meaning in rules]
    statuses = [rule.status, *(meaning.status for meaning in meanings)]
    known |= {status.column for status in statuses if status is not None}
    for event in rule.events:
        known |= {*event.key, *(source.column for source in (*event.links.values(), *event.properties.values()))}
        known |= {event.asset.column} if event.asset is not None and event.asset.column else set()
        for time in (event.start, event.end, event.planned_start, event.planned_end):
            known |= {*rule_columns(time)}
        known |= {where.column for where in event.where}
        known |= {length.column for length in (event.duration, event.planned_duration) if length is not None}
    for asset in rule.assets:
        known |= {asset.id, *(source.column for source in asset.properties.values())}
    for link in rule.relationships:
        known |= {link.source, link.target, *rule_columns(link.valid_from), *rule_columns(link.valid_until)}
    return known
