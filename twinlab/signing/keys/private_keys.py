"""Private keys in files: Ed25519 in PEM, which only their owner can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import ControlError, SchemaError
from twinlab.signing.keys.sealed import SHORTEST_PASSPHRASE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["make_key", "public_text", "read_key"]


def make_key(path: Path, *, passphrase: str | None = None) -> str:
    """Write a new key to a file that doesn't exist yet, and return the public key as 64 hexadecimal digits.

    Parameters
    ----------
    path : Path
        The new file: PEM (PKCS #8), readable by its owner alone.
    passphrase : str, optional
        Encrypts the key; at least 14 characters. Without it whoever can read the file can sign.

    Raises
    ------
    SchemaError
        If the file exists, or can't be written; if the passphrase is shorter.
    ControlError
        Without cryptography.
    """
    _library()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (checked above)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    if passphrase is not None and len(passphrase) < SHORTEST_PASSPHRASE:
        msg = f"passphrase: expected at least {SHORTEST_PASSPHRASE} characters, got {len(passphrase)}; five words of a list do"
        raise SchemaError(msg)
    key = Ed25519PrivateKey.generate()
    encryption = (
        serialization.NoEncryption()
        if passphrase is None
        else serialization.BestAvailableEncryption(passphrase.encode())
    )
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(text)
    except OSError as error:
        msg = f"{path}: expected a new file for a key, got: {error.strerror or error}; choose another path: keys aren't overwritten"
        raise SchemaError(msg) from error
    return public_text(key)


def read_key(path: Path, *, passphrase: str | None = None) -> Ed25519PrivateKey:
    """Return the private key in a file of `make_key`.

    Raises
    ------
    SchemaError
        If the file can't be read, others than its owner may read it, it has another kind of key, or the passphrase isn't the one
        it is encrypted with.
    ControlError
        Without cryptography.
    """
    _library()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (checked above)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    try:
        mode = path.stat().st_mode
        key = serialization.load_pem_private_key(path.read_bytes(), None if passphrase is None else passphrase.encode())
    except (OSError, ValueError, TypeError) as error:
        msg = f"{path}: expected a private key in PEM{', with this passphrase' if passphrase else ', not encrypted'}, got: {error}"
        raise SchemaError(msg) from error
    if os.name == "posix" and mode & 0o077:
        msg = f"{path}: expected a key that only its owner can read, got one that others can; run: chmod 600 {path}"
        raise SchemaError(msg)
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path}: expected an Ed25519 key, got {type(key).__name__}"
        raise SchemaError(msg)
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public key of a private one as a key ring spells it: 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()


def _library() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415  (an extra)
    except ImportError as error:
        msg = 'keys need cryptography, which isn\'t installed: pip install "twinlab-kit[control]"'
        raise ControlError(msg) from error
