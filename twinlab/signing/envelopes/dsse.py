"""Signing and verifying of bytes: DSSE envelopes of securesystemslib with Ed25519 keys.

References
----------
.. [1] secure-systems-lab, "DSSE: Dead Simple Signing Envelope", protocol and envelope, version 1.0.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinlab.errors import CommandRejectedError, ControlError
from twinlab.signing.envelopes.strict_json import MAX_BYTES, read_json

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import Key, Signer

__all__ = [
    "MAX_SIGNATURES",
    "Opened",
    "add_signature",
    "check_payload_type",
    "open_envelope",
    "public_key",
    "read_envelope",
    "read_payload",
    "sign_payload",
    "verify_signatures",
]

#: Verifying costs about 0.1 ms a signature: more than any number of persons that a command may need isn't tried.
MAX_SIGNATURES = 8
_SIGNATURE_BYTES = 64


@dataclass(frozen=True)
class Opened:
    """Bytes whose signatures are all verified."""

    payload: bytes
    """The bytes that were signed."""
    key_ids: tuple[str, ...]
    """Keys that signed, sorted."""


def sign_payload(payload: bytes, payload_type: str, signer: Signer) -> bytes:
    """Return bytes as an envelope with one signature.

    Parameters
    ----------
    payload : bytes
    payload_type : str
        Part of what is signed: bytes of one type are of no use as another.
    signer : securesystemslib.signer.Signer
        With an Ed25519 key, such as ``CryptoSigner.generate_ed25519()``.

    Raises
    ------
    CommandRejectedError
        If the envelope would be larger than 16 KiB.
    ControlError
        Without the extra `control`.
    """
    envelope = _library()[0](payload, payload_type, {})
    envelope.sign(signer)
    return _bytes(envelope)


def read_payload(wire: bytes, *, payload_type: str) -> bytes:
    """Return the payload of an envelope, not verified: for who signs it and wants to know what.

    Raises
    ------
    CommandRejectedError
        If the envelope can't be read, or has another payload type.
    """
    payload: bytes = _read_envelope(wire, payload_type).payload
    return payload


def add_signature(wire: bytes, *, payload_type: str, signer: Signer) -> bytes:
    """Return an envelope with one more signature of the same bytes.

    Raises
    ------
    CommandRejectedError
        If the envelope can't be read, has another payload type, or the key has signed it already.
    """
    envelope = _read_envelope(wire, payload_type)
    if signer.public_key.keyid in envelope.signatures:
        msg = f"envelope.signatures: expected another key, got {signer.public_key.keyid}, which has signed already"
        raise CommandRejectedError(msg)
    if len(envelope.signatures) >= MAX_SIGNATURES:
        raise _signature_count(len(envelope.signatures) + 1)
    envelope.sign(signer)
    return _bytes(envelope)


def open_envelope(wire: bytes, *, payload_type: str, keys: Mapping[str, Key]) -> Opened:
    """Return the payload of an envelope if each of its signatures is valid.

    Parameters
    ----------
    wire : bytes
        The envelope as it came.
    payload_type : str
        The type that is expected.
    keys : mapping of str to securesystemslib.signer.Key
        Key id -> public key, of those whose signatures count: a revoked key isn't among them.

    Raises
    ------
    CommandRejectedError
        If the envelope can't be read, has another payload type, has no signature, one by an unknown key or one that doesn't
        match.
    ControlError
        Without the extra `control`.
    """
    envelope = _read_envelope(wire, payload_type)
    return Opened(envelope.payload, verify_signatures(envelope, keys))


def read_envelope(wire: bytes) -> Envelope:
    """Return an envelope of any payload type as securesystemslib has it, not verified.

    Raises
    ------
    CommandRejectedError
        If it can't be read.
    ControlError
        Without the extra `control`.
    """
    make_envelope, make_signature, _ = _library()
    found = read_json(wire, what="envelope")
    _check_keys(found, {"payload", "payloadType", "signatures"}, "envelope")
    if not isinstance(found["payloadType"], str):
        msg = f"envelope.payloadType: expected a text, got {ascii(found['payloadType'])[:80]}"
        raise CommandRejectedError(msg)
    signatures = {
        key_id: make_signature(key_id, signature) for key_id, signature in _signatures(found["signatures"]).items()
    }
    payload = _base64(found["payload"], "envelope.payload")
    envelope: Envelope = make_envelope(payload, found["payloadType"], signatures)
    return envelope


def check_payload_type(envelope: Envelope, expected: str) -> None:
    """Refuse an envelope of another payload type.

    Raises
    ------
    CommandRejectedError
        If its type is another.
    """
    if envelope.payload_type != expected:
        msg = f"envelope.payloadType: expected {expected}, got {ascii(envelope.payload_type)[:80]}"
        raise CommandRejectedError(msg)


def verify_signatures(envelope: Envelope, keys: Mapping[str, Key]) -> tuple[str, ...]:
    """Return the ids of the keys that signed, sorted, if each signature of an envelope is valid; see `open_envelope`."""
    unverified = _library()[2]
    if not envelope.signatures:
        raise _signature_count(0)
    signed = envelope.pae()
    for key_id, signature in envelope.signatures.items():
        key = keys.get(key_id)
        if key is None:
            msg = f"envelope.signatures: expected keys that are known and not revoked, got {ascii(key_id)[:80]}"
            raise CommandRejectedError(msg)
        if (key.keytype, key.scheme) != ("ed25519", "ed25519"):
            msg = f"key {key_id}: expected an Ed25519 key, got {key.scheme}"
            raise CommandRejectedError(msg)
        try:
            key.verify_signature(signature, signed)
        except unverified as error:
            msg = f"envelope.signatures: expected a signature of this payload, got one of key {key_id} that doesn't match it"
            raise CommandRejectedError(msg) from error
    return tuple(sorted(envelope.signatures))


def public_key(key_id: str, public: str) -> Key:
    """Return an Ed25519 key of securesystemslib from the 64 hexadecimal digits of the public key.

    Raises
    ------
    ControlError
        Without the extra `control`.
    """
    _library()
    from securesystemslib.signer import SSlibKey  # noqa: PLC0415  (checked above)

    return SSlibKey(key_id, "ed25519", "ed25519", {"public": public})


def _read_envelope(wire: bytes, payload_type: str) -> Envelope:
    envelope = read_envelope(wire)
    check_payload_type(envelope, payload_type)
    return envelope


def _signatures(entries: object) -> dict[str, str]:
    """Return key id -> signature as hexadecimal digits."""
    if not isinstance(entries, list):
        msg = f"envelope.signatures: expected a list, got {type(entries).__name__}"
        raise CommandRejectedError(msg)
    if len(entries) > MAX_SIGNATURES:
        raise _signature_count(len(entries))
    signatures: dict[str, str] = {}
    for place, entry in enumerate(entries):
        where = f"envelope.signatures[{place}]"
        if not isinstance(entry, dict):
            msg = f"{where}: expected an object with keyid and sig, got {type(entry).__name__}"
            raise CommandRejectedError(msg)
        _check_keys(entry, {"keyid", "sig"}, where)
        key_id, signature = entry["keyid"], _base64(entry["sig"], f"{where}.sig")
        if not isinstance(key_id, str) or key_id in signatures:
            msg = f"{where}.keyid: expected a text that no other signature has, got {ascii(key_id)[:80]}"
            raise CommandRejectedError(msg)
        if len(signature) != _SIGNATURE_BYTES:
            msg = f"{where}.sig: expected {_SIGNATURE_BYTES} bytes, got {len(signature)}"
            raise CommandRejectedError(msg)
        signatures[key_id] = signature.hex()
    return signatures


def _check_keys(found: dict[str, Any], expected: set[str], where: str) -> None:
    if found.keys() != expected:
        msg = f"{where}: expected the keys {', '.join(sorted(expected))}, got {ascii(sorted(found))[:80]}"
        raise CommandRejectedError(msg)


def _base64(text: object, where: str) -> bytes:
    # One spelling for the same bytes only: the library itself ignores characters that aren't base64.
    try:
        found = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        found = None
    if found is None or base64.b64encode(found).decode() != text:
        msg = f"{where}: expected base64 with padding, got {ascii(text)[:80]}"
        raise CommandRejectedError(msg)
    return found


def _signature_count(count: int) -> CommandRejectedError:
    return CommandRejectedError(f"envelope.signatures: expected 1 to {MAX_SIGNATURES}, got {count}")


def _bytes(envelope: Envelope) -> bytes:
    wire = json.dumps(envelope.to_dict(), separators=(",", ":")).encode()
    if len(wire) > MAX_BYTES:
        msg = f"envelope: expected at most {MAX_BYTES} bytes, got {len(wire)}"
        raise CommandRejectedError(msg)
    return wire


def _library() -> tuple[Any, Any, type[Exception]]:
    try:
        # securesystemslib verifies more slowly by itself without cryptography, and can't sign.
        import cryptography  # noqa: F401, PLC0415  (loaded on first use)
        from securesystemslib.dsse import Envelope  # noqa: PLC0415
        from securesystemslib.exceptions import UnverifiedSignatureError  # noqa: PLC0415
        from securesystemslib.signer import Signature  # noqa: PLC0415
    except ImportError as error:
        msg = f'signatures need {error.name}, which isn\'t installed: pip install "twinlab-kit[control]"'
        raise ControlError(msg) from error
    return Envelope, Signature, UnverifiedSignatureError
