"""The front: accepts connections, reads the first request's headers, and passes all bytes to a worker and back."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

from twinlab.apps.server.processes.assignment import Assignment, assignment_of
from twinlab.apps.server.processes.pool import Pool, Worker
from twinlab.apps.server.processes.worker import introduction

__all__ = ["Front"]

_LOG = logging.getLogger(__name__)
#: Largest head of a request, bytes: as Tornado's.
_MAX_HEAD_BYTES = 65_536
#: Seconds within which a reader has to send the head of the first request.
_HEAD_SECONDS = 30.0
#: A page that has been opened counts as open for so many seconds, until its websocket comes.
_OPENING_SECONDS = 10.0
_NO_WORKER = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=2><title>One moment</title>"
    "<p>The pages are being started again. This page loads by itself in a moment.</p>"
)


class Front:
    """Passes connections to workers: a session's to its worker, others to the one with the least to do.

    A connection belongs to one reader's browser and goes to one worker as long as it lasts. That worker checks every
    request; nothing here decides who may see what.

    Parameters
    ----------
    pool : Pool
    channel_secret : str
        Shows workers that a connection comes from here.
    """

    def __init__(self, pool: Pool, channel_secret: str) -> None:
        self._pool, self._channel_secret = pool, channel_secret
        self._open: set[_Reader] = set()

    @property
    def workers(self) -> int:
        """Number of workers."""
        return len(self._pool.workers)

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return _Reader(self)

    def close(self) -> None:
        """Close all connections."""
        for reader in list(self._open):
            reader.abort()

    def opened(self, reader: _Reader) -> None:
        """Record a connection."""
        self._open.add(reader)

    def closed(self, reader: _Reader) -> None:
        """Forget a connection."""
        self._open.discard(reader)

    def choose(self, asked: Assignment, *, without: set[int]) -> Worker | None:
        """Return the worker for a connection; None if none answers, or not the one of the session."""
        ready = [one for one in self._pool.workers if one.port is not None and one.number not in without]
        if asked.worker is not None:
            return next((worker for worker in ready if worker.number == asked.worker), None)
        now = asyncio.get_running_loop().time()
        return min(ready, key=lambda worker: worker.load(now, within=_OPENING_SECONDS), default=None)

    async def connect(self, reader: _Reader, worker: Worker, peer: str) -> asyncio.Transport:
        """Return a connection to a worker, after the introduction of the reader.

        Raises
        ------
        OSError
            If the worker doesn't answer.
        """
        if worker.port is None:
            msg = f"worker {worker.number} doesn't answer"
            raise ConnectionRefusedError(msg)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: _Upstream(reader), "127.0.0.1", worker.port)
        transport.write(introduction(self._channel_secret, peer))
        return transport


class _Passing(asyncio.Protocol):
    """One side of a connection; what it receives goes to the other side, no faster than that takes it."""

    transport: asyncio.Transport | None = None
    other: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  (asyncio's)
        if self.other is not None:
            # What was passed before is still sent.
            self.other.close()


class _Upstream(_Passing):
    """The side of the worker."""

    def __init__(self, reader: _Reader) -> None:
        self.other = reader.transport
        self._reader = reader
        self._answered = False

    def data_received(self, data: bytes) -> None:
        self._answered = True
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered or not self._reader.try_again():
            super().connection_lost(error)


class _Reader(_Passing):
    """The side of the reader: collects the head of the first request, then passes bytes."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._head = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._passing: asyncio.Task[None] | None = None
        self._worker: Worker | None = None
        self._is_websocket = False
        # Workers that didn't answer this reader.
        self._silent: set[int] = set()
        # Whether the first request is all that the reader has sent, and changes nothing.
        self._repeatable = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._front.opened(self)
        self._timer = asyncio.get_running_loop().call_later(_HEAD_SECONDS, self.abort)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self._repeatable = False
            self.other.write(data)
            return
        assert self.transport is not None
        # The end may be split between two packets.
        before = max(0, len(self._head) - 3)
        self._head += data
        if self._passing is None and (self._head.find(b"\r\n\r\n", before) >= 0 or len(self._head) > _MAX_HEAD_BYTES):
            self._stop_timer()
            self.transport.pause_reading()
            self._passing = asyncio.create_task(self._pass_on())

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._stop_timer()
        self._front.closed(self)
        if self._passing is not None:
            self._passing.cancel()
        self._discount()

    def try_again(self) -> bool:
        """Ask another worker, if one has ended instead of answering a request that changes nothing; return whether."""
        if not self._repeatable or self._worker is None or self.transport is None or self.transport.is_closing():
            return False
        self._silent.add(self._worker.number)
        self._discount()
        self.other = None
        self.transport.pause_reading()
        self._passing = asyncio.create_task(self._pass_on())
        return True

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _pass_on(self) -> None:
        """Connect to a worker and pass what has come; answer 503 if there is none."""
        assert self.transport is not None
        head = bytes(self._head)
        asked = assignment_of(head.partition(b"\r\n\r\n")[0], self._front.workers)
        peer = str((self.transport.get_extra_info("peername") or ("unknown",))[0])
        while (worker := self._front.choose(asked, without=self._silent)) is not None:
            try:
                other = await self._front.connect(self, worker, peer)
            except OSError:
                # It has just ended, which the pool will notice.
                _LOG.info("worker %d doesn't answer", worker.number)
                self._silent.add(worker.number)
                continue
            self._count(worker, asked)
            self._repeatable = head.startswith((b"GET ", b"HEAD ")) and head.endswith(b"\r\n\r\n")
            other.write(head)
            self.other = other
            self.transport.resume_reading()
            return
        self.transport.write(_unavailable())
        self.transport.close()

    def _discount(self) -> None:
        if self._worker is not None:
            self._worker.connections -= 1
            self._worker.websockets -= self._is_websocket
            self._worker = None

    def _count(self, worker: Worker, asked: Assignment) -> None:
        self._worker, self._is_websocket = worker, asked.is_websocket
        worker.connections += 1
        worker.served += 1
        if asked.is_websocket:
            worker.websockets += 1
            # It belongs to a page that was opened before.
            del worker.opening[:1]
        elif asked.opens_page:
            worker.opening.append(asyncio.get_running_loop().time())


def _unavailable() -> bytes:
    body = _NO_WORKER.encode()
    lines = [
        "HTTP/1.1 503 Service Unavailable", "Content-Type: text/html; charset=utf-8", f"Content-Length: {len(body)}",
        "Cache-Control: no-store", "Retry-After: 2", "X-Content-Type-Options: nosniff", "Connection: close",
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body
