"""What a guard must not forget: ids and counters of commands, the highest instant of its clock, its epoch.

A file of SQLite in WAL mode with ``synchronous=FULL``: a commit is synced to the disk before it returns.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from twinlab._files import sync_folder
from twinlab.commands.messages.answer import Outcome
from twinlab.commands.messages.command import Command
from twinlab.errors import ControlError

__all__ = ["GuardLedger", "Pending"]

#: A command that has expired is refused for that; its id is kept for questions about it.
_KEPT = timedelta(days=30)
#: "twlg", in the header of the file.
_APPLICATION = 0x74776C67
_TABLES = """
create table commands (
    id text primary key, wire_sha256 text not null, target text not null, parameter text not null, operation text not null,
    value real not null, unit text not null, expires integer not null, outcome text, reason text
) without rowid;
create index under_way on commands (id) where outcome is null;
create index by_expiry on commands (expires);
create table counters (target text primary key, counter integer not null) without rowid;
create table stops (target text primary key, at integer not null) without rowid;
create table marks (name text primary key, value integer not null) without rowid;
"""


@dataclass(frozen=True)
class Pending:
    """A command in the ledger whose outcome isn't written yet."""

    id: str
    wire_sha256: str
    target: str
    parameter: str
    value: float
    unit: str


class GuardLedger:
    """The durable memory of one guard.

    Parameters
    ----------
    path : Path
        The file. It must exist: a guard that has lost its memory would accept commands again.
    create : bool
        Make the file; refused if there is one.

    Raises
    ------
    ControlError
        If the file is missing, damaged, can't be written, or exists already.

    Examples
    --------
    >>> import tempfile
    >>> ledger = GuardLedger(Path(tempfile.mkdtemp()) / "guard.db", create=True)
    >>> ledger.last_counter("forklift/7"), ledger.pending()
    (0, [])
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        if self.path.exists() == create:
            found = "one that exists" if create else "none"
            msg = f"{self.path}: expected {'no file' if create else 'the ledger of the guard'}, got {found}; " + (
                "open it, or choose another path" if create else "restore it, or make one with create=True if the device is new"
            )  # fmt: skip
            raise ControlError(msg)
        with self._explained("opened"):
            self._file = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=1.0)
            try:
                self._prepare(create=create)
            except BaseException:
                self._file.close()
                raise
            self._identity = self._stat()
            if create:
                sync_folder(self.path.parent)

    def _prepare(self, *, create: bool) -> None:
        if self._file.execute("pragma quick_check").fetchone() != ("ok",):
            msg = "its pages are damaged"
            raise sqlite3.DatabaseError(msg)
        # SQLite takes an empty file for a new one.
        if not create and self._file.execute("pragma application_id").fetchone() != (_APPLICATION,):
            msg = "it isn't the ledger of a guard"
            raise sqlite3.DatabaseError(msg)
        self._file.execute("pragma journal_mode=wal")
        self._file.execute("pragma synchronous=full")
        self._file.execute("begin immediate")
        if create:
            self._file.execute(f"pragma application_id={_APPLICATION}")
            for statement in _TABLES.split(";"):
                self._file.execute(statement)
        # A write that fails now fails before anybody relies on the file.
        self._set_mark("opened", _milliseconds(datetime.now(UTC)))
        self._file.execute("commit")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that is written inside, synced to the disk at the end, or nothing.

        Reads inside see no other guard's writes; if there were any, the first own write raises.

        Raises
        ------
        ControlError
            If the file is gone or can't be written.
        """
        with self._lock, self._explained("written"):
            if self._stat() != self._identity:
                msg = "the file was removed or replaced"
                raise sqlite3.OperationalError(msg)
            self._file.execute("begin")
            try:
                yield
                self._file.execute("commit")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("rollback")
                raise

    def take_over(self, device_epoch: int) -> tuple[int, bool]:
        """Return a new epoch of this file, and whether its guard was the last one that could act on the asset.

        Parameters
        ----------
        device_epoch : int
            What `Actuator.take_over` returned.
        """
        with self.transaction():
            epoch = (self._mark("epoch") or 0) + 1
            last = self._mark("device_epoch") or 0
            self._set_mark("epoch", epoch)
            self._set_mark("device_epoch", device_epoch)
        return epoch, device_epoch == last + 1

    @property
    def epoch(self) -> int:
        """The newest epoch."""
        with self._lock, self._explained("read"):
            return self._mark("epoch") or 0

    def highest_instant(self) -> datetime | None:
        """Return the highest instant that was written."""
        with self._lock, self._explained("read"):
            found = self._mark("highest_instant")
        return None if found is None else datetime.fromtimestamp(found / 1000, UTC)

    def write_instant(self, instant: datetime) -> None:
        """Write the highest instant of the clock."""
        with self.transaction():
            self._write_instant(instant)

    def outcome_of(self, command_id: str) -> tuple[str, str] | None:
        """Return the outcome of a command and its reason; None if its id is new."""
        with self._lock, self._explained("read"):
            found = self._file.execute(
                "select coalesce(outcome, 'under way'), coalesce(reason, '') from commands where id = ?", (command_id,)
            ).fetchone()
        return found and (str(found[0]), str(found[1]))

    def last_counter(self, target: str) -> int:
        """Return the counter of the newest command to a target; 0 if there was none."""
        with self._lock, self._explained("read"):
            found = self._file.execute("select counter from counters where target = ?", (target,)).fetchone()
        return int(found[0]) if found else 0

    def last_stops(self) -> dict[str, datetime]:
        """Return target -> instant of its last emergency stop."""
        with self._lock, self._explained("read"):
            rows = self._file.execute("select target, at from stops").fetchall()
        return {str(target): datetime.fromtimestamp(at / 1000, UTC) for target, at in rows}

    def add(self, command: Command, *, wire_sha256: str, now: datetime, outcome: Outcome | None) -> None:
        """Write a command before it is acted on. A select has its outcome already. Use it inside `transaction`."""
        self._file.execute(
            "insert into commands values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (command.id, wire_sha256, command.target, command.parameter, command.operation, command.value, command.unit,
             _milliseconds(command.expires), outcome, "" if outcome else None),
        )  # fmt: skip
        self._file.execute("insert or replace into counters values (?, ?)", (command.target, command.counter))
        self._write_instant(now)
        self._file.execute("delete from commands where expires < ?", (_milliseconds(now - _KEPT),))

    def add_stop(self, command: Command, *, wire_sha256: str, now: datetime, outcome: Outcome, reason: str) -> None:
        """Write an emergency stop, which has been carried out; its counter isn't compared with others."""
        with self.transaction():
            self._file.execute(
                "insert or replace into commands values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (command.id, wire_sha256, command.target, command.parameter, command.operation, command.value, command.unit,
                 _milliseconds(command.expires), outcome, reason),
            )  # fmt: skip
            self._file.execute(
                "insert into stops values (?, ?) on conflict (target) do update set at = max(at, excluded.at)",
                (command.target, _milliseconds(now)),
            )

    def stop_ids(self) -> set[str]:
        """Return ids of emergency stops that were carried out."""
        with self._lock, self._explained("read"):
            return {str(row[0]) for row in self._file.execute("select id from commands where operation = 'stop'")}

    def write_outcome(self, command_id: str, outcome: Outcome, reason: str) -> None:
        """Write the outcome of a command."""
        with self.transaction():
            self._file.execute(
                "update commands set outcome = ?, reason = ? where id = ?", (outcome, reason, command_id)
            )

    def pending(self) -> list[Pending]:
        """Return commands whose outcome isn't known: the process ended while they were executed."""
        with self._lock, self._explained("read"):
            rows = self._file.execute(
                "select id, wire_sha256, target, parameter, value, unit from commands where outcome is null order by id"
            ).fetchall()
        return [Pending(*row) for row in rows]

    def operated(self) -> list[tuple[str, str]]:
        """Return targets and parameters whose last command may have set them: their setpoint is still in place."""
        with self._lock, self._explained("read"):
            rows = self._file.execute(
                # Ids are UUIDs of version 7, which rise with time; SQLite takes the other columns from the row of the maximum.
                "select target, parameter, outcome, max(id) from commands "
                "where operation != 'select' and (outcome is null or outcome != 'refused') group by target, parameter"
            ).fetchall()
        return [(str(row[0]), str(row[1])) for row in rows if row[2] in {"done", "unknown", None}]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _mark(self, name: str) -> int | None:
        found = self._file.execute("select value from marks where name = ?", (name,)).fetchone()
        return None if found is None else int(found[0])

    def _set_mark(self, name: str, value: int) -> None:
        self._file.execute("insert or replace into marks values (?, ?)", (name, value))

    def _write_instant(self, instant: datetime) -> None:
        self._file.execute(
            "insert into marks values ('highest_instant', ?) on conflict (name) do update set value = max(value, excluded.value)",
            (_milliseconds(instant),),
        )

    def _stat(self) -> tuple[int, int]:
        try:
            found = os.stat(self.path)  # noqa: PTH116  (the numbers only)
        except OSError as error:
            raise sqlite3.OperationalError(str(error)) from error
        return found.st_dev, found.st_ino

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            msg = (
                f"{self.path}: the ledger of the guard can't be {done}: {error}; no command is carried out until it can"
            )
            raise ControlError(msg) from error


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
