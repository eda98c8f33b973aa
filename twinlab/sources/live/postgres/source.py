"""Polls the changes of a slot, and lets the server forget those that are durable."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np

from twinlab._backoff import Backoff
from twinlab._tasks import in_thread
from twinlab.model.basics import parse_duration
from twinlab.sources.base import RowBatch
from twinlab.sources.live.base import SourceBase
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.postgres.options import PostgresOptions
from twinlab.sources.live.postgres.pgoutput import Begin, Commit, Decoder, Relation, Row, Truncated
from twinlab.sources.live.postgres.place import Place
from twinlab.sources.live.postgres.server import PublishedTable, Server, SlotState
from twinlab.sources.live.protocol import Catalogue, DeclaredTag, Filled, Gap, LiveBatch, LiveContext
from twinlab.sources.live.sql_rows import row_batch

__all__ = ["PostgresSource"]

_LOG = logging.getLogger("twinlab.live.postgres")
#: Streams of the offsets.
_CHANGES, _COPIED = "changes", "copied"
#: Seconds after which a place is stored although no row has changed, so that the server forgets the log of other tables.
_IDLE = 30.0
#: Log that the server keeps, bytes: with more of it, the place is stored at once.
_IDLE_BYTES = 16 << 20
_MIB = 1 << 20
_GONE = "its slot was made anew, or another reader has acknowledged changes"

Item = TypeVar("Item")


class PostgresSource(SourceBase):
    """Follows the tables of a publication by logical decoding.

    The server keeps its log from the last acknowledged change on, however long nobody reads it: `health` has its size.

    Parameters
    ----------
    options : PostgresOptions
    context : LiveContext
        Of its offsets, the place of the last durable change, and the tables that were copied.
    """

    not_kept = "the server keeps a change until it is acknowledged"

    def __init__(self, options: PostgresOptions, context: LiveContext) -> None:
        self.name = context.name
        self._options, self._once = options, context.once
        self._every = parse_duration(options.every) / 1e9
        self._meter = HealthMeter()
        self._meter.load = {"connections": 1.0, "polls_per_second": 1.0 / self._every}
        self._place = Place.from_json(context.offsets.get(_CHANGES))
        copied = context.offsets.get(_COPIED)
        self._copied: list[str] = list(copied) if isinstance(copied, list) else []
        # End of the last transaction that was yielded, that is durable, and that the server may forget.
        self._yielded = self._durable = self._forgotten = 0
        self._acknowledged = asyncio.Event()
        # When the place was stored last, and when it was warned of the slot, monotonic seconds.
        self._stored = self._warned = -_IDLE

    async def catalogue(self) -> Catalogue:
        """Return the columns of the published tables; a database declares no units."""
        server = await in_thread(self._server)
        try:
            columns = await in_thread(server.columns)
        finally:
            await in_thread(server.close)
        return Catalogue(tuple(DeclaredTag(column, None, table) for table, column in columns), complete=True)

    async def batches(self) -> AsyncIterator[LiveBatch]:
        """Copy tables that weren't, then poll their changes again and again, or until all that are there now are acknowledged."""
        backoff = Backoff(self._every, 60.0)
        server: Server | None = None
        try:
            while True:
                try:
                    if server is None:
                        server = await in_thread(self._server)
                        async for batch in self._begin(server):
                            yield batch
                    until = (await self._state(server)).flushed
                    more = False
                    async for batch in self._poll(server, until):
                        more = True
                        yield batch
                    await self._forget(server, wait=True)
                    backoff.reset()
                except OSError as error:
                    # The server doesn't answer, see `Server`.
                    self._meter.disconnected(error)
                    if server is not None:
                        await in_thread(server.close)
                        server = None
                    await backoff.pause()
                    continue
                if self._once and not more:
                    self._meter.ended()
                    return
                await asyncio.sleep(0.0 if more else self._every)
        finally:
            if server is not None:
                with suppress(OSError):
                    await self._forget(server, wait=False)
                await in_thread(server.close)

    async def acknowledge(self, batch: LiveBatch) -> None:
        """Note that all changes up to a batch are durable; the next poll lets the server forget them."""
        if isinstance(batch.handle, int):
            self._durable = max(self._durable, batch.handle)
            self._acknowledged.set()

    async def fill(self, gap: Gap) -> str:
        """Return why the rows of a gap are lost; nothing for changes in whose place the tables are copied."""
        if gap.reason == _GONE and self._options.copy_tables:
            return ""
        return self.not_kept

    # -- inside ----------------------------------------------------------------------------------------------------
    def _server(self) -> Server:
        return Server(self._options, name=self.name)

    async def _begin(self, server: Server) -> AsyncIterator[LiveBatch]:
        """Compare the slot with what is durable, and yield the rows of tables that weren't copied."""
        slot = await self._state(server)
        tables = await in_thread(server.tables)
        self._meter.connected()
        place, begins = self._place, Place(slot.confirmed)
        gap = Gap("", _GONE, start_ns=place.time_ns) if place is not None and slot.confirmed > place.end else None
        if place is None or gap is not None:
            self._place = begins
        self._yielded = self._durable = self._forgotten = slot.confirmed
        if gap is not None:
            self._meter.gap(gap, lost=not self._options.copy_tables)
            self._copied = []
            # Until the tables are copied again, the place before the gap stays: after a kill they are copied once more.
            offsets: dict[str, object] = {} if self._options.copy_tables else {_CHANGES: begins.to_json()}
            yield LiveBatch(gaps=(gap,), offsets=offsets)
        if not self._options.copy_tables:
            return
        count = 0
        for table in tables:
            if f"{table.schema}.{table.name}" not in self._copied:
                async for batch in self._copy(server, table):
                    count += batch.rows
                    yield batch
        if gap is not None:
            self._meter.filled(gap)
            filled = Filled(gap, "the tables, copied again; rows deleted meanwhile stay", count)
            yield LiveBatch(offsets={_CHANGES: begins.to_json()}, filled=(filled,))

    async def _copy(self, server: Server, table: PublishedTable) -> AsyncIterator[LiveBatch]:
        """Yield the rows that a table has now. Changes since the slot was made come again, after them."""
        async for names, rows in _from_thread(server.rows(table)):
            self._meter.received(len(rows))
            yield LiveBatch((row_batch(table.name, names, rows),))
        self._copied.append(f"{table.schema}.{table.name}")
        yield LiveBatch(offsets={_COPIED: list(self._copied)})

    async def _state(self, server: Server) -> SlotState:
        """Return the state of the slot, and note its size."""
        slot = await in_thread(server.slot)
        self._meter.load |= {"slot_kept_bytes": float(slot.kept_bytes)}
        if slot.safe_bytes is not None:
            self._meter.load["slot_safe_bytes"] = float(slot.safe_bytes)
        if slot.kept_bytes > self._options.warn_mib * _MIB or slot.status == "unreserved":
            limit = "" if slot.safe_bytes is None else f", and drops it after {slot.safe_bytes / _MIB:,.0f} MiB more"
            text = (
                f"the server keeps {slot.kept_bytes / _MIB:,.0f} MiB of its log for the slot {self._options.slot!r}{limit}: "
                "its disk fills until the changes are read; a slot that nobody needs is dropped with pg_drop_replication_slot"
            )
            self._meter.failed_once(text)
            if time.monotonic() - self._warned > _IDLE:
                self._warned = time.monotonic()
                _LOG.warning("the slot is behind", extra={"source": self.name, "error": text})
        return slot

    async def _poll(self, server: Server, until: int) -> AsyncIterator[LiveBatch]:
        """Yield what changed before a place in the log."""
        waiting = _Waiting(self._options.rows)
        decoder, place, skipped = Decoder(), self._place or Place(0), 0
        known, seen = False, 0
        async for messages in _from_thread(server.changes(until)):
            seen += len(messages)
            for change in (one for message in messages for one in decoder.decode(message)):
                if isinstance(change, Begin):
                    known = place.knows(change)
                    skipped = place.rows if change.commit == place.commit else 0
                if known:
                    continue
                if isinstance(change, Truncated):
                    waiting.gaps += [self._truncated(one, place) for one in change.relations]
                    continue
                if isinstance(change, Row) and skipped:
                    skipped -= 1
                    continue
                if not (isinstance(change, Begin) and change.commit == place.commit):
                    place = place.after(change)
                if isinstance(change, Row):
                    waiting.add(change)
                    if waiting.full:
                        yield self._batch(server, waiting, place)
                elif isinstance(change, Commit):
                    waiting.ends = True
        if waiting.ends or waiting.rows or waiting.gaps:
            yield self._batch(server, waiting, place)
        elif seen < self._options.changes:
            async for batch in self._idle(until):
                yield batch

    async def _idle(self, until: int) -> AsyncIterator[LiveBatch]:
        """Yield a new place if none was stored for long, or the server keeps much log of other tables."""
        place = self._place or Place(0)
        due = time.monotonic() - self._stored >= _IDLE or until - place.end > _IDLE_BYTES
        if due and until > place.end:
            yield self._stored_at(Place(until, place.time_ns))

    def _batch(self, server: Server, waiting: _Waiting, place: Place) -> LiveBatch:
        parts, gaps, rows = waiting.take(server.values)
        if rows:
            self._meter.received(rows, last_event_ns=place.time_ns or 0)
        return self._stored_at(place, parts, tuple(gaps))

    def _stored_at(self, place: Place, parts: tuple[RowBatch, ...] = (), gaps: tuple[Gap, ...] = ()) -> LiveBatch:
        """Return a batch after whose storage the server may forget the changes before a place."""
        self._place, self._yielded, self._stored = place, place.end, time.monotonic()
        return LiveBatch(parts, offsets={_CHANGES: place.to_json()}, gaps=gaps, handle=place.end)

    def _truncated(self, relation: Relation, place: Place) -> Gap:
        gap = Gap(relation.name, "TRUNCATE: the rows of the table aren't withdrawn", stop_ns=place.time_ns)
        self._meter.gap(gap, lost=True)
        return gap

    async def _forget(self, server: Server, *, wait: bool) -> None:
        """Let the server forget what is durable; with ``wait``, once all that was yielded is."""
        while wait and self._durable < self._yielded:
            self._acknowledged.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(self._every, 1.0)):
                    await self._acknowledged.wait()
            if self._durable < self._yielded:
                await self._state(server)
        if self._durable > self._forgotten:
            await in_thread(server.acknowledge, self._durable)
            self._forgotten = self._durable


