"""Queries of one connection to a PostgreSQL, for a slot and its tables; an error of the connection is an OSError."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader, Transformer
from psycopg.pq import Format
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader

from twinlab.errors import SchemaError
from twinlab.model.extensions.secrets import secret_of
from twinlab.model.terms import nearest
from twinlab.sources.live.postgres.options import PostgresOptions
from twinlab.sources.live.postgres.pgoutput import Row
from twinlab.sources.live.postgres.place import lsn_text, lsn_value

__all__ = ["PublishedTable", "Server", "SlotState"]

_CONNECT_SECONDS, _QUERY_SECONDS = 10, 600
#: Messages that are fetched at once: a transaction may have more than fit into memory.
_FETCHED = 2_000
_SELECTIVE = 150_000  # version from which a publication may have some columns and rows only


class _Dates(DateLoader):
    """Reads dates; those that Python can't have, such as infinity, stay texts."""

    def load(self, data: Buffer) -> Any:  # noqa: ANN401
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _Times(TimestampLoader):
    """Reads times without a zone, as `_Dates` reads dates."""

    def load(self, data: Buffer) -> Any:  # noqa: ANN401
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _Instants(TimestamptzLoader):
    """Reads times with a zone, as `_Dates` reads dates."""

    def load(self, data: Buffer) -> Any:  # noqa: ANN401
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


_LOADERS: dict[str, type[Loader]] = {"date": _Dates, "timestamp": _Times, "timestamptz": _Instants}


