"""Polls the tables of a service, page by page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import numpy as np
import pyarrow as pa

from twinlab._backoff import Backoff
from twinlab._tasks import in_thread
from twinlab.errors import SourceError
from twinlab.model.basics import parse_duration
from twinlab.sources.base import Problem, RowBatch
from twinlab.sources.live.base import SourceBase
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.http_json.fetch import Answer, Fetcher, UselessError
from twinlab.sources.live.http_json.options import HttpOptions, ServiceTable
from twinlab.sources.live.http_json.pages import Request, next_request, rows_of, value_at
from twinlab.sources.live.http_json.window import Window, change_of
from twinlab.sources.live.protocol import Catalogue, Filled, Gap, LiveBatch, LiveContext
from twinlab.sources.live.sql_rows import row_digests
from twinlab.sources.parsing.json_objects import flat_or_problem
from twinlab.sources.parsing.numerals import Numerals
from twinlab.sources.parsing.values import ValueColumns

__all__ = ["HttpSource"]

#: Rows of a batch, at most.
_ROWS = 5_000
_GONE = "no longer at the service"


class HttpSource(SourceBase):
    """Polls tables of an HTTP service that answers with JSON.

    A poll reads the rows that have changed since some time before the newest one, because rows appear late, and drops those that
    are known. The service keeps its rows: what an outage or a limit delays comes with a later poll.

    Parameters
    ----------
    options : HttpOptions
    context : LiveContext
        Of its offsets, the times of the newest durable changes.
    """

    def __init__(self, options: HttpOptions, context: LiveContext) -> None:
        self.name = context.name
        self._options, self._context = options, context
        self._every = parse_duration(options.every) / 1e9
        self._meter = HealthMeter()
        self._meter.load = {
            "connections": 1.0,
            "requests_per_second": options.requests_per_second,
            "polls_per_second": len(options.tables) / self._every,
        }
        reading = {} if context.mapping is None else context.mapping.reading
        texts, missing = frozenset(reading.get("text_columns", ())), frozenset(reading.get("missing", ()))
        self._columns = {name: ValueColumns(Numerals(), texts, missing) for name in options.tables}
        # Table -> key -> digest of the row that the ledger has, of those that the first poll may read again.
        self._stored: dict[str, dict[tuple[str, ...], bytes]] = {}
        # Table -> gaps that its next poll fills -> rows found in them so far.
        self._asked: dict[str, dict[Gap, int]] = {name: {} for name in options.tables}
        self._windows = {name: self._window(name, table) for name, table in options.tables.items()}

    def _window(self, name: str, table: ServiceTable) -> Window:
        until = self._context.offsets.get(name)
        overlap = parse_duration(self._options.overlap)
        return Window(table, overlap=overlap, until=until if isinstance(until, int) else None)

    async def catalogue(self) -> Catalogue:
        """Return nothing: a service declares no units."""
        return Catalogue()

    async def batches(self) -> AsyncIterator[LiveBatch]:
        """Poll all tables again and again, or once."""
        backoff = Backoff(self._every, 300.0)
        fetcher: Fetcher | None = None
        await in_thread(self._read_stored)
        try:
            fetcher = Fetcher(self._options, self._context.folder, self._meter)
            while True:
                failure: SourceError | None = None
                for name in self._options.tables:
                    try:
                        async for batch in self._poll(fetcher, name):
                            yield batch
                    except UselessError:
                        raise
                    except SourceError as error:
                        failure = error
                if failure is not None:
                    self._meter.disconnected(failure)
                    fetcher.forget()
                    await backoff.pause()
                    continue
                backoff.reset()
                if self._context.once:
                    self._meter.ended()
                    return
                await asyncio.sleep(self._every)
        except UselessError as error:
            self._meter.failed(error)
            raise
        finally:
            if fetcher is not None:
                await fetcher.close()

    async def fill(self, gap: Gap) -> str:
        """Let the next poll read a table again from the beginning of a gap on."""
        table = self._options.tables.get(gap.stream)
        if table is None:
            return f"no table {gap.stream!r} is polled"
        if table.since is None:
            return f"table {gap.stream!r} has no parameter `since`: each poll reads what the service has"
        start = gap.first_sequence if table.times == "number" else gap.start_ns
        if gap.reason == _GONE:
            return "the service has dropped the rows"
        if start is None:
            return "it isn't known from where on rows may be missing"
        self._windows[gap.stream].back_to(start)
        self._asked[gap.stream][gap] = 0
        return ""

    # -- inside ----------------------------------------------------------------------------------------------------
    async def _poll(self, fetcher: Fetcher, name: str) -> AsyncIterator[LiveBatch]:
        """Yield the rows of a table that are new or have changed."""
        table, window = self._options.tables[name], self._windows[name]
        request: Request | None = self._first_request(table, window)
        window.begin()
        filling = list(self._asked[name])
        first, began = True, time.time_ns()
        while request is not None:
            # Whether a first page is the same says nothing about the next ones.
            last_of = name if table.pages is None else None
            answer = await self._answer(fetcher, request, last_of, first=first)
            if answer is None:
                return
            if first and (gap := self._no_longer_there(name, window, answer)) is not None:
                yield LiveBatch(gaps=(gap,))
            rows = rows_of(answer.document, table.rows, what=f"{self.name}, table {name!r}")
            items = [flat_or_problem(row, number) for number, row in enumerate(rows, start=1)]
            self._check_columns(name, table, items)
            for low in range(0, len(items), _ROWS):
                fresh = self._not_stored(name, list(window.fresh(items[low : low + _ROWS])))
                for gap in filling:
                    self._asked[name][gap] += sum(_is_in(gap, row, table) for row in fresh)
                if fresh:
                    yield self._batch(name, fresh)
            request = next_request(request, answer.document, answer.headers, table.pages, rows=len(rows))
            first = False
        self._stored.pop(name, None)
        if window.end(began):
            yield LiveBatch(offsets={name: window.until})
        if filling:
            for gap in filling:
                self._meter.filled(gap)
            found = tuple(Filled(gap, "the service, read again", self._asked[name].pop(gap)) for gap in filling)
            yield LiveBatch(filled=found)

    def _no_longer_there(self, name: str, window: Window, answer: Answer) -> Gap | None:
        """Return the span of numbers that the service has dropped before they were read."""
        place = self._options.tables[name].oldest
        oldest = None if place is None else value_at(answer.document, place)
        if not isinstance(oldest, int) or window.until is None or oldest <= window.until + 1:
            return None
        gap = Gap(name, _GONE, first_sequence=window.until + 1, stop_sequence=oldest)
        self._meter.gap(gap, lost=True)
        return gap

    def _first_request(self, table: ServiceTable, window: Window) -> Request:
        parameters = dict(table.parameters)
        since = window.since()
        if table.since is not None and since is not None:
            parameters[table.since] = since
        return Request(self._options.url.rstrip("/") + "/" + table.path.lstrip("/"), parameters)

    async def _answer(self, fetcher: Fetcher, request: Request, last_of: str | None, *, first: bool) -> Answer | None:
        try:
            answer = await fetcher.get(request, last_of=last_of)
        except UselessError as error:
            if first:
                raise
            # A cursor that has expired, say: the poll begins anew.
            raise SourceError(str(error)) from error
        if self._meter.health().state != "connected":
            self._meter.connected()
        if answer is not None and "date" in answer.headers:
            try:
                date = parsedate_to_datetime(answer.headers["date"])
            except ValueError:
                return answer
            self._meter.clock(date.replace(tzinfo=date.tzinfo or UTC).timestamp() - time.time())
        return answer

    def _check_columns(self, name: str, table: ServiceTable, items: Sequence[dict[str, Any] | Problem]) -> None:
        """Raise if no row has the columns that identify rows."""
        rows = [row for row in items if not isinstance(row, Problem)]
        wanted = [*table.key, *([table.updated] if table.updated else [])]
        missing = [column for column in wanted if not any(column in row for row in rows)]
        if rows and missing:
            there = ", ".join(sorted({column for row in rows for column in row}))
            msg = f"{self.name}, table {name!r}: no row has the column {missing[0]!r}; there are {there}: correct `key` and `updated`"
            raise UselessError(msg)

    def _batch(self, name: str, items: Sequence[dict[str, Any] | Problem]) -> LiveBatch:
        rows = [row for row in items if not isinstance(row, Problem)]
        problems = tuple(row for row in items if isinstance(row, Problem))
        self._meter.received(len(rows))
        numbers = np.arange(1, len(rows) + 1, dtype=np.int64)
        return LiveBatch((RowBatch(name, self._converted(name, rows), numbers, problems=problems),))

    def _converted(self, name: str, rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
        names = dict.fromkeys(column for row in rows for column in row)
        found, arrays = self._columns[name].convert({column: [row.get(column) for row in rows] for column in names})
        schema = pa.schema([pa.field(column, array.type) for column, array in zip(found, arrays, strict=True)])
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _read_stored(self) -> None:
        """Read from the ledger the rows that the first polls have again after a restart: those that are equal aren't yielded."""
        read = self._context.stored
        if read is None:
            return
        for name, table in self._options.tables.items():
            since = None if table.since is None or table.times == "number" else self._windows[name].low
            self._stored[name] = {}
            for rows in read(name, since):
                self._stored[name].update(row_digests(rows, table.key))

    def _not_stored(self, name: str, items: list[dict[str, Any] | Problem]) -> list[dict[str, Any] | Problem]:
        """Return the rows that differ from the ledger's latest one with the same key."""
        stored = self._stored.get(name)
        rows = [item for item in items if not isinstance(item, Problem)]
        if not stored or not rows:
            return items
        read = row_digests(self._converted(name, rows), self._options.tables[name].key)
        equal = {id(row) for row, (key, digest) in zip(rows, read, strict=True) if stored.get(key) == digest}
        return [item for item in items if id(item) not in equal]


def _is_in(gap: Gap, row: dict[str, Any] | Problem, table: ServiceTable) -> bool:
    """Return whether a row that was read is one of a gap, whose start is known."""
    if isinstance(row, Problem):
        return False
    at = change_of(row.get(table.updated or ""), table.times)
    start, stop = (gap.first_sequence, gap.stop_sequence) if table.times == "number" else (gap.start_ns, gap.stop_ns)
    return at is not None and start is not None and start <= at and (stop is None or at < stop)
