"""Short, read-only queries of a database for `twinlab.sources.live.sql_poll`; an error of the connection is an OSError."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from twinlab.errors import SchemaError, SourceError
from twinlab.model.extensions.secrets import secret_of
from twinlab.model.terms import nearest

__all__ = ["Database"]

#: Seconds until a connection is given up, and a query.
_CONNECT_SECONDS, _QUERY_SECONDS = 10, 60


class Database:
    """One connection to a database, which is only read.

    Parameters
    ----------
    url : str
    password : Secret, optional
    name : str
        Name of the source, for messages.
    folder : Path
        Where relative paths of SQLite begin.

    Raises
    ------
    SchemaError
        If there is no driver for the address.
    SourceError
        If the secret isn't there.
    """

    def __init__(self, url: str, password: str | None, *, name: str, folder: Path) -> None:
        self._name = name
        try:
            address = sa.make_url(url)
            if password is not None:
                address = address.set(password=secret_of(password, f"source {name!r}"))
            self._engine = _engine(address, folder)
        except (NoSuchModuleError, ImportError, SQLAlchemyError) as error:
            shown = str(error).splitlines()[0]
            msg = f'source {name!r}: no driver for this database ({shown}): correct the URL, or install it: pip install "twinlab-kit[postgres]"'
            raise SchemaError(msg) from error
        self._tables: dict[str, sa.Table] = {}
        # SQLite has no type of times: its cells are read as they are.
        plain = self._engine.dialect.name == "sqlite"
        self._listeners = [("column_reflect", _as_it_is)] if plain else []

    def snapshot(self) -> tuple[tuple[int, int] | None, datetime]:
        """Return the numbers of the oldest open and the first future transaction, and the time now.

        The numbers are PostgreSQL's, and the time its own; of other databases there are none, and the time is this machine's.
        """
        if self._engine.dialect.name != "postgresql":
            return None, datetime.now(UTC)
        with self._connection() as connection:
            text, now = connection.execute(sa.text("SELECT pg_current_snapshot()::text, clock_timestamp()")).one()
        oldest, end = str(text).split(":")[:2]
        return (int(oldest), int(end)), now

    def page(
        self,
        table: str,
        updated: str,
        key: Sequence[str],
        *,
        low: object,
        after: tuple[Any, ...] | None,
        count: int,
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns, and the next rows in the order of their change and key.

        Parameters
        ----------
        updated, key : str, sequence of str
            Columns with the time of the change, and those that identify a row.
        low : object
            Only rows that changed then or later; None for all.
        after : tuple, optional
            Change and key of the last row of the page before.
        count : int
            Number of rows, at most.
        """
        with self._connection() as connection:
            found = self._table(connection, table)
            columns = [self._column(found, name) for name in (updated, *key)]
            query = sa.select(found).where(columns[0].is_not(None)).order_by(*columns).limit(count)
            if after is not None:
                query = query.where(
                    sa.tuple_(*columns)
                    > sa.tuple_(*(sa.literal(v, c.type) for v, c in zip(after, columns, strict=True)))
                )
            elif low is not None:
                query = query.where(columns[0] >= sa.literal(low, columns[0].type))
            result = connection.execute(query)
            return list(result.keys()), [tuple(row) for row in result]

    def columns(self, tables: Sequence[str]) -> list[tuple[str, str]]:
        """Return (table without schema, column) of all columns of some tables."""
        with self._connection() as connection:
            return [
                (table.rpartition(".")[2], column.name)
                for table in tables
                for column in self._table(connection, table).columns
            ]

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    # -- inside ----------------------------------------------------------------------------------------------------
    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            shown = str(error.orig).splitlines()[0]
            where = self._engine.url.render_as_string(hide_password=True)
            if isinstance(error, sa.exc.ProgrammingError):
                msg = f"source {self._name!r}: {where} refuses the query ({shown}): correct `live`, or the rights of its user"
                raise SchemaError(msg) from error
            msg = f"{where}: {shown}"
            raise ConnectionError(msg) from error

    def _table(self, connection: sa.Connection, name: str) -> sa.Table:
        if name not in self._tables:
            schema, _, table = name.rpartition(".")
            try:
                self._tables[name] = sa.Table(
                    table, sa.MetaData(), schema=schema or None, autoload_with=connection, listeners=self._listeners
                )
            except NoSuchTableError as error:
                inspector = sa.inspect(connection)
                known = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
                msg = f"source {self._name!r}: live.tables: no table {name!r} in the database{nearest(table, known)}"
                raise SchemaError(msg) from error
        return self._tables[name]

    def _column(self, table: sa.Table, name: str) -> sa.Column[Any]:
        if name not in table.columns:
            names = [column.name for column in table.columns]
            msg = f"source {self._name!r}: live.tables.{table.name}: no column {name!r}{nearest(name, names)}"
            raise SchemaError(msg)
        return table.columns[name]


def _as_it_is(_inspector: object, _table: object, column: dict[str, Any]) -> None:
    column["type"] = sa.types.NullType()


def _engine(address: sa.URL, folder: Path) -> sa.Engine:
    """Return an engine whose connections only read."""
    if address.get_backend_name() == "sqlite":
        path = folder / (address.database or "")
        if not path.is_file():
            msg = f"no SQLite database at {path}: correct `live.url`"
            raise SourceError(msg)
        read_only = address.set(database=f"file:{path.as_posix()}").update_query_dict({"mode": "ro", "uri": "true"})
        return sa.create_engine(read_only, pool_size=1, max_overflow=0)
    arguments: dict[str, object] = {}
    options: dict[str, object] = {}
    if address.get_backend_name() == "postgresql":
        limit = _QUERY_SECONDS * 1000
        arguments = {
            "connect_timeout": _CONNECT_SECONDS,
            "application_name": "twinlab",
            "options": f"-c default_transaction_read_only=on -c statement_timeout={limit}",
        }
        # One query a transaction: none stays open between two polls.
        options = {"isolation_level": "AUTOCOMMIT"}
    return sa.create_engine(address, pool_size=1, max_overflow=0, pool_pre_ping=True, connect_args=arguments, **options)
