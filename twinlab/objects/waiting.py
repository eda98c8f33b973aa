"""Calls that wait for a store, side by side in threads; a call may make further ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

__all__ = ["side_by_side", "started"]

#: Threads of each level, and levels: calls, what they call, and so on. Deeper calls are made one after the other.
_THREADS, _LEVELS = 32, 4

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_thread = threading.local()


@lru_cache(maxsize=2 * _LEVELS)
def _pool(process: int, level: int) -> ThreadPoolExecutor:
    """Return the threads of a level in this process; a forked process needs its own."""

    def begin() -> None:
        _thread.level = level

    return ThreadPoolExecutor(_THREADS, thread_name_prefix=f"waiting-{process}-{level}", initializer=begin)


def _next_level() -> int:
    # A thread never waits for a call that needs a thread of its own level: they can't all wait for each other.
    return int(getattr(_thread, "level", 0)) + 1


def side_by_side(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Return a function's results for some items, in their order; the calls wait at the same time.

    Raises
    ------
    Exception
        That of the first item whose call raises.

    Examples
    --------
    >>> side_by_side(str.upper, ["a", "b"])
    ['A', 'B']
    """
    every, level = list(items), _next_level()
    if len(every) < 2 or level > _LEVELS:
        return [function(item) for item in every]
    return list(_pool(os.getpid(), level).map(function, every))


def started(function: Callable[[], _Result]) -> Future[_Result] | None:
    """Start a call in a thread and return its future; None if there are too many levels of calls already."""
    level = _next_level()
    return None if level > _LEVELS else _pool(os.getpid(), level).submit(function)
