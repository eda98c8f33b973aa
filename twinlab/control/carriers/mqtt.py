"""Devices on an MQTT 5 broker: a request with a response topic and correlation data, which expires.

See `twinlab.edge.commanding.mqtt_device` for the topics. References: MQTT Version 5.0, 3.3.2.3 (properties of a publish), 4.10 (request
and response).
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import socket
from contextlib import AsyncExitStack
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from twinlab._tasks import cancel_all
from twinlab.commands.messages.report import ReadRequest
from twinlab.control.carriers.carrier import CarrierContext, CarrierKind, Reported
from twinlab.control.carriers.turns import Turns, is_stop
from twinlab.control.carriers.verifying import checked_report
from twinlab.edge.settings import Broker
from twinlab.edge.transport import tls_context
from twinlab.errors import NoAnswerError, SourceError
from twinlab.model.extensions.options import Options

if TYPE_CHECKING:
    import aiomqtt

__all__ = ["MQTT", "MqttCarrier", "MqttOptions"]

_CLIENT_LOG = logging.getLogger("twinlab.control.mqtt")
_CLIENT_LOG.setLevel(logging.CRITICAL)
#: Code of the client library: it has no connection, and sent nothing.
_NOT_CONNECTED = 4
#: Seconds to connect.
_PATIENCE = 5.0


class Reader(Options):
    """Another name at the broker, which may only ask devices for their records."""

    name: str
    """The name in the certificate."""
    certificate: str
    """File with the certificate."""
    key: str
    """File with its private key."""


class MqttOptions(Options):
    """Options of a broker with devices."""

    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 8883
    ca: str
    """File with the certificate of the broker's authority."""
    certificate: str
    """File with the certificate of who may send commands."""
    key: str
    """File with its private key."""
    name: str = "control"
    """The name in the certificate, which the broker wants as the client's."""
    client: str = "{name}"
    """Name of a device's client; ``{name}`` is that of the asset: ``F07`` of ``forklift/F07``."""

    records: Reader | None = None
    """Who reads the devices' records beside the one who sends commands, such as the historian; without it, that isn't possible."""

    def client_of(self, target: str) -> str:
        """Return the name of the client of a target's device."""
        return self.client.replace("{name}", target.partition("/")[2])


