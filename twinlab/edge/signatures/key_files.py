"""Private keys of gateways: PEM files that only their owner can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["make_key", "need_cryptography", "public_text", "read_key"]


def need_cryptography() -> None:
    """Raise `SourceError` if the library isn't installed."""
    try:
        import cryptography  # noqa: F401, PLC0415  (an extra)
    except ImportError as error:
        msg = 'signed messages need cryptography, which isn\'t installed: pip install "twinlab-kit[mqtt]"'
        raise SourceError(msg) from error


def make_key(path: Path) -> str:
    """Write a new Ed25519 key to a file that doesn't exist yet; return the public key as 64 hexadecimal digits.

    Raises
    ------
    SchemaError
        If the file exists, or can't be written.
    SourceError
        Without the extra `mqtt`.
    """
    need_cryptography()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (checked above)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(text)
    except FileExistsError as error:
        msg = f"{path}: expected no file, got one; a key is never overwritten. Choose another name"
        raise SchemaError(msg) from error
    except OSError as error:
        msg = f"{path}: the key can't be written ({error})"
        raise SchemaError(msg) from error
    return public_text(key)


def read_key(path: Path) -> Ed25519PrivateKey:
    """Return the private key in a PEM file.

    Raises
    ------
    SourceError
        If the file can't be read, has another kind of key, or others than its owner may read it; without the extra `mqtt`.
    """
    need_cryptography()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (checked above)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            msg = f"{path}: expected a key that only its owner can read, got one that others can; run  chmod 600 {path}"
            raise SourceError(msg)
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        msg = f"{path}: expected an Ed25519 key in PEM without a password, got: {error}"
        raise SourceError(msg) from error
    if not isinstance(found, Ed25519PrivateKey):
        msg = f"{path}: expected an Ed25519 key, got {type(found).__name__}; make one with  twinlab device-key FILE"
        raise SourceError(msg)
    return found


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public key of a private one as a key ring spells it: 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()
