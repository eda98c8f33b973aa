"""The program beside a machine: readings in, the outbox and the historian out."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from twinlab._tasks import cancel_all
from twinlab.edge.outbox import Outbox
from twinlab.edge.pseudonyms.replacing import IdReplacer
from twinlab.edge.raw import RawRequest
from twinlab.edge.readings import Reading, Readings, check_reading
from twinlab.edge.reducing import Reducing
from twinlab.edge.sender import Sender
from twinlab.edge.settings import GatewaySettings
from twinlab.edge.signatures.signing_transport import signing_connect, verifying_connect
from twinlab.edge.transport import Connect, connect
from twinlab.errors import SchemaError, TwinlabError
from twinlab.signing.keys.private_keys import read_key

__all__ = ["Gateway", "read_chunks", "read_line", "run_lines"]

_LOG = logging.getLogger("twinlab.edge")
#: Seconds between two checks for expired rows, and between two deletions of acknowledged rows.
_TIDY_EVERY = 5.0
#: Rows that may wait for a transaction; `Gateway.write` waits while there are more.
_MAX_WAITING = 50_000
#: Bytes that are read at once.
_CHUNK = 1 << 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Gateway:
    """An outbox, its sender, and transactions for groups of readings; an asynchronous context manager.

    Parameters
    ----------
    settings : GatewaySettings
    connect : Connect
        Opens connections to the historian.
    now_ns : callable
        The machine's clock, ns.

    Raises
    ------
    HistoryConflictError
        If another process has opened the outbox.
    SchemaError
        If a model that scores rows can't be read or doesn't fit the tags, or the secrets of pseudonyms can't be read.
    SourceError
        If the disk is full or fails, or the signing key can't be read.
    """

    def __init__(
        self, settings: GatewaySettings, *, connect: Connect = connect, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.settings = settings
        self._replacer = None if settings.pseudonyms is None else IdReplacer(settings.pseudonyms)
        self.outbox = Outbox(Path(settings.outbox), expiry=settings.expiry, max_bytes=settings.max_bytes)
        try:
            connect = verifying_connect(connect, settings.name, settings.historian_keys)
            if settings.signing_key is not None:
                connect = signing_connect(connect, read_key(Path(settings.signing_key)))
            known = self._without_names(settings)
            self.sender = Sender(self.outbox, known, connect=connect, now_ns=now_ns, on_request=self._send_raw)
            self._reducing = Reducing(self.outbox, known)
        except BaseException:
            self.outbox.close()
            raise
        self._now_ns = now_ns
        # One transaction at a time: its rows follow from the state of the reducers that it stores.
        self._writing = asyncio.Lock()
        self._waiting: list[Readings] = []
        self._rows = 0
        self._arrived = asyncio.Event()
        # Done when the rows that wait now are on the disk.
        self._group: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._streams: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for work in (self.sender.run(), self._commit(), self._tidy()):
            task = asyncio.create_task(work)
            task.add_done_callback(self._note_failure)
            self._tasks.append(task)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await cancel_all(self._tasks)
        self._group.cancel()
        await asyncio.to_thread(self.outbox.close)

    async def write(self, readings: Iterable[Reading] | Readings) -> int:
        """Store readings, and return the latest sequence once they are on the disk.

        Raises
        ------
        SchemaError
            If a reading can't be stored; none of them was.
        SourceError
            If the disk is full or fails. Write the readings again.
        """
        rows = readings if isinstance(readings, Readings) else Readings.of(readings, self.settings.units)
        if self._replacer is not None:
            rows = self._replacer.replace(rows)
        while self._rows >= _MAX_WAITING:
            await asyncio.shield(self._group)
        if len(rows):
            self._waiting.append(rows)
            self._rows += len(rows)
            self._arrived.set()
            await asyncio.shield(self._group)
        return self.outbox.last

    async def drain(self) -> None:
        """Wait until the historian has acknowledged every row."""
        while self.outbox.rows:
            self._raise_failure()
            await asyncio.sleep(0.05)

    async def watch(self) -> None:
        """Wait for an error that ends the gateway, such as certificates that can't be read, and raise it."""
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self._raise_failure()

    # -- inside ----------------------------------------------------------------------------------------------------
    def _without_names(self, settings: GatewaySettings) -> GatewaySettings:
        """Return the settings without units of tags that name people: units are sent, too."""
        replacer = self._replacer
        if replacer is None:
            return settings
        return settings.model_copy(
            update={"units": {tag: unit for tag, unit in settings.units.items() if not replacer.names_person(tag)}}
        )

    def _raise_failure(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        """Pass the error that ended a task on to the callers of `write`."""
        if not task.cancelled() and (error := task.exception()) is not None and not self._group.done():
            self._group.set_exception(error)

    async def _commit(self) -> None:
        """Store what arrived in the last moments in one transaction, again and again."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(self.settings.commit_seconds)
            self._arrived.clear()
            waiting, self._waiting, self._rows = self._waiting, [], 0
            group, self._group = self._group, asyncio.get_running_loop().create_future()
            try:
                async with self._writing:
                    groups = await asyncio.to_thread(self._reducing.write, self._groups(waiting))
            except TwinlabError as error:
                _LOG.error("rows were not stored", extra={"error": str(error)})
                group.set_exception(error)
                group.exception()  # seen, even if nobody waits any more
                continue
            except BaseException:
                group.cancel()  # who waits must not wait for ever
                raise
            self._announce(groups)
            group.set_result(None)

    def _announce(self, groups: Mapping[str, Readings]) -> None:
        for readings in groups.values():
            self.sender.declare(dict(zip(readings.tags, readings.units, strict=True)))
        self.sender.notify()

    async def _send_raw(self, payload: bytes) -> None:
        """Put rows that weren't sent into the outbox, as a request asks."""
        try:
            request = RawRequest.from_json(payload)
            async with self._writing:
                rows = await asyncio.to_thread(self._reducing.request, request)
        except TwinlabError as error:
            _LOG.error("a request wasn't answered", extra={"error": str(error)})
            return
        _LOG.info("rows were requested", extra={"rows": rows, "tags": request.tags})
        self.sender.notify()

    def _groups(self, waiting: list[Readings]) -> dict[str, Readings]:
        rows = Readings.join(waiting)
        streams = [self._stream_of(tag) for tag in rows.tags]
        if len(set(streams)) == 1:
            return {streams[0]: rows}
        names = list(dict.fromkeys(streams))
        of_row = np.array([names.index(stream) for stream in streams])[rows.codes]
        return {name: rows.where(of_row == number) for number, name in enumerate(names)}

    def _stream_of(self, tag: str) -> str:
        found = self._streams.get(tag)
        if found is None:
            found = self._streams[tag] = self.settings.stream_of(tag)
        return found

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_EVERY)
            try:
                for one in await asyncio.to_thread(self.outbox.expire):
                    _LOG.error(
                        "rows were dropped", extra={"stream": one.stream, "rows": one.rows, "reason": one.reason}
                    )
                async with self._writing:
                    self._announce(await asyncio.to_thread(self._reducing.close, self._now_ns()))
                await asyncio.to_thread(self.outbox.tidy)
            except TwinlabError as error:  # such as a full disk, which acknowledgements free again
                _LOG.error("the outbox wasn't tidied", extra={"error": str(error)})


