"""Rows of tables as assets with properties, and as relationships between assets."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from twinlab.errors import UnknownTermError
from twinlab.harmonise.cells import Rows, plain_texts
from twinlab.harmonise.claims import NAT, AssetClaims, Bools, Context, RelationshipClaims
from twinlab.harmonise.tables.properties import as_instants, property_array
from twinlab.harmonise.times.resolve import resolve_times
from twinlab.model.mapping import AssetsRule, RelationshipRule
from twinlab.model.terms import nearest

__all__ = ["asset_claims", "relationship_claims"]


def asset_claims(rule: AssetsRule, rows: Rows, context: Context) -> AssetClaims:
    """Return the rows of a table as assets of one type; rows without an id are reported and left out.

    Raises
    ------
    UnknownTermError
        If the rule names an asset type or a property that isn't in the model.
    """
    kind = context.model.asset_types.get(rule.type)
    if kind is None:
        msg = f"the mapping names the asset type {rule.type!r}{nearest(rule.type, context.model.asset_types)}"
        raise UnknownTermError(msg)
    columns: dict[str, pa.Array] = {"id": plain_texts(rows.texts(rule.id))}
    for name, source in rule.properties.items():
        if name not in kind.properties:
            msg = f"the mapping names the property {name!r} of {rule.type!r}{nearest(name, kind.properties)}"
            raise UnknownTermError(msg)
        columns[name] = property_array(source, kind.properties[name], rows, context)
    whole = columns["id"].is_valid().to_numpy(zero_copy_only=False)
    rows.findings.problem_rows(
        ~whole, column=rule.id, texts=None, reason=f"the row has no id for the asset type {rule.type}"
    )
    table, kept = _with_rows(pa.table(columns), rows, whole)
    return AssetClaims(rule.type, table, kept.ordinals, kept.row_numbers, kept.retracts)


def relationship_claims(rule: RelationshipRule, rows: Rows, context: Context) -> RelationshipClaims:
    """Return the rows of a table as relationships; rows without a source or a target are reported and left out.

    Raises
    ------
    UnknownTermError
        If the rule names a relationship that isn't in the model.
    """
    if rule.type not in context.model.relationships:
        msg = f"the mapping names the relationship {rule.type!r}{nearest(rule.type, context.model.relationships)}"
        raise UnknownTermError(msg)
    columns = {"source": plain_texts(rows.texts(rule.source)), "target": plain_texts(rows.texts(rule.target))}
    for name, time in (("valid_from", rule.valid_from), ("valid_until", rule.valid_until)):
        found = np.full(rows.count, NAT) if time is None else resolve_times(time, rows, context)
        columns[name] = as_instants(found)
    whole = (columns["source"].is_valid().to_numpy(zero_copy_only=False)) & columns["target"].is_valid().to_numpy(
        zero_copy_only=False
    )
    reason = f"the row has no source or no target of the relationship {rule.type!r} ({rule.source}, {rule.target})"
    rows.findings.problem_rows(~whole, column=rule.source, texts=None, reason=reason)
    table, kept = _with_rows(pa.table(columns), rows, whole)
    return RelationshipClaims(rule.type, table, kept.ordinals, kept.row_numbers, kept.retracts)


def _with_rows(table: pa.Table, rows: Rows, whole: Bools) -> tuple[pa.Table, Rows]:
    """Return the rows of the table that have an identity, and the rows that they are of."""
    return (table, rows) if whole.all() else (table.filter(pa.array(whole)), rows.select(whole))
