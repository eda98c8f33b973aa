"""An object to be: some bytes of a file, or data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from twinlab.errors import SourceError

__all__ = ["Payload"]

_BLOCK = 1 << 20
#: Files of at least so many bytes are sent without being read into memory.
_LARGE = 64 * 2**20


@dataclass(frozen=True)
class Payload:
    """An object to be: some bytes of a file, or data."""

    path: Path
    first: int
    size: int
    data: bytes | None = None

    def body(self) -> bytes | Path:
        """Return the bytes, or the file if they are all of a large one.

        Raises
        ------
        SourceError
            If the file is shorter now.
        """
        if self.data is not None:
            return self.data
        if self.size >= _LARGE and self.first == 0 and self.path.stat().st_size == self.size:
            return self.path
        with self.path.open("rb") as file:
            file.seek(self.first)
            found = file.read(self.size)
        if len(found) != self.size:
            msg = f"{self.path}: expected {self.size} bytes from byte {self.first} on, got {len(found)}; push again"
            raise SourceError(msg)
        return found

    def sha256(self, body: bytes | Path | None = None) -> str:
        """Return the SHA-256 of the bytes; of ``body`` if they were read already."""
        if isinstance(body, bytes):
            return hashlib.sha256(body).hexdigest()
        if self.data is not None:
            return hashlib.sha256(self.data).hexdigest()
        found, left = hashlib.sha256(), self.size
        with self.path.open("rb") as file:
            file.seek(self.first)
            while left:
                block = file.read(min(_BLOCK, left))
                if not block:
                    break
                found.update(block)
                left -= len(block)
        return found.hexdigest()