class _Waiting:
    """Rows that aren't yielded yet, by table; of one table in the order of their commits."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: dict[Relation, list[Row]] = {}
        self.gaps: list[Gap] = []
        self.rows = 0
        self.ends = False
        """Whether a transaction has ended since the last batch."""

    @property
    def full(self) -> bool:
        return self.rows >= self._most

    def add(self, row: Row) -> None:
        self._rows.setdefault(row.relation, []).append(row)
        self.rows += 1

    def take(self, values: Callable[[list[Row]], list[tuple[Any, ...]]]) -> tuple[tuple[RowBatch, ...], list[Gap], int]:
        """Return the rows as batches, the gaps and the number of rows; none waits any more."""
        parts = []
        for relation, rows in self._rows.items():
            retracts = np.array([row.retracts for row in rows])
            gone = retracts if retracts.any() else None
            parts.append(row_batch(relation.name, relation.columns, values(rows), retracts=gone))
        gaps, count = self.gaps, self.rows
        self._rows, self.gaps, self.rows, self.ends = {}, [], 0, False
        return tuple(parts), gaps, count


async def _from_thread(items: Generator[Item, None, None]) -> AsyncIterator[Item]:
    """Yield what a generator yields, which runs in a thread and is closed there."""
    try:
        while (item := await in_thread(next, items, None)) is not None:
            yield item
    finally:
        await in_thread(items.close)
