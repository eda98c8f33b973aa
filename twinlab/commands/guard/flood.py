"""How many messages there are in a second, and which refusals of a flood are recorded."""

from __future__ import annotations

import math
import threading
from collections import deque

__all__ = ["Flood", "Window"]


class Window:
    """How many there were within the last second."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def full(self, now: float) -> bool:
        """Count one more, and return whether that is too many."""
        with self._lock:
            while self._times and now - self._times[0] >= 1.0:
                self._times.popleft()
            if len(self._times) >= self.limit:
                return True
            self._times.append(now)
            return False


class Flood:
    """Which refusals are recorded: so many a second, and of those by the check `rate` one. The next entry has the number of the others.

    Each entry is synced to the disk: whoever can reach a device could otherwise fill it.

    Parameters
    ----------
    limit : int
        Entries a second.
    """

    def __init__(self, limit: int) -> None:
        self._window = Window(limit)
        self._lock = threading.Lock()
        self._noted = -math.inf
        self._last = -math.inf
        self._more = 0

    def counted(self, check: str, now: float) -> int | None:
        """Return how many refusals weren't recorded since the last entry, if this one is to be recorded; None if not."""
        with self._lock:
            self._last = now
            if (now - self._noted < 1.0) if check == "rate" else self._window.full(now):
                self._more += 1
                return None
            if check == "rate":
                self._noted = now
            more, self._more = self._more, 0
            return more

    def ended(self, now: float) -> int:
        """Return how many refusals weren't recorded, once a flood has been over for a second; then they are."""
        with self._lock:
            if now - self._last < 1.0:
                return 0
            more, self._more = self._more, 0
            return more
