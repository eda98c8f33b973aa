"""A device on an MQTT 5 broker: commands come on its own topic, answers go back with their correlation.

Topics: ``command/<client>/request`` with an envelope, ``command/<client>/read`` with a request for a report,
``command/<client>/records`` with one for its record; all are answered on ``answer/<client>`` with the correlation data of the request. ``alive/<client>`` gets an empty message every second: its
acknowledgement by the broker is the sign of life that the watchdog waits for. The name of the client is the one in its
certificate; the broker's access list lets it read and write its own topics only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from twinlab._backoff import Backoff
from twinlab._tasks import cancel_all
from twinlab.commands.guard.message import asks_for_stop
from twinlab.edge.commanding.device import CommandedDevice
from twinlab.edge.settings import Broker
from twinlab.edge.transport import tls_context
from twinlab.errors import SourceError

if TYPE_CHECKING:
    import aiomqtt

__all__ = ["MqttDevice"]

_LOG = logging.getLogger("twinlab.edge.commands")
_CLIENT_LOG = logging.getLogger("twinlab.edge.commands.mqtt")
_CLIENT_LOG.setLevel(logging.CRITICAL)
#: Messages that are looked at at once, and as many that wait; more are dropped, and whoever sent them gets no answer.
_QUEUE = 100


class MqttDevice:
    """The connection of a device.

    Parameters
    ----------
    device : CommandedDevice
        What answers.
    broker : Broker
        Where, with the certificate of the client.
    client : str
        The name in it.
    every : float
        Seconds between two signs of life.
    patience : float
        Seconds for a sign of life to be acknowledged; then the device connects again.
    """

    def __init__(
        self, device: CommandedDevice, broker: Broker, *, client: str, every: float = 1.0, patience: float = 2.0
    ) -> None:
        self.device = device
        self._broker = broker
        self._client = client
        self._every, self._patience = every, patience
        #: Set while the device is connected and has subscribed.
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Connect, answer, and connect again, until this is cancelled.

        Raises
        ------
        SourceError
            If aiomqtt isn't installed, or a certificate can't be read.
        """
        try:
            import aiomqtt  # noqa: PLC0415  (an extra)
        except ImportError as error:
            msg = 'MQTT needs aiomqtt, which isn\'t installed: pip install "twinlab-kit[mqtt]"'
            raise SourceError(msg) from error
        backoff = Backoff(0.1, 2.0)
        watch = asyncio.create_task(self.device.run())
        try:
            while True:
                try:
                    async with self._open() as client:
                        backoff.reset()
                        await self._serve(client)
                except (aiomqtt.MqttError, OSError, TimeoutError) as error:
                    _LOG.info("%s: no connection to the broker: %s", self._client, error)
                finally:
                    self.connected.clear()
                await asyncio.sleep(backoff.next())
        finally:
            await cancel_all([watch])

    def _open(self) -> aiomqtt.Client:
        import aiomqtt  # noqa: PLC0415  (an extra)

        return aiomqtt.Client(
            self._broker.host, self._broker.port, identifier=self._client, protocol=aiomqtt.ProtocolVersion.V5,
            # What came while the device was away is old: whoever sent it reads back and decides again.
            clean_start=True, keepalive=self._broker.keepalive, timeout=self._patience, tls_context=tls_context(self._broker),
            max_queued_incoming_messages=_QUEUE, logger=_CLIENT_LOG, socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )  # fmt: skip

    async def _serve(self, client: aiomqtt.Client) -> None:
        await client.subscribe(f"command/{self._client}/+", qos=1)
        self.connected.set()
        tasks = [asyncio.create_task(self._show_life(client)), asyncio.create_task(self._take(client))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_all(tasks)
        for task in done:
            task.result()

    async def _show_life(self, client: aiomqtt.Client) -> None:
        while True:
            await client.publish(f"alive/{self._client}", b"", qos=1, timeout=self._patience)
            self.device.link_alive()
            await asyncio.sleep(self._every)

    async def _take(self, client: aiomqtt.Client) -> None:
        under_way: set[asyncio.Task[None]] = set()
        works = {"request": self.device.answer, "read": self.device.report, "records": self.device.recorded}
        try:
            async for message in client.messages:
                # An emergency stop waits for nothing.
                while len(under_way) >= _QUEUE and not asks_for_stop(bytes(message.payload)):
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                work = works.get(str(message.topic).rpartition("/")[2])
                if work is None:
                    continue
                task = asyncio.create_task(self._reply(client, message, work))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
        finally:
            # A message that is being handled is handled to its end in its thread; only its answer is lost.
            await cancel_all(list(under_way))

    async def _reply(
        self, client: aiomqtt.Client, message: aiomqtt.Message, work: Callable[[bytes], Awaitable[bytes | None]]
    ) -> None:
        import aiomqtt  # noqa: PLC0415  (an extra)
        from paho.mqtt.packettypes import PacketTypes  # noqa: PLC0415  (aiomqtt's)
        from paho.mqtt.properties import Properties  # noqa: PLC0415

        answer = await work(message.payload)
        if answer is None:
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        # Whatever response topic a request names: the device writes its own only.
        correlation = getattr(message.properties, "CorrelationData", None)
        if correlation is not None:
            properties.CorrelationData = correlation
        with contextlib.suppress(aiomqtt.MqttError):
            await client.publish(f"answer/{self._client}", answer, qos=1, properties=properties)
