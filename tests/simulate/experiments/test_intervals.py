"""Intervals against scipy, published values and simulated coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twinlab.simulate.experiments.intervals import (
    bootstrap,
    more_needed,
    newcombe,
    newcombe_paired,
    paired_t,
    welch,
    wilson,
)

VALUES = st.lists(st.floats(-1e3, 1e3).map(lambda value: round(value, 3)), min_size=2, max_size=30)


def rate(successes: int, trials: int) -> np.ndarray:
    return np.repeat([1.0, 0.0], [successes, trials - successes])


@given(VALUES, VALUES, st.floats(0.5, 0.999))
def test_the_intervals_of_means_are_those_of_scipy(one, two, level):
    one, two = np.array(one), np.array(two)
    size = min(len(one), len(two))
    differences = two[:size] - one[:size]
    if differences.std() > 1e-6:
        ours, theirs = paired_t(differences, level=level), stats.ttest_rel(two[:size], one[:size])
        np.testing.assert_allclose((ours.low, ours.high), theirs.confidence_interval(level), rtol=1e-9, atol=1e-9)
        assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-7)
    if one.std() > 1e-6 and two.std() > 1e-6:
        ours, theirs = welch(one, two, level=level), stats.ttest_ind(two, one, equal_var=False)
        np.testing.assert_allclose((ours.low, ours.high), theirs.confidence_interval(level), rtol=1e-9, atol=1e-9)
        assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-7)


def test_wilson_s_interval_is_scipy_s_and_stays_inside_0_and_1():
    for successes, trials in ((81, 263), (0, 10), (10, 10), (1, 7)):
        theirs = stats.binomtest(successes, trials).proportion_ci(0.9, method="wilson")
        assert wilson(successes, trials, level=0.9) == pytest.approx((theirs.low, theirs.high))
    assert wilson(0, 10, level=0.99)[0] == 0.0
    assert wilson(10, 10, level=0.99)[1] == 1.0


@pytest.mark.parametrize(
    ("one", "two", "low", "high"),
    # Newcombe 1998, Table II, method 10.
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((2, 7), (6, 7), 0.0582, 0.8062),
        ((0, 29), (5, 56), -0.0381, 0.1926),
        ((0, 20), (0, 10), -0.1611, 0.2775),
        ((0, 10), (10, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_s_interval_is_the_published_one(one, two, low, high):
    found = newcombe(rate(*one), rate(*two), level=0.95)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert (found.p_value < 0.05) == (low > 0)


@pytest.mark.parametrize(
    ("both", "only_second", "only_first", "neither", "low", "high"),
    # Newcombe 1998 (paired), method 10.
    [(36, 12, 2, 0, 0.0569, 0.3404), (36, 14, 0, 0, 0.1528, 0.4167)],
)
def test_newcombe_s_paired_interval_is_the_published_one(both, only_second, only_first, neither, low, high):
    second = np.repeat([1.0, 1.0, 0.0, 0.0], [both, only_second, only_first, neither])
    first = np.repeat([1.0, 0.0, 1.0, 0.0], [both, only_second, only_first, neither])
    found = newcombe_paired(first, second, level=0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-4)


@given(st.lists(st.booleans(), min_size=2, max_size=40), st.randoms())
def test_the_p_value_is_where_the_interval_of_rates_reaches_zero(first, random):
    one = np.array(first, dtype=float)
    two = np.array([random.random() < 0.5 for _ in first], dtype=float)
    for function in (newcombe, newcombe_paired):
        found = function(one, two, level=0.9)
        assert 0.0 <= found.p_value <= 1.0
        assert found.low <= found.value <= found.high
        if abs(found.p_value - 0.1) > 1e-6:
            assert (found.p_value < 0.1) == (found.low > 0 or found.high < 0)


def coverage(draw, interval, truth, trials=600) -> float:
    rng = np.random.default_rng(7)
    found = [interval(*draw(rng)) for _ in range(trials)]
    return float(np.mean([each.low <= truth <= each.high for each in found]))


def test_intervals_of_simulated_samples_contain_the_truth_as_often_as_stated():
    def skewed(rng):
        return (rng.exponential(1.0, 25), rng.exponential(1.5, 40))

    def paired_rates(rng):
        common = rng.random(60)
        return (common < 0.3).astype(float), ((common + 0.1 * rng.random(60)) < 0.3).astype(float)

    assert coverage(lambda rng: (rng.normal(3.0, 2.0, 8),), lambda d: paired_t(d, level=0.9), 3.0) == pytest.approx(
        0.9, abs=0.035
    )
    assert coverage(skewed, lambda a, b: welch(a, b, level=0.9), 0.5) == pytest.approx(0.9, abs=0.04)
    assert coverage(skewed, lambda a, b: bootstrap(a, b, level=0.9, seed=0, resamples=499), 0.5) == pytest.approx(
        0.9, abs=0.04
    )
    assert coverage(
        lambda rng: (rng.lognormal(0.0, 1.0, 30),),
        lambda d: bootstrap(None, d, level=0.9, seed=0, resamples=499),
        np.exp(0.5),
    ) == pytest.approx(0.9, abs=0.05)
    assert coverage(paired_rates, lambda a, b: newcombe_paired(a, b, level=0.9), -0.05) >= 0.88


def test_the_bootstrap_of_symmetric_values_is_near_student_s_t_and_repeats_itself():
    differences = np.random.default_rng(1).normal(1.0, 1.0, 200)
    found, plain = bootstrap(None, differences, level=0.95, seed=3), paired_t(differences, level=0.95)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.02)
    assert found == bootstrap(None, differences, level=0.95, seed=3)
    assert found != bootstrap(None, differences, level=0.95, seed=4)


@pytest.mark.parametrize("values", [[2.0, 2.0, 2.0], [0.0, 0.0]])
def test_equal_differences_are_an_interval_of_no_width(values):
    for found in (
        paired_t(np.array(values), level=0.95),
        bootstrap(None, np.array(values), level=0.95, seed=0),
        welch(np.zeros(len(values)), np.array(values), level=0.95),
    ):
        assert found.low == found.high == values[0]
        assert found.p_value == (values[0] == 0.0)


def test_the_estimated_number_of_replications_gives_a_verdict_in_four_of_five_cases():
    rng = np.random.default_rng(2)
    pilot = paired_t(stats.norm.ppf(np.linspace(0.02, 0.98, 20)) + 0.3, level=0.95)
    more = more_needed(pilot, replications=20, level=0.95, indifference=0.0, power=0.8)
    assert more is not None
    trials = [paired_t(rng.normal(0.3, pilot.deviation, 20 + more), level=0.95).low > 0 for _ in range(1000)]
    assert np.mean(trials) == pytest.approx(0.8, abs=0.04)


def test_no_number_of_replications_separates_equal_scenarios():
    same = paired_t(np.array([-1.0, 1.0]), level=0.95)
    assert more_needed(same, replications=2, level=0.95, indifference=0.0, power=0.8) is None
    assert more_needed(same, replications=2, level=0.95, indifference=1e-9, power=0.8) is None
    assert more_needed(same, replications=2, level=0.95, indifference=1.0, power=0.8) > 10
