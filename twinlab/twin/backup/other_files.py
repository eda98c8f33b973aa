"""Files of a twin's folder beside definitions, ledger and history: which are in a backup, and how they are read while they change."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from twinlab.errors import SourceError
from twinlab.twin.remote.contents import Payload

__all__ = ["Found", "is_private_key", "other_files"]

#: What is made again from the ledger, or belongs to a process that runs; at the top of the folder.
_DERIVED = ("cache", "history", "history.building", "history.old", "ledger", "also")
#: Of a twin with data about people: made from their data, and readable without their keys.
_FROM_PEOPLE = ("anomalies", "finders", "models", "predictions", "proposals", "scenarios", "scores")
_OF_PROCESSES = re.compile(r"live/(status\.json|lease-\d+\.json|offsets?/.*\.tmp)|backup\.json")
_SUFFIXES = (".lock", ".holder", "-wal", "-shm", "-journal", ".tmp")
#: Smaller files are read at once, larger ones when they are sent.
_SMALL = 1 << 20
_SQLITE = b"SQLite format 3\0"
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_TRIES, _PAUSE = 40, 0.05
#: Lines are only added to such files.
_GROWS = ".jsonl"

WHY_KEY = "a private key: who has the backup could sign as its owner; keep a copy apart, or use --with-keys"
WHY_PEOPLE = "made from data about people, readable without their keys; it is made again"


@dataclass
class Found:
    """Files by path in the twin's folder, and what was left out."""

    files: dict[str, Payload] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def other_files(folder: Path, *, private: bool, with_keys: bool, known: Mapping[str, object]) -> Found:
    """Return the files of a twin's folder that a push doesn't send.

    Each folder at the top is as it was at one instant: if a file changes while it is read, the folder is read again.

    Parameters
    ----------
    folder : Path
    private : bool
        Whether the twin has data about people.
    with_keys : bool
        Whether private keys are included.
    known : mapping
        Paths that are in the backup already.

    Raises
    ------
    SourceError
        If a folder never stays as it is for long enough.
    """
    found = Found()
    # The audit last: what happens is in it before it happens.
    for top in sorted(folder.iterdir(), key=lambda path: (path.name == "audit", path.name)):
        if top.name in _DERIVED or top.name.startswith("."):
            continue
        if private and top.name in _FROM_PEOPLE:
            found.left_out[f"{top.name}/"] = WHY_PEOPLE
            continue
        part = _stable(folder, top, with_keys=with_keys, known=known)
        found.files |= part.files
        found.left_out |= part.left_out
    return found


def is_private_key(path: Path) -> bool:
    """Return whether a file has a private key, plain or sealed with a passphrase."""
    with path.open("rb") as file:
        head = file.read(4096)
    return _KEY.search(head) is not None or (path.parent.name == "keys" and path.parent.parent.name == "control")


def _stable(folder: Path, top: Path, *, with_keys: bool, known: Mapping[str, object]) -> Found:
    for _ in range(_TRIES):
        before = dict(_listed(folder, top))
        found = Found()
        try:
            # Heads of the audit before its rows: a log has all rows of its heads.
            for name in sorted(before):
                if name in known:
                    continue
                path = folder / name
                if not with_keys and is_private_key(path):
                    found.left_out[name] = WHY_KEY
                else:
                    found.files[name] = _payload(path)
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
