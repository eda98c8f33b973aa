"""A copy of a source file, encrypted in pieces under a key of its own.

``[magic 4][length 4][header JSON]``, then pieces ``[length 4][nonce and ciphertext]``, then the SHA-256 of all that. Each piece is bound to the
file, to its number and to whether it is the last one, so that none can be exchanged, left out or cut. Without the key, the SHA-256 still
shows damage.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from twinlab.errors import SourceError
from twinlab.ledger.format.disk import corrupt
from twinlab.signing.subjects.ciphers import decrypt, encrypt

__all__ = ["check_file", "encrypt_file", "has_key", "open_encrypted"]

_MAGIC = b"TLE1"
_LENGTH = struct.Struct("<I")
_PIECE = 1 << 20
_DIGEST = 32


def encrypt_file(source: BinaryIO, target: BinaryIO, *, file_id: str, key_id: str, month: str, key: bytes) -> None:
    """Write the content of a file, compressed and encrypted; the caller syncs the target."""
    digest = hashlib.sha256()

    def write(data: bytes) -> None:
        digest.update(data)
        target.write(data)

    header = json.dumps({"file": file_id, "key": key_id, "month": month}).encode()
    write(_MAGIC + _LENGTH.pack(len(header)) + header)
    number, piece = 0, source.read(_PIECE)
    while True:
        following = source.read(_PIECE)
        packed = _LENGTH.pack(len(piece)) + pa.compress(piece, codec="zstd", asbytes=True)
        made = encrypt(key, packed, _bound(file_id, number, last=not following))
        write(_LENGTH.pack(len(made)) + made)
        if not following:
            break
        number, piece = number + 1, following
    target.write(digest.digest())


def _bound(file_id: str, number: int, *, last: bool) -> bytes:
    return f"{file_id} {number} {last}".encode()


def check_file(path: Path) -> None:
    """Compare an encrypted copy with its SHA-256; no key is needed.

    Raises
    ------
    CorruptionError
        If it is damaged.
    """
    size = path.stat().st_size
    digest, left = hashlib.sha256(), size - _DIGEST
    with path.open("rb") as file:
        while left > 0 and (piece := file.read(min(_PIECE, left))):
            digest.update(piece)
            left -= len(piece)
        if left or file.read() != digest.digest():
            raise corrupt(path, 0, "the encrypted copy doesn't match its SHA-256")


def open_encrypted(path: Path, find_key: Callable[[str, str], bytes | None]) -> BinaryIO:
    """Open the content of an encrypted copy for reading, from the start to the end; `check_file` says before whether it is damaged.

    Raises
    ------
    SourceError
        If its key was destroyed.
    CorruptionError
        If it is damaged: here, or while it is read.
    """
    header = _stored_header(path)
    key = find_key(header["key"], header["month"])
    if key is None:
        msg = f"{path}: the key of this copy was destroyed, because somebody in it was forgotten or it is too old; its other rows are in the ledger"
        raise SourceError(msg)
    return io.BufferedReader(_Reading(_pieces(path, header["file"], key)), _PIECE)


def has_key(path: Path, find_key: Callable[[str, str], bytes | None]) -> bool:
    """Return whether the key of an encrypted copy exists; only its header is read.

    Raises
    ------
    CorruptionError
        If the header is damaged.
    """
    header = _stored_header(path)
    return find_key(header["key"], header["month"]) is not None


def _stored_header(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return _header(path, file)


def _header(path: Path, file: BinaryIO) -> dict[str, str]:
    if file.read(4) != _MAGIC:
        raise corrupt(path, 0, "this isn't an encrypted copy")
    try:
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        found = json.loads(file.read(length))
        return {name: str(found[name]) for name in ("file", "key", "month")}
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise corrupt(path, 0, f"its header can't be read ({error})") from error


def _pieces(path: Path, file_id: str, key: bytes) -> Iterator[bytes]:
    with path.open("rb") as file:
        _header(path, file)
        end = path.stat().st_size - _DIGEST
        number = 0
        while file.tell() < end:
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            data = file.read(length)
            packed = decrypt(key, data, _bound(file_id, number, last=file.tell() >= end))
            (size,) = _LENGTH.unpack_from(packed)
            yield (
                pa.decompress(packed[_LENGTH.size :], decompressed_size=size, codec="zstd", asbytes=True)
                if size
                else b""
            )
            number += 1


class _Reading(io.RawIOBase):
    """A file of pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
