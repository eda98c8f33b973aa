"""What a forecast refuses, each with what was expected, what came and what to do."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import twinlab as tl
from tests.predict.conftest import HOUR, INPUTS, START, TARGET, history, state_of

P = tl.predict
LEADS = ("1h", "2h")
DATA = history(24 * 40)


def outside(hours=24 * 42, *, issued=START + 24 * 40 * HOUR, **attrs):
    """A temperature outside, known ahead."""
    time = START + np.arange(hours) * HOUR
    values = np.cos(np.arange(hours) / 7)
    given = {"issued": str(issued), **attrs} if issued is not None else attrs
    return xr.Dataset({"outside": ("time", values, given)}, {"time": time})


def fitted(**options):
    predictor = P.Forecaster(replace(INPUTS, window="60d"), TARGET, LEADS, **options)
    return predictor.fit(state_of(DATA.isel(time=slice(0, 800))))


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (DATA.temperature.rename(asset="room"), {}, r"dims time and perhaps asset, got \('time', 'room'\)"),
        (DATA.temperature.isel(time=[0, 1, 2, 5]), {}, "expected regular times, 1h apart; 2026-01-01T05.* comes 10800 s after"),
        (DATA.temperature, {"step": "2h"}, "expected regular times, 2h apart"),
        (DATA.temperature.isel(time=slice(0, 1)), {}, "at least two times"),
        (DATA.temperature.astype(str), {}, "expected numbers to forecast in 'temperature'"),
        (DATA.temperature.isel(asset=[0, 0]), {}, "each asset once in 'temperature', got 'A' again"),
        (DATA.temperature * np.nan, {}, "no cell of 'temperature' is known"),
        (DATA.temperature, {"horizon": "90min"}, "multiple of every='1h', got '90min'"),
        (DATA.temperature, {"quantiles": (0.9, 0.1)}, "rising quantiles between 0 and 1"),
        (DATA.temperature, {"quantiles": ()}, "rising quantiles between 0 and 1"),
        (DATA.temperature, {"season": "90min"}, "season that is a multiple of the step"),
        (DATA.temperature, {"season": ("1d", "7d", "28d")}, "at most two seasons"),
        (DATA.temperature, {"span": (1, 1)}, "span of possible values from low to high"),
        (DATA.temperature, {"future": outside(issued=None)}, "expected an attribute 'issued'"),
        (DATA.temperature, {"future": outside(issued=START + 24 * 41 * HOUR)}, "issued at 2026-02-11.*after the issue time"),
    ],
)  # fmt: skip
def test_a_plain_array_or_option_that_does_not_fit_is_named(data, options, message):
    with pytest.raises(tl.SchemaError, match=message):
        P.forecast(data, **({"horizon": "2h"} | options))


def test_an_unknown_future_input_shows_the_nearest_one():
    predictor = P.Forecaster(replace(INPUTS, window="60d"), TARGET, LEADS, future=("outsid",))
    with pytest.raises(tl.UnknownTermError, match="'outsid' isn't known at .* did you mean 'outside'"):
        predictor.fit(state_of(DATA, future=outside()))
    with pytest.raises(tl.UnknownTermError, match="pass it as future="):
        predictor.fit(state_of(DATA))


def test_a_future_input_that_ends_before_the_horizon_gives_no_number_there():
    found = P.forecast(DATA.temperature, horizon="3h", future=outside(24 * 40 + 2))
    assert P.reasons(found).sel(asset="A").values[0].tolist() == [
        "",
        "",
        "the future input outside isn't known for the whole span",
    ]


def test_a_unit_that_has_changed_since_training_is_refused():
    now = DATA.isel(time=slice(0, 850)).copy()
    now["temperature"] = (now.temperature * 1.8 + 32).assign_attrs(units="degF")
    found = fitted().predict(state_of(now))
    text = "the unit has changed since training: 'degC' then, 'degF' now; fit again, or correct the mapping"
    assert set(P.reasons(found).values.ravel()) == {text}


def test_values_that_moved_far_away_without_another_unit_are_refused_too():
    now = DATA.isel(time=slice(0, 850)).copy()
    now.temperature[800:, 0] = now.temperature[800:, 0] * 1.8 + 32
    found = P.reasons(fitted().predict(state_of(now))).isel(issue_time=0, lead_time=0)
    assert "values have moved far away since the fit" in found.sel(asset="A").item()
    assert found.sel(asset="B").item() == ""


def test_an_asset_that_was_not_in_training_is_refused():
    now = history(850, ("A", "B", "C"))
    found = P.reasons(fitted().predict(state_of(now))).isel(issue_time=0, lead_time=0)
    assert found.sel(asset="C").item() == "the asset wasn't in training"
    assert found.sel(asset="A").item() == ""


def test_a_later_latency_than_at_the_fit_is_refused():
    state = replace(state_of(DATA.isel(time=slice(0, 840))), latency=np.timedelta64(3, "h"))
    with pytest.raises(tl.SchemaError, match="known 3h after their end, later than at the fit"):
        fitted().predict(replace(state, history=state.history.isel(time=slice(0, -3))))


def test_a_season_that_the_data_do_not_have_often_enough_is_a_history_too_short():
    found = P.forecast(DATA.temperature, horizon="2h", season="14d")
    assert "history too short: 960 values in the 40d" in P.reasons(found).values[0, 0, 0]
    assert "a season of 14d" in P.reasons(found).values[0, 0, 0]


def test_one_asset_alone_and_no_season_are_forecast():
    walk = np.cumsum(np.random.default_rng(1).normal(0, 1, 500))
    found = P.forecast(xr.DataArray(walk, {"time": START + np.arange(500) * HOUR}, name="level"), horizon="3h")
    assert found.attrs["seasons"] == ""
    assert found["asset"].values.tolist() == ["level"]
    assert bool(np.isfinite(found.level).all())
