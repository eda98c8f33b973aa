"""Heaps: the earliest event is always first, and a clock can be set to any time."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.simulate.kernel.loops.heap import pop, push, replace_first, set_clock

TIMES = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=40)


def removed(times: np.ndarray, items: np.ndarray, size: int) -> list[tuple[float, int]]:
    """Take the events out one by one."""
    found = []
    for left in range(size, 0, -1):
        found.append((float(times[0]), int(items[0])))
        pop(times, items, left)
    return found


@settings(max_examples=60, deadline=None)
@given(given_times=TIMES, replaced=TIMES)
def test_events_come_out_in_order(given_times, replaced):
    times, items = np.zeros(len(given_times)), np.zeros(len(given_times), np.int32)
    for place, time in enumerate(given_times):
        push(times, items, place, time, place)
    expected = dict(enumerate(given_times))
    for number, time in enumerate(replaced, start=len(given_times)):
        assert times[0] == min(expected.values())
        del expected[int(items[0])]
        replace_first(times, items, times.size, time, number)
        expected[number] = time
    found = removed(times, items, times.size)
    assert [time for time, _ in found] == sorted(expected.values())
    assert {item: time for time, item in found} == expected


@settings(max_examples=60, deadline=None)
@given(moves=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 20).map(float)), max_size=40))
def test_a_clock_is_found_and_moved(moves):
    times = np.full(13, np.inf)
    items, places = np.arange(13, dtype=np.int32), np.arange(13, dtype=np.int32)
    expected = dict.fromkeys(range(13), np.inf)
    for item, time in moves:
        set_clock(times, items, places, item, time)
        expected[item] = time
        assert times[0] == min(expected.values())
        assert {one: float(times[places[one]]) for one in range(13)} == expected
        assert items[places].tolist() == list(range(13))
