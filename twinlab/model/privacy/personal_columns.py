"""Which columns of a source are personal, and which column names the person: what the mapping makes of them, and what is declared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from twinlab.model.mapping import rules_for
from twinlab.model.privacy.classes import PERSONAL, RANKS, Sensitivity, is_pseudonym

if TYPE_CHECKING:
    from twinlab.model.asset_types import PropertySpec
    from twinlab.model.mapping import Mapping, TableRule
    from twinlab.model.mapping.records import ColumnRule
    from twinlab.model.mapping.tags import AssetRule, TagRule
    from twinlab.model.twinmodel import TwinModel

__all__ = ["ColumnUse", "column_uses", "personal_columns", "personal_tag"]

Store = Literal["encrypted", "pseudonym", "no"]


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """What a column of a source is."""

    column: str
    sensitivity: Sensitivity
    declared: bool
    """Whether ``twin.yaml`` states the sensitivity."""
    subject: str | None = None
    """Column with the name of the person; None: a person that is the same for all rows, `person`."""
    person: str | None = None
    pattern: str | None = None
    """Regular expression over the subject's text, as of an AssetRule."""
    store: Store = "encrypted"
    field: str = ""
    """Place in ``twin.yaml`` of the field that it feeds; empty for none."""

    @property
    def personal(self) -> bool:
        """Whether it is encrypted for a person."""
        return self.sensitivity in PERSONAL


def personal_columns(
    model: TwinModel, mapping: Mapping | None, source: str, table: str, columns: Sequence[str]
) -> dict[str, ColumnUse]:
    """Return the personal columns of a table, each with what names the person."""
    return {name: use for name, use in column_uses(model, mapping, source, table, columns).items() if use.personal}


def column_uses(
    model: TwinModel, mapping: Mapping | None, source: str, table: str, columns: Sequence[str]
) -> dict[str, ColumnUse]:
    """Return what is known about columns of a table: of several uses of one, the most sensitive.

    What ``privacy.columns`` states about a column counts before what it feeds. Columns about which nothing is known are left out.

    Parameters
    ----------
    model : TwinModel
    mapping : Mapping or None
        The source's, if it has one.
    source, table : str
    columns : sequence of str
        The columns that the table has.
    """
    found: dict[str, ColumnUse] = {}
    rules = [] if mapping is None else mapping.tables
    for place in rules_for([rule.table for rule in rules], table):
        for use in _of_table(model, rules[place], columns):
            old = found.get(use.column)
            if use.column in columns and (old is None or _weight(use) > _weight(old)):
                found[use.column] = use
    for name in columns:
        stated = None if model.privacy is None else model.privacy.column(source, name)
        if stated is not None:
            subject = stated.subject if stated.subject is not None else name
            where = f"privacy.columns.{name}"
            found[name] = ColumnUse(
                name, stated.sensitivity, declared=True, subject=subject, store=stated.store, field=where
            )
    return found


def _weight(use: ColumnUse) -> tuple[int, bool]:
    return RANKS[use.sensitivity], use.declared


def _of_table(model: TwinModel, rule: TableRule, columns: Sequence[str]) -> Iterator[ColumnUse]:
    for event in rule.events:
        kind = model.event_types.get(event.type)
        where = f"event_types.{event.type}"
        if kind is not None:
            yield from _properties(event.properties, kind.properties, where, None)
            for name, column in event.links.items():
                yield from _people(model, kind.links.get(name), column.column)
        yield from _asset(model, event.asset)
    for assets in rule.assets:
        owner = model.asset_types.get(assets.type)
        if owner is not None:
            people = owner.sensitivity in PERSONAL
            yield from _people(model, assets.type, assets.id)
            where = f"asset_types.{assets.type}"
            yield from _properties(assets.properties, owner.properties, where, assets.id if people else None)
    for link in rule.relationships:
        ends = model.relationships.get(link.type)
        if ends is not None:
            yield from _people(model, ends.source, link.source)
            yield from _people(model, ends.target, link.target)
    yield from _asset(model, rule.asset)
    yield from _signals(model, rule, columns)


