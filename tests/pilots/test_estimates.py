"""Medians and shares with intervals: right as often as they say, and careful where values are few."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twinlab.errors import SchemaError
from twinlab.pilots.estimates import FEWEST, Estimate, change, median, met, share

NUMBERS = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


@given(NUMBERS)
def test_an_interval_contains_its_median_and_needs_six_values(values: list[float]) -> None:
    found = median(values)
    assert found.value == np.median(values)
    assert found.bounded == (len(values) >= FEWEST)
    if found.bounded:
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize("count", [6, 7, 20, 99, 500, 999, 1000, 5000])
def test_the_interval_of_a_median_is_the_narrowest_that_is_right_in_95_of_100_cases(count: int) -> None:
    found = median(list(range(count)))
    place = int(found.low)
    # The chance that the median is below the place-th smallest value, on either side.
    assert 2 * stats.binom.cdf(place, count, 0.5) <= 0.05 + 0.002 * (count >= 1000)
    assert 2 * stats.binom.cdf(place + 1, count, 0.5) > 0.05 - 0.002 * (count >= 1000)
    assert found.high == count - 1 - place


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 20))
def test_a_share_without_verdicts_contains_all_that_they_may_turn_out_to_be(
    hits: int, others: int, unknown: int
) -> None:
    found = share(hits, hits + others, unknown=unknown)
    if hits + others + unknown == 0:
        assert not found.known and not found.bounded
        return
    for more in range(unknown + 1):
        then = share(hits + more, hits + others + unknown)
        assert found.low <= then.low and then.high <= found.high


def test_a_share_is_that_of_scipy() -> None:
    found = share(7, 31)
    interval = stats.binomtest(7, 31).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


@given(NUMBERS, NUMBERS)
def test_a_change_is_the_other_way_round_when_more_is_better(one: list[float], other: list[float]) -> None:
    names = {"better": "worse", "worse": "better"}
    less = change(median(one), median(other), less_is_better=True)
    assert change(median(one), median(other), less_is_better=False) == names.get(less, less)
    assert change(median(other), median(one), less_is_better=True) == names.get(less, less)


def test_of_samples_from_one_distribution_few_are_called_a_change() -> None:
    rng = np.random.default_rng(1)
    said = [change(median(rng.exponential(size=20)), median(rng.exponential(size=20)), less_is_better=True) for _ in range(400)]  # fmt: skip
    assert sum(one != "can't tell" for one in said) <= 0.05 * len(said)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(1.0, 2.0, True), (3.0, 4.0, False), (1.0, 4.0, None), (math.nan, math.nan, None)]
)
def test_an_aim_is_met_only_if_the_whole_interval_meets_it(low: float, high: float, expected: bool | None) -> None:
    found = Estimate(1.5, low, high, 9)
    assert met(found, 2.5, less_is_better=True) is expected
    assert met(found, None, less_is_better=True) is None
    assert met(Estimate(-1.5, -high, -low, 9), -2.5, less_is_better=False) is expected


def test_numbers_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SchemaError, match="hits <= total"):
        share(3, 2)
    with pytest.raises(SchemaError, match="finite"):
        median([1.0, math.nan])
