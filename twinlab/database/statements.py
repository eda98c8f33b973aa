"""Statements in the SQL that PostgreSQL and SQLite both understand, with ``?`` for values."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import Any

import sqlalchemy as sa

from twinlab.database.connection import SharedDatabase
from twinlab.database.tables import ABOUT

__all__ = ["Statements"]


class Statements:
    """Runs statements one by one, or those of a ``with`` block as one transaction.

    Parameters
    ----------
    database : SharedDatabase
    """

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database
        # The connection of a transaction under way, of each thread.
        self._under_way = threading.local()

    def change(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run a statement that returns nothing."""
        self._run(statement, values, writes=True)

    def row(self, statement: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a query, or None."""
        return self._run(statement, values, writes=False)

    @contextmanager
    def transaction(self, what: str) -> Iterator[None]:
        """Run all statements of a ``with`` block at once, one block of this name after another."""
        with self._database.transaction() as connection:
            self._database.one_at_a_time(connection, what)
            self._under_way.connection = connection
            try:
                yield
            finally:
                self._under_way.connection = None

    def secret(self, name: str, new: str) -> str:
        """Return the text of a name; the first one that asks gives it."""

        def work(connection: sa.Connection) -> str:
            self._database.one_at_a_time(connection, f"secret {name}")
            found = connection.execute(sa.select(ABOUT.c.value).where(ABOUT.c.name == name)).scalar_one_or_none()
            if found is None:
                connection.execute(sa.insert(ABOUT).values(name=name, value=new))
            return new if found is None else str(found)

        return self._database.run(work)

    def _run(self, statement: str, values: Sequence[object], *, writes: bool) -> tuple[Any, ...] | None:
        query, given = _named(statement), {f"p{n}": value for n, value in enumerate(values)}

        def work(connection: sa.Connection) -> tuple[Any, ...] | None:
            result = connection.execute(query, given)
            found = result.first() if result.returns_rows else None
            return None if found is None else tuple(found)

        connection = getattr(self._under_way, "connection", None)
        return self._database.run(work, writes=writes) if connection is None else work(connection)


@lru_cache
def _named(statement: str) -> sa.TextClause:
    """Return a statement whose values have names."""
    numbers, parts = count(), statement.split("?")
    return sa.text(parts[0] + "".join(f":p{next(numbers)}{part}" for part in parts[1:]))
