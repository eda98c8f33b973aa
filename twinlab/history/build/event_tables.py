"""Tables of events, assets and relationships: the newest claim of each key, without withdrawn rows.

The origin of a row is in columns that readers don't get: ``_source``, ``_ordinal`` and ``_ingest``. Rows of a source that withdraws some
have ``_retracts`` as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.harmonise.claims import AssetClaims, EventClaims, RelationshipClaims
from twinlab.history.build.rows.source_view import SourceView
from twinlab.model.mapping import Mapping as SourceMapping

__all__ = [
    "HIDDEN",
    "RETRACTS",
    "asset_mapping",
    "merged_assets",
    "named_assets",
    "newest",
    "properties_of",
    "removes",
    "rows_of",
    "without_origin",
]

RETRACTS = "_retracts"
HIDDEN = ("_source", "_ordinal", "_ingest", RETRACTS)
#: Key columns of each kind of table.
KEYS = {"event": ("event_id",), "asset": ("id",), "relationship": ("source", "target", "valid_from")}
_ATTRIBUTE = {"event": "events", "asset": "assets", "relationship": "relationships"}


def asset_mapping(mapping: SourceMapping) -> SourceMapping | None:
    """Return the part of a mapping that describes assets; it depends on no clock or time zone."""
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
        numbers = view.index.naming(f"{kind}:{name}", stop[view.name])
        numbers = numbers[view.index["stop"][numbers] > first]
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
                    if one.retracts is not None:
                        table = table.append_column(RETRACTS, pa.array(one.retracts))
                    parts.append(table if first == 0 else table.filter(pc.greater_equal(table["_ordinal"], first)))
    return pa.concat_tables(parts, promote_options="default") if parts else None


def newest(table: pa.Table, kind: str, *, within_source: bool = False) -> pa.Table:
    """Return the row of each key that was ingested last; on a tie, that of the source whose name sorts last.

    A key whose last row withdraws it is left out.
    """
    last = _last(table, kind, within_source=within_source)
    if RETRACTS not in last.column_names:
        return last
    return last.filter(pc.invert(last[RETRACTS].fill_null(pa.scalar(value=False)))).drop_columns(RETRACTS)


def removes(table: pa.Table, kind: str) -> bool:
    """Return whether the last row of a key withdraws it."""
    if RETRACTS not in table.column_names:
        return False
    return bool(pc.any(_last(table, kind)[RETRACTS]).as_py())


def _last(table: pa.Table, kind: str, *, within_source: bool = False) -> pa.Table:
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
    """Return one row per asset, with each property from the source that reported it last."""
    rows = newest(table, "asset", within_source=True)
    rows = rows.take(pc.sort_indices(rows, sort_keys=[("_ingest", "ascending"), ("_source", "ascending")]))
    names = [name for name in rows.column_names if name not in HIDDEN and name != "id"]
    # "last" ignores nulls: a source without a property doesn't overwrite that of another source.
    merged = rows.group_by("id", use_threads=False).aggregate([(name, "last") for name in names])
    merged = merged.rename_columns([name.removesuffix("_last") for name in merged.column_names]).select(["id", *names])
    return merged.take(pc.sort_indices(merged, sort_keys=[("id", "ascending")]))


def properties_of(table: pa.Table | None) -> dict[str, dict[str, object]]:
    """Return asset -> property -> value."""
    if table is None:
        return {}
    names = [name for name in table.column_names if name not in HIDDEN and name != "id"]
    return {row["id"]: {name: row[name] for name in names} for row in table.select(["id", *names]).to_pylist()}


def named_assets(table: pa.Table, columns: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Return the assets that events name, by asset type; ``columns`` maps columns to asset types."""
    found: dict[str, set[str]] = {}
    for column, asset_type in columns.items():
        if column in table.column_names:
            ids = pc.unique(table[column].drop_null()).to_pylist()
            found.setdefault(asset_type, set()).update(ids)
    return {asset_type: sorted(ids) for asset_type, ids in found.items()}


def without_origin(table: pa.Table) -> pa.Table:
    """Return the table without the columns of a row's origin."""
    return table.drop_columns([name for name in HIDDEN if name in table.column_names])
