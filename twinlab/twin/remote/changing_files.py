"""Files of a twin's folder that processes may change: read such that each folder is as it was at one instant."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from twinlab.errors import SourceError
from twinlab.twin.remote.payload import Payload

__all__ = ["Found", "stable_files"]

_OF_PROCESSES = re.compile(r"live/(status\.json|lease-\d+\.json|offsets?/.*\.tmp)|backup\.json")
_SUFFIXES = (".lock", ".holder", "-wal", "-shm", "-journal", ".tmp")
#: Smaller files are read at once, larger ones when they are sent.
_SMALL = 1 << 20
_SQLITE = b"SQLite format 3\0"
_TRIES, _PAUSE = 40, 0.05
#: Lines are only added to such files.
_GROWS = ".jsonl"


@dataclass
class Found:
    """Files by path in the twin's folder, and what was left out."""

    files: dict[str, Payload] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def stable_files(
    folder: Path, top: Path, *, left_out: Callable[[Path], str | None] | None = None, known: Mapping[str, object]
) -> Found:
    """Return the files of a file or folder at the top of a twin's folder; if one changes while it is read, all are read again.

    Parameters
    ----------
    left_out : callable, optional
        Returns why a file is left out; None if it isn't.
    known : mapping
        Paths that are left out without a reason.

    Raises
    ------
    SourceError
        If it never stays as it is for long enough.
    """
    for _ in range(_TRIES):
        before = dict(_listed(folder, top))
        found = Found()
        try:
            # Heads of the audit before its rows: a log has all rows of its heads.
            for name in sorted(before):
                if name in known:
                    continue
                path = folder / name
                why = left_out(path) if left_out is not None else None
                if why is None:
                    found.files[name] = _payload(path)
                else:
                    found.left_out[name] = why
        except FileNotFoundError:
            continue
        if _same(before, dict(_listed(folder, top))):
            return found
        time.sleep(_PAUSE)
    msg = f"{top} changes all the time, so that no state of it could be copied; stop what writes to it for a moment, then call again"
    raise SourceError(msg)


def _listed(folder: Path, top: Path) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Yield the files that are copied: path in the folder, bytes, time and number."""
    for path in [top] if top.is_file() else sorted(top.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        if hidden or path.name == "lock" or path.name.endswith(_SUFFIXES) or _OF_PROCESSES.fullmatch(name):
            continue
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file():
            yield name, (state.st_size, state.st_mtime_ns, state.st_ino)


def _same(one: Mapping[str, tuple[int, int, int]], other: Mapping[str, tuple[int, int, int]]) -> bool:
    fixed = [{name: state for name, state in listed.items() if not name.endswith(_GROWS)} for listed in (one, other)]
    # A database is read in a transaction of its own.
    return fixed[0].keys() == fixed[1].keys() and all(
        fixed[0][name] == fixed[1][name] or name.endswith((".db", ".sqlite")) for name in fixed[0]
    )


def _payload(path: Path) -> Payload:
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) == _SQLITE:
            data = _database(path)
            return Payload(path, 0, len(data), data)
        file.seek(0)
        if path.suffix == _GROWS:
            data = file.read(size)
            data = data[: data.rfind(b"\n") + 1]
            return Payload(path, 0, len(data), data)
        if size > _SMALL:
            return Payload(path, 0, size)
        data = file.read()
    return Payload(path, 0, len(data), data)


def _database(path: Path) -> bytes:
    """Return a copy of an SQLite database with all that is committed, its write-ahead log included."""
    try:
        with closing(sqlite3.connect(f"file:{os.fspath(path)}?mode=ro", uri=True, timeout=10.0)) as source:
            source.execute("begin")
            return source.serialize()
    except sqlite3.Error as error:
        msg = f"{path} can't be copied: {error}; repair or remove it, then call again"
        raise SourceError(msg) from error
