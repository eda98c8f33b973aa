"""The events of one type as stored: parts of bounded size in order of start, and the newest changes beside them.

A part ``events/<type>/<name>`` has the events of one stretch of the order; stretches don't overlap. At most one further table,
``recent``, has events that were added or changed since: of an event in both, the one in ``recent`` is valid. The attributes of
each part state its rows, its stretch and its span, so that a reader opens only the parts that a window needs. Histories of
earlier versions have a table a month instead, which is read whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twinlab.history.layout.spans import Span
from twinlab.history.store.codecs import corrupt

__all__ = [
    "NEVER",
    "EventParts",
    "Part",
    "StoredTables",
    "Window",
    "begins",
    "merged",
    "ordered",
    "part_attributes",
    "targets",
    "within",
    "without",
]

#: "No time" among int64 nanoseconds: such events are last.
NEVER = int(np.iinfo(np.int64).max)
_TIMES = ("start", "end", "planned_start", "planned_end")
_RECENT = "recent"
#: Tables are merged in slices if these have so many rows on average.
_RUN_ROWS = 128

#: Bounds in nanoseconds since 1970 of ``[start, stop)``; None is open.
Window = tuple[int | None, int | None]


class StoredTables(Protocol):
    """Tables of a snapshot, or of a transaction with its changes."""

    def tables(self, prefix: str = "") -> tuple[str, ...]:
        """Return the paths of the tables that start with ``prefix``, sorted."""

    def table(self, path: str) -> pa.Table:
        """Return a stored table."""

    def table_attributes(self, path: str) -> dict[str, object]:
        """Return what is stated of a stored table."""


@dataclass(frozen=True)
class Part:
    """What is stated of a part."""

    path: str
    rows: int
    # Order of the first event: its time (ns, `NEVER` if it has none) and id.
    first: tuple[int, str]
    # First and last begin (ns) of the events that have a time; None if none has.
    begins: Span | None
    # Last end (ns) of the events that have a time.
    until: int
    # Newest ingest time (ns) of a row.
    ingest: int
    # Of ``recent``: how many of its events are in another part, too.
    replaced: int

    def overlaps(self, window: Window) -> bool:
        """Whether the part may have events of a window."""
        low, high = window
        if self.begins is None:
            return False
        early = low is not None and self.until <= low and self.begins[1] < low
        return not early and (high is None or self.begins[0] < high)


def _nanoseconds(table: pa.Table, name: str) -> pa.ChunkedArray:
    return table[name].cast(pa.timestamp("ns")).cast(pa.int64())


def _spans(table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when events begin and end, in ns; `NEVER` for both if an event has no time.

    The actual time counts, then the planned one; an event with only an end begins with it, one without an end lasts an
    instant.
    """
    start, end, planned_start, planned_end = (_nanoseconds(table, name) for name in _TIMES)
    begin = pc.coalesce(start, planned_start, end, planned_end)
    finish = pc.coalesce(end, planned_end, begin)
    return pc.fill_null(begin, NEVER).to_numpy(), pc.fill_null(finish, NEVER).to_numpy()


def within(table: pa.Table, window: Window, assets: Sequence[str] | None = None) -> pa.Table:
    """Return the events that overlap a window ``[start, stop)``, of some assets if given.

    An event that lasts an instant is in the window that contains the instant. Events without any time are in none but the
    window without bounds.
    """
    low, high = window
    if assets is not None:
        table = table.filter(pc.is_in(table["asset"].cast(pa.string()), value_set=pa.array(list(assets), pa.string())))
    if low is None and high is None:
        return table
    begin, finish = _spans(table)
    keep = begin != NEVER
    if high is not None:
        keep &= begin < high
    if low is not None:
        keep &= (finish > low) | (begin >= low)
    return table if keep.all() else table.filter(pa.array(keep))


def ordered(table: pa.Table) -> pa.Table:
    """Return events in order of their begin, then of their id; those without a time are last."""
    begin = _spans(table)[0]
    if (begin[1:] > begin[:-1]).all():
        return table
    keyed = pa.table({"begin": begin, "id": table["event_id"]})
    return table.take(pc.sort_indices(keyed, sort_keys=[("begin", "ascending"), ("id", "ascending")]))


def begins(table: pa.Table) -> NDArray[np.int64]:
    """Return when events begin, in ns; `NEVER` without a time."""
    return _spans(table)[0]


def merged(table: pa.Table, other: pa.Table) -> pa.Table:
    """Return two ordered tables of different events as one; ``other`` may lack columns or have further ones."""
    if not len(table) or not len(other):
        return other if not len(table) else table
    both = pa.concat_tables([table, other], promote_options="permissive")
    mine, its = begins(table), begins(other)
    low, high = np.searchsorted(mine, its, "left"), np.searchsorted(mine, its, "right")
    ids = table["event_id"]
    for row in np.flatnonzero(low < high):
        # Events that begin at one instant are in order of their ids.
        name, a, b = other["event_id"][int(row)].as_py(), int(low[row]), int(high[row])
        while a < b:
            middle = (a + b) // 2
            a, b = (middle + 1, b) if ids[middle].as_py() < name else (a, middle)
        low[row] = a
    if low[0] == len(table):
        return both
    runs = np.flatnonzero(np.diff(low, prepend=-1))
    if len(runs) * _RUN_ROWS <= len(both):
        # Slices copy nothing, while `take` copies every column of every row.
        edges, pieces, done = [*runs.tolist(), len(other)], [], 0
        for first, stop in pairwise(edges):
            at = int(low[first])
            pieces += [both.slice(done, at - done), both.slice(len(table) + first, stop - first)]
            done = at
        return pa.concat_tables([*pieces, both.slice(done, len(table) - done)])
    return both.take(pa.array(np.insert(np.arange(len(table)), low, len(table) + np.arange(len(other)))))


