"""Tables of events, assets and relationships at a position, and which of them an update changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.history.build.event_tables import newest, removes, rows_of
from twinlab.history.store.event_parts import EventParts, Window, merged, ordered, within, without

if TYPE_CHECKING:
    from twinlab.history.build.catchup import Update
    from twinlab.history.build.mapping_context import Sources

__all__ = ["event_table", "new_rows", "table_at", "touched", "withdrawn"]


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
    return ordered(found) if kind == "event" else found


def touched(update: Update, table: str) -> bool:
    """Whether an update changes a table, such as ``event:flight``."""
    for name, view in update.sources.views.items():
        mine = np.intersect1d(view.index.of_table(table), view.index.overlapping(update.old[name], update.new[name]))
        if len(mine):
            return True
    return withdrawn(update, table)


def withdrawn(update: Update, table: str) -> bool:
    """Whether rows of a table were withdrawn, or their mapping changed: then all of it is built again."""
    for name, view in update.sources.views.items():
        gone = np.setdiff1d(view.index.withdrawn(update.new[name]), view.index.withdrawn(update.old[name]))
        if np.isin(view.index["reading"][view.index.of_table(table)], gone).any():
            return True
    return bool(update.changed)


def new_rows(update: Update, name: str) -> tuple[pa.Table | None, bool]:
    """Return the rows of an event type that an update adds, None if there are none, and False.

    If events may disappear, because rows were withdrawn or deleted, return all rows and True.
    """
    views = update.sources.views.values()
    if not withdrawn(update, f"event:{name}"):
        rows = rows_of(views, "event", name, stop=update.new, start=update.old)
        if rows is None or not removes(rows, "event"):
            return rows, False
    return rows_of(views, "event", name, stop=update.new), True


def event_table(
    parts: EventParts, update: Update, name: str, window: Window = (None, None), assets: Sequence[str] | None = None
) -> pa.Table | None:
    """Return the events of a type after an update, in order; None if there are none.

    Parameters
    ----------
    parts : EventParts
        The stored events before the update.
    window, assets
        Return only these events; see `EventParts.events`.
    """
    rows, every = new_rows(update, name)
    if every:
        return None if rows is None else within(ordered(newest(rows, "event")), window, assets)
    if rows is None or not len(rows):
        return parts.events(window, assets)
    if parts.ingest < pc.min(rows["_ingest"]).as_py():
        # Each new row is newer than all stored ones, so that the stored ones outside of the window don't matter.
        news = newest(rows, "event")
        found = within(ordered(news), window, assets)
        stored = parts.events(window, assets)
        return found if stored is None else merged(without(stored, news["event_id"]), found)
    stored = parts.events()
    both = rows if stored is None else pa.concat_tables([stored, rows], promote_options="permissive")
    return within(ordered(newest(both, "event")), window, assets)
