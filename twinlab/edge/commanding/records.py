"""The record of a device: a line of JSON for each message, on the disk before anything is done."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twinlab.errors import ControlError

__all__ = ["Records"]


class Records:
    """Entries in a file that only grows.

    Parameters
    ----------
    path : Path
        The file, made by the first entry.

    Examples
    --------
    >>> import tempfile
    >>> records = Records(Path(tempfile.mkdtemp()) / "records.jsonl")
    >>> records.append({"kind": "command refused"})
    >>> [entry["kind"] for entry in records.entries()]
    ['command refused']
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write an entry; it is on the disk when this returns.

        Raises
        ------
        ControlError
            If it can't be written: what can't be recorded isn't done.
        """
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        with self._lock:
            try:
                _append(self.path, line)
            except OSError as error:
                msg = f"{self.path}: an entry can't be written: {error.strerror or error}; free some space, or correct the rights"
                raise ControlError(msg) from error

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the entries so far; one that a crash has cut is left out."""
        if not self.path.exists():
            return
        for line in self.path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield json.loads(line)


def _append(path: Path, line: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(file).st_size
        try:
            written = os.write(file, line)
        except OSError:
            written = 0
        if written != len(line):
            # Half an entry would spoil the next one.
            os.ftruncate(file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file)
    finally:
        os.close(file)
