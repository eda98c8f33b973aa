"""Tables of a database, polled for rows that have changed: an overlap window, in which rows that are known are dropped.

A poll for rows later than the newest one misses those that were written before it and committed after it. So each poll reads
the rows since some time before the newest one again, and yields those that are new or differ. On PostgreSQL the window also
begins before all transactions that were open, so that one that is committed late is never missed, however long it took.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from twinlab._backoff import Backoff
from twinlab._tasks import in_thread
from twinlab.model.basics import Duration, parse_duration
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.model.extensions.options import Options
from twinlab.model.extensions.secrets import PlainUrl, Secret
from twinlab.sources.live.base import SourceBase
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.protocol import Catalogue, DeclaredTag, Filled, Gap, LiveBatch, LiveContext
from twinlab.sources.live.sql_rows import row_batch, row_digests

if TYPE_CHECKING:
    from twinlab.sources.live.sql_database import Database

__all__ = ["SQL", "SqlOptions", "SqlPoll", "TableOptions"]

#: Rows of the window that are remembered for a table, at most.
_MOST_KNOWN = 500_000


class TableOptions(Options):
    """How a table is polled."""

    updated: str
    """Column with the time of the last change of a row: a time, a text in ISO format, or seconds since 1970. An index helps."""
    key: Annotated[list[str], Field(min_length=1)]
    """Columns that identify a row, such as its primary key."""


class SqlOptions(Options):
    """Options of a database that is polled."""

    url: PlainUrl
    """Address as SQLAlchemy has it: ``postgresql+psycopg://reader@erp.example.org/erp``, ``sqlite:///erp.db``. The user needs to
    read only; a relative path of SQLite begins in the twin's folder."""
    password: Secret | None = None
    """Where the password is: ``${ERP_PASSWORD}`` or ``file:/run/secrets/erp``."""
    tables: Annotated[dict[str, TableOptions], Field(min_length=1)]
    """Table -> how it is polled; ``schema.table`` for another schema."""
    every: Duration = "5s"
    """Time from one poll to the next. The database has one connection, and one query at a time."""
    overlap: Duration = "1min"
    """How long before the newest row a poll begins: more than clocks of writers differ, and than a transaction takes until
    it writes first (on PostgreSQL), or until it is committed (elsewhere)."""
    rows: Annotated[int, Field(ge=1, le=50_000)] = 5_000
    """Rows of a query and of a batch, at most."""


@dataclass
class _Table:
    """What is known of a table."""

    name: str
    options: TableOptions
    #: All rows that changed before it are known: the next poll begins the overlap before it. None: nothing is known.
    until: Any = None
    #: Newest change of the polls so far.
    newest: Any = None
    #: Key -> (time of the change, digest of the row), of the rows in the window.
    known: dict[tuple[Any, ...], tuple[Any, bytes]] = field(default_factory=dict)
    #: (end of the snapshot, newest change) of polls after which transactions were still open.
    polls: list[tuple[int, Any]] = field(default_factory=list)
    #: Start of the snapshot of the last poll: all transactions before it had ended.
    ended: int = 0
    #: Key -> digest of the row that the ledger has, of those that the first poll may read again.
    stored: dict[tuple[str, ...], bytes] = field(default_factory=dict)
    #: Gap that the next poll fills -> rows found in it so far.
    asked: dict[Gap, int] = field(default_factory=dict)


