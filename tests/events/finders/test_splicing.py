"""Spans replaced within windows are those that are true there, cell by cell; events of them are those of a new search."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twinlab.events.algebra.spans import NEVER, Spans, merged
from twinlab.events.finders.splicing import Windows, differing, events_of, spliced

KEYS, CELLS = 3, 12
cells = st.lists(st.lists(st.booleans(), min_size=CELLS, max_size=CELLS), min_size=KEYS, max_size=KEYS).map(np.array)


def spans_of(mask: np.ndarray) -> Spans:
    key, cell = np.nonzero(mask)
    return merged(Spans(key, cell, cell + 1, KEYS))[0]


def listed(spans: Spans) -> list[tuple[int, int, int]]:
    return list(zip(spans.key.tolist(), spans.start.tolist(), spans.end.tolist(), strict=True))


@given(cells, cells, cells, st.lists(st.integers(0, 3), min_size=KEYS, max_size=KEYS), st.integers(0, 3))
def test_what_is_replaced_is_true_in_the_windows_and_every_event_that_differs_is_among_the_others(
    before: np.ndarray, there: np.ndarray, now: np.ndarray, gaps: list[int], lasting: int
) -> None:
    gap, long, stop = np.array(gaps), np.full(KEYS, lasting), np.full(KEYS, CELLS)
    found, old, new = spliced(spans_of(before), Windows(spans_of(there)), spans_of(now), gap)
    after = spans_of(np.where(there, now, before))
    assert listed(found) == listed(after)

    was, became = (events_of(one, gap, long, stop) for one in (spans_of(before), after))
    some_was, some_became = (events_of(one, gap, long, stop) for one in (old, new))
    assert set(listed(some_was)) <= set(listed(was))
    assert set(listed(some_became)) <= set(listed(became))
    changed = set(listed(was)) ^ set(listed(became))
    assert {*listed(differing(some_was, some_became)), *listed(differing(some_became, some_was))} == changed


@given(cells, st.integers(0, 3), st.integers(0, 3))
def test_events_are_joined_over_gaps_then_left_out_if_short_and_open_at_the_stop(
    mask: np.ndarray, gap: int, lasting: int
) -> None:
    found = events_of(spans_of(mask), np.full(KEYS, gap), np.full(KEYS, lasting), np.full(KEYS, CELLS))
    union, _ = merged(spans_of(mask), gap_ns=gap)
    expected = [(k, a, NEVER if b == CELLS else b) for k, a, b in listed(union) if b - a >= lasting]
    assert listed(found) == expected
