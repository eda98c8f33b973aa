"""The cores of this process, and work on parts of an array that uses them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

__all__ = ["cores", "in_parts"]

#: A part that takes about a millisecond is worth a thread.
_SMALLEST_PART: Final = 2**19
#: Memory, not arithmetic, limits passes over arrays from here on.
_MOST: Final = 4


def cores() -> int:
    """Return the number of cores that this process may use; macOS and Windows report only the total number."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parts(work: Callable[[int, int], None], size: int, *, weight: int = 1) -> None:
    """Call ``work(start, stop)`` for parts of ``range(size)``, on threads if there is enough to do.

    Parameters
    ----------
    work : callable
        Releases the GIL for most of its time; parts may run at once.
    size : int
    weight : int
        How many values there are for each.

    >>> found = []
    >>> in_parts(lambda start, stop: found.append((start, stop)), 3)
    >>> found
    [(0, 3)]
    """
    count = min(_MOST, cores(), size * weight // _SMALLEST_PART)
    if count < 2:
        work(0, size)
        return
    edges = [size * place // count for place in range(count + 1)]
    with ThreadPoolExecutor(count) as threads:
        for done in [threads.submit(work, *edges[place : place + 2]) for place in range(count)]:
            done.result()