def without(table: pa.Table, ids: pa.ChunkedArray | pa.Array | None) -> pa.Table:
    """Return a table without the events of some ids."""
    if ids is None or not len(ids) or not len(table):
        return table
    values = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    found = pc.is_in(table["event_id"], value_set=values.cast(table["event_id"].type))
    return table.filter(pc.invert(found)) if pc.any(found).as_py() else table


def targets(parts: Sequence[Part], events: pa.Table) -> NDArray[np.int64]:
    """Return the number of the part in whose stretch each event is; ``parts`` in order, at least one."""
    begin, firsts = begins(events), [part.first for part in parts]
    starts = np.array([time for time, _ in firsts], dtype=np.int64)
    out = np.searchsorted(starts, begin, "right") - 1
    for row in np.flatnonzero((out >= 0) & (starts[np.maximum(out, 0)] == begin)):
        # Events that begin at one instant are in order of their ids.
        out[row] = bisect_right(firsts, (int(begin[row]), events["event_id"][int(row)].as_py())) - 1
    return np.maximum(out, 0).astype(np.int64)


def part_attributes(table: pa.Table, *, replaced: int = 0) -> dict[str, object]:
    """Return what is stated of a part: an ordered table with ``_ingest``."""
    begin, finish = _spans(table)
    timed = begin != NEVER
    spans = [int(begin[timed].min()), int(begin[timed].max())] if timed.any() else None
    return {
        "events": {
            "first": [int(begin[0]), table["event_id"][0].as_py()],
            "begins": spans,
            "until": int(finish[timed].max()) if timed.any() else 0,
            "ingest": int(pc.max(table["_ingest"]).as_py()),
            "replaced": replaced,
        }
    }


def _part(path: str, about: dict[str, object]) -> Part | None:
    """Return a part of events; None for a month that an earlier version stored."""
    found: Any = about.get("events")
    if found is None:
        return None
    if not isinstance(found, dict):
        raise corrupt(path, "its attributes are damaged")
    span = found["begins"]
    return Part(
        path=path,
        rows=int(str(about["rows"])),
        first=(int(found["first"][0]), str(found["first"][1])),
        begins=None if span is None else (int(span[0]), int(span[1])),
        until=int(found["until"]),
        ingest=int(found["ingest"]),
        replaced=int(found["replaced"]),
    )


class EventParts:
    """The events of one type in a snapshot or a transaction.

    Parameters
    ----------
    store : StoredTables
    name : str
        The event type.
    """

    def __init__(self, store: StoredTables, name: str) -> None:
        self._store = store
        self.prefix = f"events/{name}/"
        paths = store.tables(self.prefix)
        found = {path: _part(path, store.table_attributes(path)) for path in paths}
        #: Tables of months, which earlier versions stored; then there are no parts.
        self.months = tuple(path for path, part in found.items() if part is None)
        parts = [part for part in found.values() if part is not None]
        #: Part with the newest changes, if there is one.
        self.recent = next((part for part in parts if part.path == self.recent_path), None)
        #: All other parts, in order.
        self.parts = sorted((part for part in parts if part is not self.recent), key=lambda part: part.first)

    @property
    def recent_path(self) -> str:
        """Path of the part with the newest changes."""
        return f"{self.prefix}{_RECENT}"

    def __len__(self) -> int:
        if self.months:
            return sum(int(str(self._store.table_attributes(path)["rows"])) for path in self.months)
        changes = 0 if self.recent is None else self.recent.rows - self.recent.replaced
        return sum(part.rows for part in self.parts) + changes

    @property
    def ingest(self) -> int:
        """Newest ingest time of a stored row, in ns; `NEVER` if it isn't stated."""
        if self.months:
            return NEVER
        return max((part.ingest for part in [*self.parts, self.recent] if part is not None), default=0)

    @cached_property
    def changes(self) -> pa.Table | None:
        """The newest changes, in order; None if there are none."""
        return None if self.recent is None else self._store.table(self.recent.path)

    def read(self, part: Part) -> pa.Table:
        """Return the events of a part, those that the newest changes replace included."""
        return self._store.table(part.path)

    def events(self, window: Window = (None, None), assets: Sequence[str] | None = None) -> pa.Table | None:
        """Return the valid events in order, those of a window and of some assets if given; None if nothing is stored.

        Parameters
        ----------
        window : (int or None, int or None)
            ``[start, stop)`` in ns; see `within`.
        assets : sequence of str, optional
            Ids in column ``asset``.
        """
        if self.months:
            tables = [within(self._store.table(path), window, assets) for path in self.months]
            return _concatenated(tables)
        if not self.parts and self.recent is None:
            return None
        changes = self.changes
        if changes is None:
            found = [within(self.read(part), window, assets) for part in self._chosen(window)]
            # Without any, an empty table with the columns.
            return _concatenated(found or [self.read(self.parts[0]).slice(0, 0)])
        news = within(changes, window, assets)
        if not self.parts:
            return news
        chosen, number = set(self._chosen(window)), targets(self.parts, news)
        found = [news.slice(0, 0)]
        for n, part in enumerate(self.parts):
            mine = news.filter(pa.array(number == n))
            if part in chosen:
                mine = merged(without(within(self.read(part), window, assets), changes["event_id"]), mine)
            found.append(mine)
        return _concatenated(found)

    def _chosen(self, window: Window) -> list[Part]:
        """Return the parts that may have events of a window."""
        return [part for part in self.parts if window == (None, None) or part.overlaps(window)]


def _concatenated(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="permissive")
