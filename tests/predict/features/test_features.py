"""Features: their values against slow versions, and when they are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from tests.predict.conftest import HOUR, START, history, state_of
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.predict.features.assets import OverAssets, Property, Related
from twinlab.predict.features.cases import Cases
from twinlab.predict.features.clock import Calendar, LeadTime
from twinlab.predict.features.durations_of_states import StateDuration
from twinlab.predict.features.event_counts import EventCount, HoursSinceEvent
from twinlab.predict.features.feature import check_known, check_serving, matrix
from twinlab.predict.features.lags import Lag, Rolling
from twinlab.predict.features.others import FunctionFeature, FutureInput
from twinlab.predict.protocol.state import LeakError

LEADS = [np.timedelta64(1, "h"), np.timedelta64(6, "h")]


def cases(state, hours=(30, 50, 95)):
    return Cases.grid([START + h * HOUR for h in hours], LEADS, state.asset_ids)


def holes(data, seed=5, share=0.2):
    keep = np.random.default_rng(seed).random(data.temperature.shape) > share
    return data.assign(temperature=data.temperature.where(keep))


SLOW = {
    "mean": np.nanmean,
    "min": np.nanmin,
    "max": np.nanmax,
    "std": np.nanstd,
    "sum": np.nansum,
    "count": lambda one: float((~np.isnan(one)).sum()),
    "slope": lambda one: np.polyfit(np.arange(len(one))[~np.isnan(one)], one[~np.isnan(one)], 1)[0],
}


@pytest.mark.parametrize("statistic", SLOW)
@pytest.mark.parametrize("latency", [0, 2])
def test_a_rolling_statistic_is_that_of_the_cells_before_the_issue_time(statistic, latency):
    data = holes(history(100))
    state = replace(state_of(data), latency=np.timedelta64(latency, "h"))
    found = Rolling("temperature", "12h", statistic).values(state, some := cases(state))
    for value, issued, asset in zip(found, some.issued, some.asset, strict=True):
        stop = int((issued - START) // HOUR)
        assert value == pytest.approx(SLOW[statistic](data.temperature.values[stop - 12 : stop - latency, asset]))


def test_a_lag_is_the_last_cell_that_had_ended():
    state = state_of(history(100))
    some = cases(state)
    data = state.history.temperature.values
    for value, lead, issued, asset in zip(
        Lag("temperature", "24h", of="valid_time").values(state, some), some.leads, some.issued, some.asset, strict=True
    ):
        assert value == data[int((issued + lead - START) // HOUR) - 25, asset]
    late = replace(state, latency=np.timedelta64(3, "h"))
    assert Lag("temperature").values(late, some)[0] == data[30 - 4, 0]


def test_a_state_lasts_since_its_last_change_and_a_limit_ends_the_count():
    codes = np.array([0, 1, 1, 1, 0, 0, np.nan, 0] * 10, float)[:, None]
    data = history(80, ("A",)).assign(temperature=(("time", "asset"), codes))
    state = state_of(data)
    some = Cases.grid([START + h * HOUR for h in (4, 6, 7, 8)], LEADS[:1], ["A"])
    found = StateDuration("temperature", most="2h").values(state, some)
    assert np.array_equal(found, [2, 2, np.nan, 1], equal_nan=True)
    assert StateDuration("temperature").values(state, some)[0] == 3


def test_events_count_from_their_start():
    starts = pd.to_datetime(["2026-01-02T00:00", "2026-01-02T06:00", "2026-01-03T00:00"])
    ends = starts + pd.Timedelta("1h")
    table = pd.DataFrame({"event_id": list("abc"), "type": "v", "asset": ["A", "A", "B"], "start": starts, "end": ends})
    table = table.assign(planned_start=pd.NaT, planned_end=pd.NaT)
    state = state_of(history(100), events={"v": table})
    some = Cases.grid([START + 30 * HOUR, START + 49 * HOUR], LEADS[:1], ["A", "B"])
    assert EventCount("v", "1d").values(state, some).tolist() == [2, 0, 1, 1]
    assert HoursSinceEvent("v", "1d").values(state, some).tolist() == [0, 24, 19, 1]
    with pytest.raises(UnknownTermError, match=r"no events 'w'.*Inputs.events"):
        EventCount("w", "1d").values(state, some)


def test_calendar_is_local_and_lead_time_in_hours():
    state = state_of(history(100))
    some = Cases.grid([START + 23 * HOUR], LEADS, ["A"])
    assert Calendar("hour", zone="Europe/Berlin").values(state, some).tolist() == [1, 6]
    assert Calendar("weekday").values(state, some).tolist() == [4, 4]
    assert Calendar("weekend").values(state, some).tolist() == [0, 0]
    assert Calendar("day_of_year").values(state, some).tolist() == [2, 2]
    assert LeadTime().values(state, some).tolist() == [1, 6]


def test_related_reads_the_asset_that_was_linked_at_the_issue_time():
    hubs = history(100, ("H1", "H2"), seed=9).rename(temperature="load")
    stamp = pd.Timestamp(START)
    links = pd.DataFrame(
        {
            "source": ["A", "A"],
            "target": ["H1", "H2"],
            "valid_from": [pd.NaT, stamp + pd.Timedelta("40h")],
            "valid_until": [stamp + pd.Timedelta("40h"), pd.NaT],
        }
    )
    state = state_of(history(100), others={"hub": hubs}, relationships={"at": links})
    some = Cases.grid([START + 30 * HOUR, START + 50 * HOUR], LEADS[:1], ["A", "B"])
    found = Related("at", "hub", Lag("load")).values(state, some)
    wanted = [hubs["load"].values[29, 0], np.nan, hubs["load"].values[49, 1], np.nan]
    assert np.array_equal(found, wanted, equal_nan=True)
    mean = OverAssets(Lag("temperature")).values(state, some)
    assert mean[0] == mean[1] == pytest.approx(state.history.temperature.values[29].mean())


def test_a_property_is_that_of_the_asset():
    table = pd.DataFrame({"size": [3.0]}, index=pd.Index(["B"], name="asset"))
    state = state_of(history(100), assets={"room": table})
    found = Property("room", "size").values(state, Cases.grid([START + 30 * HOUR], LEADS[:1], ["A", "B"]))
    assert np.array_equal(found, [np.nan, 3.0], equal_nan=True)
    with pytest.raises(UnknownTermError, match="did you mean 'size'"):
        Property("room", "sizes").values(state, cases(state))


def test_a_future_input_is_read_at_the_valid_time_and_states_when_it_was_issued():
    data = history(100)
    times = data.time.values[-1] + np.arange(1, 10) * HOUR
    future = xr.Dataset({"wind": ("time", np.arange(9.0), {"issued": "2026-01-05T00:00"})}, coords={"time": times})
    state = state_of(data, future=future)
    some = Cases.grid([state.issue_time], [*LEADS, np.timedelta64(30, "h")], ["A"])
    assert np.array_equal(FutureInput("wind").values(state, some), [1, 6, np.nan], equal_nan=True)
    with pytest.raises(UnknownTermError, match=r"isn't known at .*pass it as future="):
        FutureInput("wind").values(state_of(data), some)


@given(st.integers(1, 47), st.integers(1, 48))
def test_a_lag_of_the_valid_time_is_known_exactly_if_it_is_as_long_as_the_lead(lag, lead):
    feature = Lag("temperature", f"{lag}h", of="valid_time")
    leads = [np.timedelta64(lead, "h")]
    if lag >= lead:
        check_known([feature], leads)
    else:
        with pytest.raises(LeakError, match=f"is known {lead - lag}h after|is known 1d after"):
            check_known([feature], leads)
    with pytest.raises(LeakError):
        check_known([feature], leads, latency=np.timedelta64(max(1, lag - lead + 1), "h"))


def test_all_features_have_the_same_values_in_training_and_in_use():
    data = holes(history(200))
    state = state_of(data)
    some = cases(state, range(80, 190, 7))
    features = [
        Lag("temperature"),
        Lag("temperature", "24h"),
        Lag("temperature", "24h", of="valid_time"),
        *(Rolling("temperature", "24h", one) for one in SLOW),
        StateDuration("temperature"),
        OverAssets(Rolling("temperature", "6h"), "max"),
        Calendar("hour"),
    ]
    check_serving(features, state, some, matrix(features, state, some), window=np.timedelta64(24, "h"))


def test_a_feature_of_another_shape_is_refused():
    state = state_of(history(100))
    wrong = FunctionFeature("wrong", lambda _state, _cases: np.zeros(3))
    with pytest.raises(SchemaError, match=r"of the feature 'wrong' of shape \(12,\), got \(3,\)"):
        matrix([wrong], state, cases(state))


def test_of_many_training_cases_some_are_drawn_always_the_same():
    from tests.predict.conftest import INPUTS, TARGET
    from twinlab.predict import CallableEstimator, FeaturePredictor

    mean = CallableEstimator("mean", lambda _x, y, _n: y.mean(), lambda m, x: np.full(len(x), m))
    state = state_of(holes(history(300)))
    every = FeaturePredictor(INPUTS, TARGET, (LeadTime(),), mean, ("1h", "6h"))
    some = replace(every, most_cases=100)
    cases, true = some.training_cases(state)
    again, _ = some.training_cases(state)
    assert len(cases) == 100
    assert np.array_equal(cases.issued, again.issued)
    whole, values = every.training_cases(state)
    assert len(whole) > 800
    known = set(zip(whole.issued.tolist(), whole.leads.tolist(), whole.asset.tolist(), values, strict=True))
    assert set(zip(cases.issued.tolist(), cases.leads.tolist(), cases.asset.tolist(), true, strict=True)) <= known


def test_a_level_outside_of_the_training_span_is_predicted_relative_to_a_past_value():
    from tests.predict.conftest import INPUTS, TARGET
    from twinlab.predict import CallableEstimator, FeaturePredictor

    bounded = CallableEstimator("bounded", lambda _x, y, _n: y.mean(), lambda m, x: np.full(len(x), m))
    past = history(300)
    inputs = replace(INPUTS, training="10d")
    plain = FeaturePredictor(inputs, TARGET, (LeadTime(),), bounded, ("24h",))
    relative = replace(plain, relative_to=Lag("temperature", "24h", of="valid_time"))
    warmer = state_of(past.assign(temperature=past.temperature + 50))
    errors = []
    for one in (plain, relative):
        made = one.fit(state_of(past)).predict(warmer)
        errors.append(float(np.abs(made.temperature.values[0, 0, :, 0] - warmer.history.temperature.values[-1]).max()))
    assert errors[0] > 40
    assert errors[1] < 2
    with pytest.raises(LeakError, match="24h before valid_time"):
        replace(relative, lead_times=("25h",))
    gone = state_of(past.assign(temperature=past.temperature.where(past.asset != "B")))
    assert relative.fit(state_of(past)).predict(gone).cant_tell.sel(asset="B").item() > 0
