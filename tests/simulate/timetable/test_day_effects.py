"""Levels and forecasts of the effects of days."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.simulate.timetable.day_effects import QUANTILES, _by_level, _ridge

EFFECTS = st.lists(st.sampled_from([-2.0, -0.3, 0.0, 0.1, 5.0]), min_size=1, max_size=60)


@given(EFFECTS)
def test_each_level_has_trips(effects):
    effect = np.array(effects)
    scores = effect + np.linspace(-1, 1, len(effect))
    levels, table = _by_level(scores, effect)
    assert np.isfinite(levels).all()
    assert (np.diff(levels) > 0).all()
    assert table.shape == (len(levels), QUANTILES)
    assert (table[:, 0].min(), table[:, -1].max()) == (scores.min(), scores.max())


def test_edges_without_a_trip_between_them_are_no_level():
    # The quantiles 0.02 and 0.05 of ten values are both between the first and the second.
    levels, _ = _by_level(np.arange(10.0), np.arange(10.0))
    assert levels.tolist() == np.unique(levels).tolist()
    assert not np.isnan(levels).any()


@pytest.mark.parametrize("days", [20, 28, 29, 55, 56])
def test_days_left_out_are_predicted_from_others_in_short_and_long_windows(days):
    x = np.random.default_rng(days).standard_normal((days, 2))
    y = 3 * x[:, :1] + 1
    found, errors = _ridge(x, y, np.array([0.5, 0.0]), (1,))
    assert found == pytest.approx(2.5, abs=0.3)
    assert errors.shape == (days, 1)
    # Days outside the range of the others are predicted as those at its ends.
    assert 0 < np.median(np.abs(errors)) < 0.5
