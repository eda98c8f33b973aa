"""Bring the tables of events, assets and relationships up to date within a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.history.build.event_tables import mentioned, month_of, newest, rows_of

if TYPE_CHECKING:
    from twinlab.history.build.catchup import Update
    from twinlab.history.write.transaction import Transaction

__all__ = ["event_table", "touched", "update_tables"]


def update_tables(txn: Transaction, update: Update) -> None:
    """Write the tables that the rows of an update change."""
    model = update.sources.model
    for name in model.event_types:
        _update_events(txn, update, name)
    for name in model.asset_types:
        if touched(update, f"asset:{name}"):
            table = update.sources.asset_table(name, update.new)
            _put(txn, f"assets/{name}", table)
    for name in model.relationships:
        if touched(update, f"relationship:{name}"):
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


def touched(update: Update, table: str) -> bool:
    """Whether an update changes a table, such as ``event:flight``."""
    for name, view in update.sources.views.items():
        old = update.old[name]
        if any(table in s.tables and s.stop > old and s.first < update.new[name] for s in view.index.stretches):
            return True
    return _ended(update, table)


def _update_events(txn: Transaction, update: Update, name: str) -> None:
    if not touched(update, f"event:{name}"):
        return
    prefix = f"events/{name}/"
    standing, months = event_table(txn.tables, txn.read_table, update, name)
    if months is None:
        for path in txn.tables(prefix):
            txn.drop_table(path)
    if standing is None:
        _put(txn, f"mentioned/{name}", None)
        return
    found = month_of(standing)
    for month in np.unique(found) if months is None else sorted(months):
        mine = standing.filter(pa.array(found == month))
        _put(txn, f"{prefix}{month}", mine if len(mine) else None)
    _put(txn, f"mentioned/{name}", _mentions(update, name, standing))


def event_table(
    tables: Callable[[str], Sequence[str]], read: Callable[[str], pa.Table], update: Update, name: str
) -> tuple[pa.Table | None, set[str] | None]:
    """Return the events of a type that stand after an update, in order, and the months that it changes (None: all).

    Parameters
    ----------
    tables, read : callable
        List and read the stored tables.
    """
    views = update.sources.views.values()
    if _ended(update, f"event:{name}"):
        rows, months = rows_of(views, "event", name, stop=update.new), None
    else:
        rows, months = _joined(tables, read, update, name)
    return (None if rows is None else _ordered(newest(rows, "event"))), months


def _joined(
    tables: Callable[[str], Sequence[str]], read: Callable[[str], pa.Table], update: Update, name: str
) -> tuple[pa.Table | None, set[str]]:
    """Return stored and new rows together, and the months that the new ones change."""
    new = rows_of(update.sources.views.values(), "event", name, stop=update.new, start=update.old)
    stored = [read(path) for path in tables(f"events/{name}/")]
    if new is None or not len(new):
        return (pa.concat_tables(stored, promote_options="permissive") if stored else None), set()
    months = set(month_of(new).tolist())
    if stored:
        old = pa.concat_tables(stored, promote_options="permissive")
        again = old.filter(pc.is_in(old["event_id"], value_set=new["event_id"].combine_chunks()))
        months |= set(month_of(again).tolist())
        new = pa.concat_tables([old, new], promote_options="permissive")
    return new, months


def _ordered(table: pa.Table) -> pa.Table:
    keyed = table.append_column("_start", pc.coalesce(table["start"], table["planned_start"]))
    return table.take(pc.sort_indices(keyed, sort_keys=[("_start", "ascending"), ("event_id", "ascending")]))


def _mentions(update: Update, name: str, standing: pa.Table) -> pa.Table | None:
    """Return the assets that events of a type name, as a table of type and id."""
    spec = update.sources.model.event_types[name]
    columns = {**({"asset": spec.asset} if spec.asset else {}), **spec.links}
    found = mentioned(standing, columns)
    kinds = [kind for kind, ids in found.items() for _ in ids]
    ids = [one for ids in found.values() for one in ids]
    return pa.table({"asset_type": pa.array(kinds, pa.string()), "id": pa.array(ids, pa.string())}) if ids else None
