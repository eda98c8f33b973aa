"""Which event of a new state is which one of the old state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinlab.events.algebra.spans import Spans, intersections

__all__ = ["matched"]

Integers = NDArray[np.int64]


def matched(old: Spans, new: Spans) -> tuple[Integers, Integers]:
    """Return which old event each new one is, and which one it is mostly a part of; -1 for none.

    A new event is the old one of the same key that it overlaps most; if several new ones are parts of an old one, the largest
    part is it, and the others are parts of it alone.

    >>> one = lambda start, end: Spans(np.array([0]), np.array([start]), np.array([end]), keys=1)
    >>> halves = Spans(np.array([0, 0]), np.array([5, 8]), np.array([7, 9]), keys=1)
    >>> [found.tolist() for found in matched(one(6, 9), one(5, 9))], [found.tolist() for found in matched(one(5, 9), halves)]
    ([[0], [0]], [[0, -1], [0, 0]])
    """
    row, other = intersections(new, old)
    shared = np.minimum(new.end[row], old.end[other]) - np.maximum(new.start[row], old.start[other])
    order = np.lexsort((new.start[row], -shared))
    owner, parent = np.full(len(new.key), -1, dtype=np.int64), np.full(len(new.key), -1, dtype=np.int64)
    taken = np.zeros(len(old.key), dtype=np.bool_)
    # The pairs with the largest overlap first: each old event once, each new one once.
    for mine, theirs in zip(row[order].tolist(), other[order].tolist(), strict=True):
        if parent[mine] < 0:
            parent[mine] = theirs
        if owner[mine] < 0 and not taken[theirs]:
            owner[mine], taken[theirs] = theirs, True
    return owner, parent
