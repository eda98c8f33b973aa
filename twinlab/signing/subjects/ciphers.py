"""AES-256-GCM of bytes, with a nonce drawn for each message; AES-SIV of names, which gives the same text for the same name."""

from __future__ import annotations

import base64
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from twinlab.errors import CorruptionError, SourceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

__all__ = ["KEY_BYTES", "decrypt", "decrypt_name", "derive", "encrypt", "encrypt_name"]

KEY_BYTES = 32
_NONCE = 12


def _need() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415
    except ImportError as error:
        msg = (
            "personal data are encrypted with the package cryptography, which isn't installed: "
            "pip install 'twinlab-kit[privacy]'"
        )
        raise SourceError(msg) from error


@lru_cache(maxsize=4096)
def _gcm(key: bytes) -> AESGCM:
    _need()
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  (loads OpenSSL)

    return AESGCM(key)


@lru_cache(maxsize=256)
def _siv(key: bytes) -> AESSIV:
    _need()
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415  (loads OpenSSL)

    return AESSIV(derive(key, b"AES-SIV", length=64))


def encrypt(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """Return a nonce and the ciphertext with its tag; it is decrypted only with the same ``bound_to``.

    >>> key = bytes(32)
    >>> decrypt(key, encrypt(key, b"Ann", b"trips"), b"trips")
    b'Ann'
    """
    nonce = os.urandom(_NONCE)
    return nonce + _gcm(key).encrypt(nonce, plain, bound_to)


def decrypt(key: bytes, data: bytes, bound_to: bytes) -> bytes:
    """Return what was encrypted.

    Raises
    ------
    CorruptionError
        If the bytes were changed, or are of another place.
    """
    cipher = _gcm(key)
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  (loads OpenSSL)

    try:
        return cipher.decrypt(data[:_NONCE], data[_NONCE:], bound_to)
    except InvalidTag as error:
        msg = "encrypted personal data differ from what was written; run `twinlab verify`, then restore the ledger"
        raise CorruptionError(msg) from error


def encrypt_name(key: bytes, name: str, *bound_to: str) -> str:
    """Return a name under AES-SIV as text; equal names give equal texts.

    >>> key = bytes(32)
    >>> decrypt_name(key, encrypt_name(key, "Ann", "trips"), "trips")
    'Ann'
    """
    made = _siv(key).encrypt(name.encode(), [part.encode() for part in bound_to])
    return base64.b32encode(made).decode().rstrip("=").lower()


def decrypt_name(key: bytes, text: str, *bound_to: str) -> str | None:
    """Return the name; None if the text isn't of this key and of these."""
    cipher = _siv(key)
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  (loads OpenSSL)

    try:
        data = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
        return cipher.decrypt(data, [part.encode() for part in bound_to]).decode()
    except (InvalidTag, ValueError):
        return None


def derive(key: bytes, info: bytes, *, length: int = KEY_BYTES) -> bytes:
    """Return a key for one use, derived from another by HKDF with SHA-256 (RFC 5869)."""
    _need()
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  (loads OpenSSL)
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return HKDF(SHA256(), length, salt=None, info=b"twinlab " + info).derive(key)
