"""What a draft states, as facts that can be counted: fact -> value. A fact that differs from the right one is an edit."""

from __future__ import annotations

from collections.abc import Iterator

from twinlab.harmonise.drafting.draft import Draft
from twinlab.model.load import parse_mapping, parse_model
from twinlab.model.mapping import TableRule, TagRule, TimeRule
from twinlab.model.twinmodel import TwinModel


def facts(made: Draft) -> dict[str, str]:
    """The facts of a draft. Names of types and signals are a matter of taste and aren't among them."""
    model = parse_model(made.model_yaml)
    found: dict[str, str] = {}
    for source, text in made.mappings.items():
        for table in parse_mapping(text, source).tables:
            found |= dict(_table(f"{source}", table, model))
    for kind in model.asset_types.values():
        if kind.lifetime is not None:
            found["lifetime"] = f"{kind.lifetime.start}..{kind.lifetime.until}"
        if kind.position is not None:
            found["position"] = "yes"
    return found


def _table(source: str, table: TableRule, model: TwinModel) -> Iterator[tuple[str, str]]:
    if table.time is not None:
        yield f"{source}: time", _time(table.time)
    if table.asset is not None:
        yield f"{source}: asset", table.asset.column or table.asset.name_of or "one"
    kind = model.asset_types[table.asset.type] if table.asset else None
    for column, rules in (table.columns | table.tags).items():
        (rule,) = rules
        one = model.asset_types[rule.asset.partition("/")[0]] if rule.asset else kind
        signal = one.signals[rule.signal] if one else None
        yield f"{source}: {column}", _signal(rule, signal.kind, signal.unit, signal.role) if signal else ""
    for event in table.events:
        where = ",".join(f"{one.column}={one.values}" for one in event.where)
        name = f"{source}: event {where}"
        yield name, " ".join(sorted(event.key)) + (f" asset {event.asset.column}" if event.asset else "")
        for role in ("planned_start", "planned_end", "start", "end"):
            if getattr(event, role) is not None:
                yield f"{name} {role}", _time(getattr(event, role))
        for length in ("duration", "planned_duration"):
            if getattr(event, length) is not None:
                yield f"{name} {length}", getattr(event, length).column
        for term, rule in event.properties.items():
            spec = model.event_types[event.type].properties[term]
            yield f"{name} {rule.column}", f"{spec.dtype} {spec.unit or ''}".strip()
        yield from ((f"{name} {link}", rule.column) for link, rule in event.links.items())
    for assets in table.assets:
        yield f"{source}: assets", assets.id
        yield from ((f"{source}: {rule.column}", "property") for rule in assets.properties.values())


def _time(rule: TimeRule) -> str:
    given = rule.model_dump(exclude_none=True, exclude_defaults=True)
    return " ".join(f"{key}={value}" for key, value in given.items())


def _signal(rule: TagRule, kind: str, unit: str, role: str) -> str:
    parts = [kind, "" if kind == "state" else unit, *map(str, rule.missing), "label" if role == "label" else ""]
    return " ".join(part for part in (*parts, f"priority {rule.priority}" if rule.priority else "") if part)
