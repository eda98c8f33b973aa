"""Connections of a gateway: its births and rows are signed, what the historian sends is verified."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from twinlab.edge.settings import Broker
from twinlab.edge.signatures.device_keys import DeviceKeys
from twinlab.edge.signatures.signed_bytes import NOTHING, digest_of, open_message, sign_message, unsigned
from twinlab.edge.transport import Connect, Transport
from twinlab.signing.keys.ring import Device, PublicKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["signing_connect", "verifying_connect"]

_LOG = logging.getLogger("twinlab.edge")


class _SigningTransport:
    """Signs what is published on a connection; what is received is passed on."""

    def __init__(self, inner: Transport, gateway: str, key: Ed25519PrivateKey) -> None:
        self._inner, self._gateway, self._key = inner, gateway, key
        self._before = NOTHING

    async def publish(self, kind: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a signed payload, and return when the broker has it."""
        before = self._before if kind == "rows" else NOTHING
        signed = sign_message(payload, kind=kind, gateway=self._gateway, key=self._key, before=before)
        if kind == "rows":
            self._before = digest_of(signed, kind=kind, gateway=self._gateway)
        await self._inner.publish(kind, signed, retain=retain)

    def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield (kind, payload) for the gateway."""
        return self._inner.messages()


def signing_connect(connect: Connect, key: Ed25519PrivateKey) -> Connect:
    """Return what opens connections whose messages are signed, the will that the broker publishes included."""

    @asynccontextmanager
    async def signed(broker: Broker, name: str, *, will: bytes) -> AsyncIterator[Transport]:
        will = sign_message(will, kind="birth", gateway=name, key=key)
        async with connect(broker, name, will=will) as inner:
            yield _SigningTransport(inner, name, key)

    return signed


class _VerifyingTransport:
    """Passes on what the historian signed for this gateway."""

    def __init__(self, inner: Transport, gateway: str, keys: DeviceKeys | None) -> None:
        self._inner, self._gateway, self._keys = inner, gateway, keys

    async def publish(self, kind: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a payload, and return when the broker has it."""
        await self._inner.publish(kind, payload, retain=retain)

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield (kind, payload) for the gateway, without signatures."""
        async for kind, payload in self._inner.messages():
            if self._keys is None:
                yield kind, unsigned(payload)
                continue
            opened = open_message(payload, kind=kind, gateway=self._gateway, keys=self._keys)
            if opened.fault is None:
                yield kind, opened.message
            else:
                # Rows that nobody has stored would be removed from the outbox.
                _LOG.warning("a message that the historian didn't sign", extra={"kind": kind, "error": opened.why})


def verifying_connect(connect: Connect, gateway: str, keys: Sequence[str]) -> Connect:
    """Return what opens connections that pass on only what the historian signed for a gateway.

    Parameters
    ----------
    connect : Connect
    gateway : str
        Its name.
    keys : sequence of str
        Public keys of the historian, as 64 hexadecimal digits; without one everything is passed on.

    Raises
    ------
    SourceError
        With keys, without the extra `mqtt`.
    """
    # What is signed for one gateway counts for that one alone: the key is looked up under its name.
    known = DeviceKeys.of({gateway: Device(keys=[PublicKey(public=one) for one in keys])}) if keys else None

    @asynccontextmanager
    async def verified(broker: Broker, name: str, *, will: bytes) -> AsyncIterator[Transport]:
        async with connect(broker, name, will=will) as inner:
            yield _VerifyingTransport(inner, name, known)

    return verified
