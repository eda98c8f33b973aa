"""Tables of events, assets and relationships at a position, and which of them an update changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from twinlab.history.build.event_tables import month_of, newest, rows_of

if TYPE_CHECKING:
    from twinlab.history.build.catchup import Update
    from twinlab.history.build.mapping_context import Sources

__all__ = ["event_table", "table_at", "touched"]


def table_at(sources: Sources, kind: str, name: str, position: Mapping[str, int]) -> pa.Table | None:
    """Return an asset, event or relationship table at a position vector, built from all rows; None if it is empty.

    Parameters
    ----------
    sources : Sources
        Prepared up to ``position``.
    kind : "asset", "event" or "relationship"
    name : str
        The asset type, event type or relationship.
    """
    if kind == "asset":
        return sources.asset_table(name, position)
    rows = rows_of([view for n, view in sources.views.items() if n in position], kind, name, stop=position)
    if rows is None:
        return None
    found = newest(rows, kind)
    return _ordered(found) if kind == "event" else found


def touched(update: Update, table: str) -> bool:
    """Whether an update changes a table, such as ``event:flight``."""
    for name, view in update.sources.views.items():
        old = update.old[name]
        if any(table in s.tables and s.stop > old and s.first < update.new[name] for s in view.index.ranges):
            return True
    return _withdrawn(update, table)


def _withdrawn(update: Update, table: str) -> bool:
    """Whether rows of a table were withdrawn, or their mapping changed."""
    for name, view in update.sources.views.items():
        gone = {reading for ordinal, reading in view.index.ended if update.old[name] <= ordinal < update.new[name]}
        if any(s.reading in gone and table in s.tables for s in view.index.ranges):
            return True
    return bool(update.changed)


def event_table(
    tables: Callable[[str], Sequence[str]], read: Callable[[str], pa.Table], update: Update, name: str
) -> tuple[pa.Table | None, set[str] | None]:
    """Return the events of a type after an update, in order, and the months that the update changes (None: all).

    Parameters
    ----------
    tables, read : callable
        List and read the stored tables.
    """
    views = update.sources.views.values()
    if _withdrawn(update, f"event:{name}"):
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
    keyed = table.append_column(
        "_start", pc.coalesce(table["start"], table["planned_start"], table["end"], table["planned_end"])
    )
    return table.take(pc.sort_indices(keyed, sort_keys=[("_start", "ascending"), ("event_id", "ascending")]))