@dataclass(frozen=True, slots=True)
class SlotState:
    """State of a slot."""

    confirmed: int
    """Changes before this place of the log were acknowledged."""
    flushed: int
    """Place up to which the log is on the server's disk."""
    kept_bytes: int
    """Size of the log that the server keeps for the slot."""
    safe_bytes: int | None
    """What may be added to it before the server drops it; None without ``max_slot_wal_keep_size``."""
    status: str
    """"reserved", "extended", "unreserved" or "lost"."""


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table of the publication."""

    schema: str
    name: str
    columns: tuple[str, ...] | None
    """Those that are published; None for all."""
    where: str | None
    """Condition of the rows that are published."""


class Server:
    """One connection, in which no table can be written.

    Parameters
    ----------
    options : PostgresOptions
    name : str
        Name of the source, for messages.

    Raises
    ------
    SourceError
        If the secret isn't there.
    ConnectionError
        If the server doesn't answer.
    SchemaError
        If it refuses the user.
    """

    def __init__(self, options: PostgresOptions, *, name: str) -> None:
        self._options, self._name = options, name
        self._url = options.url.replace("+psycopg", "", 1)
        password = None if options.password is None else secret_of(options.password, f"source {name!r}")
        with self._errors():
            self._connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(
                self._url,
                password=password,
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                application_name="twinlab",
                client_encoding="utf8",
                options=f"-c default_transaction_read_only=on -c statement_timeout={_QUERY_SECONDS * 1000}",
            )
        for kind, loader in _LOADERS.items():
            self._connection.adapters.register_loader(kind, loader)
        self._values = Transformer(self._connection)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def slot(self) -> SlotState:
        """Return the state of the slot.

        Raises
        ------
        SchemaError
            If there is no such slot, it has another plugin or belongs to another database, or it has lost changes.
        """
        slot = self._options.slot
        make = f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')"
        found = self._one(
            "SELECT plugin, database = current_database(), confirmed_flush_lsn::text, pg_current_wal_flush_lsn()::text, "
            "pg_wal_lsn_diff(pg_current_wal_flush_lsn(), restart_lsn)::bigint, safe_wal_size, wal_status "
            "FROM pg_replication_slots WHERE slot_name = %s",
            (slot,),
        )
        if found is None:
            known = [row[0] for row in self._all("SELECT slot_name FROM pg_replication_slots")]
            self._refuse(f"there is no replication slot {slot!r}{nearest(slot, known)}: make it with  {make}")
        plugin, own, confirmed, flushed, kept, safe, status = found
        if plugin != "pgoutput" or not own:
            self._refuse(
                f"slot {slot!r} has the plugin {plugin!r}, or is of another database; expected one made with  {make}"
            )
        if status == "lost" or confirmed is None:
            self._refuse(
                f"slot {slot!r} has lost changes, because the server kept no more log for it (max_slot_wal_keep_size). Make it anew, "
                f"and all tables are copied again:  SELECT pg_drop_replication_slot('{slot}');  {make}"
            )
        return SlotState(
            lsn_value(confirmed), lsn_value(flushed), int(kept), None if safe is None else int(safe), str(status)
        )

    def tables(self) -> list[PublishedTable]:
        """Return the tables of the publication.

        Raises
        ------
        SchemaError
            If there is no such publication, or a table's old rows don't come whole.
        """
        name = self._options.publication
        published = self._one(
            "SELECT pubinsert AND pubupdate AND pubdelete, pubviaroot FROM pg_publication WHERE pubname = %s", (name,)
        )
        if published is None:
            known = [row[0] for row in self._all("SELECT pubname FROM pg_publication")]
            self._refuse(
                f"there is no publication {name!r}{nearest(name, known)}: make it with  CREATE PUBLICATION {name} FOR TABLE …"
            )
        if not published[0]:
            self._refuse(f"publication {name!r}: expected one of inserts, updates and deletes")
        selective = "attnames, rowfilter" if self._connection.info.server_version >= _SELECTIVE else "NULL, NULL"
        rows = self._all(
            f"SELECT p.schemaname, p.tablename, c.relreplident = 'f', {selective} FROM pg_publication_tables p "  # noqa: S608  (names of columns)
            "JOIN pg_namespace n ON n.nspname = p.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename "
            "WHERE p.pubname = %s ORDER BY 1, 2",
            (name,),
        )
        if not rows:
            self._refuse(f"publication {name!r} has no table: add some with  ALTER PUBLICATION {name} ADD TABLE …")
        lacking = [
            f'ALTER TABLE "{schema}"."{table}" REPLICA IDENTITY FULL' for schema, table, full, *_ in rows if not full
        ]
        if lacking:
            self._refuse(
                f"old rows of these tables don't come whole, so that none could be withdrawn: run  {'; '.join(lacking)}"
            )
        return [PublishedTable(s, t, None if c is None else tuple(c), where) for s, t, _, c, where in rows]

    def changes(self, until: int) -> Generator[list[bytes], None, None]:
        """Yield the messages of the transactions that were committed before a place in the log, and aren't acknowledged.

        Those of the first transactions that together have so many changes as the options say, each to its end.
        """
        query = "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, %s::pg_lsn, %s, 'proto_version', '1', 'publication_names', %s)"
        options = self._options
        names = sql.Identifier(options.publication).as_string(self._connection)
        given = (options.slot, lsn_text(until), options.changes, names)
        with self._errors(), self._connection.transaction(), self._connection.cursor("changes", binary=True) as cursor:
            cursor.execute(query, given)
            while messages := cursor.fetchmany(_FETCHED):
                yield [bytes(data) for (data,) in messages]

    def rows(self, table: PublishedTable) -> Generator[tuple[list[str], list[tuple[Any, ...]]], None, None]:
        """Yield the names of the columns, and rows that a table has now, of one instant."""
        columns = sql.SQL("*") if table.columns is None else sql.SQL(", ").join(map(sql.Identifier, table.columns))
        query = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table.schema, table.name))
        if table.where:
            query += sql.SQL(" WHERE ") + sql.SQL(table.where)
        with self._errors(), self._connection.transaction(), self._connection.cursor("copied") as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(self._options.rows):
                yield [column.name for column in cursor.description or ()], rows

    def columns(self) -> list[tuple[str, str]]:
        """Return (table, column) of all published columns."""
        found = []
        for table in self.tables():
            rows = self._all(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                (table.schema, table.name),
            )
            found += [(table.name, name) for (name,) in rows if table.columns is None or name in table.columns]
        return found

    def acknowledge(self, place: int) -> None:
        """Let the server forget the changes before a place in the log."""
        self._one("SELECT pg_replication_slot_advance(%s, %s::pg_lsn)", (self._options.slot, lsn_text(place)))

    def values(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        """Return rows of one table as Python's values, as `rows` has them."""
        loaders = [self._values.get_loader(number, Format.TEXT) for number in rows[0].relation.types]
        return [
            tuple(
                None if value is None else loader.load(value) for value, loader in zip(row.values, loaders, strict=True)
            )
            for row in rows
        ]

    # -- inside ----------------------------------------------------------------------------------------------------
    def _one(self, query: str, given: tuple[object, ...] = ()) -> tuple[Any, ...] | None:
        with self._errors():
            return self._connection.execute(query, given).fetchone()

    def _all(self, query: str, given: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._errors():
            return self._connection.execute(query, given).fetchall()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.OperationalError as error:
            msg = f"{self._url}: {_first_line(error)}"
            raise ConnectionError(msg) from error
        except psycopg.Error as error:
            self._refuse(f"{_first_line(error)}: correct `live`, or the rights of its user", error)

    def _refuse(self, why: str, cause: BaseException | None = None) -> NoReturn:
        msg = f"source {self._name!r}: {self._url}: {why}"
        raise SchemaError(msg) from cause


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
