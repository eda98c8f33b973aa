"""Rows that the historian hasn't acknowledged yet, on the gateway's disk."""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from twinlab._locks import Lock
from twinlab.edge.messages import LOST, MAX_ROWS, ROWS, Block, Lost, lost_block, pack_readings
from twinlab.edge.outbox_tables import COLUMNS, TABLES, begin_run, disk, row
from twinlab.edge.raw import RawRows
from twinlab.edge.readings import Readings
from twinlab.errors import SchemaError

__all__ = ["Expired", "Outbox"]

#: Share of ``max_bytes`` that is freed at once when the outbox is full.
_FREED = 0.1
_AT_ONCE = 50  # blocks that a full outbox drops before its size is compared again


@dataclass(frozen=True, slots=True)
class Expired:
    """Rows that the outbox has dropped without an acknowledgement."""

    stream: str
    rows: int
    reason: str


class Outbox:
    """A durable queue of numbered rows; a context manager. Methods may be called from any thread.

    Rows get the sequences 1, 2, 3, … without a hole. A new file has a random token, by which its rows differ from those of
    an earlier file with the same sequences: a replaced disk begins anew.

    Parameters
    ----------
    path : Path
        SQLite file; made if it isn't there.
    expiry : mapping of str to float, optional
        Stream -> seconds after which its rows may be dropped although they aren't acknowledged. Rows of other streams never
        expire by age. Only time during which the outbox is open counts, by a clock that can't be set: a wrong date on the
        gateway drops nothing.
    max_bytes : int
        Size of the rows above which the oldest are dropped, those of streams with an expiry first.
    clock : callable
        Nanoseconds, never decreasing.

    Raises
    ------
    HistoryConflictError
        If another process has opened the outbox.
    SourceError
        If the disk is full or fails.

    Examples
    --------
    >>> import tempfile
    >>> from twinlab.edge.readings import Reading
    >>> with Outbox(Path(tempfile.mkdtemp()) / "outbox.db") as outbox:
    ...     outbox.write({"fast": Readings.of([Reading("t1", 0, 4.5), Reading("t1", 1_000, 4.6)])})
    ...     block = outbox.read(1)
    ...     block.first, block.last, outbox.acknowledge(2), outbox.rows
    2
    (1, 2, None, 0)
    """

    def __init__(
        self,
        path: Path,
        *,
        expiry: Mapping[str, float] | None = None,
        max_bytes: int = 1 << 30,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.path, self._expiry, self._max_bytes, self._clock = path, dict(expiry or {}), max_bytes, clock
        self._mutex = threading.RLock()
        self._lock = Lock(path.with_name(f"{path.name}.lock"), what=f"the outbox {path}")
        try:
            with disk(path):
                self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
                self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> None:
        self._db.execute("pragma auto_vacuum = incremental")
        self._db.execute("pragma journal_mode = wal")
        # Every commit is on the disk when it returns, after a power cut too.
        self._db.execute("pragma synchronous = full")
        self._db.execute("pragma journal_size_limit = 16777216")
        self._db.executescript(TABLES)
        self.raw = RawRows(self._db)
        """Rows that aren't sent; use it `within` a transaction."""
        with self._transaction():
            self._db.execute("insert or ignore into state values ('token', ?)", (secrets.randbits(62) + 1,))
            self._db.execute("insert or ignore into state values ('last', 0), ('acknowledged', 0), ('clock', 0)")
        state = dict(self._db.execute("select name, number from state"))
        self.token: int = state["token"]
        """Random number of this outbox."""
        self.last: int = state["last"]
        """Sequence of the latest row."""
        acknowledged: int = state["acknowledged"]
        self._acknowledged = self._deleted = acknowledged
        with self._transaction():
            self.runs = begin_run(self._db, self.last + 1)
            """The first sequence and a random number of each of the latest openings of this outbox."""
        self._since = state["clock"] - self._clock()
        self.bytes = self._stored_bytes()
        """Bytes of the rows that are stored."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Delete what is acknowledged and close the file."""
        with self._mutex:
            try:
                with disk(self.path):
                    self.tidy()
                    # The time since the last transaction counts for the ages of rows, too.
                    with self._transaction():
                        self._set(clock=self._since + self._clock())
                    self._db.close()
            finally:
                self._lock.release()

    @property
    def acknowledged(self) -> int:
        """Sequence up to which the historian has all rows."""
        return self._acknowledged

    @property
    def rows(self) -> int:
        """Number of rows that aren't acknowledged."""
        return self.last - self._acknowledged

    def write(
        self, groups: Mapping[str, Readings], *, within: Callable[[int], Mapping[str, Readings]] | None = None
    ) -> int:
        """Store rows in one transaction: all are on the disk when this returns, or none. Return the latest sequence.

        Parameters
        ----------
        groups : mapping of str to Readings
            Stream -> its rows.
        within : callable, optional
            Called in the transaction with the outbox's clock, ns; the rows that it returns are stored, too.

        Raises
        ------
        SourceError
            If the disk is full or fails.
        """
        with self._mutex, disk(self.path):
            last, added, packed, now = self.last, 0, [], self._since + self._clock()
            with self._transaction():
                freed = self._delete()
                for stream, readings in [*groups.items(), *(within(now) if within else {}).items()]:
                    for start in range(0, len(readings), MAX_ROWS):
                        part = readings.part(start, start + MAX_ROWS)
                        block = pack_readings(last + 1, part)
                        packed.append(row(block, stream, int(part.times.min()), int(part.times.max()), now))
                        last, added = block.last, added + len(block.body)
                self._db.executemany("insert into blocks values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", packed)
                self._set(last=last, clock=now)
            self._deleted, self.last = self._acknowledged, last
            self.bytes += added - freed
            return last

    def read(self, first: int, rows: int = MAX_ROWS) -> Block | None:
        """Return the block with a row, joined with the blocks behind it up to ``rows`` rows; None after the last row.

        Rows that are lost are a block of their own, which reports the loss. Damaged rows are reported as lost.
        """
        with self._mutex, disk(self.path):
            first = max(first, self._acknowledged + 1)
            blocks = [
                Block(kind, at, count, body, flags, size, checksum)
                for at, kind, count, flags, size, checksum, body in self._db.execute(
                    f"select {COLUMNS} from blocks where first >= "  # noqa: S608  (names of columns)
                    "(select max(first) from blocks where first <= ?) and first < ? order by first",
                    (first, first + rows),
                )
            ]
            if not blocks or blocks[0].last < first:
                return None
            if blocks[0].kind == LOST:
                return blocks[0]
            blocks = self._joined(blocks, blocks[0].first + rows)
            if len(blocks) == 1:
                return self._checked(blocks[0])
            parts: list[Readings] = []
            for block in blocks:
                checked = self._checked(block)
                content = checked.content()
                if isinstance(content, Lost):
                    if not parts:
                        return checked
                    break
                parts.append(content)
            return pack_readings(blocks[0].first, Readings.join(parts))

    @staticmethod
    def _joined(blocks: list[Block], end: int) -> list[Block]:
        """Return the first block and those behind it that fit into one message with it."""
        count = 1
        while count < len(blocks) and blocks[count].kind == ROWS and blocks[count].last < end:
            count += 1
        return blocks[:count]

    def _checked(self, block: Block) -> Block:
        try:
            block.content()
        except SchemaError:
            with self._transaction():
                return self._lose(block.first, "damaged on the gateway's disk")[1]
        return block

    def acknowledge(self, sequence: int) -> None:
        """Note that the historian has all rows up to a sequence: they're deleted with the next transaction.

        Raises
        ------
        SchemaError
            If no row has had this sequence yet: this outbox is an older copy.
        """
        with self._mutex:
            if sequence > self.last:
                msg = (
                    f"outbox {self.path}: the historian has rows up to {sequence}, this outbox ends at {self.last}; it is "
                    "an older copy of an outbox. Its rows need another epoch (Outbox.renew)."
                )
                raise SchemaError(msg)
            self._acknowledged = max(self._acknowledged, sequence)

    def tidy(self) -> None:
        """Delete what is acknowledged and return free pages to the disk."""
        with self._mutex, disk(self.path):
            if self._deleted < self._acknowledged:
                with self._transaction():
                    freed = self._delete()
                    self._set(clock=self._since + self._clock())
                self._deleted = self._acknowledged
                self.bytes -= freed
                self._db.execute("pragma incremental_vacuum(2000)").fetchall()

    def _delete(self) -> int:
        """Delete what is acknowledged; return its bytes."""
        if self._deleted == self._acknowledged:
            return 0
        gone = (self._acknowledged, self._acknowledged)
        freed: int = self._db.execute(
            "select coalesce(sum(length(body)), 0) from blocks where first <= ? and first + rows - 1 <= ?", gone
        ).fetchone()[0]
        self._db.execute("delete from blocks where first <= ? and first + rows - 1 <= ?", gone)
        self._set(acknowledged=self._acknowledged)
        return freed

    def _set(self, **numbers: int) -> None:
        self._db.executemany("update state set number = ? where name = ?", [(n, name) for name, n in numbers.items()])

    def expire(self) -> list[Expired]:
        """Replace rows whose stated expiry has passed, and the oldest of a full outbox, by reports of the loss.

        The historian gets the reports in the place of the rows.

        Returns
        -------
        list of Expired
            What was dropped, by stream and reason; empty as a rule.
        """
        with self._mutex, disk(self.path):
            now = self._since + self._clock()
            dropped: dict[tuple[str, str], int] = {}
            with self._transaction():
                for stream, seconds in self._expiry.items():
                    old = self._db.execute(
                        "select first from blocks where stream = ? and kind = ? and written < ? and first > ?",
                        (stream, ROWS, now - int(seconds * 1e9), self._acknowledged),
                    ).fetchall()
                    self._drop(old, f"older than {seconds:g} s at the gateway", dropped)
                if self.bytes > self._max_bytes:
                    self._drop_oldest(dropped)
            if dropped:
                self._db.execute("pragma incremental_vacuum").fetchall()
            return [Expired(stream, rows, reason) for (stream, reason), rows in dropped.items()]

    def _drop_oldest(self, dropped: dict[tuple[str, str], int]) -> None:
        marks = ", ".join("?" * len(self._expiry))
        while self.bytes > self._max_bytes * (1 - _FREED):
            oldest = self._db.execute(
                f"select first from blocks where kind = ? order by stream not in ({marks}), first limit ?",  # noqa: S608
                (ROWS, *self._expiry, _AT_ONCE),
            ).fetchall()
            if not oldest:
                return
            self._drop(oldest, f"the outbox was full ({self._max_bytes} bytes)", dropped)

    def _drop(self, firsts: list[tuple[int]], reason: str, dropped: dict[tuple[str, str], int]) -> None:
        for (first,) in firsts:
            stream, block = self._lose(first, reason)
            dropped[stream, reason] = dropped.get((stream, reason), 0) + block.rows
        if firsts:
            self._join_lost()

    def _lose(self, first: int, reason: str) -> tuple[str, Block]:
        """Replace a block by the report that it is lost; return its stream and the report."""
        rows, stream, low, high, before = self._db.execute(
            "select rows, stream, low, high, length(body) from blocks where first = ?", (first,)
        ).fetchone()
        block = lost_block(first, rows, Lost({stream: rows}, (reason,), low, high))
        self._store_lost(block, before)
        return stream, block

    def _store_lost(self, block: Block, before: int) -> None:
        self._db.execute(
            "update blocks set kind = ?, rows = ?, flags = ?, size = ?, checksum = ?, body = ? where first = ?",
            (LOST, block.rows, block.flags, block.size, block.checksum, block.body, block.first),
        )
        self.bytes += len(block.body) - before

    def _join_lost(self) -> None:
        """Make one report of those that follow each other, so that a long outage doesn't fill the disk with reports."""
        found = self._db.execute(f"select {COLUMNS} from blocks where kind = ? order by first", (LOST,)).fetchall()  # noqa: S608
        runs: list[list[Block]] = []
        for at, kind, count, flags, size, checksum, body in found:
            block = Block(kind, at, count, body, flags, size, checksum)
            if runs and runs[-1][-1].last + 1 == at:
                runs[-1].append(block)
            else:
                runs.append([block])
        for run in (run for run in runs if len(run) > 1):
            lost = Lost.join([one for block in run if isinstance(one := block.content(), Lost)])
            rest = run[1:]
            self._db.executemany("delete from blocks where first = ?", [(block.first,) for block in rest])
            rows = run[-1].last - run[0].first + 1
            self._store_lost(lost_block(run[0].first, rows, lost), len(run[0].body))
            self.bytes -= sum(len(block.body) for block in rest)

    def renew(self, accepted: int = 0) -> None:
        """Begin another epoch: a new token, and the rows that the historian doesn't have numbered from 1 on.

        Parameters
        ----------
        accepted : int
            The historian has all rows up to this sequence.
        """
        with self._mutex, disk(self.path):
            self.acknowledge(min(accepted, self.last))
            token = secrets.randbits(62) + 1
            with self._transaction():
                freed = self._delete()
                first = self._db.execute("select min(first) from blocks").fetchone()[0]
                before = self.last if first is None else first - 1
                # In two steps, because a row may get the number of one that isn't renumbered yet.
                self._db.execute("update blocks set first = ? - first", (before,))
                self._db.execute("update blocks set first = -first")
                self._set(token=token, last=self.last - before, acknowledged=0)
                self._db.execute("delete from runs")
                self.runs = begin_run(self._db, 1)
            self.bytes -= freed
            self.token, self.last, self._acknowledged, self._deleted = token, self.last - before, 0, 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            # SQLite ends the transaction itself when the disk is full.
            if self._db.in_transaction:
                self._db.execute("rollback")
            self.bytes = self._stored_bytes()
            raise

    def _stored_bytes(self) -> int:
        found: int = self._db.execute("select coalesce(sum(length(body)), 0) from blocks").fetchone()[0]
        return found
