"""Keys of who signs commands: made for the file of keys, read as signers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import ControlError
from twinlab.signing.keys.private_keys import make_key, public_text, read_key
from twinlab.signing.keys.ring import PublicKey

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

__all__ = ["create_key", "read_signer"]


def create_key(path: Path | str, *, note: str = "", passphrase: str | None = None) -> PublicKey:
    """Write a new Ed25519 key, and return its public part for the file of keys.

    Parameters
    ----------
    path, passphrase
        See `make_key`.
    note : str
        For `PublicKey.note`.

    Raises
    ------
    SchemaError
        As `make_key`.
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
    return PublicKey(public=make_key(Path(path), passphrase=passphrase), note=note)


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
        As `read_key`.
    ControlError
        Without the extra `control`.
    """
    key = read_key(Path(path), passphrase=passphrase)
    try:
        from securesystemslib.signer import CryptoSigner, SSlibKey  # noqa: PLC0415  (loaded on first use)
    except ImportError as error:
        msg = f'keys need {error.name}, which isn\'t installed: pip install "twinlab-kit[control]"'
        raise ControlError(msg) from error
    public = public_text(key)
    return CryptoSigner(key, SSlibKey(PublicKey(public=public).key_id, "ed25519", "ed25519", {"public": public}))
