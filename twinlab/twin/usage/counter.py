"""What this process has counted and not yet written; a thread writes it each minute."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable

from twinlab.errors import TwinlabError
from twinlab.twin.usage.store import Counts, UsageStore

__all__ = ["ANSWER_TIMES", "UsageCounter"]

_LOG = logging.getLogger(__name__)
#: Seconds -> name of the class of answers that took at most as long; the last one has all others.
ANSWER_TIMES: dict[float, str] = {1.0: "1s", 3.0: "3s", 10.0: "10s", float("inf"): "longer"}
_EVERY = 60.0
#: Of what couldn't be written so many days stay in memory.
_MOST_DAYS = 7


class UsageCounter:
    """Counts pages, tasks and times to answer; calls take microseconds and never fail.

    Parameters
    ----------
    store : UsageStore
    every : float
        Seconds between two writes.
    clock : callable
        Returns seconds since 1970.
    """

    def __init__(self, store: UsageStore, *, every: float = _EVERY, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self._every, self._clock = every, clock
        self._counts: Counts = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed = ""

    def page(self, name: str) -> None:
        """Count that a page was opened."""
        self._count(f"page:{name}")

    def task(self, name: str) -> None:
        """Count that a task was done, such as ``"excel"``."""
        self._count(f"task:{name}")

    def answered(self, seconds: float) -> None:
        """Count an answer, and the class of its time."""
        took = next(name for limit, name in ANSWER_TIMES.items() if not seconds > limit)
        self._count("task:answer", f"answer:{took}")

    def _count(self, *keys: str) -> None:
        day = time.strftime("%Y-%m-%d", time.gmtime(self._clock()))
        with self._lock:
            counts = self._counts.setdefault(day, {})
            for key in keys:
                counts[key] = counts.get(key, 0) + 1
            if self._thread is None and not self._closed.is_set():
                # The thread must not keep the counter of a server that was forgotten.
                own = threading.Thread(
                    target=_write_again, args=(weakref.ref(self), self._closed, self._every), daemon=True, name="usage"
                )
                self._thread = own
                own.start()

    def flush(self) -> bool:
        """Write what was counted; return whether nothing is left. A failure is logged once, and the counts stay for the next time."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return True
        try:
            self.store.add(counts)
        except (TwinlabError, OSError) as error:
            if str(error) != self._failed:
                _LOG.warning("use isn't counted meanwhile: %s", error)
            self._failed = str(error)
            self._put_back(counts)
            return False
        self._failed = ""
        return True

    def _put_back(self, counts: Counts) -> None:
        with self._lock:
            for day, there in counts.items():
                mine = self._counts.setdefault(day, {})
                for key, number in there.items():
                    mine[key] = mine.get(key, 0) + number
            for day in sorted(self._counts)[:-_MOST_DAYS]:
                del self._counts[day]

    def close(self) -> None:
        """Write the counts that aren't written yet, and end the thread."""
        self._closed.set()
        self.flush()


def _write_again(counter: weakref.ref[UsageCounter], closed: threading.Event, every: float) -> None:
    while not closed.wait(every):
        mine = counter()
        if mine is None:
            return
        mine.flush()
        del mine
