"""The pure parts of forecasts: filling, seasons, the combination and its errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twinlab.predict.forecasting.combination import Combination
from twinlab.predict.forecasting.filling import filled
from twinlab.predict.forecasting.intervals import Intervals, past_errors
from twinlab.predict.forecasting.seasons import find_seasons

HOUR = np.timedelta64(1, "h")
VALUES = st.one_of(st.just(np.nan), st.floats(-100, 100, width=32))


@given(
    arrays(float, (3, 30), elements=VALUES), st.lists(st.integers(2, 12), max_size=2, unique=True), st.integers(1, 29)
)
def test_a_cell_is_filled_from_earlier_ones_alone(values, seasons, cut):
    out = filled(values, seasons)
    known = ~np.isnan(values)
    assert np.array_equal(out[known], values[known])
    assert np.array_equal(out[:, :cut], filled(values[:, :cut], seasons), equal_nan=True)
    begun = np.maximum.accumulate(known, axis=1)
    assert np.array_equal(np.isnan(out), ~begun)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.1, 20), st.sampled_from([(), (12,), (6, 24)]))
def test_another_zero_or_unit_of_the_values_moves_and_scales_the_forecast(seed, shift, scale, seasons):
    rng = np.random.default_rng(seed)
    values = np.cumsum(rng.normal(0, 1, (2, 150)), axis=1) + np.sin(np.arange(150) * np.pi / 6)
    origin = np.array([150])
    one = Combination.fit(values, seasons).predict(values, origin, 10)
    other = Combination.fit(values * scale + shift, seasons).predict(values * scale + shift, origin, 10)
    assert np.allclose(other, one * scale + shift, rtol=1e-6, atol=1e-6 * scale)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(60, 119))
def test_a_forecast_reads_nothing_from_its_origin_on(seed, origin):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (2, 120))
    model = Combination.fit(values[:, :60], (6,))
    changed = values.copy()
    changed[:, origin:] = rng.normal(0, 1000, (2, 120 - origin))
    found = [model.predict(one, np.array([origin]), 8) for one in (values, changed)]
    assert np.array_equal(*found)


def test_past_errors_are_of_a_model_that_was_fitted_to_what_was_before():
    values = np.random.default_rng(2).normal(0, 1, (1, 300))
    errors, cells = past_errors(values, (), 5)
    assert cells.min() == 200
    changed = values.copy()
    changed[:, 200:] += 1e6
    again, _ = past_errors(changed, (), 5)
    # The first issue time is the end of the fit: its forecasts are the same, the true values aren't.
    assert np.allclose(again[:, :, 0] - errors[:, :, 0], 1e6)


def test_an_exact_series_has_narrow_intervals_and_a_noisy_one_wide_ones():
    hour = np.arange(800)
    exact = np.sin(hour * np.pi / 12)
    noisy = exact + np.random.default_rng(3).normal(0, 1, 800)
    found = Intervals.of(np.stack([exact, noisy]), (24,), horizon=6, quantiles=(0.05, 0.5, 0.95))
    bounds = found.around(np.zeros((6, 2)), leads=np.arange(6), origin=800, span=(-np.inf, np.inf))
    width = bounds[..., 2] - bounds[..., 0]
    assert (width[:, 1] > 20 * width[:, 0]).all()
    assert (bounds[..., 1] == 0).all()


@pytest.mark.parametrize(("season", "found"), [(24, (24,)), (7, (7,)), (168, (168,))])
def test_a_season_is_found(season, found):
    hour = np.arange(168 * 6)
    shape = np.random.default_rng(4).normal(0, 1, season)
    values = np.tile(shape, len(hour) // season + 1)[: len(hour)]
    noise = np.random.default_rng(5).normal(0, 0.2, (5, len(hour)))
    assert find_seasons(values + noise, HOUR) == found


def test_noise_and_a_random_walk_have_no_season():
    rng = np.random.default_rng(6)
    assert find_seasons(rng.normal(0, 1, (8, 1200)), HOUR) == ()
    assert find_seasons(np.cumsum(rng.normal(0, 1, (8, 1200)), axis=1), HOUR) == ()
