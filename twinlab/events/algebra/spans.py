"""Spans as arrays, grouped by a key: order, union, intersection, gaps and search, each in O(n log n) plus its output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twinlab.events.algebra.kernels import merge_sorted, order_by_key, pairs, positions

__all__ = ["ALWAYS", "NEVER", "NOT_A_TIME", "Ordered", "Spans", "gaps", "intersections", "merged", "pieces", "together"]

Integers = NDArray[np.int64]

#: NaT as an integer, the begin and the end of all time.
NOT_A_TIME = int(np.iinfo(np.int64).min)
ALWAYS, NEVER = NOT_A_TIME + 1, int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Spans:
    """Spans ``[start, end)`` in nanoseconds since 1970, each with the number of its key.

    A span is compared only with spans of its key; one with a negative key with none. `NEVER` is the end of what isn't over.
    Times are later than NaT; an end isn't before its start.
    """

    key: Integers
    start: Integers
    end: Integers
    #: Keys are less than this.
    keys: int

    @cached_property
    def by_start(self) -> Ordered:
        """The starts, sorted by key and time."""
        return Ordered.of(self.key, self.start, self.keys)

    @cached_property
    def by_end(self) -> Ordered:
        """The ends, sorted by key and time."""
        return Ordered.of(self.key, self.end, self.keys)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Spans:
        """Return some of the spans."""
        return Spans(self.key[rows], self.start[rows], self.end[rows], self.keys)


@dataclass(frozen=True)
class Ordered:
    """Rows sorted by key and time, where each key begins (one more than there are keys), and the sorted times."""

    rows: Integers
    offsets: Integers
    times: Integers

    @classmethod
    def of(cls, keys: Integers, times: Integers, groups: int) -> Ordered:
        """Sort times by key; equal ones keep their order."""
        rows, offsets = order_by_key(keys, np.argsort(times, kind="stable"), groups)
        return cls(rows, offsets, times[rows])

    def before(self, keys: Integers, times: Integers) -> Integers:
        """Return for each key and time the place of the first sorted time of the key that isn't before it."""
        return np.asarray(positions(keys, times, self.offsets, self.times, False))  # noqa: FBT003  (numba)

    def until(self, keys: Integers, times: Integers) -> Integers:
        """Return for each key and time the place of the first sorted time of the key that is after it."""
        return np.asarray(positions(keys, times, self.offsets, self.times, True))  # noqa: FBT003  (numba)


def together(parts: Sequence[Spans], keys: int) -> Spans:
    """Return the spans of several arrays as one.

    >>> one = Spans(np.array([0]), np.array([5]), np.array([9]), keys=1)
    >>> together([one, one], 1).start.tolist(), together([], 1).start.tolist()
    ([5, 5], [])
    """
    none = np.empty(0, dtype=np.int64)
    key, start, end = (
        np.concatenate([none, *arrays])
        for arrays in ([p.key for p in parts], [p.start for p in parts], [p.end for p in parts])
    )
    return Spans(key, start, end, keys)


def merged(spans: Spans, *, gap_ns: int = 0) -> tuple[Spans, Integers]:
    """Return the union of the spans of each key, and which span of the union each one is in.

    Spans that overlap, touch, or are at most ``gap_ns`` apart are joined.

    Returns
    -------
    Spans
        Sorted by key and start; those of a key are more than ``gap_ns`` apart.
    int64 array
        For each of ``spans`` its place in the union, -1 if its key is negative.

    >>> several = Spans(*(np.array(one) for one in ([0, 0, 1], [0, 5, 5], [5, 9, 9])), keys=2)
    >>> union, place = merged(several)
    >>> union.start.tolist(), union.end.tolist(), place.tolist()
    ([0, 5], [9, 9], [0, 0, 1])
    """
    order = spans.by_start
    group = np.full(len(spans.key), -1, dtype=np.int64)
    key, start, end = merge_sorted(order.rows, order.offsets, spans.start, spans.end, gap_ns, group)
    return Spans(key, start, end, spans.keys), group


def intersections(spans: Spans, others: Spans) -> tuple[Integers, Integers]:
    """Return the pairs of spans of the same key that have an instant in common, as places in ``spans`` and in ``others``.

    Sorted by place in ``spans``, then by start of the other. An empty span has no instant, so that it is in no pair.

    >>> day = Spans(*(np.array(one) for one in ([0, 0], [0, 10], [10, 20])), keys=1)
    >>> [one.tolist() for one in intersections(day, Spans(np.array([0]), np.array([9]), np.array([10]), keys=1))]
    [[0], [0]]
    """
    mine, theirs = _with_duration(spans), _with_duration(others)
    m, t = mine.by_start, theirs.by_start
    row, other = pairs(
        m.rows, m.offsets, m.times, mine.end[m.rows], t.rows, t.offsets, t.times, theirs.end[t.rows], len(mine.key)
    )
    return np.asarray(row), np.asarray(other)


def gaps(union: Spans) -> Spans:
    """Return the time that spans leave free, for each key from `ALWAYS` to `NEVER`; ``union`` as `merged` returns it.

    >>> free = gaps(Spans(np.array([1]), np.array([5]), np.array([7]), keys=2))
    >>> free.key.tolist(), (free.start == ALWAYS).tolist(), free.end[1], free.start[2]
    ([0, 1, 1], [True, True, False], np.int64(5), np.int64(7))
    """
    union = union.take(union.end > union.start)
    size = len(union.key) + union.keys
    start, end = np.full(size, ALWAYS, dtype=np.int64), np.full(size, NEVER, dtype=np.int64)
    # A key with n spans has n + 1 gaps.
    place = np.arange(len(union.key)) + union.key
    start[place + 1], end[place] = union.end, union.start
    counts = np.bincount(union.key, minlength=union.keys)
    key = np.repeat(np.arange(union.keys), counts + 1)
    keep = start < end
    return Spans(key[keep], start[keep], end[keep], union.keys)


def pieces(spans: Spans, others: Spans) -> tuple[Integers, Integers, Integers]:
    """Return the parts of each span that are in the union of others: its place, start and end, sorted by place and start."""
    union, _ = merged(_with_duration(others))
    row, other = intersections(spans, union)
    return row, np.maximum(spans.start[row], union.start[other]), np.minimum(spans.end[row], union.end[other])


def _with_duration(spans: Spans) -> Spans:
    """Return the spans without those that contain no instant: the places of the others are kept."""
    empty = spans.end <= spans.start
    if not empty.any():
        return spans
    return Spans(np.where(empty, -1, spans.key), spans.start, spans.end, spans.keys)
