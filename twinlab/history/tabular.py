"""Bring the tables of events, assets and relationships up to date within a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.history.eventtables import mentioned, month_of, newest, rows_of

if TYPE_CHECKING:
    from twinlab.history.catchup import Update
    from twinlab.history.transaction import Transaction

__all__ = ["update_tables"]


def update_tables(txn: Transaction, update: Update) -> None:
    """Write the tables that the rows of an update change."""
    model = update.sources.model
    for name in model.event_types:
        _update_events(txn, update, name)
    for name in model.asset_types:
        if _touched(update, f"asset:{name}"):
            table = update.sources.asset_table(name, update.new)
            _put(txn, f"assets/{name}", table)
    for name in model.relationships:
        if _touched(update, f"relationship:{name}"):
            rows = rows_of(update.sources.views.values(), "relationship", name, stop=update.new)
            _put(txn, f"relationships/{name}", None if rows is None else newest(rows, "relationship"))


def _put(txn: Transaction, path: str, table: pa.Table | None) -> None:
    if table is None:
        txn.drop_table(path)
    else:
        txn.write_table(path, table)


def _ended(update: Update, table: str) -> bool:
    """Whether rows of a table were withdrawn, or have another meaning now."""
    for name, view in update.sources.views.items():
        gone = {reading for ordinal, reading in view.index.ended if update.old[name] <= ordinal < update.new[name]}
        if any(s.reading in gone and table in s.tables for s in view.index.stretches):
            return True
    return bool(update.changed)


def _touched(update: Update, table: str) -> bool:
    for name, view in update.sources.views.items():
        old = update.old[name]
        if any(table in s.tables and s.stop > old and s.first < update.new[name] for s in view.index.stretches):
            return True
    return _ended(update, table)


def _update_events(txn: Transaction, update: Update, name: str) -> None:
    if not _touched(update, f"event:{name}"):
        return
    views = update.sources.views.values()
    prefix = f"events/{name}/"
    if _ended(update, f"event:{name}"):
        rows = rows_of(views, "event", name, stop=update.new)
        for path in txn.tables(prefix):
            txn.drop_table(path)
        months = None
    else:
        rows, months = _joined(txn, update, name, prefix)
    if rows is None:
        _put(txn, f"mentioned/{name}", None)
        return
    standing = newest(rows, "event")
    found = month_of(standing)
    for month in np.unique(found) if months is None else sorted(months):
        mine = standing.filter(pa.array(found == month))
        path = f"{prefix}{month}"
        _put(txn, path, _ordered(mine) if len(mine) else None)
    _put(txn, f"mentioned/{name}", _mentions(update, name, standing))


def _joined(txn: Transaction, update: Update, name: str, prefix: str) -> tuple[pa.Table | None, set[str]]:
    """Return stored and new rows together, and the months that the new ones change."""
    new = rows_of(update.sources.views.values(), "event", name, stop=update.new, start=update.old)
    if new is None or not len(new):
        return None, set()
    stored = [txn.read_table(path) for path in txn.tables(prefix)]
    months = set(month_of(new).tolist())
    if stored:
        old = pa.concat_tables(stored, promote_options="default")
        again = old.filter(pc.is_in(old["event_id"], value_set=new["event_id"].combine_chunks()))
        months |= set(month_of(again).tolist())
        new = pa.concat_tables([old, new], promote_options="permissive")
    return new, months


def _ordered(table: pa.Table) -> pa.Table:
    start = pc.coalesce(table["start"], table["planned_start"])
    keyed = table.append_column("_start", start)
    order = pc.sort_indices(keyed, sort_keys=[("_start", "ascending"), ("event_id", "ascending")])
    return table.take(order)


def _mentions(update: Update, name: str, standing: pa.Table) -> pa.Table | None:
    """Return the assets that events of a type name, as a table of type and id."""
    spec = update.sources.model.event_types[name]
    columns = {**({"asset": spec.asset} if spec.asset else {}), **spec.links}
    found = mentioned(standing, columns)
    kinds = [kind for kind, ids in found.items() for _ in ids]
    ids = [one for ids in found.values() for one in ids]
    return pa.table({"asset_type": pa.array(kinds, pa.string()), "id": pa.array(ids, pa.string())}) if ids else None
