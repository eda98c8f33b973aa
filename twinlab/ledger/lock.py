"""One writer a source: an OS lock that dies with its process."""

from __future__ import annotations

import fcntl
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from twinlab.errors import HistoryConflictError

__all__ = ["Lock"]

_PAUSE = 0.01


class Lock:
    """Hold an exclusive ``flock`` on a file that names the holder.

    Parameters
    ----------
    path : Path
        The lock file; it stays.
    what : str
        What is locked, for the message.
    wait : float, optional
        Seconds to keep trying, 0 by default.

    Raises
    ------
    HistoryConflictError
        If somebody else holds it: names process and start.
    """

    def __init__(self, path: Path, *, what: str, wait: float = 0.0) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() < until:
                    time.sleep(_PAUSE)
                    continue
                holder = self._holder()
                os.close(self._descriptor)
                msg = (
                    f"{what} is being written by {holder}; one writer at a time. Stop that process or wait, then retry."
                )
                raise HistoryConflictError(msg) from None
        note = json.dumps({"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, note, 0)

    def _holder(self) -> str:
        try:
            note = json.loads(os.pread(self._descriptor, 4096, 0))
            return f"process {note['pid']}, since {note['since']}"
        except (ValueError, KeyError, TypeError):
            return "another process (it didn't leave its number)"

    def release(self) -> None:
        """Let go."""
        if self._descriptor >= 0:
            # Said aloud, for a forked child may hold the same lock through its copy of the descriptor.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = -1
