"""Bring the tables of events, assets and relationships up to date within a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from twinlab.history.build.event_tables import month_of, named_assets
from twinlab.history.build.table_updates import event_table, table_at, touched

if TYPE_CHECKING:
    from twinlab.history.build.catchup import Update
    from twinlab.history.write.transaction import Transaction

__all__ = ["update_tables"]


def update_tables(txn: Transaction, update: Update) -> None:
    """Write the tables that the rows of an update change."""
    model = update.sources.model
    for name in model.event_types:
        if touched(update, f"event:{name}"):
            _update_events(txn, update, name)
    for kind, names in (("asset", model.asset_types), ("relationship", model.relationships)):
        for name in names:
            if touched(update, f"{kind}:{name}"):
                _put(txn, f"{kind}s/{name}", table_at(update.sources, kind, name, update.new))


def _put(txn: Transaction, path: str, table: pa.Table | None) -> None:
    if table is None:
        txn.drop_table(path)
    else:
        txn.write_table(path, table)


def _update_events(txn: Transaction, update: Update, name: str) -> None:
    prefix = f"events/{name}/"
    events, months = event_table(txn.tables, txn.read_table, update, name)
    if months is None:
        for path in txn.tables(prefix):
            txn.drop_table(path)
    if events is None:
        _put(txn, f"mentioned/{name}", None)
        return
    found = month_of(events)
    for month in np.unique(found) if months is None else sorted(months):
        mine = events.filter(pa.array(found == month))
        _put(txn, f"{prefix}{month}", mine if len(mine) else None)
    _put(txn, f"mentioned/{name}", _mentions(update, name, events))


def _mentions(update: Update, name: str, events: pa.Table) -> pa.Table | None:
    """Return the assets that events of a type name, as a table of type and id."""
    spec = update.sources.model.event_types[name]
    columns = {**({"asset": spec.asset} if spec.asset else {}), **spec.links}
    found = named_assets(events, columns)
    kinds = [kind for kind, ids in found.items() for _ in ids]
    ids = [one for ids in found.values() for one in ids]
    return pa.table({"asset_type": pa.array(kinds, pa.string()), "id": pa.array(ids, pa.string())}) if ids else None
