"""Private keys of people on a server, each sealed with a passphrase that only its owner knows.

References
----------
.. [1] RFC 7914, The scrypt Password-Based Key Derivation Function.
.. [2] RFC 5116, An Interface and Algorithms for Authenticated Encryption (AES-256-GCM).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlab._files import file_name
from twinlab.errors import CommandRejectedError, ControlError, SchemaError
from twinlab.signing.envelopes import public_key
from twinlab.signing.keys.ring import PublicKey

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

__all__ = ["SHORTEST_PASSPHRASE", "SealedKeys"]

#: Characters. A password manager's, or five words of a list: guessing one takes longer than a key is used.
SHORTEST_PASSPHRASE = 14
#: scrypt with 128 MiB and about 0.4 s for each guess.
_COST = {"n": 2**17, "r": 8, "p": 1}
_MEMORY = 256 * 1024 * 1024
#: After so many wrong passphrases for a name, nobody can try for so long.
_TRIES, _PAUSE = 5, 300.0
#: One derivation at a time: each takes 128 MiB.
_DERIVING = threading.Lock()


class SealedKeys:
    """A folder of sealed keys, one for each name.

    The server has the key in memory while its owner signs. Whoever controls the server then can sign, too; a stolen disk or
    backup is of no use without the passphrase.

    Parameters
    ----------
    folder : Path or str
        Made when the first key is.
    """

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)
        self._failures: dict[str, list[float]] = {}

    def names(self) -> list[str]:
        """Return whose keys are here."""
        found = (_stated(path) for path in sorted(self._folder.glob("*.json")))
        return [str(one["name"]) for one in found]

    def create(self, name: str, passphrase: str, *, note: str = "sealed on the server") -> PublicKey:
        """Make a key for somebody, and return its public part for the file of keys.

        Parameters
        ----------
        name : str
            As in the file of keys.
        passphrase : str
            At least 14 characters.
        note : str
            For `PublicKey.note`.

        Raises
        ------
        SchemaError
            If the passphrase is too short, or the name has a key here already.
        ControlError
            Without the extra `control`.
        """
        if len(passphrase) < SHORTEST_PASSPHRASE:
            msg = f"expected a passphrase of at least {SHORTEST_PASSPHRASE} characters, got {len(passphrase)}; use five words, or a password manager"
            raise SchemaError(msg)
        aes, ed25519, serialization = _library()
        key = ed25519.Ed25519PrivateKey.generate()
        raw = key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
        salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
        stated = {"name": name, "public": public, "salt": _text(salt), "nonce": _text(nonce), **_COST}
        sealed = aes.AESGCM(_derived(passphrase, stated)).encrypt(nonce, raw, _bound(stated))
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            msg = f"{path}: {name} has a key here already; revoke it in the file of keys and remove this file, then make another"
            raise SchemaError(msg) from error
        with os.fdopen(file, "w", encoding="utf-8") as out:
            json.dump({**stated, "sealed": _text(sealed)}, out)
        return PublicKey(public=public, note=note)

    def unlock(self, name: str, passphrase: str) -> CryptoSigner:
        """Return what signs with somebody's key.

        Raises
        ------
        CommandRejectedError
            If the name has no key here, the passphrase is wrong, or five wrong ones came within five minutes.
        ControlError
            Without the extra `control`.
        """
        path = self._path(name)
        if not path.is_file():
            msg = f"{name} has no key on this server; make one with: twinlab keys seal"
            raise CommandRejectedError(msg)
        now = time.monotonic()
        recent = [at for at in self._failures.get(name, []) if now - at < _PAUSE]
        if len(recent) >= _TRIES:
            msg = f"{_TRIES} wrong passphrases for the key of {name}; wait {_PAUSE - (now - recent[0]):.0f} s"
            raise CommandRejectedError(msg)
        # Counted before it is checked: guesses that come at once count, too.
        self._failures[name] = [*recent, now]
        signer = _opened(_stated(path), name, passphrase)
        self._failures.pop(name, None)
        return signer

    def _path(self, name: str) -> Path:
        return self._folder / f"{file_name(name)}.json"


def _opened(stated: dict[str, Any], name: str, passphrase: str) -> CryptoSigner:
    aes, ed25519, _ = _library()
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  (checked above)
    from securesystemslib.signer import CryptoSigner  # noqa: PLC0415

    wrong = f"the passphrase isn't the one of the key of {name}"
    if stated["name"] != name:
        raise CommandRejectedError(wrong)
    try:
        raw = aes.AESGCM(_derived(passphrase, stated)).decrypt(
            _bytes(stated["nonce"]), _bytes(stated["sealed"]), _bound(stated)
        )
    except InvalidTag as error:
        raise CommandRejectedError(wrong) from error
    public = str(stated["public"])
    key_id = PublicKey(public=public).key_id
    return CryptoSigner(ed25519.Ed25519PrivateKey.from_private_bytes(raw), public_key(key_id, public))


def _stated(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found.keys() == {"name", "public", "salt", "nonce", "sealed", *_COST} and all(
            found[one] == _COST[one] for one in _COST
        ):
            return found
        reason = "other fields"
    except (OSError, ValueError, AttributeError) as error:
        reason = str(error)
    msg = f"{path}: expected a sealed key, got {reason}"
    raise SchemaError(msg)


def _derived(passphrase: str, stated: dict[str, Any]) -> bytes:
    with _DERIVING:
        return hashlib.scrypt(
            passphrase.encode(),
            salt=_bytes(stated["salt"]),
            n=stated["n"],
            r=stated["r"],
            p=stated["p"],
            maxmem=_MEMORY,
            dklen=32,
        )


def _bound(stated: dict[str, Any]) -> bytes:
    """Return the data that the encryption authenticates: a sealed key can't be put under another name."""
    return json.dumps([stated["name"], stated["public"]]).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _library() -> tuple[Any, Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (loaded on first use)
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers import aead  # noqa: PLC0415
        from securesystemslib import signer  # noqa: F401, PLC0415
    except ImportError as error:
        msg = f'keys need {error.name}, which isn\'t installed: pip install "twinlab-kit[control]"'
        raise ControlError(msg) from error
    return aead, ed25519, serialization
