"""One SQLite database for the logins of a server and for counts of failed ones, whatever number of processes serve."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["LoginStore"]

#: Seconds that a process waits while another one writes; a write takes less than a millisecond.
_PATIENCE = 10.0
_TABLES = """
CREATE TABLE IF NOT EXISTS logins (key TEXT PRIMARY KEY, name TEXT NOT NULL, account TEXT NOT NULL, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tries (key TEXT PRIMARY KEY, count INTEGER NOT NULL, last REAL NOT NULL);
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
        # Each statement is a transaction of its own. Used by one thread at a time: that of the server's loop.
        self._database = sqlite3.connect(
            ":memory:" if path is None else path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        # Readers don't wait for a writer; nothing has to outlive a power cut.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_TABLES)

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
