"""Connections of a gateway whose births and rows are signed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from twinlab.edge.settings import Broker
from twinlab.edge.signatures.signed_bytes import NOTHING, digest_of, sign_message
from twinlab.edge.transport import Connect, Transport

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["signing_connect"]


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
