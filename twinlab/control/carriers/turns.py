"""Processes that share a client's name at a broker take turns: a broker ends the connection of a name that connects again."""

from __future__ import annotations

import asyncio
import tempfile
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from twinlab._locks import Lock
from twinlab.errors import CommandRejectedError, HistoryConflictError, SourceError
from twinlab.signing.envelopes.strict_json import read_json

__all__ = ["STOP_WAITS", "Turns", "is_stop"]

#: Seconds for which an emergency stop lets another process finish; then it goes ahead.
STOP_WAITS = 0.05
_PAUSE = 0.005


class Turns:
    """Requests of this process, while no other process of this machine has one under way with the same name.

    Requests of one process don't wait for one another: they share a connection.

    Parameters
    ----------
    name : str
        What is shared: broker and client.
    """

    def __init__(self, name: str) -> None:
        self._what = f"the connection {name}"
        self._path = Path(tempfile.gettempdir()) / f"twinlab-turn-{sha256(name.encode()).hexdigest()[:24]}.lock"
        self._under_way = 0
        self._lock: Lock | None = None

    @asynccontextmanager
    async def taken(self, within: float, *, stop: bool = False) -> AsyncIterator[None]:
        """Wait for the turn of this process.

        Parameters
        ----------
        within : float
            Seconds to wait.
        stop : bool
            An emergency stop waits for `STOP_WAITS` and then goes ahead: what another process has under way ends as unknown, and is read
            back.

        Raises
        ------
        SourceError
            If another process has requests under way for longer.
        """
        until = time.monotonic() + (STOP_WAITS if stop else within)
        while not self._under_way and self._lock is None and not self._try():
            if time.monotonic() >= until:
                if stop:
                    break
                msg = f"another process uses {self._what} for longer than {within:g} s; nothing was sent"
                raise SourceError(msg)
            await asyncio.sleep(_PAUSE)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way and self._lock is not None:
                self._lock.release()
                self._lock = None

    def _try(self) -> bool:
        try:
            self._lock = Lock(self._path, what=self._what, named=False, mode=0o600)
        except HistoryConflictError:
            return False
        except OSError:
            # Another user's lock, or no place for one: the broker decides who is connected.
            return True
        return True


def is_stop(wire: bytes) -> bool:
    """Return whether an envelope has an emergency stop; its signature is checked by the device.

    >>> is_stop(b"{}"), is_stop(b"[" * 20_000)
    (False, False)
    """
    try:
        payload = b64decode(read_json(wire, what="envelope")["payload"])
        return bool(read_json(payload, what="command")["operation"] == "stop")
    except (CommandRejectedError, ValueError, KeyError, TypeError):
        return False
