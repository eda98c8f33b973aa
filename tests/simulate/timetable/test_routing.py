"""Earliest planned arrivals, against a search by brute force."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.simulate.timetable.routing import first_departure, quickest_paths

TRIP = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 60), st.integers(1, 20))


def earliest(trips, ready, origin, goal, change, most):
    """Earliest arrival over all sequences of trips."""
    best = np.inf
    for many in range(1, most + 1):
        for path in itertools.permutations(range(len(trips)), many):
            at, time = origin, ready
            for number, k in enumerate(path):
                a, b, leaves, takes = trips[k]
                if a != at or leaves < time + (change if number else 0) or b == origin:
                    break
                at, time = b, leaves + takes
            else:
                if at == goal:
                    best = min(best, time)
    return best


@settings(max_examples=60)
@given(
    st.lists(TRIP.filter(lambda trip: trip[0] != trip[1]), min_size=1, max_size=6), st.integers(0, 8), st.integers(1, 3)
)
def test_paths_arrive_as_early_as_any(trips, change, most):
    origin, destination, start, takes = (np.array(each) for each in zip(*trips, strict=True))
    begin, end = start.astype(float), (start + takes).astype(float)
    usable, order = np.ones(len(trips), bool), np.argsort(begin, kind="stable")
    paths = quickest_paths(origin, destination, begin, end, usable, order, 4, float(change), most)
    by_hub = np.lexsort((begin, origin))
    bounds = np.searchsorted(origin[by_hub], np.arange(5))
    for hub in range(4):
        first = first_departure(hub, 0.0, by_hub, bounds, begin, usable)
        for goal in set(range(4)) - {hub}:
            best = earliest(trips, 0, hub, goal, change, most)
            path = [] if first < 0 else [int(k) for k in paths[first, goal] if k >= 0]
            assert bool(path) == np.isfinite(best)
            if path:
                assert end[path[-1]] == best
                assert [origin[path[0]], destination[path[-1]]] == [hub, goal]
                assert all(end[a] + change <= begin[b] for a, b in itertools.pairwise(path))


def test_cancelled_trips_are_not_used():
    begin = np.array([1.0, 2.0])
    usable = np.array([False, True])
    trips = np.zeros(2, np.int64), np.ones(2, np.int64), begin, begin + 5
    paths = quickest_paths(*trips, usable, np.arange(2), 2, 0.0, 2)
    assert first_departure(0, 0.0, np.arange(2), np.array([0, 2, 2]), begin, usable) == 1
    assert paths[1, 1, 0] == 1
    assert first_departure(0, 3.0, np.arange(2), np.array([0, 2, 2]), begin, usable) == -1
