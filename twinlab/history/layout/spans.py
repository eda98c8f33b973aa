"""Half-open spans of cells: union, intersection, complement, pieces of bounded length, and a set of spans."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

__all__ = ["Span", "Spans", "clip", "holes", "pieces", "spans_of_marks", "union", "widen"]

#: Half-open span of cell numbers.
Span = tuple[int, int]


def union(*groups: Iterable[Span], gap: int = 0) -> list[Span]:
    """Return the sorted union of spans; spans at most ``gap`` cells apart are merged.

    >>> union([(5, 7)], [(0, 2), (6, 9)])
    [(0, 2), (5, 9)]
    """
    out: list[Span] = []
    for low, high in sorted(span for group in groups for span in group if span[0] < span[1]):
        if out and low <= out[-1][1] + gap:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return out


def widen(spans: Iterable[Span], *, before: int, after: int) -> list[Span]:
    """Return the spans, each longer by ``before`` cells at its start and ``after`` at its end.

    >>> widen([(5, 7)], before=1, after=2)
    [(4, 9)]
    """
    return union([(low - before, high + after) for low, high in spans])


def clip(spans: Iterable[Span], window: Span) -> list[Span]:
    """Return the parts of spans within ``window``.

    >>> clip([(0, 4), (6, 9)], (2, 7))
    [(2, 4), (6, 7)]
    """
    low, high = window
    return [(max(a, low), min(b, high)) for a, b in spans if max(a, low) < min(b, high)]


def holes(spans: Iterable[Span], window: Span) -> list[Span]:
    """Return the parts of ``window`` that no span covers.

    >>> holes([(2, 4)], (0, 6))
    [(0, 2), (4, 6)]
    """
    out, at = [], window[0]
    for low, high in clip(union(spans), window):
        if at < low:
            out.append((at, low))
        at = high
    if at < window[1]:
        out.append((at, window[1]))
    return out


def pieces(spans: Iterable[Span], *, longest: int, edges: Iterable[int] = ()) -> Iterator[Span]:
    """Yield spans cut into pieces of at most ``longest`` cells, at multiples of it and at ``edges``.

    >>> list(pieces([(3, 11)], longest=4, edges=[5]))
    [(3, 4), (4, 5), (5, 8), (8, 11)]
    """
    cuts = sorted(set(edges))
    for low, high in spans:
        at = low
        while at < high:
            stop = min(high, (at // longest + 1) * longest)
            stop = next((cut for cut in cuts if at < cut < stop), stop)
            yield at, stop
            at = stop


def spans_of_marks(marks: npt.NDArray[np.bool_], first: int) -> list[Span]:
    """Return the runs of True in ``marks``, whose element 0 is cell ``first``.

    >>> spans_of_marks(np.array([True, True, False, True]), 10)
    [(10, 12), (13, 14)]
    """
    edges = np.flatnonzero(np.diff(marks.astype(np.int8), prepend=0, append=0))
    return [(first + int(a), first + int(b)) for a, b in edges.reshape(-1, 2)]


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