class SqlPoll(SourceBase):
    """A live source that polls tables.

    Parameters
    ----------
    options : SqlOptions
    context : LiveContext
    """

    def __init__(self, options: SqlOptions, context: LiveContext) -> None:
        self.name = context.name
        self._options, self._context = options, context
        self._overlap = parse_duration(options.overlap) / 1e9
        self._every = parse_duration(options.every) / 1e9
        self._meter = HealthMeter()
        self._meter.load = {"connections": 1.0, "polls_per_second": 1.0 / self._every}
        self._tables = [
            _Table(name, one, until=from_json(context.offsets.get(name))) for name, one in options.tables.items()
        ]

    async def catalogue(self) -> Catalogue:
        """Return the columns of the tables; a database declares no units."""
        database = self._database()
        try:
            columns = await in_thread(database.columns, [table.name for table in self._tables])
        finally:
            await in_thread(database.close)
        return Catalogue(tuple(DeclaredTag(column, None, table) for table, column in columns), complete=True)

    async def batches(self) -> AsyncIterator[LiveBatch]:
        """Poll all tables again and again, or once."""
        backoff = Backoff(self._every, 60.0)
        database: Database | None = None
        await in_thread(self._read_stored)
        try:
            while True:
                try:
                    if database is None:
                        database = await in_thread(self._database)
                    for table in self._tables:
                        async for batch in self._poll(database, table):
                            yield batch
                    backoff.reset()
                except OSError as error:
                    # The database doesn't answer, see `Database`.
                    self._meter.disconnected(error)
                    if database is not None:
                        await in_thread(database.close)
                        database = None
                    await backoff.pause()
                    continue
                if self._context.once:
                    self._meter.ended()
                    return
                await asyncio.sleep(self._every)
        finally:
            if database is not None:
                await in_thread(database.close)

    async def fill(self, gap: Gap) -> str:
        """Let the next poll read a table again from the beginning of a gap on."""
        table = next((one for one in self._tables if one.name == gap.stream), None)
        if table is None:
            return f"no table {gap.stream!r} is polled"
        if gap.start_ns is None:
            return "it isn't known from when on rows may be missing"
        if table.until is not None and not isinstance(table.until, datetime):
            return f"the times in the column {table.options.updated!r} are texts or numbers, which no instant is compared with"
        if table.until is not None:  # otherwise all of it is read
            table.until = min(table.until, _as_in(table.until, gap.start_ns))
            table.polls.clear()
        table.asked[gap] = 0
        return ""

    # -- inside ----------------------------------------------------------------------------------------------------
    def _database(self) -> Database:
        from twinlab.sources.live.sql_database import Database  # noqa: PLC0415  (SQLAlchemy is an extra)

        return Database(self._options.url, self._options.password, name=self.name, folder=self._context.folder)

    async def _poll(self, database: Database, table: _Table) -> AsyncIterator[LiveBatch]:
        """Yield the rows of a table that are new or changed."""
        # Before the rows are read: whatever isn't visible to them is open or begins later.
        snapshot, now = await in_thread(database.snapshot)
        if self._meter.health().state != "connected":
            self._meter.connected()
        # The gaps and the window at the same moment: a gap that is asked for later is filled by the next poll.
        filling = list(table.asked)
        low = None if table.until is None else earlier(table.until, self._overlap)
        page = partial(
            database.page, table.name, table.options.updated, table.options.key, low=low, count=self._options.rows
        )
        after: tuple[Any, ...] | None = None
        while True:
            names, rows = await in_thread(partial(page, after=after))
            if not rows:
                break
            place = [names.index(column) for column in (table.options.updated, *table.options.key)]
            fresh = list(self._unknown(table, rows, place))
            if fresh and table.stored:
                fresh = self._not_stored(table, names, fresh)
            after = tuple(rows[-1][at] for at in place)
            table.newest = after[0] if table.newest is None else max(table.newest, after[0])
            for gap in filling:
                table.asked[gap] += sum(_is_in(gap, row[place[0]]) for row in fresh)
            if fresh:
                self._meter.received(len(fresh))
                yield LiveBatch((row_batch(table.name.rpartition(".")[2], names, fresh),))
            if len(rows) < self._options.rows:
                break
        table.stored = {}
        if len(table.asked) == len(filling):  # otherwise the window begins before a gap that the next poll fills
            for batch in self._advance(table, snapshot, now):
                yield batch
        if filling:
            for gap in filling:
                self._meter.filled(gap)
            yield LiveBatch(filled=tuple(Filled(gap, "the table, read again", table.asked.pop(gap)) for gap in filling))

    def _unknown(self, table: _Table, rows: list[tuple[Any, ...]], place: list[int]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            digest = hashlib.blake2b(repr(row).encode(), digest_size=8).digest()
            key = tuple(row[at] for at in place[1:])
            found = table.known.get(key)
            if found is None or found[1] != digest:
                table.known[key] = (row[place[0]], digest)
                yield row

    def _read_stored(self) -> None:
        """Read from the ledger the rows that the window has again after a restart: those that are equal aren't yielded."""
        read = self._context.stored
        if read is None:
            return
        for table in self._tables:
            since = None if table.until is None else _instant_ns(earlier(table.until, self._overlap))
            for rows in read(table.name.rpartition(".")[2], since):
                table.stored.update(row_digests(rows, table.options.key))

    @staticmethod
    def _not_stored(table: _Table, names: list[str], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Return the rows that differ from the ledger's latest one with the same key."""
        read = row_digests(row_batch(table.name, names, rows).rows, table.options.key)
        return [row for row, (key, digest) in zip(rows, read, strict=True) if table.stored.get(key) != digest]

    def _advance(self, table: _Table, snapshot: tuple[int, int] | None, now: datetime) -> Iterator[LiveBatch]:
        """Move the window on after a poll; yield the new offset."""
        if table.newest is None:
            return
        newest = not_later(table.newest, now)
        gaps: tuple[Gap, ...] = ()
        before = table.until
        if snapshot is None:
            table.until = newest
        else:
            oldest, end = snapshot
            # A transaction that began before the end of poll i and had ended by the last poll is known by now.
            while table.polls and table.polls[0][0] <= table.ended:
                table.until = table.polls.pop(0)[1]
            table.ended = oldest
            table.polls = [one for one in table.polls if one[0] != end]
            table.polls.append((end, newest))
            if len(table.known) > _MOST_KNOWN:
                why = f"a transaction has been open for more than {_MOST_KNOWN:,} changes: its rows may be missing"
                gaps = (Gap(table.name, why),)
                table.until, table.polls = newest, [(end, newest)]
        if table.until is not None:
            low = earlier(table.until, self._overlap)
            if len(table.known) > self._options.rows:
                table.known = {key: one for key, one in table.known.items() if one[0] >= low}
        if gaps or table.until != before:
            for gap in gaps:
                self._meter.gap(gap, lost=True)
            yield LiveBatch(offsets={table.name: to_json(table.until)}, gaps=gaps)


def _as_in(example: datetime, time_ns: int) -> datetime:
    """Return an instant with a zone if the example has one."""
    at = datetime.fromtimestamp(time_ns / 1e9, UTC)
    return at if example.tzinfo else at.replace(tzinfo=None)


def _is_in(gap: Gap, changed: datetime) -> bool:
    """Return whether a row that changed then is one of a gap, whose start is known."""
    after = gap.start_ns is not None and changed >= _as_in(changed, gap.start_ns)
    return after and (gap.stop_ns is None or changed < _as_in(changed, gap.stop_ns))


def _instant_ns(value: Any) -> int:  # noqa: ANN401  (as the database has it)
    """Return the time of a change in ns UTC; without a zone it is taken as UTC, and a day is subtracted."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return int(value * 1e9)
    zoned = value if value.tzinfo else value.replace(tzinfo=UTC) - timedelta(days=1)
    return int(zoned.timestamp() * 1e9)


def earlier(value: Any, seconds: float) -> Any:  # noqa: ANN401  (as the database has it)
    """Return a time of a change some seconds before another, in the form in which the database compares it.

    >>> earlier("2026-03-01 00:01:30.5", 60.0), earlier(100, 60.0)
    ('2026-03-01 00:00:30', 40.0)
    """
    if isinstance(value, datetime):
        return value - timedelta(seconds=seconds)
    if isinstance(value, str):
        # A text is later than its own beginning: without fraction and zone it is the earlier bound of its second.
        at = datetime.fromisoformat(value).replace(tzinfo=None, microsecond=0) - timedelta(seconds=seconds)
        return at.isoformat(sep="T" if "T" in value else " ", timespec="seconds")
    return float(value) - seconds


def not_later(value: Any, now: datetime) -> Any:  # noqa: ANN401
    """Return the time of a change, at most now: one row of the future must not hide all others.

    A time without a zone is taken as UTC. If it is of a zone that is ahead, more rows are read again; none is missed.
    """
    plain = now.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, datetime):
        return min(value, now if value.tzinfo else plain)
    if isinstance(value, str):
        return min(value, plain.isoformat(sep="T" if "T" in value else " ", timespec="seconds"))
    return value


def to_json(value: Any) -> object:  # noqa: ANN401
    """Return a time of a change as JSON can represent it; `from_json` returns it again."""
    return {"time": value.isoformat()} if isinstance(value, datetime) else value


def from_json(value: object) -> Any:  # noqa: ANN401
    """Return what `to_json` was given.

    >>> from_json(to_json(datetime(2026, 3, 1, tzinfo=UTC))), from_json(to_json(7))
    (datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timezone.utc), 7)
    """
    return datetime.fromisoformat(value["time"]) if isinstance(value, dict) else value


SQL = LiveKind("sql", SqlPoll, SqlOptions, needs=("sqlalchemy",), extra="postgres", ends=True)
