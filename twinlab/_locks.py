"""Locks between processes and threads: one holder at a time, whom a file beside the lock names.

The operating system releases a lock when its process ends, however it ends, so that a crash leaves no lock behind.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import lock_descriptor, unlock_descriptor

from twinlab._files import open_binary
from twinlab.errors import HistoryConflictError

__all__ = ["Lock", "break_locks_like"]

_PAUSE = 0.01
_NOTE = ".holder"


class Lock:
    """An exclusive lock, held from its construction until `release` or the end of the process.

    Parameters
    ----------
    path : Path
        The lock file; made if it isn't there. Only `break_locks_like` removes it; a lock of a removed file doesn't count.
    what : str
        What is locked, for the message of an error.
    wait : float or None
        Seconds to wait for another holder; None waits without limit.
    mode : int
        Permissions of a new lock file.
    named : bool
        Whether the holder is named beside the lock. A lock that is held for a millisecond, and often, needs no name: writing and
        removing it takes longer, and the next fsync in that file system waits for it.

    Raises
    ------
    HistoryConflictError
        If another process or thread has the lock; names its pid and host, and since when.

    Examples
    --------
    >>> import tempfile
    >>> with Lock(Path(tempfile.mkdtemp()) / "lock", what="the source 'fridges'"):
    ...     pass
    """

    def __init__(
        self, path: Path, *, what: str, wait: float | None = 0.0, mode: int = 0o644, named: bool = True
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Windows lets nobody else read a locked file: the holder's name is in a file of its own.
        self._path, self._note, self._named = path, path.with_name(f"{path.name}{_NOTE}"), named
        until = None if wait is None else time.monotonic() + wait
        while True:
            self._descriptor = open_binary(path, os.O_RDWR | os.O_CREAT, mode)
            try:
                self._acquire(what, until)
                if self._counts():
                    break
            except BaseException:
                os.close(self._descriptor)
                raise
            os.close(self._descriptor)
        if not named:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        # A full disk doesn't prevent locking: the message to others then names nobody.
        with suppress(OSError):
            self._note.write_text(
                json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now}), encoding="utf-8"
            )

    def _acquire(self, what: str, until: float | None) -> None:
        while not lock_descriptor(self._descriptor, blocking=False):
            if until is not None and time.monotonic() >= until:
                msg = (
                    f"{what} is locked by {_holder(self._note)}: there is one writer at a time; "
                    "wait for it or stop it, then retry (reading needs no lock)"
                )
                raise HistoryConflictError(msg)
            time.sleep(_PAUSE)

    def _counts(self) -> bool:
        """Whether the locked file is still the one at the path: another process may have broken the lock."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Release the lock; nothing happens if it is released already."""
        if self._descriptor < 0:
            return
        # Removed while the lock is held: later, or once the lock is broken, it could be the next holder's.
        with suppress(OSError):
            if self._named and self._counts():
                self._note.unlink()
        # Closing isn't enough: a forked child may have a copy of the descriptor.
        unlock_descriptor(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _holder(note: Path) -> str:
    try:
        who = json.loads(note.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def break_locks_like(path: Path, folder: Path) -> list[Path]:
    """Free a lock, and all others that its holder has in a folder and the two levels below it; return their files.

    The next process locks new files. The holder notices nothing: whoever breaks its locks makes sure that it writes nothing any more.

    Raises
    ------
    OSError
        If a lock file can't be removed, as on Windows while a process has it open.
    """
    holder = _noted(path.with_name(f"{path.name}{_NOTE}"))
    found = [path]
    for pattern in ("*", "*/*", "*/*/*") if holder is not None else ():
        for note in folder.glob(f"{pattern}{_NOTE}"):
            other = note.with_name(note.name.removesuffix(_NOTE))
            if other != path and _noted(note) == holder:
                found.append(other)
    for one in found:
        one.with_name(f"{one.name}{_NOTE}").unlink(missing_ok=True)
        one.unlink(missing_ok=True)
    return found


def _noted(note: Path) -> tuple[int, str] | None:
    """Return pid and host of a lock's holder."""
    try:
        who = json.loads(note.read_text(encoding="utf-8"))
        return int(who["pid"]), str(who["host"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
