"""Write the events that an update adds or changes: into the small table of recent changes, and from there into the parts.

A small publication writes the recent changes alone. When these are more than `RECENT_ROWS`, they are moved into the parts they
belong to; of many parts, only a bounded number a publication, those with the most changes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twinlab.history.build.event_tables import named_assets, newest
from twinlab.history.store.event_parts import EventParts, merged, ordered, part_attributes, targets, without
from twinlab.history.store.tables import content_name, encode_table
from twinlab.history.write.tables.event_index import EventIndex, mention_hashes

if TYPE_CHECKING:
    from twinlab.history.write.transaction import Transaction

__all__ = ["EventWriter"]

#: Number of recent changes above which they are moved into the parts; a table up to this size is one part.
RECENT_ROWS = 1024
#: Maximum number of events in a part, and how many are in each if more than that must be split.
PART_ROWS, SPLIT_ROWS = 16_384, 12_288
#: Number of parts that a publication rewrites at most, unless it has more rows than that.
_REWRITTEN = 64
_STORED = "_stored"

Asset = tuple[str, str]


class EventWriter:
    """Writes the events of one type within a transaction.

    Parameters
    ----------
    txn : Transaction
    name : str
        The event type.
    columns : dict of column to asset type
        The columns that name assets; ``mentioned/<name>`` lists these assets.
    """

    def __init__(self, txn: Transaction, name: str, columns: Mapping[str, str]) -> None:
        self._txn = txn
        self._columns = columns
        self._mentioned = f"mentioned/{name}"
        self.parts = EventParts(txn, name)

    # -- all events
    def replace(self, rows: pa.Table | None) -> None:
        """Store these rows, of which the newest of each id are valid, instead of what is stored."""
        for path in self._txn.tables(self.parts.prefix):
            self._txn.drop_table(path)
        events = None if rows is None else ordered(newest(rows, "event"))
        if events is not None:
            self._put(events)
        self._put_mentioned(set() if events is None else self._named(events))

    # -- some events
    def add(self, rows: pa.Table) -> None:
        """Store new rows; of each id, the row that was ingested last is valid."""
        new, recent = newest(rows, "event"), self.parts.changes
        index = EventIndex(self.parts, tuple(self._columns))
        again = None if recent is None else _of(recent, new)
        valid = ordered(self._valid(new, again, index.find(new)[0]))
        self._note_mentions(valid, again, index)
        changes = valid if recent is None else merged(without(recent, valid["event_id"]), valid)
        where = index.find(changes)[0]
        stored = sum(part.rows for part in self.parts.parts)
        if len(changes) <= RECENT_ROWS < stored + len(changes):
            self._put_recent(changes, where)
        else:
            self._move(changes, where, most=max(_REWRITTEN, len(new)))

    def _valid(self, new: pa.Table, again: pa.Table | None, where: NDArray[np.int64]) -> pa.Table:
        """Return the newest row of each id of the new rows, but for ids whose row in a part is the newest.

        Parameters
        ----------
        new, again : Table
            New rows, and the recent changes of the same ids.
        where : array of int
            The part that has each of the new rows' ids; -1 if none has it.
        """
        low = pc.min(new["_ingest"]).as_py()
        numbers = [n for n in np.unique(where[where >= 0]).tolist() if self.parts.parts[n].ingest >= low]
        older = [_of(self.parts.read(self.parts.parts[number]), new) for number in numbers]
        if again is not None:
            older = [without(table, again["event_id"]) for table in older]
        tables = [*older, *([] if again is None else [again]), new]
        stored = np.arange(sum(map(len, tables))) < sum(map(len, older))
        rows = pa.concat_tables(tables, promote_options="permissive").append_column(_STORED, pa.array(stored))
        valid = newest(rows, "event")
        return valid.filter(pc.invert(valid[_STORED])).drop_columns(_STORED)

    def _move(self, changes: pa.Table, where: NDArray[np.int64], *, most: int) -> None:
        """Move changes into the parts they belong to, of which at most ``most`` are rewritten; keep the other changes."""
        parts = self.parts.parts
        if not parts:
            self._txn.drop_table(self.parts.recent_path)
            self._put(changes)
            return
        target = targets(parts, changes)
        chosen = self._widened(_chosen(target, where, most))
        moved = np.isin(target, list(chosen)) & ((where < 0) | np.isin(where, list(chosen)))
        for run in _runs(chosen):
            tables = [without(self.parts.read(parts[number]), changes["event_id"]) for number in run]
            mine = changes.filter(pa.array(moved & (target >= run.start) & (target < run.stop)))
            for number in run:
                self._txn.drop_table(parts[number].path)
            self._put(merged(pa.concat_tables(tables, promote_options="permissive"), mine))
        where = np.where(np.isin(where, list(chosen)), -1, where)
        self._put_recent(changes.filter(pa.array(~moved)), where[~moved])

    def _widened(self, chosen: set[int]) -> set[int]:
        """Return the parts to rewrite with the neighbours that small ones are merged with."""
        rows = [part.rows for part in self.parts.parts]
        out = set(chosen)
        for number in sorted(chosen):
            for other in (number + 1, number - 1):
                small = 0 <= other < len(rows) and min(rows[number], rows[other]) < PART_ROWS // 4
                if small and rows[number] + rows[other] <= SPLIT_ROWS:
                    out.add(other)
        return out

    def _put(self, events: pa.Table) -> None:
        """Store ordered events as parts of bounded size."""
        for piece in _pieces(events):
            body = encode_table(piece)
            path = f"{self.parts.prefix}{content_name(body)}"
            self._txn.write_table(path, piece, body=body, about=part_attributes(piece))

    def _put_recent(self, changes: pa.Table, where: NDArray[np.int64]) -> None:
        path = self.parts.recent_path
        if not len(changes):
            self._txn.drop_table(path)
            return
        replaced = int((where >= 0).sum())
        self._txn.write_table(path, changes, about=part_attributes(changes, replaced=replaced))

    # -- the assets that events name
    def _named(self, events: pa.Table) -> set[Asset]:
        found = named_assets(events, self._columns)
        return {(kind, one) for kind, ids in found.items() for one in ids}

    def _note_mentions(self, valid: pa.Table, again: pa.Table | None, index: EventIndex) -> None:
        """Bring the list of named assets up to date, before the valid rows are written."""
        known, gained = self._listed(), self._named(valid)
        lost: set[Asset] = set()
        fresh = valid
        if again is not None:
            lost, fresh = self._named(again), without(valid, again["event_id"])
        where, named = index.find(fresh)
        other = (where >= 0) & (named != mention_hashes(fresh, tuple(self._columns)))
        for number in np.unique(where[other]).tolist():
            lost |= self._named(_of(self.parts.read(self.parts.parts[number]), fresh))
        lost = self._unnamed(lost - gained, valid)
        if (known | gained) - lost != known:
            self._put_mentioned((known | gained) - lost)

    def _unnamed(self, assets: set[Asset], valid: pa.Table) -> set[Asset]:
        """Return those assets that no stored event names, but for the events that change; newest parts first."""
        if not assets:
            return assets
        recent = self.parts.changes
        left = assets if recent is None else assets - self._named(without(recent, valid["event_id"]))
        for part in reversed(self.parts.parts):
            if not left:
                break
            table = without(self.parts.read(part), valid["event_id"])
            left = left - self._named(table if recent is None else without(table, recent["event_id"]))
        return left

    def _listed(self) -> set[Asset]:
        if self._mentioned not in self._txn.tables(self._mentioned):
            return set()
        found = self._txn.table(self._mentioned)
        return set(zip(found["asset_type"].to_pylist(), found["id"].to_pylist(), strict=True))

    def _put_mentioned(self, assets: set[Asset]) -> None:
        if not assets:
            self._txn.drop_table(self._mentioned)
            return
        kinds, ids = zip(*sorted(assets), strict=True)
        table = pa.table({"asset_type": pa.array(kinds, pa.string()), "id": pa.array(ids, pa.string())})
        self._txn.write_table(self._mentioned, table)


def _of(table: pa.Table, events: pa.Table) -> pa.Table:
    """Return the rows of a table whose ids are in ``events``."""
    ids = events["event_id"].combine_chunks().cast(table["event_id"].type)
    return table.filter(pc.is_in(table["event_id"], value_set=ids))


def _chosen(target: NDArray[np.int64], where: NDArray[np.int64], most: int) -> set[int]:
    """Return the parts to rewrite, at most ``most``: first those that most changes belong to.

    A change can be moved only together with the stored event that it replaces: else that one would be valid again.
    """
    every = set(target.tolist()) | set(where[where >= 0].tolist())
    if len(every) <= most:
        return every
    out: set[int] = set()
    for row in np.argsort(-np.bincount(target)[target], kind="stable").tolist():
        need = {int(target[row])} | ({int(where[row])} if where[row] >= 0 else set())
        if len(out | need) <= most:
            out |= need
    return out


def _runs(numbers: set[int]) -> Iterator[range]:
    """Yield runs of consecutive numbers, in order."""
    run = range(0)
    for number in sorted(numbers):
        if run and number == run.stop:
            run = range(run.start, number + 1)
        else:
            if run:
                yield run
            run = range(number, number + 1)
    if run:
        yield run


def _pieces(events: pa.Table) -> Iterator[pa.Table]:
    """Yield ordered events in pieces of at most `PART_ROWS`; all but the last two are equal."""
    at, rows = 0, len(events)
    while rows - at > PART_ROWS:
        size = SPLIT_ROWS if rows - at > PART_ROWS + SPLIT_ROWS // 2 else (rows - at) // 2
        yield events.slice(at, size)
        at += size
    if at < rows:
        yield events.slice(at)
