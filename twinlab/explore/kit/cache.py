"""What was read of a twin once, kept for all who look at it."""

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

__all__ = ["Kept"]

_FRESH_SECONDS = 60.0
_T = TypeVar("_T")


class Kept:
    """What was read, each under a key: kept for a minute, and on for as long as the twin's position doesn't move.

    Parameters
    ----------
    twin : TwinReader
        Of one that doesn't tell its position, all is read again after a minute.
    clock : callable
        Seconds, rising.
    most : int
        So many are kept at most, those that were asked for last.
    """

    def __init__(self, twin: TwinReader, *, clock: Callable[[], float] = time.monotonic, most: int = 256) -> None:
        self._twin, self._clock, self._most = twin, clock, most
        # When it was read or last found to be good, the twin's position then, and what was read.
        self._kept: OrderedDict[Hashable, tuple[float, object, Any]] = OrderedDict()
        # One reading at a time: who comes second finds it read. What is read may stand on other things that are.
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._kept)

    def ready(self, key: Hashable) -> bool:
        """Whether what was read under a key can be had at once."""
        return self._good(key) is not None

    def get(self, key: Hashable, read: Callable[[], _T]) -> _T:
        """Return what was read under a key, or read it."""
        # Who finds it good doesn't wait for what others read.
        found = self._good(key)
        if found is None:
            with self._lock:
                found = self._good(key) or self._read(key, read)
        with suppress(KeyError):
            self._kept.move_to_end(key)
        # What a key holds, its own reader wrote.
        return cast("_T", found[2])

    def _good(self, key: Hashable) -> tuple[float, object, Any] | None:
        """What was read under a key, None if the twin may have news."""
        found = self._kept.get(key)
        if found is None or self._clock() - found[0] < _FRESH_SECONDS:
            return found
        position = found[1]
        if position is None or position_of(self._twin) != position:
            return None
        self._kept[key] = self._clock(), *found[1:]
        return found

    def _read(self, key: Hashable, read: Callable[[], object]) -> tuple[float, object, Any]:
        # Asked before: what comes in meanwhile is read the next time.
        found = self._clock(), position_of(self._twin), read()
        self._kept[key] = found
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found
