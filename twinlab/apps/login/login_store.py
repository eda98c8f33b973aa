"""Where logins and counts of failed ones are: in one SQLite database of a server, or in the database that several servers share.

Statements are in the SQL that SQLite and PostgreSQL both understand.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinlab.database.connection import SharedDatabase
    from twinlab.database.statements import Statements

__all__ = ["LoginStore", "SharedLoginStore"]

#: Seconds that a process waits while another one writes; a write takes less than a millisecond.
_PATIENCE = 10.0
_TABLES = """
CREATE TABLE IF NOT EXISTS logins (key TEXT PRIMARY KEY, name TEXT NOT NULL, account TEXT NOT NULL, until DOUBLE PRECISION NOT NULL);
CREATE TABLE IF NOT EXISTS tries (key TEXT PRIMARY KEY, count INTEGER NOT NULL, last DOUBLE PRECISION NOT NULL);
"""


class LoginStore:
    """Tables ``logins`` and ``tries``.

    Parameters
    ----------
    path : Path, optional
        File that the processes of one server share, in a folder that only its owner can read. It lives as long as the
        server. By default the tables are in memory, for one process.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.clock: Callable[[], float] = time.monotonic
        """Time in seconds, the same for all who share the logins."""
        # Each statement is a transaction of its own. Used by one thread at a time: that of the server's loop.
        self._database = sqlite3.connect(
            ":memory:" if path is None else path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        # Readers don't wait for a writer; nothing has to outlive a power cut.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_TABLES)

    def need(self, table: str) -> None:
        """Make a further table by a statement, if it isn't there."""
        self.change(table)

    def change(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run a statement that returns nothing."""
        self._database.execute(statement, values)

    def row(self, statement: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a query, or None."""
        found: tuple[Any, ...] | None = self._database.execute(statement, values).fetchone()
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run all statements of a ``with`` block at once, while other processes wait."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the database."""
        self._database.close()


class SharedLoginStore(LoginStore):
    """The tables of `LoginStore` in a `SharedDatabase`: logins outlast a restart of a server, and count for all servers of the twin.

    Parameters
    ----------
    database : SharedDatabase
    """

    def __init__(self, database: SharedDatabase) -> None:
        from twinlab.database.statements import Statements  # noqa: PLC0415  (logins of one machine need no SQLAlchemy)

        self._shared = database
        self._statements: Statements = Statements(database)
        self.clock = database.clock

    def need(self, table: str) -> None:
        """Do nothing: the tables are there."""

    def change(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run a statement that returns nothing."""
        self._statements.change(statement, values)

    def row(self, statement: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a query, or None."""
        return self._statements.row(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run all statements of a ``with`` block at once, while other servers wait."""
        with self._statements.transaction("logins"):
            yield

    def secret(self, name: str) -> str:
        """Return a random key that all servers of the twin have; the first one makes it."""
        return self._statements.secret(name, secrets.token_hex(32))

    def close(self) -> None:
        """Do nothing: the database is the twin's."""