def _properties(
    columns: dict[str, ColumnRule], specs: dict[str, PropertySpec], where: str, person: str | None
) -> Iterator[ColumnUse]:
    for name, column in columns.items():
        spec = specs.get(name)
        if spec is None:
            continue
        by = columns.get(spec.subject or "")
        subject = by.column if by is not None else person if person is not None else column.column
        declared = "sensitivity" in spec.model_fields_set
        yield ColumnUse(column.column, spec.sensitivity, declared, subject, field=f"{where}.properties.{name}")


def _people(model: TwinModel, asset_type: str | None, column: str, pattern: str | None = None) -> Iterator[ColumnUse]:
    kind = model.asset_types.get(asset_type or "")
    if kind is not None:
        declared = "sensitivity" in kind.model_fields_set
        where = f"asset_types.{asset_type}"
        yield ColumnUse(column, kind.sensitivity, declared, column, pattern=pattern, field=where)


def _asset(model: TwinModel, rule: AssetRule | None) -> Iterator[ColumnUse]:
    if rule is not None and rule.column is not None:
        yield from _people(model, rule.type, rule.column, rule.pattern)


def _signals(model: TwinModel, rule: TableRule, columns: Sequence[str]) -> Iterator[ColumnUse]:
    """Yield columns with values of signals; of a long table the column of values is as sensitive as the worst of its signals."""
    for key, tags in (rule.tags or rule.columns).items():
        names = [rule.value] if rule.tags else _matching(key, columns)
        for tag in tags:
            kind, spec = _signal(model, rule, tag)
            if spec is None:
                continue
            signal = model.asset_types[kind].signals[tag.signal]
            column, pattern, person = _subject(rule, tag)
            declared = "sensitivity" in signal.model_fields_set
            where = f"asset_types.{kind}.signals.{tag.signal}"
            for name in names:
                yield ColumnUse(str(name), signal.sensitivity, declared, column, person, pattern, field=where)


def _signal(model: TwinModel, rule: TableRule, tag: TagRule) -> tuple[str, object | None]:
    kind = tag.asset.partition("/")[0] if tag.asset is not None else rule.asset.type if rule.asset is not None else ""
    owner = model.asset_types.get(kind)
    return kind, None if owner is None else owner.signals.get(tag.signal)


def _subject(rule: TableRule, tag: TagRule) -> tuple[str | None, str | None, str | None]:
    """Return the column that names the person, the pattern over its text, or the person."""
    if tag.asset is not None:
        fixed = "{" not in tag.asset
        return (None, None, tag.asset.partition("/")[2]) if fixed else (rule.tag, None, None if rule.tag else tag.asset)
    asset = rule.asset
    if asset is None or asset.column is None:
        return None, None, None if asset is None else asset.id or f"{asset.type} of the {asset.name_of}"
    return asset.column, asset.pattern, None


def _matching(key: str, columns: Iterable[str]) -> list[str]:
    if len(key) > 2 and key.startswith("/") and key.endswith("/"):
        return [name for name in columns if re.search(key[1:-1], name)]
    return [key]


def _asset_id(key: str, rule: TagRule, tag: str) -> str:
    """Return the id of the asset that a tag is about, as a mapping's rule makes it of the tag; empty if it can't be made."""
    pattern = re.search(key[1:-1], tag) if len(key) > 2 and key.startswith("/") and key.endswith("/") else None
    groups = {} if pattern is None else {name: text for name, text in pattern.groupdict().items() if text is not None}
    try:
        return (rule.asset or "").partition("/")[2].format_map({"tag": tag, **groups})
    except (KeyError, ValueError, IndexError):
        return ""


def personal_tag(model: TwinModel, mapping: Mapping | None, tag: str) -> str | None:
    """Return the place in ``twin.yaml`` of the personal field that a tag of a stream feeds; None for other tags.

    A tag whose asset is named by a pseudonym, which a gateway has put in the place of a name, is about nobody who is known here.
    """
    stream = None if mapping is None else mapping.stream
    for key, rules in () if stream is None else stream.tags.items():
        if tag not in _matching(key, [tag]):
            continue
        for rule in rules:
            if is_pseudonym(_asset_id(key, rule, tag)):
                continue
            kind = model.asset_types.get((rule.asset or "").partition("/")[0])
            signal = None if kind is None else kind.signals.get(rule.signal)
            if kind is not None and signal is not None and PERSONAL & {kind.sensitivity, signal.sensitivity}:
                return f"asset_types.{(rule.asset or '').partition('/')[0]}.signals.{rule.signal}"
    return None
