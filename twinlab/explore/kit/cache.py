"""A cache of what was read of a twin, shared by all readers."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from twinlab.events import position_of

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["ReadCache", "TimedValue"]

_FRESH_SECONDS = 60.0
#: Of a live twin: at least so long, and so many times as long as reading took, so that at most a tenth of the time is spent reading.
_QUICK_SECONDS, _QUICK_TIMES = 2.0, 10.0
_T = TypeVar("_T")


class ReadCache:
    """A cache whose entries are valid for a minute, of a live twin for seconds, and longer while the twin's position doesn't change.

    Parameters
    ----------
    twin : TwinReader
        Entries of a twin without a position are read again after a minute.
    clock : callable
        Seconds, increasing.
    max_entries : int
        Beyond this number the least recently used entries are dropped.
    live : bool
        Whether rows come while the twin is read: entries are valid for two seconds, or ten times as long as reading took.
    """

    def __init__(
        self,
        twin: TwinReader,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_entries: int = 256,
        live: bool = False,
    ) -> None:
        self._twin, self._clock, self._max_entries, self._live = twin, clock, max_entries, live
        # Key -> (until when it is valid without a look, the twin's position when it was read, the value, seconds of validity).
        self._entries: OrderedDict[Hashable, tuple[float, object, Any, float]] = OrderedDict()
        # One read at a time, so that concurrent readers don't read the same twice. Reads may be nested.
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._entries)

    def ready(self, key: Hashable) -> bool:
        """Whether there is a valid entry for a key."""
        return self._valid(key) is not None

    def get(self, key: Hashable, read: Callable[[], _T]) -> _T:
        """Return the value of a key; ``read`` is called if there is no valid entry."""
        # Without the lock first: a valid entry needn't wait for other reads.
        entry = self._valid(key)
        if entry is None:
            with self._lock:
                entry = self._valid(key) or self._read(key, read)
        with suppress(KeyError):
            self._entries.move_to_end(key)
        # Each key has one reading function, which gives the type.
        return cast("_T", entry[2])

    def forget(self) -> None:
        """Drop all entries, after a change that must be seen at once."""
        with self._lock:
            self._entries.clear()

    def _valid(self, key: Hashable) -> tuple[float, object, Any, float] | None:
        entry = self._entries.get(key)
        if entry is None or self._clock() < entry[0]:
            return entry
        position = entry[1]
        if position is None or position_of(self._twin) != position:
            return None
        self._entries[key] = self._clock() + entry[3], *entry[1:]
        return entry

    def _read(self, key: Hashable, read: Callable[[], object]) -> tuple[float, object, Any, float]:
        # The position is taken first: data that arrives during the read makes the entry invalid.
        position, began = position_of(self._twin), self._clock()
        value = read()
        lasts = _FRESH_SECONDS
        if self._live:
            lasts = min(lasts, max(_QUICK_SECONDS, _QUICK_TIMES * (self._clock() - began)))
        entry = self._clock() + lasts, position, value, lasts
        self._entries[key] = entry
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
        return entry


class TimedValue:
    """A value that is read again after some seconds, whatever the twin's position: it depends on the time itself.

    Parameters
    ----------
    seconds : float
    clock : callable
        Seconds, increasing.

    Examples
    --------
    >>> times, reads = iter([0.0, 1.0, 3.0]), iter("ab")
    >>> value = TimedValue(2.0, clock=lambda: next(times))
    >>> value.get(lambda: next(reads)), value.get(lambda: next(reads)), value.get(lambda: next(reads))
    ('a', 'a', 'b')
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._until = float("-inf")
        self._value: Any = None
        # One read at a time, for all who ask for it.
        self._lock = threading.Lock()

    def get(self, read: Callable[[], _T]) -> _T:
        """Return the value; ``read`` is called if it is too old."""
        with self._lock:
            now = self._clock()
            if now >= self._until:
                self._value, self._until = read(), now + self._seconds
            return cast("_T", self._value)
