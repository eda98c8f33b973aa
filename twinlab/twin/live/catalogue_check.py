"""Compares what a live source declares with its mapping: units that differ, tags that it doesn't have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from twinlab.errors import UnitError
from twinlab.model.mapping import Mapping, TagRule, rules_for
from twinlab.model.mapping.tags import Tags
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel
from twinlab.model.units import canonical_unit
from twinlab.sources.live import Catalogue, DeclaredTag

__all__ = ["catalogue_findings"]


def catalogue_findings(catalogue: Catalogue, mapping: Mapping, model: TwinModel) -> list[str]:
    """Return what of a source's catalogue contradicts its mapping, a sentence each.

    Parameters
    ----------
    catalogue : Catalogue
        As the source declares it when it connects.
    mapping : Mapping
    model : TwinModel
        For the units of signals whose mapping states none.
    """
    found = [line for declared in catalogue.tags for line in _unit_findings(declared, mapping, model)]
    return found + (list(_missing(catalogue, mapping)) if catalogue.complete else [])


def _unit_findings(declared: DeclaredTag, mapping: Mapping, model: TwinModel) -> Iterator[str]:
    if declared.unit is None:
        return
    for key, rule, row_type in _rules(declared, mapping):
        asset_type = rule.asset.partition("/")[0] if rule.asset else row_type
        kind = model.asset_types.get(asset_type)
        signal = None if kind is None else kind.signals.get(rule.signal)
        expected = rule.unit or (None if signal is None else signal.unit)
        if expected is None:
            continue
        where = f"{mapping.source}: tag {declared.tag!r}"
        try:
            unit = canonical_unit(declared.unit)
        except UnitError:
            yield f"{where} declares the unit {declared.unit!r}, which isn't known; the mapping's rule {key!r} reads it as {expected}"
            continue
        if unit != expected:
            yield (
                f"{where} declares {declared.unit!r}, but the mapping reads it as {expected} (rule {key!r}): correct its `unit`, "
                "or the source"
            )


def _rules(declared: DeclaredTag, mapping: Mapping) -> Iterator[tuple[str, TagRule, str]]:
    """Yield the rules that read a tag, each with its key and the asset type of the rows."""
    if declared.table is None:
        tags: Tags = mapping.stream.tags if mapping.stream is not None else {}
        places = [(tags, "")]
    else:
        tables = [mapping.tables[at] for at in rules_for([rule.table for rule in mapping.tables], declared.table)]
        places = [
            (part, rule.asset.type if rule.asset is not None else "")
            for rule in tables
            for part in (rule.columns, rule.tags)
        ]
    for part, row_type in places:
        # As the rows are read: the exact name, else the first pattern that fits.
        key = declared.tag if declared.tag in part else next((one for one in part if _fits(one, declared.tag)), None)
        for rule in part[key] if key is not None else ():
            yield key or "", rule, row_type


def _missing(catalogue: Catalogue, mapping: Mapping) -> Iterator[str]:
    """Yield a line for each tag or column of the mapping that the source doesn't have."""
    names = [one.tag for one in catalogue.tags if one.table is None]
    for key in mapping.stream.tags if mapping.stream is not None and names else ():
        if not any(_fits(key, name) for name in names):
            yield f"{mapping.source}: no tag {key!r} at the source{nearest(key, names)}: correct the mapping's `stream.tags`"
    for table in sorted({one.table for one in catalogue.tags if one.table is not None}):
        columns = [one.tag for one in catalogue.tags if one.table == table]
        for at in rules_for([rule.table for rule in mapping.tables], table):
            for key in mapping.tables[at].columns:
                if not any(_fits(key, name) for name in columns):
                    yield f"{mapping.source}: table {table!r} has no column {key!r}{nearest(key, columns)}: correct the mapping"


def _fits(key: str, tag: str) -> bool:
    if key.startswith("/") and key.endswith("/") and len(key) > 1:
        return re.search(key[1:-1], tag) is not None
    return key == tag
