"""The journal as rows of a table: one order for all servers, each row with a hash that includes the one before it."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from twinlab.database.connection import SharedDatabase
from twinlab.database.tables import HEAD, JOURNAL
from twinlab.errors import CorruptionError, DatabaseUnreachableError, HistoryConflictError

__all__ = ["JournalRow", "JournalRows"]

_FIRST = "0" * 64
#: Rows that are read or copied at once.
_TOGETHER = 1000


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One row."""

    ordinal: int
    kind: str
    payload: str
    """JSON."""
    ingest_time: int
    """ns UTC."""


class JournalRows:
    """Reads and appends rows.

    Parameters
    ----------
    database : SharedDatabase
    """

    def __init__(self, database: SharedDatabase) -> None:
        self.database = database
        # Number of rows that were read, and the hash of the last one.
        self._chained = 0, _FIRST

    def count(self) -> int:
        """Return the number of rows."""
        found = self.database.run(lambda c: c.execute(sa.select(HEAD.c.count)).scalar_one(), writes=False)
        return int(found)

    def append(self, entries: Sequence[tuple[str, str]]) -> list[JournalRow]:
        """Append (kind, JSON) and return the rows; all are durable, or none was written.

        Raises
        ------
        DatabaseUnreachableError
            If the database doesn't answer.
        HistoryConflictError
            If the journal was moved to files meanwhile.
        """
        batch, begun = secrets.token_hex(16), False

        def work(connection: sa.Connection) -> list[JournalRow]:
            nonlocal begun
            begun = True
            return self._append(connection, entries, batch)

        try:
            return self.database.run(work)
        except DatabaseUnreachableError as error:
            if not begun:
                raise
            # The connection may have been lost after the commit: of one batch there are all rows or none.
            return self._of_batch(batch, error) or self.database.run(work)

    def _of_batch(self, batch: str, lost: DatabaseUnreachableError) -> list[JournalRow]:
        query = sa.select(JOURNAL).where(JOURNAL.c.batch == batch).order_by(JOURNAL.c.ordinal)
        self.database.ask_again()
        try:
            found = self.database.run(lambda connection: connection.execute(query).mappings().all(), writes=False)
        except DatabaseUnreachableError:
            msg = f"{self.database.name} was lost in the middle of a write: see whether it was written before you repeat it"
            raise DatabaseUnreachableError(msg) from lost
        return [_row(one) for one in found]

    def _append(self, connection: sa.Connection, entries: Sequence[tuple[str, str]], batch: str) -> list[JournalRow]:
        head = connection.execute(sa.select(HEAD).with_for_update()).mappings().one()
        if head["closed"]:
            msg = f"{self.database.name}: {head['closed']}; nothing was written"
            raise HistoryConflictError(msg)
        now = max(time.time_ns(), int(head["ingest_time"]))
        rows = [JournalRow(int(head["count"]) + n, kind, text, now) for n, (kind, text) in enumerate(entries)]
        _insert(connection, rows, str(head["hash"]), batch)
        return rows

    def copy_in(self, rows: Sequence[JournalRow]) -> None:
        """Append rows as they are, with their numbers and times, which must continue the journal."""

        def copy(connection: sa.Connection) -> None:
            head = connection.execute(sa.select(HEAD).with_for_update()).mappings().one()
            if not rows or rows[0].ordinal != head["count"]:
                msg = f"{self.database.name}: expected rows from {head['count']} on: another process writes to this journal; retry"
                raise HistoryConflictError(msg)
            _insert(connection, rows, str(head["hash"]), secrets.token_hex(16))

        self.database.run(copy)

    def rows(self, start: int, stop: int) -> list[JournalRow]:
        """Return rows [start, stop), whose hashes were checked.

        Raises
        ------
        CorruptionError
            If a row isn't the one that was written.
        """
        done, known = self._chained
        before = known if done == start else self._hash_before(start)
        out: list[JournalRow] = []
        for low in range(start, stop, _TOGETHER):
            query = sa.select(JOURNAL).where(JOURNAL.c.ordinal.between(low, min(low + _TOGETHER, stop) - 1))
            query = query.order_by(JOURNAL.c.ordinal)
            found = self.database.run(lambda c, q=query: c.execute(q).mappings().all(), writes=False)  # type: ignore[misc]
            for one in found:
                row = _row(one)
                before = _hash(before, row)
                if row.ordinal != start + len(out) or before != one["hash"]:
                    msg = f"{self.database.name}, journal, row {start + len(out)}: the row isn't as it was written; restore the database"
                    raise CorruptionError(msg)
                out.append(row)
        if len(out) != max(0, stop - start):
            msg = (
                f"{self.database.name}, journal: expected rows {start} to {stop}, got {len(out)}; restore the database"
            )
            raise CorruptionError(msg)
        self._chained = max(stop, start), before
        return out

    def _hash_before(self, ordinal: int) -> str:
        if ordinal == 0:
            return _FIRST
        query = sa.select(JOURNAL.c.hash).where(JOURNAL.c.ordinal == ordinal - 1)
        return str(self.database.run(lambda connection: connection.execute(query).scalar_one(), writes=False))

    def close(self, why: str) -> None:
        """Refuse further rows; ``why`` is for those who try. "" opens the journal again."""
        self.database.run(lambda connection: connection.execute(sa.update(HEAD).values(closed=why)))


def _insert(connection: sa.Connection, rows: Sequence[JournalRow], before: str, batch: str) -> None:
    values = []
    for row in rows:
        before = _hash(before, row)
        values.append(
            {"ordinal": row.ordinal, "kind": row.kind, "payload": row.payload, "ingest_time": row.ingest_time, "hash": before, "batch": batch}
        )  # fmt: skip
    connection.execute(sa.insert(JOURNAL), values)
    last = rows[-1]
    connection.execute(sa.update(HEAD).values(count=last.ordinal + 1, ingest_time=last.ingest_time, hash=before))


def _hash(before: str, row: JournalRow) -> str:
    text = json.dumps([before, row.ordinal, row.kind, row.payload, row.ingest_time], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _row(found: sa.RowMapping) -> JournalRow:
    return JournalRow(int(found["ordinal"]), str(found["kind"]), str(found["payload"]), int(found["ingest_time"]))
