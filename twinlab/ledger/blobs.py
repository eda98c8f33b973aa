"""Copies of source files: durable, stored once per content under its SHA-256, compressed by zstd where that saves space.

A copy is the file ``<id>.zst``, or ``<id>`` where the content is compressed already; earlier versions compressed none. A copy of a file
with personal data is ``<id>.enc``, encrypted under a key of its own; it isn't read any more once that key was destroyed.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from twinlab._files import replace_file, sync_folder
from twinlab.errors import SourceError, UnknownTermError
from twinlab.ledger.encryption.encryption import Encryption
from twinlab.ledger.encryption.files import check_file, encrypt_file, has_key, open_encrypted
from twinlab.ledger.format.disk import corrupt, disk_error
from twinlab.ledger.journal import Journal

__all__ = ["Blobs", "reading_id", "reading_name"]

_PIECE = 1 << 20
_READ = "file_read"
_PACKED, _ENCRYPTED = ".zst", ".enc"
#: A copy is compressed if this share of its first piece is saved.
_WORTH = 0.1
_ID = re.compile(r"[0-9a-f]{64}")


def reading_id(content: str, name: str) -> str:
    """Return the id in the ledger of the rows of a file, by the id of its content and its name.

    >>> reading_id("9f86d0", "log.csv")
    '9f86d0:log.csv'
    """
    return f"{content}:{name}"


def reading_name(file_id: str) -> str:
    """Return the file's name in an id of `reading_id`; "" for rows of earlier versions, whose id is that of the content.

    >>> reading_name("9f86d0:log.csv"), reading_name("9f86d0")
    ('log.csv', '')
    """
    return file_id.partition(":")[2]


class Blobs:
    """Copies of the files that were read, by the SHA-256 of their content.

    Parameters
    ----------
    folder : Path
        ``<ledger>/blobs``; created by the first `put`.
    journal : callable
        Returns the journal, which records which source read which file under which name.
    encryption : callable
        Returns how personal data are encrypted; None if they aren't.
    """

    def __init__(
        self,
        folder: Path,
        journal: Callable[[], Journal],
        *,
        encryption: Callable[[], Encryption | None] = lambda: None,
    ) -> None:
        self._folder, self._journal, self._encryption = folder, journal, encryption
        self.after_copy: Callable[[Path], None] = _nothing
        """Called with each copy that was made, or was there: makes it durable elsewhere."""
        # Source -> name -> ids in order; extended by the journal's new entries.
        self._known: dict[str, dict[str, list[str]]] = {}
        self._position = 0
        self._lock = threading.Lock()

    def put(self, path: str | Path, *, personal: bool = False) -> str:
        """Copy a file and return its id. The same content is stored once. Durable when this returns.

        Parameters
        ----------
        path : path
        personal : bool
            Encrypt the copy under a key of its own.

        Raises
        ------
        SourceError
            If the file can't be read or the copy can't be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{os.getpid()}-{os.urandom(6).hex()}.tmp"
        try:
            encryption = self._encryption() if personal else None
            if encryption is None:
                file_id, packed = self._copy(Path(path), draft)
                suffix = _PACKED if packed else ""
            else:
                file_id, suffix = self._encrypt(Path(path), draft, encryption), _ENCRYPTED
            target = self._path(file_id)
            if self.known(file_id):
                draft.unlink()
            else:
                target = target.with_name(target.name + suffix)
                target.parent.mkdir(exist_ok=True)
                replace_file(draft, target)
                target.chmod(0o444)
                sync_folder(target.parent)
                sync_folder(self._folder)
            self.after_copy(self.path(file_id))
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise disk_error(error, Path(path), "keeping a copy of") from error
        return file_id

    def _encrypt(self, path: Path, draft: Path, encryption: Encryption) -> str:
        """Encrypt a file; return the SHA-256 of its content."""
        with path.open("rb") as source, draft.open("xb") as copy:
            file_id = hashlib.file_digest(source, "sha256").hexdigest()
            if not self.known(file_id):
                key_id, month, key = encryption.file_key(file_id)
                source.seek(0)
                encrypt_file(source, copy, file_id=file_id, key_id=key_id, month=month, key=key)
            copy.flush()
            os.fsync(copy.fileno())
        return file_id

    @staticmethod
    def _copy(path: Path, draft: Path) -> tuple[str, bool]:
        """Copy a file; return the SHA-256 of its content, and whether the copy is compressed."""
        digest = hashlib.sha256()
        with path.open("rb") as source, draft.open("xb") as copy:
            piece = source.read(_PIECE)
            packed = len(pa.Codec("zstd").compress(piece)) < (1 - _WORTH) * len(piece)
            target = pa.CompressedOutputStream(pa.PythonFile(copy, "w"), "zstd") if packed else copy
            while piece:
                digest.update(piece)
                target.write(piece)
                piece = source.read(_PIECE)
            if packed:
                target.flush()
                target.close()  # closes the copy, too
            else:
                copy.flush()
                os.fsync(copy.fileno())
        if packed:
            with draft.open("rb+") as copy:
                os.fsync(copy.fileno())
        return digest.hexdigest(), packed

    def _path(self, file_id: str) -> Path:
        if not _ID.fullmatch(file_id):
            msg = f"file id {file_id!r}: expected the 64 hexadecimal digits of a SHA-256. Take it from `put` or `readings`."
            raise UnknownTermError(msg)
        return self._folder / file_id[:2] / file_id

    def known(self, file_id: str) -> bool:
        """Return whether there is a copy of this content."""
        return self._stored(file_id) is not None

    def _stored(self, file_id: str) -> Path | None:
        plain = self._path(file_id)
        copies = [plain.with_name(plain.name + suffix) for suffix in (_PACKED, _ENCRYPTED, "")]
        return next((path for path in copies if path.exists()), None)

    def readable(self, file_id: str) -> bool:
        """Return whether there is a copy whose key, if it has one, wasn't destroyed."""
        path = self._stored(file_id)
        return path is not None and (path.suffix != _ENCRYPTED or has_key(path, self._key))

    def path(self, file_id: str) -> Path:
        """Return the path of a copy, which may be compressed; `open` reads its content.

        Raises
        ------
        UnknownTermError
            If there is no such copy.
        """
        path = self._stored(file_id)
        if path is None:
            msg = f"file {file_id}: there is no copy of such a file. `ledger.blobs.readings(source, name)` lists those of a source."
            raise UnknownTermError(msg)
        return path

    def check(self, file_id: str) -> Path:
        """Compare a copy with its id and return its path.

        Raises
        ------
        CorruptionError
            If the bytes differ from the original file.
        """
        path = self.path(file_id)
        if path.suffix == _ENCRYPTED:
            check_file(path)
            if not has_key(path, self._key):
                return path
        digest = hashlib.sha256()
        try:
            with self._reading(path) as content:
                while piece := content.read(_PIECE):
                    digest.update(piece)
        except OSError as error:  # a compressed copy that can't be unpacked
            if path.suffix != _PACKED:
                raise
            raise corrupt(path, 0, f"the copy can't be unpacked ({error})") from error
        if digest.hexdigest() != file_id:
            raise corrupt(path, 0, "the copy doesn't match its SHA-256")
        return path

    def open(self, file_id: str) -> BinaryIO:
        """Check a copy and open its content for reading, from the start to the end.

        Raises
        ------
        CorruptionError
            If the bytes differ from the original file.
        """
        path = self.check(file_id)
        try:
            return self._reading(path)
        except OSError as error:
            msg = f"{path} can't be opened: {error.strerror}. Check its permissions, then retry."
            raise SourceError(msg) from error

    def ids(self) -> Iterator[str]:
        """Yield the ids of all copies, sorted."""
        for path in sorted(self._folder.glob("??/*")):
            yield path.name.removesuffix(_PACKED).removesuffix(_ENCRYPTED)

    def read_as(self, source: str, name: str, file_id: str) -> None:
        """Record that a source has read the content ``file_id`` under the name ``name``. Durable when this returns."""
        self._journal().append(_READ, {"source": source, "name": name, "file_id": file_id})

    def readings(self, source: str, name: str) -> list[str]:
        """Return the ids of the contents that a source read under a name, in order; the last one is the current one."""
        return list(self._read(source).get(name, ()))

    def names(self, source: str) -> dict[str, str]:
        """Return name -> id of the current content, for all names of a source."""
        return {name: ids[-1] for name, ids in self._read(source).items()}

    def _read(self, source: str) -> dict[str, list[str]]:
        """Return name -> ids of a source, after reading the journal's new entries."""
        with self._lock:
            end = self._journal().position()
            if end > self._position:
                for entry in self._journal().entries(_READ, start=self._position, stop=end):
                    names = self._known.setdefault(str(entry.payload["source"]), {})
                    names.setdefault(str(entry.payload["name"]), []).append(str(entry.payload["file_id"]))
                self._position = end
            return self._known.get(source, {})

    def _reading(self, path: Path) -> BinaryIO:
        """Open the content of a copy."""
        return open_encrypted(path, self._key) if path.suffix == _ENCRYPTED else _reading(path)

    def _key(self, key_id: str, month: str) -> bytes | None:
        encryption = self._encryption()
        return None if encryption is None else encryption.keys.key(key_id, month)


def _nothing(_path: Path) -> None:
    """Do nothing: the copy on the disk is durable."""


def _reading(path: Path) -> BinaryIO:
    """Open the content of a copy that isn't encrypted."""
    if path.suffix != _PACKED:
        return path.open("rb")
    return cast("BinaryIO", pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd"))
