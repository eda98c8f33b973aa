"""Tables of events, assets and relationships: by key, the newest claim stands, withdrawn rows are out.

A table row keeps, in columns that readers don't see, from where it came: ``_source``, ``_ordinal`` and ``_ingest``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.harmonise.claims import AssetClaims, EventClaims, RelationshipClaims
from twinlab.history.build.ledger_claims import SourceView
from twinlab.model.mapping import Mapping as SourceMapping

__all__ = [
    "HIDDEN",
    "asset_mapping",
    "mentioned",
    "merged_assets",
    "month_of",
    "newest",
    "properties_of",
    "rows_of",
    "shown",
]

HIDDEN = ("_source", "_ordinal", "_ingest")
#: What names a row of each kind of table.
KEYS = {"event": ("event_id",), "asset": ("id",), "relationship": ("source", "target", "valid_from")}
_ATTRIBUTE = {"event": "events", "asset": "assets", "relationship": "relationships"}


def asset_mapping(mapping: SourceMapping) -> SourceMapping | None:
    """Return the part of a mapping that speaks of assets' properties; it depends on no clock and no zone."""
    tables = [
        table.model_copy(
            update={
                "columns": {},
                "tags": {},
                "tag": None,
                "value": None,
                "time": None,
                "events": [],
                "relationships": [],
            }
        )
        for table in mapping.tables
        if table.assets
    ]
    return mapping.model_copy(update={"tables": tables, "stream": None}) if tables else None


def _name(one: EventClaims | AssetClaims | RelationshipClaims) -> str:
    return one.asset_type if isinstance(one, AssetClaims) else one.type


def rows_of(
    views: Iterable[SourceView],
    kind: str,
    name: str,
    *,
    stop: Mapping[str, int],
    start: Mapping[str, int] | None = None,
) -> pa.Table | None:
    """Return the rows of one event type, asset type or relationship between two position vectors; None if none."""
    parts: list[pa.Table] = []
    for view in views:
        first = 0 if start is None else start.get(view.name, 0)
        numbers = [
            n for n in view.index.naming(f"{kind}:{name}", stop[view.name]) if view.index.stretches[n].stop > first
        ]
        for frame, found in view.harmonised(numbers, stop=stop[view.name]):
            for one in getattr(found, _ATTRIBUTE[kind]):
                if _name(one) == name and len(one.ordinal):
                    table = one.table.append_column(
                        "_source", pa.array([view.name]).take(pa.array(np.zeros(len(one.ordinal), dtype=np.int8)))
                    )
                    table = table.append_column("_ordinal", pa.array(one.ordinal, type=pa.int64()))
                    table = table.append_column(
                        "_ingest", pa.array(np.full(len(one.ordinal), frame.ingest_time), type=pa.int64())
                    )
                    parts.append(table if first == 0 else table.filter(pc.greater_equal(table["_ordinal"], first)))
    return pa.concat_tables(parts, promote_options="default") if parts else None


def newest(table: pa.Table, kind: str, *, within_source: bool = False) -> pa.Table:
    """Keep of each key the row that was taken in last; on a tie, the one of the source whose name comes last."""
    keys = [*KEYS[kind], *(["_source"] if within_source else [])]
    ordered = table.take(
        pc.sort_indices(
            table, sort_keys=[("_ingest", "ascending"), ("_source", "ascending"), ("_ordinal", "ascending")]
        )
    )
    numbered = ordered.select(keys).append_column("_row", pa.array(np.arange(len(ordered))))
    last = numbered.group_by(keys, use_threads=False).aggregate([("_row", "max")])["_row_max"]
    return ordered.take(pa.array(np.sort(last.to_numpy())))


def merged_assets(table: pa.Table) -> pa.Table:
    """Return one row an asset: each property from the source that told it last."""
    rows = newest(table, "asset", within_source=True)
    rows = rows.take(pc.sort_indices(rows, sort_keys=[("_ingest", "ascending"), ("_source", "ascending")]))
    names = [name for name in rows.column_names if name not in HIDDEN and name != "id"]
    # "last" leaves out nulls, so that a source that doesn't know a property takes nothing from one that does.
    merged = rows.group_by("id", use_threads=False).aggregate([(name, "last") for name in names])
    merged = merged.rename_columns([name.removesuffix("_last") for name in merged.column_names]).select(["id", *names])
    return merged.take(pc.sort_indices(merged, sort_keys=[("id", "ascending")]))


def properties_of(table: pa.Table | None) -> dict[str, dict[str, object]]:
    """Return asset -> property -> value."""
    if table is None:
        return {}
    names = [name for name in table.column_names if name not in HIDDEN and name != "id"]
    return {row["id"]: {name: row[name] for name in names} for row in table.select(["id", *names]).to_pylist()}


def month_of(table: pa.Table) -> np.ndarray:
    """Return the month (``2013-01``) in which each event starts, by its plan if it never started."""
    start = pc.coalesce(table["start"], table["planned_start"]).to_numpy().astype("datetime64[ns]")
    months = start.astype("datetime64[M]").astype(str)
    return np.where(np.isnat(start), "undated", months)


def mentioned(table: pa.Table, columns: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Return the assets of each type that events name; ``columns`` says which column holds which asset type."""
    found: dict[str, set[str]] = {}
    for column, asset_type in columns.items():
        if column in table.column_names:
            ids = pc.unique(table[column].drop_null()).to_pylist()
            found.setdefault(asset_type, set()).update(ids)
    return {asset_type: sorted(ids) for asset_type, ids in found.items()}


def shown(table: pa.Table) -> pa.Table:
    """Return the table without what only the build needs."""
    return table.drop_columns([name for name in HIDDEN if name in table.column_names])
