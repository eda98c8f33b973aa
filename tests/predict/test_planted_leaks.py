"""Planted leaks: each is refused, or shown as a leak by a backtest on what was known then beside final data."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from tests.predict.conftest import HOUR, INPUTS, START, TARGET, history, state_of
from twinlab.predict.features.feature import check_known

P = tl.predict
MEAN = P.CallableEstimator("mean", lambda _x, y, _n: y.mean(), lambda m, x: np.full(len(x), m))


# -- states: what came later isn't in them -------------------------------------------------------------------------------


def visits(start, end, result="good"):
    row = {
        "event_id": ["v"],
        "type": "visit",
        "asset": ["A"],
        "start": [pd.Timestamp(start)],
        "end": [pd.Timestamp(end)],
    }
    return pd.DataFrame({**row, "planned_start": pd.NaT, "planned_end": pd.NaT, "result": result})


def wind(issued):
    times = START + np.arange(60, 90) * HOUR
    return xr.Dataset({"wind": ("time", np.zeros(30), issued)}, coords={"time": times})


STATES = {
    "a future row": {"history": history(61)},
    "a cell that hasn't ended": {
        "history": history(60).assign_coords(time=START + np.arange(60) * HOUR + np.timedelta64(30, "m"))
    },
    "a future row of another type": {"others": {"hub": history(61)}},
    "an event that began later": {"events": {"visit": visits("2026-01-03T13:00", None)}},
    "an end that came later": {"events": {"visit": visits("2026-01-02", "2026-01-03T13:00")}},
    "a forecast that was issued later": {"future": wind({"issued": "2026-01-03T13:00"})},
    "observed weather as a forecast": {"future": wind({})},
}


@pytest.mark.parametrize("leak", STATES)
def test_a_state_has_nothing_that_became_known_later(leak):
    whole = {"history": history(60), "step": HOUR} | STATES[leak]
    with pytest.raises(P.LeakError):
        P.State(START + 60 * HOUR, **whole)


# -- features: their values at a training case are those that would have been had ----------------------------------------------


def function(read):
    """A feature that reads an array (time, asset) made of the whole history, at the last cell before each case."""

    def values(state, cases):
        data = read(state.history.temperature)
        place = ((cases.issued - state.history.time.values[0]) // HOUR - 1).astype(int)
        inside = (place >= 0) & (place < len(data))
        return np.where(inside, data.values[np.where(inside, place, 0), cases.asset], np.nan)

    return P.FunctionFeature("leak", values, reach_back="1d")


def at_valid_time(state, cases):
    place = ((cases.valid - state.history.time.values[0]) // HOUR - 1).astype(int)
    inside = (place >= 0) & (place < state.history.sizes["time"])
    return np.where(inside, state.history.temperature.values[np.where(inside, place, 0), cases.asset], np.nan)


def results(state, cases):
    table = state.events["visit"]
    table = table[table["result"] == "bad"]
    begun = table["start"].to_numpy()[None, :] <= cases.issued[:, None]
    return begun.sum(axis=1).astype(float)


def later_link(state, cases):
    links = state.relationships["at"].sort_values("valid_from", na_position="first")
    last = links.groupby("source")["target"].last()
    names = {"H1": 1.0, "H2": 2.0}
    return np.array([names.get(last.get(cases.ids[k]), np.nan) for k in cases.asset])


FEATURES = {
    "the next cell": function(lambda data: data.shift(time=-1)),
    "a centred window": function(lambda data: data.rolling(time=5, center=True, min_periods=1).mean()),
    "scaling by the mean and deviation of all rows": function(lambda data: (data - data.mean()) / data.std()),
    "scaling by the range of all rows": function(lambda data: (data - data.min()) / (data.max() - data.min())),
    "ranks in all rows": function(lambda data: data.copy(data=pd.DataFrame(data.values).rank().to_numpy())),
    "missing values filled from later ones": function(
        lambda data: data.copy(data=pd.DataFrame(data.where(data.time.dt.hour % 2 == 0).values).bfill().to_numpy())
    ),
    "a trend fitted to all rows": function(
        lambda data: data - xr.polyval(data.time, data.polyfit("time", 1).polyfit_coefficients)
    ),
    "means by hour of all rows": function(
        lambda data: data.groupby("time.hour").mean().sel(hour=data.time.dt.hour).transpose("time", "asset")
    ),
    "the target in the features": P.FunctionFeature("leak", at_valid_time),
    "a result before the event's end": P.FunctionFeature("leak", results, reach_back="3d"),
    "the latest link at all times": P.FunctionFeature("leak", later_link),
}


@pytest.mark.parametrize("leak", FEATURES)
def test_a_fit_refuses_a_feature_that_wasnt_known(leak):
    links = pd.DataFrame(
        {
            "source": ["A", "A"],
            "target": ["H1", "H2"],
            "valid_from": pd.to_datetime([None, "2026-01-15"]),
            "valid_until": pd.to_datetime(["2026-01-15", None]),
        }
    )
    # It lasts from the third to the eighteenth day; how it ended is known from then on.
    state = state_of(
        history(480), events={"visit": visits("2026-01-03", "2026-01-18", "bad")}, relationships={"at": links}
    )
    inputs = replace(INPUTS, window="20d")
    with pytest.raises(P.LeakError, match="'leak' isn't known at its issue time: at 2026-01-"):
        P.FeaturePredictor(inputs, TARGET, (FEATURES[leak],), MEAN, ("1h", "6h")).fit(state)


DECLARED = {
    "a lag that is shorter than the lead": P.Lag("temperature", "5h", of="valid_time"),
    "a lag that is shorter than the lead at a related asset": P.Related(
        "at", "hub", P.Lag("load", "5h", of="valid_time")
    ),
    "a lag that is shorter than the lead over all assets": P.OverAssets(P.Lag("temperature", "5h", of="valid_time")),
    "a value that is stated to come later": P.FunctionFeature("late", at_valid_time, known="1h"),
}


@pytest.mark.parametrize("leak", DECLARED)
def test_a_feature_that_states_to_be_known_later_is_refused(leak):
    with pytest.raises(P.LeakError, match="is known 1h after the issue time"):
        P.FeaturePredictor(INPUTS, TARGET, (DECLARED[leak],), MEAN, ("1h", "6h"))


def test_a_lag_that_ignores_the_latency_is_refused():
    exact = P.Lag("temperature", "6h", of="valid_time")
    predictor = P.FeaturePredictor(INPUTS, TARGET, (exact,), MEAN, ("6h",))
    with pytest.raises(P.LeakError, match="is known 2h after the issue time"):
        predictor.fit(replace(state_of(history(200)), latency=2 * HOUR))
    check_known([exact], [6 * HOUR])


def test_true_values_that_arent_known_at_the_fit_arent_training_cases():
    predictor = P.FeaturePredictor(INPUTS, TARGET, (P.Lag("temperature"),), MEAN, ("1h", "6h"))
    state = state_of(history(200))
    cases, _ = predictor.training_cases(state)
    assert cases.valid.max() == state.issue_time
    assert (cases.issued + cases.leads <= state.issue_time).all()


# -- twins: corrections, late rows and revised plans are shown as leaks -----------------------------------------------------

MODEL_YAML = """
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 6h}
event_types:
  visit: {asset: room}
