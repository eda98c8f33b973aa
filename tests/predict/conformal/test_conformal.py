"""Intervals: their coverage, by lead time and group, under drift, and where there is none."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from tests.predict.conftest import HOUR, INPUTS, MODEL, TARGET, history, state_of
from twinlab.errors import SchemaError
from twinlab.model.twinmodel import TwinModel
from twinlab.predict import Climatology, SeasonalNaive, backtest, reasons
from twinlab.predict.conformal.pools import Errors, Pools, keys_of, needed_cases
from twinlab.predict.conformal.predictor import Conformal
from twinlab.testing import FakeTwin

LEADS = ("1h", "12h")
NAIVE = SeasonalNaive(INPUTS, TARGET, LEADS, quantiles=(0.5,))
FORTY = replace(INPUTS, training="40d")


def noise(hours, *, scale=lambda _hour, _asset: 1.0, assets=("A", "B"), seed=4):
    rng = np.random.default_rng(seed)
    data = history(hours, assets, noise=0.0)
    hour = np.arange(hours)[:, None]
    wide = np.array([[scale(h, a) for a in assets] for h in hour[:, 0]])
    return data.assign(temperature=data.temperature + wide * rng.gamma(2.0, 1.0, (hours, len(assets))))


def twin_of(data):
    return FakeTwin(TwinModel.model_validate(MODEL), histories={"room": data})


def covered(data, truth):
    low, high = data.temperature.isel(quantile=0), data.temperature.isel(quantile=-1)
    return ((low <= truth) & (truth <= high)).where(truth.notnull() & low.notnull())


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=80),
    st.sampled_from([0.5, 0.8, 0.9]),
)
def test_a_margin_is_the_order_statistic_of_the_errors(errors, level):
    leads, groups = np.zeros(len(errors), "int64"), np.full(len(errors), "all", object)
    keys, place = keys_of(leads, groups)
    values = np.array(errors)
    pools = Pools.of(keys, Errors(np.arange(len(errors)), place, -values, values), alpha=1 - level)
    low, high = pools.margins(np.zeros(1, np.intp))
    n = len(errors)
    if n >= needed_cases(level):
        rank = int(np.ceil(round((n + 1) * (1 + level) / 2, 9)))
        assert high[0] == np.sort(values)[rank - 1]
        assert low[0] == np.sort(-values)[rank - 1]
    else:
        assert np.isinf([low[0], high[0]]).all()


def test_the_coverage_is_the_promised_one_by_lead_time_of_skewed_errors():
    level, assets = 0.9, ("A", "B", "C", "D", "E", "F")
    twin = twin_of(noise(24 * 90, assets=assets))
    model = Conformal(replace(NAIVE, inputs=FORTY), TARGET, level=level, calibration="30d", every="13h")
    found = backtest(
        model, twin, "2026-02-15", "2026-03-30", every="9h", refit="225h", baselines={}, final=False, progress=False
    )
    table = found.scores(by=("lead_time",))
    assert (
        (table["interval"] == pytest.approx(level))
        if np.isscalar(table["interval"])
        else np.allclose(table["interval"], level)
    )
    assert table["cases"].min() > 600
    assert np.allclose(table["coverage"], level, atol=0.03)


def test_groups_have_intervals_of_their_own():
    data = noise(24 * 60, scale=lambda _hour, asset: 5.0 if asset == "B" else 0.5)
    state = state_of(data)
    pooled = Conformal(replace(NAIVE, inputs=FORTY), TARGET, calibration="20d").fit(state).predict(state)
    own = Conformal(replace(NAIVE, inputs=FORTY), TARGET, calibration="20d", group="asset").fit(state).predict(state)
    by_name = Conformal(replace(NAIVE, inputs=FORTY), TARGET, calibration="20d", group={"A": "calm", "B": "wild"})
    width = (own.temperature.isel(quantile=2) - own.temperature.isel(quantile=0)).squeeze().mean("lead_time")
    assert float(width.sel(asset="B") / width.sel(asset="A")) > 6
    assert float((pooled.temperature.isel(quantile=2) - pooled.temperature.isel(quantile=0)).std("asset").max()) < 1e-9
    xr.testing.assert_allclose(by_name.fit(state).predict(state).temperature, own.temperature)


def test_a_group_with_too_few_cases_gets_no_number_but_the_reason():
    state = state_of(noise(24 * 60, assets=("A", "B", "C")))
    many = {"A": "big", "C": "big", "B": "small"}
    model = Conformal(replace(NAIVE, inputs=FORTY), TARGET, calibration="15d", every="12h", group=many)
    made = model.fit(state).predict(state)
    assert reasons(made).sel(asset="B").values.ravel().tolist() == [
        "30 past errors of small at lead time 1h; at least 40 are needed",
        "30 past errors of small at lead time 12h; at least 40 are needed",
    ]
    assert made.temperature.sel(asset="B").isnull().all()
    assert made.temperature.sel(asset=["A", "C"]).notnull().all()


def test_a_group_that_has_drifted_gets_no_number_but_the_reason():
    last = 24 * 52
    data = noise(24 * 60, scale=lambda hour, asset: 25.0 if asset == "B" and hour > last else 1.0)
    state = state_of(data)
    made = (
        Conformal(replace(NAIVE, inputs=FORTY), TARGET, calibration="20d", every="3h", group="asset")
        .fit(state)
        .predict(state)
    )
    text = reasons(made).sel(asset="B", lead_time=HOUR).item()
    assert text.startswith("B at lead time 1h has drifted: ")
    assert "90% were promised" in text
    assert (made.cant_tell.sel(asset="A") == 0).all()


def test_an_adaptive_interval_holds_under_a_drift_that_a_split_one_misses():
    twin = twin_of(
        noise(
            24 * 110, scale=lambda hour, _asset: 1.0 + max(0.0, hour - 24 * 45) / (24 * 20), assets=("A", "B", "C", "D")
        )
    )
    options = {"calibration": "20d", "every": "12h", "least_coverage": 0.0}
    inputs = replace(INPUTS, training="40d")
    shares = {}
    for method in ("split", "adaptive"):
        model = Conformal(replace(NAIVE, inputs=inputs), TARGET, method=method, gamma=0.05, **options)
        found = backtest(
            model, twin, "2026-02-14", "2026-04-18", every="12h", update=True, baselines={}, final=False, progress=False, workers=1
        )  # fmt: skip
        shares[method] = (
            covered(found.predictions[model.name, "then"], found.truth).mean(("issue_time", "asset")).values
        )
    assert (shares["split"] < 0.86).all()
    assert (np.abs(shares["adaptive"] - 0.9) < 0.04).all()


def test_quantiles_of_a_predictor_are_corrected_and_never_cross():
    data = noise(24 * 60)
    state = state_of(data)
    wrong = Climatology(FORTY, TARGET, LEADS, quantiles=(0.45, 0.5, 0.55))
    made = Conformal(wrong, TARGET, calibration="20d").fit(state).predict(state)
    narrow = wrong.fit(state).predict(state)
    width = [
        float((one.temperature.isel(quantile=-1) - one.temperature.isel(quantile=0)).mean()) for one in (made, narrow)
    ]
    assert width[0] > 3 * width[1]
    assert (made.temperature.diff("quantile") >= 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 1.0}, "between 0 and 1"),
        ({"least_cases": 10}, "least_cases of at least 19"),
        ({"calibration": "60d"}, "shorter than the training span"),
        ({"least_coverage": 0.95}, "at most the level"),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    with pytest.raises(SchemaError, match=message):
        Conformal(NAIVE, TARGET, **options)


def test_a_probability_has_no_interval():
    from twinlab.predict import Constant, EventTarget

    target = EventTarget("visit")
    table = pd.DataFrame(
        {
            "asset": ["A"],
            "start": pd.to_datetime(["2026-01-05"]),
            "end": pd.NaT,
            "planned_start": pd.NaT,
            "planned_end": pd.NaT,
        }
    )
    state = state_of(noise(24 * 60), events={"visit": table})
    with pytest.raises(SchemaError, match="expected quantiles"):
        Conformal(Constant(FORTY, target, LEADS, 1.0), target, calibration="20d").fit(state)