def read_line(line: str) -> Reading:
    """Return the reading that a line of JSON has: ``{"tag": "temp", "time": "2026-03-01T12:00:00Z", "value": 4.5}``.

    ``time`` is nanoseconds UTC, or a text with a zone; ``value``, ``text`` and ``status`` may be missing.

    Raises
    ------
    SchemaError
        If it isn't one; says what was expected.

    Examples
    --------
    >>> read_line('{"tag": "temp", "time": "1970-01-01T00:00:01.5Z", "value": 4.5}')
    Reading(tag='temp', time=1500000000, value=4.5, text=None, status=None)
    """
    try:
        found = json.loads(line)
        value, text, status = found.get("value"), found.get("text"), found.get("status")
        reading = Reading(
            str(found["tag"]),
            _time(found["time"]),
            None if value is None else float(value),
            None if text is None else str(text),
            None if status is None else int(status),
        )
        check_reading(reading)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"expected JSON with tag, time (ns UTC or a text with a zone), and value, text or status, got {line[:200]!r} ({error})"
        raise SchemaError(msg) from error
    return reading


def _time(given: object) -> int:
    if isinstance(given, int):
        return given
    found = datetime.fromisoformat(str(given))
    if found.tzinfo is None:
        msg = f"time {given!r} has no zone"
        raise ValueError(msg)
    since = found - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000


async def run_lines(gateway: Gateway, chunks: AsyncIterator[list[str]], stored: Callable[[int], None]) -> None:
    """Write readings from lines of JSON until they end.

    Parameters
    ----------
    gateway : Gateway
        Entered already.
    chunks : asynchronous iterator of list of str
        Lines that arrived together.
    stored : callable
        Called with the number of lines so far, once their readings are on the disk. Lines that can't be read are logged
        with their number and count as well.
    """
    done = 0
    async for lines in chunks:
        rows = []
        for number, line in enumerate(lines, done + 1):
            if not line.strip():
                continue
            try:
                rows.append(read_line(line))
            except SchemaError as error:
                _LOG.error("a line was refused", extra={"line": number, "error": str(error)})
        await gateway.write(rows)
        done += len(lines)
        stored(done)


async def read_chunks(file: BinaryIO) -> AsyncIterator[list[str]]:
    """Yield the lines of a pipe or file that are there, as they come."""
    reader = asyncio.StreamReader(limit=_CHUNK)
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    except ValueError:  # a file on a disk
        async for lines in _split(_read_file(file)):
            yield lines
        return
    try:
        async for lines in _split(_read_pipe(reader)):
            yield lines
    finally:
        transport.close()


async def _read_pipe(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while data := await reader.read(_CHUNK):
        yield data


async def _read_file(file: BinaryIO) -> AsyncIterator[bytes]:
    while data := file.read(_CHUNK):
        yield data


async def _split(parts: AsyncIterator[bytes]) -> AsyncIterator[list[str]]:
    rest = b""
    async for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        if lines:
            yield [line.decode(errors="replace") for line in lines]
    if rest:
        yield [rest.decode(errors="replace")]
