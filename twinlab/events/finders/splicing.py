"""Spans of many keys, replaced within windows; only where an event may differ something is computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twinlab.events.algebra.kernels import positions
from twinlab.events.algebra.spans import NEVER, Spans, gaps, intersections, merged, together

__all__ = ["Windows", "differing", "events_of", "spliced"]

Integers = NDArray[np.int64]


def events_of(spans: Spans, gap: Integers, lasting: Integers, stop: Integers) -> Spans:
    """Return the events of spans: those at most a gap apart are one; what isn't over at the stop ends at `NEVER`.

    Parameters
    ----------
    spans : Spans
        Sorted by key and start; those of a key don't overlap.
    gap, lasting, stop : int64 array (key)
        In nanoseconds; ``stop`` since 1970.

    >>> several = Spans(*(np.array(one) for one in ([0, 0, 0, 1], [0, 3, 9, 0], [2, 5, 12, 1])), keys=2)
    >>> two = lambda number: np.full(2, number)
    >>> found = events_of(several, two(1), two(2), two(12))
    >>> found.start.tolist(), found.end[0], found.end[1] == NEVER
    ([0, 9], np.int64(5), np.True_)
    """
    first = np.flatnonzero(~_linked(spans, gap))
    last = np.append(first[1:], len(spans.key)) - 1 if len(first) else first
    key, start, end = spans.key[first], spans.start[first], spans.end[last]
    long = end - start >= lasting[key]
    key, start, end = key[long], start[long], end[long]
    return Spans(key, start, np.where(end >= stop[key], NEVER, end), spans.keys)


@dataclass(frozen=True)
class Windows:
    """Where spans are replaced: ``spans`` as `merged` returns them."""

    spans: Spans

    @cached_property
    def outside(self) -> Spans:
        """All other time."""
        return gaps(self.spans)


def spliced(old: Spans, windows: Windows, new: Spans, gap: Integers) -> tuple[Spans, Spans, Spans]:
    """Replace the spans within windows.

    Parameters
    ----------
    old : Spans
        Sorted by key and start; those of a key neither overlap nor touch.
    windows : Windows
    new : Spans
        What is true within the windows; parts of spans outside of them are left out.
    gap : int64 array (key)
        Spans at most this far apart are of one event.

    Returns
    -------
    Spans
        All spans, like ``old``.
    Spans, Spans
        Those of the old and of the new ones that may be of an event that differs: always all of an event.

    >>> one = lambda *spans: Spans(np.zeros(len(spans), np.int64), *np.array(spans).T, keys=1)
    >>> found = spliced(one((0, 2), (5, 9), (20, 22)), Windows(one((7, 12))), one((7, 8), (10, 11)), np.array([1]))
    >>> [list(zip(each.start.tolist(), each.end.tolist())) for each in found]
    [[(0, 2), (5, 8), (10, 11), (20, 22)], [(5, 9)], [(5, 8), (10, 11)]]
    """
    offsets = np.searchsorted(old.key, np.arange(old.keys + 1))
    key, reach = windows.spans.key, gap[windows.spans.key]
    low = np.asarray(positions(key, windows.spans.start - reach, offsets, old.end, False))  # noqa: FBT003  (numba)
    high = np.asarray(positions(key, windows.spans.end + reach, offsets, old.start, True))  # noqa: FBT003
    near = _places(low, high)
    mine = np.zeros(len(old.key), dtype=np.bool_)
    mine[near] = True
    if gap.any():
        # All spans of the events that these are of.
        event = np.cumsum(~_linked(old, gap)) - 1
        mine = np.isin(event, event[near])
    before = old.take(np.flatnonzero(mine))
    parts = [_within(before, windows.outside), _within(new, windows.spans)]
    after = merged(together(parts, old.keys))[0]
    return _inserted(old.take(np.flatnonzero(~mine)), after), before, after


def differing(spans: Spans, others: Spans) -> Spans:
    """Return the spans that aren't among others; both are sorted by key and start, and those of a key don't overlap."""
    offsets = np.searchsorted(others.key, np.arange(others.keys + 1))
    at = np.asarray(positions(spans.key, spans.start, offsets, others.start, False))  # noqa: FBT003  (numba)
    there = at < offsets[spans.key + 1]
    row = np.where(there, at, 0)
    if len(others.key):
        there &= (others.start[row] == spans.start) & (others.end[row] == spans.end)
    return spans.take(~there)


def _within(spans: Spans, others: Spans) -> Spans:
    """Return the parts of spans that are in others, which don't overlap."""
    row, other = intersections(spans, others)
    start, end = np.maximum(spans.start[row], others.start[other]), np.minimum(spans.end[row], others.end[other])
    return Spans(spans.key[row], start, end, spans.keys)


def _linked(spans: Spans, gap: Integers) -> NDArray[np.bool_]:
    """Return whether each span is of the same event as the one before."""
    out = np.zeros(len(spans.key), dtype=np.bool_)
    out[1:] = (spans.key[1:] == spans.key[:-1]) & (spans.start[1:] - spans.end[:-1] <= gap[spans.key[1:]])
    return out


def _places(low: Integers, high: Integers) -> Integers:
    """Return the places in ranges from ``low`` to ``high``, one range after the other."""
    size = high - low
    begin = np.cumsum(size) - size
    return np.asarray(np.arange(int(size.sum())) + np.repeat(low - begin, size), dtype=np.int64)


def _inserted(spans: Spans, others: Spans) -> Spans:
    """Return the spans of both, sorted by key and start as each of them is."""
    offsets = np.searchsorted(spans.key, np.arange(spans.keys + 1))
    at = np.asarray(positions(others.key, others.start, offsets, spans.start, False))  # noqa: FBT003  (numba)
    key, start, end = (np.insert(getattr(spans, name), at, getattr(others, name)) for name in ("key", "start", "end"))
    return Spans(key, start, end, spans.keys)
