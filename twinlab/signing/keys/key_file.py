"""Private keys in files: made for people and devices, read by who signs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import ControlError, SchemaError
from twinlab.signing.keys.ring import PublicKey
from twinlab.signing.keys.sealed import SHORTEST_PASSPHRASE

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

__all__ = ["create_key", "read_signer"]


def create_key(path: Path | str, *, note: str = "", passphrase: str | None = None) -> PublicKey:
    """Write a new Ed25519 key, and return its public part for the file of keys.

    Parameters
    ----------
    path : Path or str
        The new file: PEM (PKCS #8), readable by its owner alone.
    note : str
        For `PublicKey.note`.
    passphrase : str, optional
        Encrypts the key; at least 14 characters. Without it whoever can read the file can sign.

    Raises
    ------
    SchemaError
        If the file exists, or can't be written; if the passphrase is shorter.
    ControlError
        Without the extra `control`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "ann.pem"
    >>> public = create_key(path)
    >>> read_signer(path).public_key.keyid == public.key_id
    True
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
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(text)
    except OSError as error:
        msg = f"{path}: expected a new file for a key, got: {error.strerror or error}; choose another path: keys aren't overwritten"
        raise SchemaError(msg) from error
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return PublicKey(public=raw.hex(), note=note)


def read_signer(path: Path | str, *, passphrase: str | None = None) -> CryptoSigner:
    """Return what signs with the key of a file; its key id is `PublicKey.key_id`.

    Parameters
    ----------
    path : Path or str
        A file of `create_key`.
    passphrase : str, optional
        If the key is encrypted.

    Raises
    ------
    SchemaError
        If the file can't be read, others than its owner may read it, it isn't an Ed25519 key, or the passphrase isn't the one
        it is encrypted with.
    ControlError
        Without the extra `control`.
    """
    _library()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (checked above)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from securesystemslib.signer import CryptoSigner, SSlibKey  # noqa: PLC0415

    try:
        mode = Path(path).stat().st_mode
        key = serialization.load_pem_private_key(
            Path(path).read_bytes(), None if passphrase is None else passphrase.encode()
        )
    except (OSError, ValueError, TypeError) as error:
        msg = f"{path}: expected a private key in PEM{', with this passphrase' if passphrase else ', not encrypted'}, got: {error}"
        raise SchemaError(msg) from error
    if os.name == "posix" and mode & 0o077:
        msg = f"{path}: expected a key that only its owner can read, got one that others can; run: chmod 600 {path}"
        raise SchemaError(msg)
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path}: expected an Ed25519 key, got {type(key).__name__}"
        raise SchemaError(msg)
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
    return CryptoSigner(key, SSlibKey(PublicKey(public=raw).key_id, "ed25519", "ed25519", {"public": raw}))


def _library() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415  (loaded on first use)
        import securesystemslib  # noqa: F401, PLC0415
    except ImportError as error:
        msg = f'keys need {error.name}, which isn\'t installed: pip install "twinlab-kit[control]"'
        raise ControlError(msg) from error
