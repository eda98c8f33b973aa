"""Forecasts of regular series, through the predictor and of plain arrays."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import twinlab as tl
from tests.predict.conftest import HOUR, INPUTS, START, TARGET, history, state_of
from twinlab.testing import check_predictor

P = tl.predict
LEADS = P.lead_times("12h", every="1h")


def daily(hours=24 * 40, assets=("A", "B"), **options):
    return history(hours, assets, **options)


def forecaster(**options):
    return P.Forecaster(replace(INPUTS, window="60d"), TARGET, LEADS, **options)


def test_a_forecaster_conforms_to_what_twinlab_relies_on():
    check_predictor(forecaster(), state_of(daily()))


def test_the_registry_has_the_forecaster_by_name():
    options = {"asset_type": "room", "variable": "temperature", "units": "degC", "lead_times": LEADS}
    assert P.named_predictor("forecast", options) == P.Forecaster(
        replace(INPUTS, window="90d", training="90d"), TARGET, LEADS
    )


def test_a_daily_course_is_found_and_forecast_better_than_by_the_value_a_day_before():
    data = daily(24 * 40 + 12)
    past, future = data.isel(time=slice(0, -12)), data.isel(time=slice(-12, None))
    found = P.forecast(past.temperature, horizon="12h")
    assert found.attrs["seasons"] == "1d"
    assert found.temperature.dims == ("issue_time", "lead_time", "asset", "quantile")
    assert found.temperature.attrs["units"] == "degC"
    median = found.temperature.sel(quantile=0.5).values[0]
    day_before = past.temperature.values[-24:-12]
    true = future.temperature.values
    assert np.abs(median - true).mean() < 0.85 * np.abs(day_before - true).mean()


def test_ninety_percent_of_what_comes_is_inside_the_interval():
    data = daily(24 * 60, tuple(f"room {k}" for k in range(60)), noise=0.5)
    inside = []
    for cut in range(24 * 50, 24 * 59, 31):
        found = P.forecast(data.temperature.isel(time=slice(0, cut)), horizon="12h").temperature.values[0]
        true = data.temperature.values[cut : cut + 12]
        inside.append((true >= found[..., 0]) & (true <= found[..., 2]))
    assert 0.87 <= np.mean(inside) <= 0.93
    assert np.mean(inside, axis=(0, 2)).min() >= 0.85


def test_what_comes_after_the_issue_time_makes_no_difference():
    data = daily()
    before = P.forecast(data.temperature.isel(time=slice(0, 700)), horizon="12h")
    changed = data.temperature.copy()
    changed[700:] = 1e9
    assert P.forecast(changed.isel(time=slice(0, 700)), horizon="12h").identical(before)


def test_a_fit_is_used_at_later_issue_times():
    data = daily()
    fitted = forecaster().fit(state_of(data.isel(time=slice(0, 800))))
    later = fitted.predict(state_of(data.isel(time=slice(0, 900))))
    assert later["issue_time"].values[0] == START + 900 * HOUR
    true = data.temperature.values[900:912]
    assert np.abs(later.temperature.sel(quantile=0.5).values[0] - true).mean() < 0.4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda values: values * np.nan, "all values are missing"),
        (lambda values: values * 0 + 4, "constant: all 960 known values are 4"),
        (
            lambda values: np.where(np.arange(960) > 880, values, np.nan),
            "history too short: 79 values in the 79h before",
        ),
        (lambda values: np.where(np.arange(960) < 930, values, np.nan), "no value in the 30h before the issue time"),
    ],
)
def test_an_asset_that_cannot_be_forecast_says_why_and_the_others_have_numbers(change, reason):
    data = daily()
    data.temperature[:, 1] = change(data.temperature.values[:, 1])
    found = P.forecast(data.temperature, horizon="12h")
    assert not bool(P.reasons(found).sel(asset="A").any())
    assert set(P.reasons(found).sel(asset="B").values.ravel()) == {P.reasons(found).values[0, 0, 1]}
    assert reason in P.reasons(found).values[0, 0, 1]
    assert bool(found.temperature.sel(asset="B").isnull().all())


def test_a_horizon_beyond_the_data_has_numbers_as_far_as_they_reach():
    found = P.forecast(daily(24 * 12).temperature, horizon="5d")
    reasons = P.reasons(found).sel(asset="A").values[0]
    assert reasons[0] == ""
    assert "the horizon is beyond what the data support" in reasons[-1]
    assert "120h" in reasons[-1] or "5d" in reasons[-1]


def test_a_schedule_that_is_known_ahead_makes_the_forecast_better():
    rng = np.random.default_rng(8)
    hours = 24 * 40 + 12
    time = START + np.arange(hours) * HOUR
    busy = (rng.random(hours) < 0.3).astype(float)
    data = daily(hours).temperature + 5 * xr.DataArray(busy, {"time": time})
    past, true = data.isel(time=slice(0, -12)), data.values[-12:]
    schedule = xr.Dataset({"busy": ("time", busy, {"issued": str(time[-12])})}, {"time": time})
    with_it = P.forecast(past.rename("t"), horizon="12h", future=schedule).t.values[0]
    without = P.forecast(past.rename("t"), horizon="12h").t.values[0]
    assert np.abs(with_it[..., 1] - true).mean() < np.abs(without[..., 1] - true).mean() / 3
    assert (with_it[..., 2] - with_it[..., 0]).mean() < (without[..., 2] - without[..., 0]).mean() / 3
