"""SQL databases through SQLAlchemy, read only; an SQLite file is opened without changing it or its journal files."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote as url_quote

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from twinlab.errors import SchemaError, SourceError
from twinlab.model.terms import nearest
from twinlab.sources.base import BATCH_ROWS, RowBatch, file_path, file_stem, unique_names
from twinlab.sources.opening import kind_of
from twinlab.sources.parsing.numerals import Numerals
from twinlab.sources.parsing.values import ValueColumns
from twinlab.sources.reading import Reading, reading_from

__all__ = ["SqlSource", "sql"]

_ROWS = BATCH_ROWS // 4
_COPY_TRIES = 3


def sql(
    url: str | Path,
    *,
    tables: Iterable[str] | None = None,
    query: str | None = None,
    mapping: str | Path | None = None,
    name: str | None = None,
    missing: Iterable[str] = (),
    text_columns: Iterable[str] = (),
) -> SqlSource:
    """Return a source that reads tables, or one query, of a database without changing it.

    Parameters
    ----------
    url : str or Path
        SQLAlchemy URL (``sqlite:///plant.db``), or the path of an SQLite file.
    tables : iterable of str, optional
        Tables to read, each in the order of its primary key (or rowid); all of them by default.
    query : str, optional
        One SELECT instead of tables; rows are in the order of the query.
    mapping, name, missing, text_columns
        See `csv`; a query's table has the source's name.

    Raises
    ------
    SourceError
        If an SQLite file doesn't exist; while reading also if the database can't be reached.
    SchemaError
        If the URL, the query or a table's name is wrong.
    """
    where = Path(mapping) if mapping is not None else None
    reading = reading_from(where, missing=missing, text_columns=text_columns)
    if query is not None:
        if tables is not None:
            msg = "sql: both tables and query were given; expected one of them: leave one out"
            raise SchemaError(msg)
        _check_select(query)
    parsed = _parse(url)
    path = _sqlite_path(parsed)
    chosen = None if tables is None else tuple([tables] if isinstance(tables, str) else tables)
    stem = file_stem(path) if path is not None else str(parsed.database)
    return SqlSource(parsed, chosen, query, name or stem, where, reading, path)


def _parse(url: str | Path) -> URL:
    if isinstance(url, Path) or "://" not in str(url):
        return URL.create("sqlite", database=str(file_path(url)))
    try:
        return make_url(str(url))
    except ArgumentError as error:
        msg = f"sql: {url!r} is no database URL ({error}); expected one such as sqlite:///plant.db: correct it"
        raise SchemaError(msg) from error


def _sqlite_path(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        msg = f"sql: {url} names no file; expected an SQLite file such as sqlite:///plant.db"
        raise SchemaError(msg)
    return file_path(url.database)


_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_STRINGS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")


def _check_select(query: str) -> None:
    bare = _COMMENTS.sub(" ", _STRINGS.sub("''", query)).strip().rstrip(";").strip()
    words = set(re.findall(r"[a-z]+", bare.lower()))
    changes = words & {
        "insert",
        "update",
        "delete",
        "drop",
        "alter",
        "create",
        "attach",
        "pragma",
        "vacuum",
        "truncate",
    }
    if not re.match(r"(select|with|values)\b", bare, re.IGNORECASE) or ";" in bare or ("with" in words and changes):
        msg = f"sql: the query is not one SELECT: {query.strip()[:80]!r}; sources only read: write one SELECT statement"
        raise SchemaError(msg)


@dataclass(frozen=True)
class SqlSource:
    """Tables or a query of a database."""

    url: URL
    tables: tuple[str, ...] | None
    query: str | None
    name: str
    mapping: Path | None
    reading: Reading
    path: Path | None
    """The file, for SQLite."""

    def files(self) -> tuple[Path, ...]:
        """Return the SQLite file; none for a database server."""
        return () if self.path is None else (self.path,)

    def batches(self) -> Iterator[RowBatch]:
        """Yield the rows of each table, streamed."""
        check = None if self.path is None else _unchanged(self.path)
        with ExitStack() as stack:
            try:
                for table, statement, connection in self._statements(stack):
                    yield from self._rows(connection, table, statement, check)
            except (SQLAlchemyError, ImportError) as error:
                if check is not None:
                    next(check)  # the file may have changed while it was read
                raise self._failed(error) from error

    def _connect(self, stack: ExitStack) -> sa.Connection:
        if self.path is None:
            engine = sa.create_engine(self.url)
        else:
            engine = sa.create_engine("sqlite://", creator=stack.enter_context(_sqlite_reader(self.path)))
        stack.callback(engine.dispose)
        connection = stack.enter_context(engine.connect())
        read_only = {"postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}
        return connection.execution_options(stream_results=True, yield_per=_ROWS, **read_only)

    def _failed(self, error: SQLAlchemyError | ImportError) -> SourceError | SchemaError:
        shown = str(getattr(error, "orig", None) or error).splitlines()[0]
        where = self.path.name if self.path else self.url.render_as_string(hide_password=True)
        if isinstance(error, NoSuchModuleError | ImportError):
            return SchemaError(f"{where}: no driver for this database ({shown}): install it, or correct the URL")
        if re.search(r"no such (table|column)|syntax error|does not exist", shown):
            return SchemaError(f"{where}: the query fails ({shown}); expected a SELECT on what is there: correct it")
        return SourceError(f"{where}: can't be read ({shown}); expected a database that answers: check it, then retry")

    def _statements(self, stack: ExitStack) -> Iterator[tuple[str, str, sa.Connection]]:
        connection = self._connect(stack)
        if self.query is not None:
            yield self.name, self.query.strip().rstrip(";"), connection
            return
        inspector = sa.inspect(connection)
        present = sorted(inspector.get_table_names())
        for table in present if self.tables is None else self.tables:
            if table not in present and table not in inspector.get_view_names():
                msg = f"{self.name}: no table {table!r}{nearest(table, present)}"
                raise SchemaError(msg)
            yield table, _select(connection, inspector, table), connection

    def _rows(
        self, connection: sa.Connection, table: str, statement: str, check: Iterator[None] | None
    ) -> Iterator[RowBatch]:
        columns = ValueColumns(Numerals(), frozenset(self.reading.text_columns), frozenset(self.reading.missing))
        result = connection.exec_driver_sql(statement)
        names = unique_names([str(name) for name in result.keys()])  # noqa: SIM118 - a Result is no mapping
        first = 1
        parts = result.partitions(_ROWS)
        part = next(parts, [])
        while True:
            if check is not None:
                next(check)
            values = {name: [row[index] for row in part] for index, name in enumerate(names)}
            yield self._batch(columns, table, values, first, len(part))
            first += len(part)
            following = next(parts, None)
            if following is None:
                return
            part = following

    def _batch(
        self, columns: ValueColumns, table: str, values: Mapping[str, list[Any]], first: int, size: int
    ) -> RowBatch:
        names, arrays = columns.convert(values)
        schema = pa.schema([pa.field(name, array.type) for name, array in zip(names, arrays, strict=True)])
        rows = pa.RecordBatch.from_arrays(arrays, schema=schema)
        numbers = np.arange(first, first + size, dtype=np.int64)
        return RowBatch(table, rows, numbers, file=self.path.name if self.path else None)


def _select(connection: sa.Connection, inspector: sa.Inspector, table: str) -> str:
    """Return a SELECT of a table's columns as stored, in the order of its key."""
    preparer = connection.dialect.identifier_preparer
    # quote_identifier, not quote: a name in double quotes can never be read as a word of SQL
    columns = [str(column["name"]) for column in inspector.get_columns(table)]
    try:
        keys = [str(key) for key in inspector.get_pk_constraint(table)["constrained_columns"]]
    except NoSuchTableError:
        keys = []
    order = [preparer.quote_identifier(key) for key in keys]
    if not order:
        is_view = table in inspector.get_view_names()
        plain_rowid = connection.dialect.name == "sqlite" and not is_view and "rowid" not in map(str.lower, columns)
        order = ["rowid"] if plain_rowid else [preparer.quote_identifier(column) for column in columns]
    shown = ", ".join(preparer.quote_identifier(column) for column in columns)
    return f"SELECT {shown} FROM {preparer.quote_identifier(table)} ORDER BY {', '.join(order)}"  # noqa: S608 - quoted


def _marks(path: Path) -> tuple[tuple[int, int], ...]:
    """Return time and size of a database and of its journal files."""
    marks = []
    for suffix in ("", "-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        stat = beside.stat() if beside.exists() else None
        marks.append((stat.st_mtime_ns, stat.st_size) if stat else (0, 0))
    return tuple(marks)


def _unchanged(path: Path) -> Iterator[None]:
    """Yield, and raise SourceError if the database was written to in the meantime."""
    before = _marks(path)
    while True:
        if _marks(path) != before:
            msg = f"{path.name}: was changed while it was read; expected a database at rest: retry"
            raise SourceError(msg)
        yield


@contextmanager
def _sqlite_reader(path: Path) -> Iterator[Any]:
    """Yield a function that connects to an SQLite file without creating locks, journals or other files.

    A database without a journal is opened as immutable. One with a journal is being written (or its writer has
    crashed): it is copied first, and the journal is applied to the copy.
    """
    if kind_of(path) != "sqlite":
        msg = f"{path.name}: not an SQLite database; expected its magic bytes: check the file"
        raise SchemaError(msg)
    with ExitStack() as stack:
        target, options = path, "mode=ro&immutable=1"
        if any(size for _, size in _marks(path)[1:]):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinlab-")))
            target, options = _copy(path, folder), "mode=rw"

        def connect() -> object:
            database = sqlite3.connect(f"file:{url_quote(str(target.resolve()))}?{options}", uri=True)
            database.text_factory = _text
            database.execute("PRAGMA query_only = ON")
            return database

        yield connect


def _text(raw: bytes) -> str:
    """Decode a text cell; bytes that aren't UTF-8 are replaced by escapes, not dropped."""
    return raw.decode("utf-8", errors="backslashreplace")


def _copy(path: Path, folder: Path) -> Path:
    for _ in range(_COPY_TRIES):
        before = _marks(path)
        for suffix in ("", "-wal", "-journal"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                shutil.copyfile(beside, folder / beside.name)
        if _marks(path) == before:
            return folder / path.name
    msg = f"{path.name}: is being written all the time; expected a moment of rest: retry, or read a backup of it"
    raise SourceError(msg)
