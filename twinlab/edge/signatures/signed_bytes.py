"""The bytes of a signed message: a header with the key's id and the signature, then the message as it is without one.

A DSSE envelope is JSON with base64 and at most 16 KiB: right for a command, a third larger and slower for a thousand rows. The
header here has 136 bytes: ``TWLS`` (4), the version (4), SHA-256 of the public key (32), SHA-256 of what was signed before it
(32), the signature (64). What is signed is DSSE's pre-authentication encoding [1]_ of the hash before and the message, whose type names
the kind and the gateway: rows are of no use as a birth, nor as those of another gateway, nor as a command. The message
itself has the outbox's token and the sequences, so that they are signed, too.

The hash before makes a chain of the messages of a connection: of messages that arrive together in their order, one signature proves
all. Each is provable alone as well, so that a message that is lost or sent again costs one more verification and nothing else.

References
----------
.. [1] secure-systems-lab, "DSSE: Dead Simple Signing Envelope", protocol, version 1.0: ``PAE(type, body)``.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from twinlab.edge.signatures.device_keys import DeviceKey, DeviceKeys

__all__ = [
    "FAULTS",
    "NOTHING",
    "Fault",
    "Opened",
    "digest_of",
    "open_message",
    "open_messages",
    "sign_message",
    "unsigned",
]

Fault = Literal["unsigned", "unknown key", "revoked key", "key of another", "changed"]
#: What can be wrong with a signature, in the order in which it is checked.
FAULTS: tuple[Fault, ...] = ("unsigned", "unknown key", "revoked key", "key of another", "changed")
_VERSION = 1
_HEADER = struct.Struct("<4sI32s32s64s")
#: The hash before the first message of a connection.
NOTHING = bytes(32)
_MAGIC = b"TWLS"


@dataclass(frozen=True, slots=True)
class Opened:
    """A message, and what is wrong with its signature."""

    message: bytes
    """Without the header; to be believed only if nothing is wrong."""
    fault: Fault | None
    key_id: str = ""
    """SHA-256 of the public key that the header names; empty without a header."""
    why: str = ""
    """What was expected and what came, for people."""


def sign_message(message: bytes, *, kind: str, gateway: str, key: Ed25519PrivateKey, before: bytes = NOTHING) -> bytes:
    """Return a message with a header that proves who wrote it.

    Parameters
    ----------
    message : bytes
        A birth or rows, as `twinlab.edge.messages.pack` returns them.
    kind : str
        ``"birth"`` or ``"rows"``.
    gateway : str
        Name of the gateway; only under it the message is valid.
    key : Ed25519PrivateKey
    before : bytes
        `digest_of` what was sent before on this connection.
    """
    key_id = hashlib.sha256(key.public_key().public_bytes_raw()).digest()
    signature = key.sign(_signed(before + message, kind, gateway))
    return _HEADER.pack(_MAGIC, _VERSION, key_id, before, signature) + message


def digest_of(payload: bytes, *, kind: str, gateway: str) -> bytes:
    """Return the hash of what the signature of a payload signs; the next message names it."""
    before = _HEADER.unpack_from(payload)[3]
    return hashlib.sha256(_signed(before + payload[_HEADER.size :], kind, gateway)).digest()


def open_message(payload: bytes, *, kind: str, gateway: str, keys: DeviceKeys) -> Opened:
    """Return the message in a payload, and what is wrong with its signature.

    Examples
    --------
    >>> from twinlab.edge.signatures.device_keys import DeviceKeys
    >>> open_message(b"rows", kind="rows", gateway="truck-1", keys=DeviceKeys.of({})).fault
    'unsigned'
    """
    return open_messages([payload], kind=kind, gateway=gateway, keys=keys)[0]


def open_messages(payloads: Sequence[bytes], *, kind: str, gateway: str, keys: DeviceKeys) -> list[Opened]:
    """Return the messages in payloads of one gateway, in the order in which they came, and what is wrong with each signature.

    One that a later, valid one of the same key names as the one before it isn't verified again.
    """
    out: list[Opened] = []
    # Key and hash of the message that the one behind it proves.
    proven: tuple[bytes, bytes] | None = None
    for payload in reversed(payloads):
        opened, known = _named(payload, gateway, keys)
        if known is not None:
            _, _, key_id, before, signature = _HEADER.unpack_from(payload)
            signed = _signed(before + opened.message, kind, gateway)
            follows = proven is not None and proven == (key_id, hashlib.sha256(signed).digest())
            if follows or known.verifies(signature, signed):
                proven = key_id, before
            else:
                why = f"the signature of key {opened.key_id[:12]}… doesn't match these bytes"
                opened, proven = Opened(opened.message, "changed", opened.key_id, why), None
        out.append(opened)
    return out[::-1]


def _named(payload: bytes, gateway: str, keys: DeviceKeys) -> tuple[Opened, DeviceKey | None]:
    """Return a message, and the key that its header names if it counts for the gateway; otherwise what is wrong."""
    if len(payload) < _HEADER.size or payload[:4] != _MAGIC:
        why = f"expected a message signed by {gateway!r}, got one without a signature"
        return Opened(payload, "unsigned", "", why), None
    _, version, key_id, _, _ = _HEADER.unpack_from(payload)
    message, name = payload[_HEADER.size :], key_id.hex()
    if version != _VERSION:
        why = f"expected version {_VERSION} of signed messages, got {version}"
        return Opened(message, "unsigned", name, why), None
    known = keys.by_id.get(name)
    if known is None:
        why = f"expected a key of {gateway!r}, got {name[:12]}…, which no device has"
        return Opened(message, "unknown key", name, why), None
    if known.revoked is not None:
        why = f"the key {name[:12]}… of {known.device!r} is revoked: {known.revoked}"
        return Opened(message, "revoked key", name, why), None
    if known.device != gateway:
        why = f"expected a key of {gateway!r}, got {name[:12]}…, which is one of {known.device!r}"
        return Opened(message, "key of another", name, why), None
    return Opened(message, None, name), known


def unsigned(payload: bytes) -> bytes:
    """Return the message in a payload, signed or not, unverified."""
    signed = len(payload) >= _HEADER.size and payload[:4] == _MAGIC
    return payload[_HEADER.size :] if signed else payload


def _signed(message: bytes, kind: str, gateway: str) -> bytes:
    what = f"application/vnd.twinlab.gateway.{kind}; gateway={gateway}".encode()
    return b"".join((b"DSSEv1 %d " % len(what), what, b" %d " % len(message), message))
