"""MQTT: rows of gateways with outboxes, each once, acknowledged when the ledger has them on its disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._backoff import Backoff
from twinlab._tasks import cancel_all
from twinlab.edge.raw import RawRequest
from twinlab.edge.security_log import SecurityLog
from twinlab.edge.signatures.signed_bytes import sign_message
from twinlab.edge.transport import MAX_IN_FLIGHT, tls_context, topic
from twinlab.errors import SourceError
from twinlab.model.basics import parse_duration
from twinlab.signing.keys.private_keys import read_key
from twinlab.sources.live.acceptance import offsets_of
from twinlab.sources.live.gateway_rows import gaps_of, observations
from twinlab.sources.live.guarded.notes import SECURITY_LOG
from twinlab.sources.live.mqtt.inbox import Inbox
from twinlab.sources.live.mqtt.options import MqttOptions
from twinlab.sources.live.protocol import Catalogue, DeclaredTag, Gap, Health, LiveBatch, LiveContext

if TYPE_CHECKING:
    import aiomqtt

__all__ = ["MqttSource"]

_LOG = logging.getLogger("twinlab.live.mqtt")
# A lost connection is an error for the library; here it is reported by `health`, and as a warning.
_CLIENT_LOG = logging.getLogger("twinlab.live.mqtt.client")
_CLIENT_LOG.setLevel(logging.CRITICAL)
#: Messages of at most 1,000 rows that wait to be read; further ones are dropped, and come again.
_QUEUE = 200
#: Seconds for which the retained births of gateways are awaited when the catalogue is asked for.
_BIRTHS = 1.0
#: Seconds between two looks at the broker's log and at what people have released.
_LOOK_EVERY = 1.0
#: Seconds for which a catalogue waits for the connection.
_CONNECTED = 10.0


class MqttSource:
    """Rows of all gateways of a broker, below one prefix of topics.

    Parameters
    ----------
    options : MqttOptions
    context : LiveContext
        With the offsets of all durable rows.
    """

    def __init__(self, options: MqttOptions, context: LiveContext) -> None:
        self.name = context.name
        files = {
            name: str(context.folder / Path(given))
            for name in ("ca", "certificate", "key", "reply_key")
            if (given := getattr(options, name)) is not None
        }
        self._options = options.model_copy(update=files)
        self._reply_key = None if self._options.reply_key is None else read_key(Path(self._options.reply_key))
        self._inbox = Inbox(
            context.name,
            context.folder,
            self._options,
            context.offsets,
            answer=self._answer,
            arrived=self._note_arrival,
        )
        self._meter = self._inbox.meter
        self._broker_log: SecurityLog | None = None
        if options.broker_log is not None:
            log = context.folder / options.broker_log
            self._broker_log = SecurityLog(log, context.folder / SECURITY_LOG, connections=True)
        self._reading = False
        self._publisher: aiomqtt.Client | None = None
        self._arrived, self._due, self._connected = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._answers: dict[tuple[str, int], None] = {}

    async def catalogue(self) -> Catalogue:
        """Return the tags of the gateways that have announced themselves, with the units that they declare."""
        if self._reading:
            await self._await_births()
        else:
            await self._ask_births()
        return Catalogue(
            tuple(
                DeclaredTag(f"{gateway}/{tag}", unit)
                for gateway, units in sorted(self._inbox.units.items())
                for tag, unit in units.items()
            )
        )

    async def batches(self) -> AsyncIterator[LiveBatch]:
        """Connect, again and again with growing pauses, and yield what is accepted."""
        work, look = asyncio.create_task(self._connect()), asyncio.create_task(self._look())
        self._reading = True
        try:
            while True:
                await self._until_arrived(work)
                await asyncio.sleep(parse_duration(self._options.gather) / 1e9)
                self._arrived.clear()
                parts, received = self._inbox.take()
                if parts:
                    rows = observations(parts)
                    yield LiveBatch(
                        () if rows is None else (rows,),
                        offsets=offsets_of(parts),
                        gaps=gaps_of(parts),
                        received_ns=received,
                        handle=tuple(parts),
                    )
        finally:
            self._reading = False
            await cancel_all([work, look])

    async def _until_arrived(self, work: asyncio.Task[None]) -> None:
        """Wait for rows, or raise the error that ended the connection for good."""
        arrived = asyncio.ensure_future(self._arrived.wait())
        try:
            await asyncio.wait({arrived, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrived.cancel()
            await asyncio.gather(arrived, return_exceptions=True)
        if work.done():
            work.result()

    async def acknowledge(self, batch: LiveBatch) -> None:
        """Acknowledge the rows of a batch to their gateways."""
        parts = batch.handle if isinstance(batch.handle, tuple) else ()
        self._inbox.commit(parts)

    async def fill(self, gap: Gap) -> str:
        """Ask a gateway for the rows of a span that its aggregation left out. How many it sends isn't known.

        ``gap.stream`` is the gateway; tags are patterns. Rows that were reported as lost are lost: those of an outbox come by themselves.

        Raises
        ------
        SourceError
            If the gateway isn't connected.
        """
        client, start, stop = self._publisher, gap.start_ns, gap.stop_ns
        if gap.first_sequence is not None:
            return "the gateway has reported the rows as lost"
        if start is None or stop is None:
            return "a gateway is asked for a span of time, whose start or end isn't known"
        if client is None or gap.stream not in self._inbox.online:
            msg = f"gateway {gap.stream!r} isn't connected"
            raise SourceError(msg)
        tags = tuple(tag.removeprefix(f"{gap.stream}/") for tag in gap.tags) or ("*",)
        import aiomqtt  # noqa: PLC0415  (an extra)

        try:
            request = RawRequest(tags, start, stop).to_json()
            await self._publish(client, gap.stream, "request", request)
        except aiomqtt.MqttError as error:
            raise SourceError(self._unreachable(error)) from error
        return ""

    @property
    def health(self) -> Health:
        """State, rate, errors, gaps and the clock that is off most."""
        offsets = self._inbox.clocks()
        if offsets:
            self._meter.clock(max(offsets.values(), key=abs))
        self._meter.load |= self._inbox.load()
        gone = tuple(sorted(set(self._inbox.units) - self._inbox.online)) if self._publisher is not None else ()
        return replace(self._meter.health(), stream_clocks=offsets, streams_offline=gone, streams=self._inbox.streams())

    # -- inside ----------------------------------------------------------------------------------------------------
    async def _await_births(self) -> None:
        """Wait for births on the connection that rows come by."""
        try:
            async with asyncio.timeout(_CONNECTED):
                await self._connected.wait()
        except TimeoutError as error:
            raise SourceError(self._unreachable("no connection yet")) from error
        if not self._inbox.units:
            await asyncio.sleep(_BIRTHS)

    async def _ask_births(self) -> None:
        """Read the births that the broker retains by a connection of their own."""
        import aiomqtt  # noqa: PLC0415  (an extra)

        try:
            async with self._client() as client:
                await client.subscribe(self._topic("birth"), qos=1)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_BIRTHS):
                        async for message in client.messages:
                            self._inbox.declare(_gateway(message), message.payload)
        except (aiomqtt.MqttError, OSError) as error:
            raise SourceError(self._unreachable(error)) from error

    def _client(self) -> aiomqtt.Client:
        import aiomqtt  # noqa: PLC0415  (an extra)

        options = self._options
        return aiomqtt.Client(
            options.host,
            options.port,
            identifier=options.client,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            keepalive=options.keepalive,
            timeout=options.keepalive,
            tls_context=tls_context(options),
            max_queued_incoming_messages=_QUEUE,
            logger=_CLIENT_LOG,
        )

    def _topic(self, kind: str) -> str:
        return topic(self._options.prefix, "+", kind)

    def _unreachable(self, error: object) -> str:
        return (
            f"source {self.name!r}: broker {self._options.host}:{self._options.port}: {error}. "
            "Check that it runs, and that it accepts this client's certificate."
        )

    async def _look(self) -> None:
        """Look at what isn't a message, again and again: what people have released, what the broker refused."""
        while True:
            try:
                self._inbox.look()
                if self._broker_log is not None:
                    await asyncio.to_thread(self._broker_log.update)
            except (OSError, SourceError) as error:  # such as a full disk: rows go on
                self._meter.failed_once(error)
            await asyncio.sleep(_LOOK_EVERY)

    async def _connect(self) -> None:
        import aiomqtt  # noqa: PLC0415  (an extra)

        backoff = Backoff(0.1, 30.0)
        while True:
            try:
                async with self._client() as client:
                    await client.subscribe([(self._topic("birth"), 1), (self._topic("rows"), 1)])
                    self._meter.connected()
                    self._connected.set()
                    backoff.reset()
                    await self._serve(client)
            except (aiomqtt.MqttError, OSError, SourceError) as error:
                # Certificates that can't be read are given up only before the first connection: later they may be being replaced.
                if isinstance(error, SourceError) and not self._meter.health().connections:
                    raise
                self._meter.disconnected(error)
                self._connected.clear()
                self._inbox.online.clear()
                pause = backoff.next()
                _LOG.warning(
                    "no connection",
                    extra={"source": self.name, "error": self._unreachable(error), "next_attempt_in": round(pause, 2)},
                )
                await asyncio.sleep(pause)

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Use one connection until it is lost."""
        tasks = [asyncio.create_task(self._read(client)), asyncio.create_task(self._reply(client))]
        self._publisher = client
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._publisher = None
            await cancel_all(tasks)

    async def _read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            kind = "birth" if str(message.topic).endswith("/birth") else "rows"
            self._inbox.note(kind, _gateway(message), message.payload, retained=message.retain)

    def _note_arrival(self) -> None:
        self._arrived.set()

    def _answer(self, gateway: str, token: int) -> None:
        self._answers[gateway, token] = None
        self._due.set()

    async def _reply(self, client: aiomqtt.Client) -> None:
        """Publish replies: the latest state only, however many messages asked for one."""
        while True:
            await self._due.wait()
            self._due.clear()
            answers, self._answers = list(self._answers), {}
            for low in range(0, len(answers), MAX_IN_FLIGHT - 1):
                await asyncio.gather(
                    *(
                        self._publish(client, gateway, "reply", self._inbox.reply(gateway, token).to_json())
                        for gateway, token in answers[low : low + MAX_IN_FLIGHT - 1]
                    )
                )

    async def _publish(self, client: aiomqtt.Client, gateway: str, kind: str, payload: bytes) -> None:
        """Publish something for a gateway, signed if there is a key."""
        if self._reply_key is not None:
            payload = sign_message(payload, kind=kind, gateway=gateway, key=self._reply_key)
        await client.publish(topic(self._options.prefix, gateway, kind), payload, qos=1)


def _gateway(message: aiomqtt.Message) -> str:
    """Return the name in a topic, which the broker has compared with the certificate."""
    return str(message.topic).split("/")[-2]
