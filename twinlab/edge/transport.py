"""MQTT for gateways: topics, TLS and one connection with its will."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from twinlab.edge.settings import Broker
from twinlab.errors import SourceError

if TYPE_CHECKING:
    import aiomqtt

__all__ = ["Connect", "MqttTransport", "Transport", "client_context", "connect", "tls_context", "topic"]

# A lost connection is an error for the library; it is reported as what it is by who connects again.
_CLIENT_LOG = logging.getLogger("twinlab.edge.mqtt")
_CLIENT_LOG.setLevel(logging.CRITICAL)
#: Payloads that may wait for the program; MQTT delivers replies again that don't fit.
_QUEUE = 1_000
#: aiomqtt slows down with more publishes that wait for the broker.
MAX_IN_FLIGHT = 10


class Transport(Protocol):
    """One connection between a gateway and the historian."""

    async def publish(self, kind: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a payload, and return when the broker has it.

        Raises
        ------
        ConnectionError
            If the connection is lost.
        """

    def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield (kind, payload) for the gateway.

        Raises
        ------
        ConnectionError
            If the connection is lost.
        """


class Connect(Protocol):
    """Opens connections."""

    def __call__(self, broker: Broker, name: str, *, will: bytes) -> AbstractAsyncContextManager[Transport]:
        """Connect; ``will`` is the birth that is published when the connection ends."""


def topic(prefix: str, gateway: str, kind: str) -> str:
    """Return a topic: ``birth``, ``rows``, ``reply`` or ``request`` of a gateway.

    >>> topic("twinlab", "truck-1", "rows")
    'twinlab/truck-1/rows'
    """
    return f"{prefix}/{gateway}/{kind}"


def tls_context(broker: Broker) -> ssl.SSLContext | None:
    """Return the TLS settings of a connection, or None for one without TLS.

    Raises
    ------
    SourceError
        If a file of a certificate can't be read.
    """
    if broker.ca is None:
        return None
    return client_context(broker.ca, broker.certificate, broker.key, server=f"the broker {broker.host}:{broker.port}")


def client_context(ca: str, certificate: str | None, key: str | None, *, server: str) -> ssl.SSLContext:
    """Return the TLS settings of a client.

    Parameters
    ----------
    ca : str
        File with the certificate of the server's authority.
    certificate, key : str, optional
        Files with the client's certificate and its private key.
    server : str
        For messages: ``"the broker 10.0.0.1:8883"``.

    Raises
    ------
    SourceError
        If a file can't be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(one for one in (ca, certificate, key) if one)
        msg = f"certificates of {server} ({named}): {error}. Expected readable PEM files."
        raise SourceError(msg) from error
    return context


class MqttTransport:
    """A connection to the broker."""

    def __init__(self, client: aiomqtt.Client, prefix: str, name: str) -> None:
        self._client, self._prefix, self._name = client, prefix, name

    async def publish(self, kind: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a payload, and return when the broker has it."""
        import aiomqtt  # noqa: PLC0415  (an extra)

        try:
            await self._client.publish(topic(self._prefix, self._name, kind), payload, qos=1, retain=retain)
        except aiomqtt.MqttError as error:
            raise ConnectionError(str(error)) from error

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield (kind, payload) for the gateway."""
        import aiomqtt  # noqa: PLC0415  (an extra)

        try:
            async for message in self._client.messages:
                yield str(message.topic).rpartition("/")[2], message.payload
        except aiomqtt.MqttError as error:
            raise ConnectionError(str(error)) from error


@asynccontextmanager
async def connect(broker: Broker, name: str, *, will: bytes) -> AsyncIterator[Transport]:
    """Connect to the broker and subscribe to what is sent to the gateway.

    Raises
    ------
    SourceError
        If aiomqtt isn't installed or a certificate can't be read.
    ConnectionError
        If the broker can't be reached, or refuses or ends the connection.
    """
    try:
        import aiomqtt  # noqa: PLC0415  (an extra)
    except ImportError as error:
        msg = 'MQTT needs aiomqtt, which isn\'t installed: pip install "twinlab-kit[mqtt]"'
        raise SourceError(msg) from error
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        identifier=name,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
        keepalive=broker.keepalive,
        timeout=broker.keepalive,
        tls_context=tls_context(broker),
        will=aiomqtt.Will(topic(broker.prefix, name, "birth"), will, qos=1, retain=True),
        max_queued_incoming_messages=_QUEUE,
        max_inflight_messages=MAX_IN_FLIGHT,
        logger=_CLIENT_LOG,
    )
    try:
        async with client:
            for kind in ("reply", "request"):
                await client.subscribe(topic(broker.prefix, name, kind), qos=1)
            yield MqttTransport(client, broker.prefix, name)
    except (aiomqtt.MqttError, OSError) as error:
        raise ConnectionError(str(error)) from error
