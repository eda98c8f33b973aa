"""Bring the tables of events, assets and relationships up to date within a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from twinlab.history.build.table_updates import new_rows, table_at, touched
from twinlab.history.write.tables.event_updates import EventWriter

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
    spec = update.sources.model.event_types[name]
    writer = EventWriter(txn, name, {**({"asset": spec.asset} if spec.asset else {}), **spec.links})
    rows, every = new_rows(update, name)
    if every:
        writer.replace(rows)
        return
    if rows is None or not len(rows):
        return
    if writer.parts.months:
        # Tables of months are those of an earlier version: they are replaced as a whole.
        writer.replace(pa.concat_tables([writer.parts.events(), rows], promote_options="permissive"))
    else:
        writer.add(rows)