class MqttCarrier:
    """Sends over one connection, which is made again when it is needed, in turn with other processes of this machine.

    Parameters
    ----------
    options : MqttOptions
    context : CarrierContext
    """

    def __init__(self, options: MqttOptions, context: CarrierContext) -> None:
        self._options, self._context = options, context
        self._stack: AsyncExitStack | None = None
        self._client: aiomqtt.Client | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        #: Under which name it connects; None if it may only read, and has no name for that.
        self._own = options.records if context.reading else options
        name = options.name if self._own is None else self._own.name
        self._turns = Turns(f"{name} at {options.host}:{options.port}")
        #: Correlation of a request -> client that answers, and its answer to come.
        self._waiting: dict[bytes, tuple[str, asyncio.Future[bytes]]] = {}

    async def open(self) -> None:
        """Connect."""
        async with self._turns.taken(_PATIENCE):
            await self._connected()

    async def send(self, wire: bytes, *, target: str, within: float) -> bytes:
        """Publish a command, and return the answer."""
        return await self._ask("request", wire, target, within)

    async def read(self, target: str, parameter: str, *, within: float) -> Reported:
        """Ask for a report."""
        request = ReadRequest(target=target, parameter=parameter)
        return checked_report(
            await self._ask("read", request.payload(), target, within), request=request, context=self._context
        )

    async def records(self, request: bytes, *, target: str, within: float) -> bytes:
        """Ask for a page of the record."""
        return await self._ask("records", request, target, within)

    async def close(self) -> None:
        """Disconnect; who waits for an answer gets none."""
        if self._reading is not None:
            await cancel_all([self._reading])
        if self._stack is not None:
            await self._leave()

    async def _ask(self, kind: str, payload: bytes, target: str, within: float) -> bytes:
        aiomqtt = _library()
        try:
            # A broker has one connection of a name: another process of this twin may use it just now.
            async with (
                asyncio.timeout(within),
                self._turns.taken(within / 2, stop=kind == "request" and is_stop(payload)),
            ):
                try:
                    return await self._ask_once(kind, payload, target, within)
                except aiomqtt.MqttCodeError as error:
                    if error.rc != _NOT_CONNECTED:
                        raise
                # Nothing has left this process: the connection had been lost unnoticed.
                await self.close()
                return await self._ask_once(kind, payload, target, within)
        except (TimeoutError, ConnectionError, aiomqtt.MqttError) as error:
            why = str(error) or f"none in {within:g} s"
            msg = f"{target}: expected an answer of its device, got {why}; read back and decide again"
            raise NoAnswerError(msg) from error

    async def _ask_once(self, kind: str, payload: bytes, target: str, within: float) -> bytes:
        client, device = await self._connected(), self._options.client_of(target)
        from paho.mqtt.packettypes import PacketTypes  # noqa: PLC0415  (aiomqtt's)
        from paho.mqtt.properties import Properties  # noqa: PLC0415

        correlation = secrets.token_bytes(16)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic, properties.CorrelationData = f"answer/{device}", correlation
        # The broker doesn't deliver later what nobody waits for any more.
        properties.MessageExpiryInterval = max(1, math.ceil(within))
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[correlation] = device, answer
        try:
            await client.publish(f"command/{device}/{kind}", payload, qos=1, properties=properties, timeout=within)
            return await answer
        finally:
            del self._waiting[correlation]
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, even if publishing failed first

    async def _connected(self) -> aiomqtt.Client:
        """Return the connection; make it first if there is none.

        Raises
        ------
        SourceError
            If it can't be made.
        """
        _library()
        import aiomqtt  # noqa: PLC0415  (checked above)

        options, own, file = self._options, self._own, self._context.file
        if own is None:
            msg = f"MQTT {options.host}:{options.port}: expected `records:` with the name, certificate and key of who reads records, got none"
            raise SourceError(msg)
        async with self._connecting:
            if self._client is not None and self._reading is not None and not self._reading.done():
                return self._client
            if self._stack is not None:
                await self._leave()
            broker = Broker(
                host=options.host, port=options.port, ca=file(options.ca), certificate=file(own.certificate),
                key=file(own.key),
            )  # fmt: skip
            stack = AsyncExitStack()
            try:
                client = await stack.enter_async_context(
                    aiomqtt.Client(
                        broker.host, broker.port, identifier=own.name, protocol=aiomqtt.ProtocolVersion.V5,
                        clean_start=True, timeout=_PATIENCE, tls_context=tls_context(broker), logger=_CLIENT_LOG,
                        # A stop doesn't wait for more to send.
                        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
                    )
                )  # fmt: skip
                await client.subscribe("answer/+", qos=1)
            except (aiomqtt.MqttError, OSError, TimeoutError) as error:
                await stack.aclose()
                msg = f"MQTT {broker.host}:{broker.port}: {error}; nothing was sent"
                raise SourceError(msg) from error
            self._stack, self._client = stack, client
            self._reading = asyncio.create_task(self._take(client))
            return client

    async def _take(self, client: aiomqtt.Client) -> None:
        """Give answers to who waits for them, until the connection ends."""
        import aiomqtt  # noqa: PLC0415  (an extra)

        try:
            async for message in client.messages:
                correlation = getattr(message.properties, "CorrelationData", b"")
                device, answer = self._waiting.get(correlation, ("", None))
                if answer is not None and not answer.done() and str(message.topic) == f"answer/{device}":
                    answer.set_result(message.payload)
        except aiomqtt.MqttError:
            # The connection is made again for the next request.
            pass
        finally:
            for _, answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("the connection was lost"))

    async def _leave(self) -> None:
        import aiomqtt  # noqa: PLC0415  (an extra)

        stack, self._stack, self._client = self._stack, None, None
        assert stack is not None
        try:
            await stack.aclose()
        except (aiomqtt.MqttError, OSError):
            # It was lost already.
            return


def _library() -> ModuleType:
    """Return aiomqtt.

    Raises
    ------
    SourceError
        If it isn't installed.
    """
    try:
        import aiomqtt  # noqa: PLC0415  (an extra)
    except ImportError as error:
        msg = 'MQTT needs aiomqtt, which isn\'t installed: pip install "twinlab-kit[mqtt]"'
        raise SourceError(msg) from error
    return aiomqtt


MQTT = CarrierKind("mqtt", MqttCarrier, MqttOptions)
