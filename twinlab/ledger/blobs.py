"""Source files kept as they came: content-addressed, durable, each content once."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from twinlab._files import replace_file, sync_folder
from twinlab.errors import SourceError, UnknownTermError
from twinlab.ledger.format.disk import corrupt, disk_error
from twinlab.ledger.journal import Journal
from twinlab.ledger.seal import file_sha256

__all__ = ["Blobs"]

_PIECE = 1 << 20
_READ = "file_read"
_ID = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """The files that were read, by the SHA-256 of their content.

    Parameters
    ----------
    folder : Path
        ``<ledger>/blobs``; made when the first file is put.
    journal : Journal
        Where it is noted which source read which file under which name.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder, self._journal = folder, journal

    def put(self, path: str | Path) -> str:
        """Keep a copy of a file and return its id; the same content twice changes nothing. Durable when it returns.

        Raises
        ------
        SourceError
            If the file can't be read or the copy not be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{os.getpid()}-{os.urandom(6).hex()}.tmp"
        try:
            file_id = self._copy(Path(path), draft)
            target = self._path(file_id)
            if target.exists():
                draft.unlink()
            else:
                target.parent.mkdir(exist_ok=True)
                replace_file(draft, target)
                target.chmod(0o444)
                sync_folder(target.parent)
                sync_folder(self._folder)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise disk_error(error, Path(path), "keeping a copy of") from error
        return file_id

    @staticmethod
    def _copy(path: Path, draft: Path) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as source, draft.open("xb") as copy:
            while piece := source.read(_PIECE):
                digest.update(piece)
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        return digest.hexdigest()

    def _path(self, file_id: str) -> Path:
        if not _ID.fullmatch(file_id):
            msg = f"file id {file_id!r}: expected the 64 hexadecimal digits of a SHA-256. Take it from `put` or `readings`."
            raise UnknownTermError(msg)
        return self._folder / file_id[:2] / file_id

    def known(self, file_id: str) -> bool:
        """Whether that content is kept."""
        return self._path(file_id).exists()

    def path(self, file_id: str) -> Path:
        """Return where the content stands, for readers that want a path; `check` it first."""
        path = self._path(file_id)
        if not path.exists():
            msg = f"file {file_id}: no such file is kept here. `ledger.blobs.readings(source, name)` lists those of a source."
            raise UnknownTermError(msg)
        return path

    def check(self, file_id: str) -> Path:
        """Return where the content stands after comparing all of it with its id.

        Raises
        ------
        CorruptionError
            If the bytes aren't those that were put.
        """
        path = self.path(file_id)
        if file_sha256(path) != file_id:
            raise corrupt(path, 0, "the kept file doesn't fit its SHA-256")
        return path

    def open(self, file_id: str) -> BinaryIO:
        """Open a kept file for reading, after checking it.

        Raises
        ------
        CorruptionError
            If the bytes aren't those that were put.
        """
        path = self.check(file_id)
        try:
            return path.open("rb")
        except OSError as error:
            msg = f"{path} can't be opened: {error.strerror}. Check its permissions, then retry."
            raise SourceError(msg) from error

    def ids(self) -> Iterator[str]:
        """All contents that are kept, in order of their ids."""
        for path in sorted(self._folder.glob("??/*")):
            yield path.name

    def read_as(self, source: str, name: str, file_id: str) -> None:
        """Note that ``source`` has now read the content ``file_id`` under the name ``name``. Durable."""
        self._journal.append(_READ, {"source": source, "name": name, "file_id": file_id})

    def readings(self, source: str, name: str) -> list[str]:
        """Ids of what a source read under a name, in order; the last one is its present reading."""
        return [file_id for n, file_id in self._read(source) if n == name]

    def names(self, source: str) -> dict[str, str]:
        """Present reading of each name of a source: name -> file id."""
        return dict(self._read(source))

    def _read(self, source: str) -> Iterator[tuple[str, str]]:
        for entry in self._journal.entries(_READ):
            if entry.payload.get("source") == source:
                yield str(entry.payload["name"]), str(entry.payload["file_id"])
