"""Spans as arrays against a set of instants in plain Python."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twinlab.events.algebra.spans import ALWAYS, NEVER, Spans, gaps, intersections, merged, pieces

KEYS = 3
#: Key (negative: none), start, duration (None: not over). Small numbers, so that spans touch, repeat and are empty.
ROWS = st.lists(st.tuples(st.integers(-1, KEYS - 1), st.integers(0, 12), st.none() | st.integers(0, 6)), max_size=12)


def spans(rows: list[tuple[int, int, int | None]]) -> Spans:
    columns = [(key, start, NEVER if length is None else start + length) for key, start, length in rows]
    key, start, end = np.array(columns, dtype=np.int64).reshape(-1, 3).T
    return Spans(key.copy(), start.copy(), end.copy(), KEYS)


#: Instants of a key, up to one after all ends; the last one is any later instant.
LAST = 30


def instants(some: Spans, key: int) -> set[int]:
    found = zip(some.key.tolist(), some.start.tolist(), some.end.tolist(), strict=True)
    return {at for k, start, end in found if k == key for at in range(max(start, -1), min(end, LAST + 1))}


@given(ROWS)
def test_a_union_has_the_instants_of_its_spans_and_no_two_that_touch(rows: list) -> None:
    some = spans(rows)
    union, place = merged(some)
    assert all(instants(union, key) == instants(some, key) for key in range(KEYS))
    same = union.key[1:] == union.key[:-1]
    assert (union.start[1:] > union.end[:-1])[same].all()
    there = some.key >= 0
    assert (place[~there] == -1).all()
    assert (union.key[place[there]] == some.key[there]).all()
    assert (union.start[place[there]] <= some.start[there]).all()
    assert (union.end[place[there]] >= some.end[there]).all()


@given(ROWS, st.integers(0, 5))
def test_a_gap_joins_what_is_that_far_apart(rows: list, gap: int) -> None:
    some = spans(rows)
    expected = []
    for key, start, end in sorted(zip(some.key.tolist(), some.start.tolist(), some.end.tolist(), strict=True)):
        if key < 0:
            continue
        if expected and expected[-1][0] == key and start - expected[-1][2] <= gap:
            expected[-1][2] = max(expected[-1][2], end)
        else:
            expected.append([key, start, end])
    union, _ = merged(some, gap_ns=gap)
    assert np.column_stack([union.key, union.start, union.end]).tolist() == expected


@given(ROWS, ROWS)
def test_intersections_are_the_pairs_with_an_instant_in_common_in_order(rows: list, other_rows: list) -> None:
    some, others = spans(rows), spans(other_rows)
    expected = [
        (i, j)
        for i in range(len(rows))
        for j in sorted(range(len(other_rows)), key=lambda j: other_rows[j][1])
        if some.key[i] == others.key[j] >= 0 and max(some.start[i], others.start[j]) < min(some.end[i], others.end[j])
    ]
    mine, theirs = intersections(some, others)
    found = list(zip(mine.tolist(), theirs.tolist(), strict=True))
    assert sorted(found) == sorted(expected)
    starts = [(i, other_rows[j][1]) for i, j in found]
    assert starts == sorted(starts)


@given(ROWS)
def test_gaps_have_all_other_instants_and_the_gaps_of_gaps_are_the_union(rows: list) -> None:
    union, _ = merged(spans([row for row in rows if row[2] != 0]))
    free = gaps(union)
    everything = set(range(-1, LAST + 1))
    assert all(instants(free, key) == everything - instants(union, key) for key in range(KEYS))
    again = gaps(free)
    assert np.array_equal(np.array([again.key, again.start, again.end]), np.array([union.key, union.start, union.end]))


@given(ROWS, ROWS)
def test_pieces_of_a_span_are_its_instants_in_others(rows: list, other_rows: list) -> None:
    some, others = spans(rows), spans(other_rows)
    row, start, end = pieces(some, others)
    assert (start < end).all()
    for place in range(len(rows)):
        mine, key = np.array([place]), int(some.key[place])
        expected = instants(some.take(mine), key) & instants(others, key) if key >= 0 else set()
        keys = some.key[row]
        found = [instants(Spans(keys[[n]], start[[n]], end[[n]], KEYS), key) for n in np.flatnonzero(row == place)]
        assert sum(map(len, found)) == len(expected)
        assert set().union(*found) == expected


def test_the_whole_of_time_is_free_where_there_is_nothing() -> None:
    nothing = spans([])
    free = gaps(nothing)
    assert (free.start == ALWAYS).all() and (free.end == NEVER).all() and free.key.tolist() == [0, 1, 2]
    assert merged(nothing)[0].key.size == 0


def test_a_gap_beyond_the_end_of_time_does_not_overflow() -> None:
    early = Spans(np.array([0, 0]), np.array([ALWAYS, NEVER - 5]), np.array([ALWAYS + 1, NEVER]), 1)
    # Further apart than the longest gap.
    assert merged(early, gap_ns=NEVER)[0].start.tolist() == [ALWAYS, NEVER - 5]
    late = Spans(np.array([0, 0]), np.array([0, NEVER - 5]), np.array([NEVER - 9, NEVER]), 1)
    assert merged(late, gap_ns=10)[0].end.tolist() == [NEVER]
