"""Token buckets, against the definition."""

from hypothesis import given
from hypothesis import strategies as st

from twinlab.apps.login.rates import Bucket, Buckets


@given(st.floats(0.1, 100), st.integers(1, 50), st.lists(st.tuples(st.floats(0, 10), st.integers(1, 20)), max_size=50))
def test_in_any_window_no_more_is_taken_than_the_burst_and_what_came(rate, burst, asked):
    now = [0.0]
    bucket = Bucket(rate, burst, lambda: now[0])
    taken = []
    for pause, count in asked:
        now[0] += pause
        taken.append((now[0], sum(bucket.take() for _ in range(count))))
    for begin in range(len(taken)):
        for end in range(begin, len(taken)):
            span = taken[end][0] - taken[begin][0]
            assert sum(count for _, count in taken[begin : end + 1]) <= burst + rate * span + 1e-6


def test_keys_have_their_own_and_the_oldest_are_forgotten():
    buckets = Buckets(rate=1, burst=1, most=2, clock=lambda: 0.0)
    assert [buckets.take(key) for key in ("a", "a", "b", "a")] == [True, False, True, False]
    assert buckets.take("c") and len(buckets) == 2
    # "b" asked longest ago.
    assert buckets.take("b")
