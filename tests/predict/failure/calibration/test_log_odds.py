"""Probabilities that are right on average, at the fit and after it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.predict.failure.calibration.log_odds import calibrated, corrected, logistic, scaled
from twinlab.predict.failure.calibration.outcomes import Outcomes, correction


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.3, 3.0), st.floats(-2.0, 2.0))
def test_calibration_keeps_the_order_and_is_right_on_average(seed, factor, offset):
    rng = np.random.default_rng(seed)
    raw = rng.normal(-2, 2, 2_000)
    happened = (rng.random(2_000) < 1 / (1 + np.exp(-(factor * raw + offset)))).astype(float)
    scale = calibrated(raw, happened)
    found = logistic(scaled(np.sort(raw), scale))
    assert (np.diff(found) >= 0).all()
    if 0 < happened.sum() < len(happened):
        assert logistic(scaled(raw, scale)).mean() == pytest.approx(happened.mean(), abs=0.01)
    # What earlier versions stored has two numbers.
    np.testing.assert_allclose(scaled(raw, (factor, offset)), factor * raw + offset)


def test_one_outcome_alone_changes_nothing():
    assert calibrated(np.zeros(9), np.zeros(9)) == (1.0, 0.0, 0.0)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(-2.0, 0.5), st.floats(-0.4, 0.6))
def test_a_correction_comes_near_what_came_and_keeps_the_order(seed, offset, slope):
    rng = np.random.default_rng(seed)
    before = rng.normal(-2, 2, 3_000)
    happened = rng.random(3_000) < logistic(offset + (1 + slope) * before)
    found = correction(before, happened, weight=1.0)
    after = logistic(found[0] + (1 + found[1]) * np.sort(before))
    assert (np.diff(after) >= 0).all()
    assert after.mean() == pytest.approx(happened.mean(), abs=0.01)
    # The same, as a line of the log odds of trees.
    np.testing.assert_allclose(
        scaled(before, corrected((2.0, 1.0, 0.5), *found)), found[0] + (1 + found[1]) * scaled(before, (2.0, 1.0, 0.5))
    )


def test_few_outcomes_correct_nothing_and_no_failure_corrects_by_a_bounded_amount():
    assert correction(np.zeros(9), np.zeros(9, bool), weight=1.0) == (0.0, 0.0)
    assert correction(np.full(60, -2.0), np.zeros(60, bool), weight=1 / 7) == (0.0, 0.0)
    offset, slope = correction(np.full(700, -2.0), np.zeros(700, bool), weight=1 / 7)
    assert -2 < offset < -1
    assert slope > -1


def test_an_outcome_counts_once_its_span_is_over():
    day, start = np.timedelta64(1, "D"), np.datetime64("2026-01-01", "ns")
    outcomes, names = Outcomes((1.0, 0.0, 0.0)), [f"P{k}" for k in range(40)]
    for k in range(3):
        outcomes = outcomes.issue(start + k * day, names, np.zeros(40), since=start)
    failures = pd.DataFrame(
        {"asset": ["P0", "P1", "P9"], "start": pd.to_datetime(["2026-01-02T00", "2026-01-04T12", None])}
    )

    def after(days):
        return outcomes.correction(failures, start + days * day, span=3 * day, every=day)

    assert after(2) == (0.0, 0.0)
    # Of the first day's 40 cases one failed within three days, of the first two days' 80 one and one.
    assert after(3) == correction(np.zeros(40), np.arange(40) < 1, weight=1 / 3)
    assert after(4) == correction(np.zeros(80), np.arange(80) < 2, weight=1 / 3)
    assert len(outcomes.issue(start + 9 * day, names, np.zeros(40), since=start + day).issued) == 120
