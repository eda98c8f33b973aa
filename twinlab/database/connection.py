"""Transactions of one database, and what their errors mean; everything that differs between PostgreSQL and SQLite."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from twinlab._locks import Lock
from twinlab.database.tables import ABOUT, HEAD, TABLES, VERSION
from twinlab.errors import DatabaseUnreachableError, HistoryConflictError, SchemaError, SourceError

__all__ = ["NewerVersionError", "SharedDatabase"]

_T = TypeVar("_T")
#: Seconds until a connection is given up, a statement, and the wait for another transaction.
_CONNECT_SECONDS, _STATEMENT_SECONDS, _PATIENCE = 2, 20, 10.0
#: Seconds after a failure in which the database isn't asked again, so that no page waits for it again and again.
_PAUSE = 5.0
#: Times that a transaction is tried which others disturbed.
_TIMES = 8
_DISTURBED = {"40001", "40P01"}  # serialization failure, deadlock


class NewerVersionError(HistoryConflictError):
    """Another server has written a newer version: trying the same again changes nothing."""


class SharedDatabase:
    """One database of one twin, for all threads of a process. Its tables are made at the first use.

    Parameters
    ----------
    address : sqlalchemy.URL
        Of PostgreSQL or SQLite.
    schema : str
        Schema of the tables in PostgreSQL; made if it isn't there.
    """

    def __init__(self, address: sa.URL, *, schema: str) -> None:
        self.name = address.render_as_string(hide_password=True)
        """The address without a password, for messages."""
        self.is_sqlite = address.get_backend_name() == "sqlite"
        self._schema, self._path = schema, Path(address.database or "")
        self._engine = _sqlite_engine(address) if self.is_sqlite else _postgres_engine(address, schema)
        # Whoever forgets a twin leaves no connection open.
        self._closing = weakref.finalize(self, self._engine.dispose)
        self._lock, self._made = threading.Lock(), False
        self._asked_again, self._why = 0.0, ""
        self._offset = 0.0

    # -- state -----------------------------------------------------------------------------------------------------------
    @property
    def fault(self) -> str:
        """Why the database didn't answer when it was last asked; "" if it did."""
        return self._why

    def clock(self) -> float:
        """Return the time in seconds since 1970 by the database's clock, which all servers share; measured at the first use."""
        return time.time() + self._offset

    def ask_again(self) -> None:
        """Ask at the next use, although it has just failed."""
        self._asked_again = 0.0

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    # -- transactions ------------------------------------------------------------------------------------------------------
    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[sa.Connection]:
        """Run the statements of a ``with`` block at once; all of them are durable after it, or none.

        Raises
        ------
        DatabaseUnreachableError
            If the database doesn't answer.
        SourceError
            If it refuses a statement.
        """
        self._check()
        self._make_once()
        with self._explained(), self._begun(writes=writes) as connection:
            yield connection
            connection.commit()
        self._why = ""

    def _begun(self, *, writes: bool) -> sa.Connection:
        """Return a connection for one transaction."""
        if not writes:
            # One statement, without a round trip for its begin and its end; `run` repeats it.
            options = {"twinlab_writes": False} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
            return self._engine.connect().execution_options(**options)
        return _answering(self._engine)

    def run(self, work: Callable[[sa.Connection], _T], *, writes: bool = True) -> _T:
        """Run a function of a connection as one transaction, again if other transactions disturbed it."""
        for attempt in range(_TIMES):
            try:
                with self.transaction(writes=writes) as connection:
                    return work(connection)
            except DatabaseUnreachableError as error:
                # Of a restarted server, connections that were open are lost.
                if writes or attempt or not getattr(error.__cause__, "connection_invalidated", False):
                    raise
                self.ask_again()
            except HistoryConflictError as error:
                if isinstance(error, NewerVersionError) or attempt == _TIMES - 1:
                    raise
                time.sleep(0.01 * 2**attempt)
        raise AssertionError

    def one_at_a_time(self, connection: sa.Connection, what: str) -> None:
        """Let no other transaction that asks for ``what`` go on before this one has ended; SQLite has one writer anyway."""
        if not self.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": self._key(what)})

    @contextmanager
    def exclusive(self, what: str, *, wait: float) -> Iterator[None]:
        """Let this process alone do something, of all servers; it ends with the connection, however that ends.

        Raises
        ------
        HistoryConflictError
            If another one is at it for longer than ``wait`` seconds.
        DatabaseUnreachableError
            If the database doesn't answer.
        """
        if self.is_sqlite:
            with Lock(self._path.with_name(f"{self._path.name}.{what}.lock"), what=what, wait=wait, named=False):
                yield
            return
        self._check()
        self._make_once()
        with self._explained():
            # Connections of their own: a lock must not be left on one that others use.
            connection = _answering(self._engine.execution_options(isolation_level="AUTOCOMMIT"))
        try:
            until, asked = time.monotonic() + wait, sa.text("SELECT pg_try_advisory_lock(:key)")
            with self._explained():
                while not connection.execute(asked, {"key": self._key(what)}).scalar_one():
                    if time.monotonic() > until:
                        msg = f"another server of this twin is {what} for more than {wait:g} s; retry"
                        raise HistoryConflictError(msg)
                    time.sleep(0.02)
            yield
        finally:
            connection.invalidate()
            connection.close()

    def _key(self, what: str) -> int:
        digest = hashlib.sha256(f"{self._schema} {what}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    # -- inside ------------------------------------------------------------------------------------------------------------
    def _check(self) -> None:
        if self._why and time.monotonic() < self._asked_again:
            raise DatabaseUnreachableError(self._why)

    def _make_once(self) -> None:
        """Make the tables, if they aren't there."""
        if self._made:
            return
        with self._lock, self._explained():
            # Tables that another thread has just made are looked for once more.
            with self._engine.connect() as connection, connection.begin():
                self._make(connection)
            self._made = True

    def _make(self, connection: sa.Connection) -> None:
        self.one_at_a_time(connection, "making tables")
        if not self.is_sqlite:
            now = connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
            self._offset = float(now) - time.time()
            known = sa.text("SELECT 1 FROM information_schema.schemata WHERE schema_name = :name")
            if connection.execute(known, {"name": self._schema}).first() is None:
                connection.execute(sa.schema.CreateSchema(self._schema))
        if not sa.inspect(connection).has_table(HEAD.name):
            TABLES.create_all(connection)
            connection.execute(sa.insert(ABOUT).values(name="version", value=VERSION))
            connection.execute(sa.insert(HEAD).values(id=1, count=0, ingest_time=0, hash="0" * 64, closed=""))
        found = connection.execute(sa.select(ABOUT.c.value).where(ABOUT.c.name == "version")).scalar_one_or_none()
        if found != VERSION:
            msg = f"{self.name}: expected tables of version {VERSION}, got {found!r}; use the twinlab that made them, or a newer one"
            raise SchemaError(msg)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise errors of the database as errors of twinlab."""
        try:
            yield
        except (DBAPIError, NoConnectionError) as error:
            shown = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            code = getattr(getattr(error, "orig", None), "sqlstate", None)
            if code in _DISTURBED or "database is locked" in shown:
                msg = f"{self.name}: other servers wrote at the same time ({shown}); nothing was written, retry"
                raise HistoryConflictError(msg) from error
            if _is_lost(error, code):
                self._why = f"{self.name} doesn't answer ({shown}): nothing was written; retry once it does"
                self._asked_again = time.monotonic() + _PAUSE
                raise DatabaseUnreachableError(self._why) from error
            msg = (
                f"{self.name} refuses a statement ({shown}); check the rights of its user and the version of its tables"
            )
            raise SourceError(msg) from error
        except SQLAlchemyError as error:
            msg = f"{self.name}: {str(error).splitlines()[0]}"
            raise SourceError(msg) from error


def _answering(engine: sa.Engine) -> sa.Connection:
    """Return a connection that has just answered; one that was lost while nobody used it is replaced."""
    for again in (True, False):
        connection = engine.connect()
        try:
            connection.exec_driver_sql("SELECT 1")
        except BaseException as error:
            connection.close()
            if not (again and getattr(error, "connection_invalidated", False)):
                raise
        else:
            return connection
    raise AssertionError


def _is_lost(error: Exception, code: str | None) -> bool:
    """Whether an error is one of the connection, or of a server that can't write now."""
    if isinstance(error, NoConnectionError) or getattr(error, "connection_invalidated", False):
        return True
    if code is not None:
        # Connection, resources, shutdown, I/O; a standby that can't write.
        return code[:2] in ("08", "53", "57", "58") or code == "25006"
    return isinstance(error, OperationalError)


def _postgres_engine(address: sa.URL, schema: str) -> sa.Engine:
    limit = _STATEMENT_SECONDS * 1000
    arguments = {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "twinlab catalogues",
        "options": f"-c search_path={schema} -c statement_timeout={limit} -c lock_timeout={limit} "
        f"-c idle_in_transaction_session_timeout={limit} -c timezone=UTC "
        # The server notices a cut network, too, and then releases what was locked from here.
        "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
        "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000,
    }  # fmt: skip
    return sa.create_engine(
        address, pool_size=2, max_overflow=8, pool_timeout=_PATIENCE, pool_recycle=1800,
        connect_args=arguments,
    )  # fmt: skip


def _sqlite_engine(address: sa.URL) -> sa.Engine:
    engine = sa.create_engine(address, connect_args={"timeout": _PATIENCE, "check_same_thread": False})
    path = Path(address.database or "")

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401  (of sqlite3)
        # SQLAlchemy begins transactions by itself; see `begun`.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if os.name != "nt":
            path.chmod(0o600)

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        # Who reads before it writes must not be overtaken in between.
        writes = connection.get_execution_options().get("twinlab_writes", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
