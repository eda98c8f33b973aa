"""Do parts of a scan in two threads; those that decode single tiles (`twinlab.history.store.tiles`) do it for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_threads"]

_A = TypeVar("_A")
_B = TypeVar("_B")


def in_threads(work: Callable[[_A], _B], parts: Sequence[_A]) -> list[_B]:
    """Return ``work`` of each part, in their order.

    >>> in_threads(abs, [-1, 2])
    [1, 2]
    """
    threads = min(2, os.cpu_count() or 1, len(parts))
    if threads < 2:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(threads, thread_name_prefix="scan") as pool:
        return list(pool.map(work, parts))
