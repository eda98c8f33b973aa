"""The bytes of a signed message: a header with the key's id and the signature, then the message as it is without one.

A DSSE envelope is JSON with base64 and at most 16 KiB: right for a command, a third larger and slower for a thousand rows. The
header here has 100 bytes: ``TWLS`` (with the version in the last byte of a word of four bytes that follows it)``, SHA-256 of the
public key`` (32 bytes)``, signature`` (64). What is signed is DSSE's pre-authentication encoding [1]_ of the message, whose type
names the kind and the gateway: rows are of no use as a birth, nor as those of another gateway, nor as a command.
The message itself has the outbox's token and the sequences, so that they are signed, too.

References
----------
.. [1] secure-systems-lab, "DSSE: Dead Simple Signing Envelope", protocol, version 1.0: ``PAE(type, body)``.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from twinlab.edge.signatures.device_keys import DeviceKeys

__all__ = ["FAULTS", "Fault", "Opened", "open_message", "sign_message"]

Fault = Literal["unsigned", "unknown key", "revoked key", "key of another", "changed"]
#: What can be wrong with a signature, in the order in which it is checked.
FAULTS: tuple[Fault, ...] = ("unsigned", "unknown key", "revoked key", "key of another", "changed")
_VERSION = 1
_HEADER = struct.Struct("<4sI32s64s")
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


def sign_message(message: bytes, *, kind: str, gateway: str, key: Ed25519PrivateKey) -> bytes:
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
    """
    key_id = hashlib.sha256(key.public_key().public_bytes_raw()).digest()
    signature = key.sign(_signed(message, kind, gateway))
    return _HEADER.pack(_MAGIC, _VERSION, key_id, signature) + message


def open_message(payload: bytes, *, kind: str, gateway: str, keys: DeviceKeys) -> Opened:
    """Return the message in a payload, and what is wrong with its signature.

    Examples
    --------
    >>> from twinlab.edge.signatures.device_keys import DeviceKeys
    >>> open_message(b"rows", kind="rows", gateway="truck-1", keys=DeviceKeys.of({})).fault
    'unsigned'
    """
    if len(payload) < _HEADER.size or payload[:4] != _MAGIC:
        return Opened(payload, "unsigned", "", f"expected a message signed by {gateway!r}, got one without a signature")
    _, version, key_id, signature = _HEADER.unpack_from(payload)
    message, name = payload[_HEADER.size :], key_id.hex()
    if version != _VERSION:
        return Opened(message, "unsigned", name, f"expected version {_VERSION} of signed messages, got {version}")
    known = keys.by_id.get(name)
    if known is None:
        return Opened(
            message, "unknown key", name, f"expected a key of {gateway!r}, got {name[:12]}…, which no device has"
        )
    if known.revoked is not None:
        return Opened(
            message, "revoked key", name, f"the key {name[:12]}… of {known.device!r} is revoked: {known.revoked}"
        )
    if known.device != gateway:
        why = f"expected a key of {gateway!r}, got {name[:12]}…, which is one of {known.device!r}"
        return Opened(message, "key of another", name, why)
    if not known.verifies(signature, _signed(message, kind, gateway)):
        return Opened(message, "changed", name, f"the signature of key {name[:12]}… doesn't match these bytes")
    return Opened(message, None, name)


def unsigned(payload: bytes) -> bytes:
    """Return the message in a payload, signed or not, unverified."""
    signed = len(payload) >= _HEADER.size and payload[:4] == _MAGIC
    return payload[_HEADER.size :] if signed else payload


def _signed(message: bytes, kind: str, gateway: str) -> bytes:
    what = f"application/vnd.twinlab.gateway.{kind}; gateway={gateway}".encode()
    return b"".join((b"DSSEv1 %d " % len(what), what, b" %d " % len(message), message))