"""
LOG_YAML = """
source: log
files: ["log*.csv"]
tables:
  - table: "log*"
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns: {t: {signal: temperature, unit: degC}}
"""
PLAN_YAML = """
source: plan
files: ["plan*.csv"]
tables:
  - table: "plan*"
    events:
      - type: visit
        key: [id]
        asset: {type: room, column: room}
        planned_start: {column: planned, zone: UTC}
        start: {column: began, zone: UTC}
        end: {column: ended, zone: UTC}
"""
SIX = replace(INPUTS, step="6h", window="6d", training="30d")
DAYS = 36


@pytest.fixture(scope="module")
def corrected(tmp_path_factory):
    """A twin to which each day brings noisy values of the day, those of a day before corrected, and plans that are revised the day after.

    Room B reports a day late. The clock is that of the simulated days.
    """
    folder, rng, day = tmp_path_factory.mktemp("corrected"), np.random.default_rng(8), np.timedelta64(1, "D")
    (folder / "twin.yaml").write_text(MODEL_YAML)
    (folder / "log.yaml").write_text(LOG_YAML)
    (folder / "plan.yaml").write_text(PLAN_YAML)
    values = 4 + np.cumsum(rng.normal(0, 1.0, (DAYS * 4, 2)), axis=0)
    visited = rng.random(DAYS + 3) < 0.5
    with pytest.MonkeyPatch.context() as patch:

        def at(days):
            patch.setattr(time, "time_ns", lambda: int((START + days * day).astype("int64")))

        at(0)
        twin = tl.create(
            folder / "twin", model=folder / "twin.yaml", mappings=[folder / "log.yaml", folder / "plan.yaml"]
        )
        for number in range(DAYS):
            at(number + 1)
            log = ["time,room,t"]
            for which, noise in ((number, 2.0), (number - 1, 0.0)):
                for cell in range(max(0, which * 4), which * 4 + 4):
                    when = START + cell * 6 * HOUR
                    if which == number or number:
                        log.append(f"{when},A,{values[cell, 0] + rng.normal(0, noise):.2f}")
                    if which == number - 1:
                        log.append(f"{when},B,{values[cell, 1]:.2f}")
            plan = ["id,room,planned,began,ended"]
            # A visit is planned for each day; on the day it turns out whether it is made, or put off for a month.
            noon = START + number * day + 12 * HOUR
            for room in "AB":
                plan.append(f"{room}{number + 2},{room},{noon + 2 * day},,")
                if visited[number]:
                    plan.append(f"{room}{number},{room},{noon},{noon},{noon + HOUR}")
                else:
                    plan.append(f"{room}{number},{room},{noon + 60 * day},,")
            (folder / f"log{number:02}.csv").write_text("\n".join(log) + "\n")
            (folder / f"plan{number:02}.csv").write_text("\n".join(plan) + "\n")
            twin.ingest(folder / f"log{number:02}.csv", folder / f"plan{number:02}.csv")
    return twin


def leak(model, twin, **options):
    found = P.backtest(
        model, twin, "2026-01-16", "2026-02-03", baselines={}, progress=False, workers=1, **options
    )  # fmt: skip
    return found, found.leak().iloc[0]


@pytest.mark.parametrize("room", ["A", "B"])
def test_late_corrections_and_late_rows_are_shown_as_a_leak(corrected, room):
    naive = P.SeasonalNaive(SIX, TARGET, ("6h",), season="6h", name="last", quantiles=(0.5,))
    found, row = leak(naive, corrected)
    if room == "B":
        # A day late, its last value isn't known then, and is in the final data.
        then, final = (found.predictions["last", known].cant_tell.sel(asset="B") for known in ("then", "final"))
        assert (then > 0).all()
        assert (final == 0).all()
    else:
        assert row["loss_final"] < 0.9 * row["loss_then"]
        assert row["p"] < 0.05


def test_revised_plans_are_shown_as_a_leak(corrected):
    def planned(state, cases):
        table = state.events["visit"]
        out = np.zeros(len(cases))
        for place, asset in enumerate(cases.ids):
            mine = table[table["asset"] == asset]["planned_start"].to_numpy()[None, :]
            rows = cases.asset == place
            ahead = (mine > cases.issued[rows, None]) & (mine <= cases.valid[rows, None])
            out[rows] = ahead.any(axis=1)
        return out

    shares = P.CallableEstimator(
        "share by plan",
        lambda x, y, _names: [y[x[:, 0] == one].mean() if (x[:, 0] == one).any() else y.mean() for one in (0, 1)],
        lambda share, x: np.array(share)[x[:, 0].astype(int)],
        quantiles=(),
    )
    inputs = replace(SIX, variables=(), events=("visit",))
    feature = P.FunctionFeature("visit planned", planned)
    model = P.FeaturePredictor(
        inputs, P.EventTarget("visit"), (feature,), shares, ("1d",), train_every="1d", least_cases=20
    )
    _, row = leak(model, corrected, refit="6d")
    assert row["loss_final"] < 0.25 * row["loss_then"]
    assert row["p"] < 0.01


def test_what_was_loaded_long_after_wasnt_known(corrected):
    naive = P.SeasonalNaive(SIX, TARGET, ("6h",), season="6h")
    with pytest.raises(
        tl.SchemaError, match=r"nothing was known of temperature of 'room' .* by ingest time.*ByEventTime"
    ):
        P.fit_on(naive, corrected, known="2026-01-01")


def test_a_correction_that_came_later_isnt_in_a_state_of_then(corrected):
    at = np.datetime64("2026-01-20", "ns")
    then = P.read_state(corrected, SIX, at).history.temperature.sel(asset="A").values
    final = P.read_state(corrected, SIX, at, knowledge=P.ByEventTime()).history.temperature.sel(asset="A").values
    assert np.array_equal(then[:-4], final[:-4])
    assert (then[-4:] != final[-4:]).all()
