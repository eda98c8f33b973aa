"""A set of integers as half-open spans, which are merged as they are added."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

__all__ = ["Spans"]


class Spans:
    """A set of integers as sorted, disjoint, half-open spans.

    >>> s = Spans(); s.add(0, 5); s.add(5, 9); s.add(20, 30); list(s)
    [(0, 9), (20, 30)]
    """

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield ``(first, end)`` in order."""
        return iter(self._spans)

    def __bool__(self) -> bool:
        """Return whether the set isn't empty."""
        return bool(self._spans)

    def add(self, first: int, end: int) -> None:
        """Add the numbers ``first .. end - 1``."""
        if first >= end:
            return
        at = bisect_left(self._spans, (first, first))
        if at and self._spans[at - 1][1] >= first:
            at -= 1
        stop = at
        while stop < len(self._spans) and self._spans[stop][0] <= end:
            first, end = min(first, self._spans[stop][0]), max(end, self._spans[stop][1])
            stop += 1
        self._spans[at:stop] = [(first, end)]

    def widened(self, size: int) -> Spans:
        """Return the spans extended outwards to multiples of ``size``."""
        out = Spans()
        for first, end in self._spans:
            out.add(first - first % size, -(-end // size) * size)
        return out
