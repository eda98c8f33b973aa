"""Sends an outbox over one connection after the other until the historian has acknowledged it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from twinlab._backoff import Backoff
from twinlab._tasks import cancel_all
from twinlab.edge.handshake import Birth, Reply
from twinlab.edge.messages import pack
from twinlab.edge.outbox import Outbox
from twinlab.edge.settings import GatewaySettings
from twinlab.edge.transport import MAX_IN_FLIGHT, Connect, Transport, connect
from twinlab.edge.window import Window
from twinlab.errors import SchemaError

__all__ = ["Sender"]

_LOG = logging.getLogger("twinlab.edge")
#: Seconds between two births, so that a historian or broker that has forgotten the gateway knows it again.
_BIRTH_EVERY = 10.0
#: Seconds for which a gateway that ends tries to say so.
_FAREWELL = 1.0
#: Seconds after which the outbox is read again although no new rows were reported, because a timeout may be over.
_IDLE = 0.5


class Sender:
    """Sends the rows of an outbox; `run` never ends by itself.

    Parameters
    ----------
    outbox : Outbox
    settings : GatewaySettings
    connect : Connect
        Opens a connection; another one is opened with growing, random pauses when it is lost.
    now_ns : callable
        The machine's clock, which the historian compares with its own.
    on_request : callable, optional
        Called with the historian's requests for rows that weren't sent.
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: GatewaySettings,
        *,
        connect: Connect = connect,
        now_ns: Callable[[], int] = time.time_ns,
        on_request: Callable[[bytes], Awaitable[None]] | None = None,
    ) -> None:
        self._outbox, self._settings, self._connect, self._now_ns = outbox, settings, connect, now_ns
        self._on_request = on_request
        self._wake = asyncio.Event()
        self._window = Window(outbox.acknowledged, rows=settings.window, patience=settings.patience_seconds)
        self._units: dict[str, str | None] = dict(settings.units)
        self._declared = asyncio.Event()
        self.connected = False
        self.answered = False
        """Whether the historian has answered on this connection."""
        self.connections = 0
        self.sent = 0
        """Rows sent, repetitions included."""

    @property
    def resends(self) -> int:
        """How often rows were sent again."""
        return self._window.resends

    def notify(self) -> None:
        """Note that the outbox has new rows."""
        self._wake.set()

    def declare(self, units: Mapping[str, str | None]) -> None:
        """Add tags with their units to the catalogue; the historian learns of new ones at once."""
        if not units.items() <= self._units.items():
            self._units |= units
            self._declared.set()

    async def run(self) -> None:
        """Connect and send, again and again, until cancelled.

        Raises
        ------
        SourceError
            If trying again is useless: a missing library, certificates that can't be read.
        """
        backoff = Backoff(0.1, 30.0)
        while True:
            try:
                will = self._birth(online=False).to_json()
                async with self._connect(self._settings.broker, self._settings.name, will=will) as transport:
                    self.connected, self.answered = True, False
                    self.connections += 1
                    _LOG.info(
                        "connected", extra={"broker": f"{self._settings.broker.host}:{self._settings.broker.port}"}
                    )
                    await self._serve(transport, backoff)
            except ConnectionError as error:
                pause = backoff.next()
                _LOG.warning("no connection", extra={"error": str(error), "next_attempt_in": round(pause, 2)})
                self.connected = self.answered = False
                await asyncio.sleep(pause)

    # -- inside ----------------------------------------------------------------------------------------------------
    async def _serve(self, transport: Transport, backoff: Backoff) -> None:
        """Use one connection until it is lost."""
        tasks = [
            asyncio.create_task(self._receive(transport, backoff)),
            asyncio.create_task(self._send(transport)),
            asyncio.create_task(self._announce(transport)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except ExceptionGroup as group:
            # What ends one publish ends all of them.
            if (lost := group.subgroup(ConnectionError)) is None:
                raise
            raise ConnectionError(str(lost.exceptions[0])) from group
        except asyncio.CancelledError:
            # The broker publishes the will only if a connection is lost.
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await transport.publish("birth", self._birth(online=False).to_json(), retain=True)
            raise
        finally:
            await cancel_all(tasks)
        msg = "the connection was closed"
        raise ConnectionError(msg)

    def _birth(self, *, online: bool = True) -> Birth:
        outbox = self._outbox
        return Birth(
            outbox.token,
            outbox.acknowledged + 1,
            outbox.last,
            self._now_ns(),
            dict(self._units),
            online=online,
            runs=outbox.runs,
        )

    async def _announce(self, transport: Transport) -> None:
        while True:
            self._declared.clear()
            await transport.publish("birth", self._birth().to_json(), retain=True)
            # Until the historian answers, nothing is sent: ask more often.
            pause = _BIRTH_EVERY if self.answered else self._settings.patience_seconds
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._declared.wait()

    async def _receive(self, transport: Transport, backoff: Backoff) -> None:
        async for kind, payload in transport.messages():
            if kind == "request" and self._on_request is not None:
                await self._on_request(payload)
            if kind != "reply":
                continue
            try:
                reply = Reply.from_json(payload)
            except SchemaError as error:
                _LOG.warning("a reply that can't be read", extra={"error": str(error)})
                continue
            if reply.token == self._outbox.token:
                backoff.reset()
                await self._note(transport, reply)

    async def _note(self, transport: Transport, reply: Reply) -> None:
        now = time.monotonic()
        if reply.refused:
            await self._renew(transport, reply.refused, reply.accepted)
            return
        try:
            # In a thread: a transaction may have the outbox for as long as the disk takes.
            await asyncio.to_thread(self._outbox.acknowledge, reply.accepted)
        except SchemaError as error:
            await self._renew(transport, str(error), 0)
            return
        if not self.answered:
            self.answered = True
            self._window.restart(reply.accepted, now=now)
        self._window.accept(reply.accepted, now=now)
        if reply.missing is not None:
            self._window.miss(reply.missing, now=now)
        self._wake.set()

    async def _renew(self, transport: Transport, why: str, accepted: int) -> None:
        """Begin another epoch, in which the rows after ``accepted`` are sent."""
        _LOG.error("the outbox begins another epoch", extra={"error": why})
        await asyncio.to_thread(self._outbox.renew, accepted)
        self._window = Window(0, rows=self._settings.window, patience=self._settings.patience_seconds)
        self.answered = False
        await transport.publish("birth", self._birth().to_json(), retain=True)

    async def _send(self, transport: Transport) -> None:
        free = asyncio.Semaphore(MAX_IN_FLIGHT - 2)  # one is for births
        async with asyncio.TaskGroup() as publishing:
            while True:
                self._wake.clear()
                # Taken before the rows: should another epoch begin meanwhile, they are sent as those of the old one, which has them.
                window, token = self._window, self._outbox.token
                at = window.next(now=time.monotonic()) if self.answered else None
                block = None
                if at is not None and at <= self._outbox.last:
                    block = await asyncio.to_thread(self._outbox.read, at)
                if block is None or window is not self._window:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_IDLE):
                            await self._wake.wait()
                    continue
                await free.acquire()
                window.sent(block.last, now=time.monotonic())
                self.sent += block.rows
                task = publishing.create_task(transport.publish("rows", pack(token, block, self._now_ns())))
                task.add_done_callback(lambda _: free.release())
