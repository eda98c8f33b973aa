"""Lists of half-open spans of cells: union, intersection, complement, and pieces of bounded length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

__all__ = ["Span", "clip", "holes", "pieces", "spans_of_marks", "union", "widen"]

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
