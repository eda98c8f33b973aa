"""The record of a device: a line of JSON for each message, on the disk before anything is done."""

from __future__ import annotations

import errno
import json
import os
import threading
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twinlab.errors import ControlError

__all__ = ["Records", "short_entry"]


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
        #: Where each line begins, and the last one ends, as far as pages were asked for.
        self._starts, self._end = array("Q"), 0

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

    def page(self, first: int, *, most_bytes: int) -> tuple[list[bytes], bytes | None, int]:
        """Return lines from a number on, the line before them, and how many there are.

        Parameters
        ----------
        first : int
            Number of the first line, from 0.
        most_bytes : int
            Of all lines together; one is returned however long it is.
        """
        with self._lock:
            self._count()
            starts, end = self._starts, self._end
            total = len(starts)
            if not 0 <= first <= total or not total:
                return [], None, total
            begin = max(first - 1, 0)
            last = first
            while last < total and (last == first or self._end_of(last) - starts[first] <= most_bytes):
                last += 1
            with self.path.open("rb") as file:
                file.seek(starts[begin])
                found = file.read((starts[last] if last < total else end) - starts[begin]).splitlines()
        return (found[1:], found[0], total) if first else (found, None, total)

    def _end_of(self, number: int) -> int:
        return self._starts[number + 1] if number + 1 < len(self._starts) else self._end

    def _count(self) -> None:
        """Find where the lines begin that were added since this was called last."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size <= self._end:
            return
        with self.path.open("rb") as file:
            file.seek(self._end)
            for line in file:
                if line.endswith(b"\n"):
                    self._starts.append(self._end)
                    self._end += len(line)


def short_entry(line: bytes, *, most_bytes: int) -> dict[str, Any]:
    """Return the entry of a line; of one that is longer, or that a crash has cut, what it is about.

    >>> short_entry(b'{"kind": "link lost", "what": {"reason": "no sign of life"}}', most_bytes=100)
    {'kind': 'link lost', 'what': {'reason': 'no sign of life'}}
    """
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"kind": "damaged entry", "what": {"reason": "the line isn't JSON"}}
    if len(line) <= most_bytes:
        return entry
    what = {
        key: value[:200] if isinstance(value, str) else value
        for key, value in entry.get("what", {}).items()
        if key != "wire"
    }
    return {**entry, "what": what}


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
