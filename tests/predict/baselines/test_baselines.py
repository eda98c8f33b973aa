"""Baselines against what they are called."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.predict.conftest import HOUR, INPUTS, START, TARGET, history, state_of
from twinlab.errors import SchemaError
from twinlab.predict import Climatology, Constant, EventTarget, SeasonalNaive, reasons
from twinlab.predict.baselines.defaults import default_baselines
from twinlab.predict.baselines.seasonal import _quantiles

LEADS = ("1h", "24h", "30h")


@pytest.mark.parametrize("latency", [0, 3])
@pytest.mark.parametrize(("season", "hours"), [("1h", 1), ("1d", 24)])
def test_the_seasonal_naive_forecast_is_a_value_whole_seasons_before_that_was_known(season, hours, latency):
    state = replace(state_of(history(240)), latency=latency * HOUR)
    made = SeasonalNaive(INPUTS, TARGET, LEADS, season=season).fit(state).predict(state)
    for lead, found in zip((1, 24, 30), made.temperature.sel(quantile=0.5).values[0], strict=True):
        back = hours * -(-(lead + latency) // hours)
        assert found.tolist() == state.history.temperature.values[240 + lead - 1 - back].tolist()


def test_its_quantiles_have_the_width_of_its_errors():
    state = state_of(history(24 * 60, noise=0.5))
    made = SeasonalNaive(INPUTS, TARGET, ("1h",)).fit(state).predict(state).temperature
    width = float((made.sel(quantile=0.95) - made.sel(quantile=0.05)).mean())
    # A difference of two values with the deviation 0.5.
    assert width == pytest.approx(2 * 1.645 * 0.5 * np.sqrt(2), rel=0.1)


def test_quantiles_of_errors_are_those_of_numpy():
    errors = np.random.default_rng(6).normal(size=(50, 4))
    errors[::3, 1] = errors[:, 2] = np.nan
    found = _quantiles(errors, (0.05, 0.5, 0.9))
    for asset in (0, 1, 3):
        known = errors[~np.isnan(errors[:, asset]), asset]
        assert np.allclose(found[asset], np.quantile(known, [0.05, 0.5, 0.9]) - np.median(known))
    assert np.isnan(found[2]).all()


def test_climatology_has_the_quantiles_of_each_asset_or_the_share_of_outcomes():
    state = state_of(history(240))
    made = Climatology(replace(INPUTS, training="10d"), TARGET, ("1h",)).fit(state).predict(state).temperature
    wanted = np.quantile(state.history.temperature.values, [0.05, 0.5, 0.95], axis=0).T
    assert np.allclose(made.values[0, 0], wanted, atol=0.05)
    table = pd.DataFrame({"asset": "A", "start": pd.to_datetime([START + k * 24 * HOUR + HOUR for k in range(10)])})
    table = table.assign(end=pd.NaT, planned_start=pd.NaT, planned_end=pd.NaT)
    events = state_of(history(240), events={"visit": table})
    share = Climatology(replace(INPUTS, training="9d"), EventTarget("visit"), ("6h", "1d")).fit(events).predict(events)
    assert share.visit.sel(asset="A").values[0].tolist() == pytest.approx([0.25, 1.0], abs=0.03)
    assert share.visit.sel(asset="B").values.max() == 0.0


def test_a_constant_is_the_schedule_or_an_alarm_that_is_always_on():
    state = state_of(history(240))
    assert Constant(INPUTS, TARGET, ("1h",), 0.0).fit(state).predict(state).temperature.values.ravel().tolist() == [
        0,
        0,
    ]
    assert Constant(INPUTS, EventTarget("visit"), ("1h",), 1.0).fit(state).predict(state).visit.values.min() == 1.0


def test_an_asset_that_wasnt_in_training_gets_no_number():
    fitted = Climatology(INPUTS, TARGET, ("1h",)).fit(state_of(history(240, ("A",))))
    made = fitted.predict(state_of(history(240)))
    assert np.isnan(made.temperature.sel(asset="B")).all()
    assert reasons(made).sel(asset="B").item().startswith("climatology gives no number")


def test_baselines_follow_from_the_target():
    of = SeasonalNaive(INPUTS, TARGET, ("1h",))
    assert list(default_baselines(of)) == ["naive", "seasonal_naive", "median"]
    assert list(default_baselines(replace(of, inputs=replace(INPUTS, window="12h"), season="1h"))) == [
        "naive",
        "median",
    ]
    assert list(default_baselines(Climatology(INPUTS, EventTarget("visit"), ("1h",)))) == ["share", "always"]


def test_too_short_a_history_and_an_odd_season_are_errors():
    with pytest.raises(SchemaError, match="longer than the season of 1d, got 20 cells"):
        SeasonalNaive(INPUTS, TARGET, ("1h",)).fit(state_of(history(20)))
    with pytest.raises(SchemaError, match="multiple of the step 1h, got '90min'"):
        SeasonalNaive(INPUTS, TARGET, ("1h",), season="90min")
    with pytest.raises(SchemaError, match="no true value of 'temperature' is known"):
        Climatology(INPUTS, TARGET, ("1h",)).fit(state_of(history(240) * np.nan))
