"""Files of what can't be stored as rows; those of a twin that states privacy are encrypted."""

from __future__ import annotations

import hashlib
import io
import time
from pathlib import Path

from twinlab._files import sync_file, sync_folder
from twinlab.errors import SourceError
from twinlab.ledger.encryption.encryption import Encryption
from twinlab.ledger.encryption.files import encrypt_file, open_encrypted

__all__ = ["read_file", "write_file"]

_ENCRYPTED = ".enc"


def write_file(folder: Path, content: bytes, encryption: Encryption | None) -> Path:
    """Write content into a new file of a folder, durably, and return its path.

    The file is encrypted as the copy of a file is, if the twin states privacy: the content may concern people.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.time_ns()}.arrow{'' if encryption is None else _ENCRYPTED}"
    with path.open("xb") as file:
        if encryption is None:
            file.write(content)
        else:
            file_id = hashlib.sha256(content).hexdigest()
            key_id, month, key = encryption.file_key(file_id)
            encrypt_file(io.BytesIO(content), file, file_id=file_id, key_id=key_id, month=month, key=key)
    sync_file(path)
    sync_folder(folder)
    return path


def read_file(path: Path, encryption: Encryption | None) -> bytes:
    """Return the content of a file.

    Raises
    ------
    SourceError
        If its key was destroyed.
    CorruptionError
        If it is damaged.
    """
    if path.suffix != _ENCRYPTED:
        return path.read_bytes()
    if encryption is None:
        msg = (
            f"{path}: expected a twin that states privacy, whose keys decrypt the file; restore `privacy` in twin.yaml"
        )
        raise SourceError(msg)
    with open_encrypted(path, encryption.keys.key) as file:
        return file.read()
