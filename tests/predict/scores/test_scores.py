"""Scores against slow versions and published values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twinlab.errors import SchemaError
from twinlab.predict import scores

NUMBERS = st.floats(-100, 100)


@given(st.lists(st.tuples(NUMBERS, st.booleans()), min_size=2, max_size=60))
def test_auc_is_the_chance_that_a_case_of_1_has_the_higher_score(cases):
    score = np.array([one for one, _ in cases]).round()
    outcome = np.array([yes for _, yes in cases], float)
    ones, zeros = score[outcome == 1], score[outcome == 0]
    if not len(ones) or not len(zeros):
        assert np.isnan(scores.auc(score, outcome))
        return
    wins = (ones[:, None] > zeros[None, :]).mean() + 0.5 * (ones[:, None] == zeros[None, :]).mean()
    assert scores.auc(score, outcome) == pytest.approx(wins)


def test_auc_and_brier_are_those_of_scikit_learn(need):
    need("sklearn")
    from sklearn import metrics

    rng = np.random.default_rng(1)
    p = rng.random(500).round(2)
    y = (rng.random(500) < p).astype(float)
    assert scores.auc(p, y) == pytest.approx(metrics.roc_auc_score(y, p))
    assert scores.brier(p, y) == pytest.approx(metrics.brier_score_loss(y, p))
    q = rng.normal(size=(500, 3))
    wanted = np.mean([metrics.mean_pinball_loss(y, q[:, k], alpha=a) for k, a in enumerate((0.1, 0.5, 0.9))])
    assert scores.pinball(q, y, (0.1, 0.5, 0.9)) == pytest.approx(wanted)


@given(NUMBERS, st.floats(0.1, 10), NUMBERS)
def test_crps_of_many_quantiles_is_that_of_the_distribution(mean, sd, y):
    levels = (np.arange(2000) + 0.5) / 2000
    quantiles = stats.norm.ppf(levels, mean, sd)
    z = (y - mean) / sd
    wanted = sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert scores.crps(quantiles[None], [y], levels) == pytest.approx(wanted, rel=0.01, abs=0.01 * sd)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30))
def test_crps_of_the_median_alone_is_the_mean_absolute_error(cases):
    predicted, true = np.array(cases).T
    assert scores.crps(predicted[:, None], true, [0.5]) == pytest.approx(scores.mae(predicted, true))
    assert scores.rmse(predicted, true) >= scores.mae(predicted, true) - 1e-9


def test_missing_pairs_dont_count_and_without_any_there_is_no_score():
    nan = float("nan")
    assert scores.mae([1.0, nan, 3.0], [2.0, 2.0, nan]) == 1.0
    for score in (scores.mae, scores.rmse, scores.smape, scores.nasa_score, scores.brier, scores.auc):
        assert np.isnan(score([nan], [nan]))
    assert np.isnan(scores.pinball(np.empty((0, 1)), [], [0.5]))
    assert np.isnan(scores.coverage([nan], [1.0], [0.5]))
    with pytest.raises(SchemaError, match="one shape"):
        scores.mae([1.0], [1.0, 2.0])
    with pytest.raises(SchemaError, match="outcomes 0 or 1"):
        scores.brier([0.5], [2.0])
    with pytest.raises(SchemaError, match=r"quantiles of shape \(1, 2\)"):
        scores.pinball([[1.0]], [1.0], [0.1, 0.9])


def test_mase_is_scaled_by_the_seasonal_naive_error_in_training():
    training = np.array([1.0, 5.0, 2.0, 7.0, 3.0, 6.0])
    # |2 - 1|, |7 - 5|, |3 - 2|, |6 - 7| have the mean 1.25.
    assert scores.mase([4.0, 4.0], [5.0, 7.0], training=training, season=2) == pytest.approx(2.0 / 1.25)
    assert np.isnan(scores.mase([1.0], [2.0], training=np.ones(9), season=1))
    with pytest.raises(SchemaError, match="longer than its season of 6 steps, got 6"):
        scores.mase([1.0], [2.0], training=training, season=6)


def test_a_life_predicted_too_long_costs_more():
    late, early = scores.nasa_score([20.0], [10.0]), scores.nasa_score([0.0], [10.0])
    assert late == pytest.approx(np.e - 1)
    assert early == pytest.approx(np.exp(10 / 13) - 1)


def test_reliability_has_the_share_of_outcomes_in_each_bin():
    rng = np.random.default_rng(2)
    p = rng.random(20_000)
    table = scores.reliability(p, rng.random(20_000) < p)
    assert table["cases"].sum() == 20_000
    assert np.allclose(table["predicted"], table["observed"], atol=0.03)
    assert scores.reliability([1.0, 0.0], [1, 0])["low"].tolist() == [0.0, 0.9]


def test_diebold_mariano_is_the_t_test_of_the_mean_at_a_horizon_of_one():
    rng = np.random.default_rng(3)
    a, b = rng.random(40), rng.random(40) + 0.1
    found = scores.diebold_mariano(a, b)
    wanted = stats.ttest_1samp(a - b, 0.0)
    assert found.p == pytest.approx(wanted.pvalue, rel=1e-6)
    assert (found.low, found.high) == pytest.approx(tuple(wanted.confidence_interval(0.95)), rel=1e-6)


@pytest.mark.parametrize("test", ["diebold_mariano", "paired_bootstrap"])
def test_equal_forecasts_are_rarely_told_apart_though_their_losses_are_correlated(test):
    rng, rejected = np.random.default_rng(4), 0
    for _ in range(200):
        noise = rng.normal(size=(2, 203))
        # Moving averages of 4: losses of issue times less than 4 apart are correlated.
        a, b = (np.convolve(one, np.ones(4) / 4, mode="valid") for one in noise)
        options = {"horizon": 4} if test == "diebold_mariano" else {"block": 8, "samples": 300}
        rejected += getattr(scores, test)(a, b, **options).p < 0.05
    # The nominal share is 0.05; short series reject more often.
    assert rejected / 200 < 0.14


def test_a_better_forecast_is_found_and_too_few_pairs_show_nothing():
    rng = np.random.default_rng(5)
    a = rng.random(60)
    assert scores.diebold_mariano(a, a + 0.1 + 0.01 * rng.random(60)).verdict == "better"
    assert scores.paired_bootstrap(a + 0.1 + 0.01 * rng.random(60), a).verdict == "worse"
    assert scores.diebold_mariano(a[:3], a[:3] + 1, horizon=2).verdict == "not shown"
    assert np.isnan(scores.diebold_mariano(a, a).p)
    with pytest.raises(SchemaError, match="horizon of at least 1"):
        scores.diebold_mariano(a, a, horizon=0)
    with pytest.raises(SchemaError, match="paired losses in time order"):
        scores.paired_bootstrap(a, a[1:])
