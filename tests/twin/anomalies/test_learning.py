"""`twin.anomalies`: what is found in the span that is searched, what is learnt from, and what is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SchemaError, UnitError
from twinlab.model.twinmodel import TwinModel
from twinlab.predict.anomaly import Forest, RobustZ
from twinlab.testing import FakeTwin
from twinlab.twin.anomalies.learning import anomaly_table

MODEL = {
    "twin": "pumps",
    "origin": "2026-01-01",
    "asset_types": {
        "pump": {
            "signals": {
                "pressure": {"unit": "bar", "resolution": 0.001, "cadence": "10min"},
                "current": {"unit": "A", "resolution": 0.001, "cadence": "10min"},
                "valve": {"unit": "1", "resolution": 1, "cadence": "10min"},
            }
        }
    },
}
DAYS, FAULT = 35, slice(32 * 144, 33 * 144)


def history() -> xr.Dataset:
    """Three pumps whose current follows the pressure; on day 32 that of P2 doesn't. P4 begins to report on day 30."""
    rng = np.random.default_rng(2)
    time = np.datetime64("2026-01-01", "ns") + np.arange(DAYS * 144) * np.timedelta64(10, "m")
    pressure = 5 + np.sin(np.arange(len(time)) / 23)[:, None] + rng.normal(0, 0.02, (len(time), 4))
    current = 2 * pressure + rng.normal(0, 0.02, (len(time), 4))
    current[FAULT, 1] += 0.6
    for values in (pressure, current):
        values[: 30 * 144, 3] = np.nan
    found = xr.Dataset(
        {
            "pressure": (("time", "asset"), pressure, {"units": "bar"}),
            "current": (("time", "asset"), current, {"units": "A"}),
            "valve": (("time", "asset"), np.ones((len(time), 4)), {"units": "1"}),
        },
        {"time": time, "asset": ["P1", "P2", "P3", "P4"]},
    )
    return found.assign_attrs(asset_type="pump")


def twin(data: xr.Dataset) -> FakeTwin:
    return FakeTwin(TwinModel.model_validate(MODEL), histories={"pump": data})


def test_the_asset_and_the_signals_that_went_apart_are_found_in_the_last_week_and_nothing_else() -> None:
    found = anomaly_table(twin(history()), "pump")
    assert found["asset"].tolist() == ["P2"]
    event = found.iloc[0]
    begin = history()["time"].values[FAULT.start]
    assert begin <= event["start"] <= begin + np.timedelta64(1, "h")
    assert event["end"] - event["start"] > pd.Timedelta("20h")
    assert "current" in event["signals"]
    assert found.attrs["cant_tell"].keys() == {"valve", "P4"}
    assert found.attrs["assets"] == ["P1", "P2", "P3"]
    assert found.attrs["limit"] >= 1


def test_rows_after_the_span_that_is_searched_change_nothing() -> None:
    later = history()
    later["current"].values[34 * 144 :] *= 3
    options: dict[str, Any] = {"start": "2026-01-30", "stop": "2026-02-04"}
    pd.testing.assert_frame_equal(
        anomaly_table(twin(history()), "pump", **options), anomaly_table(twin(later), "pump", **options)
    )


def test_other_detectors_spans_steps_and_budgets_are_used() -> None:
    pumps = twin(history())
    robust = anomaly_table(pumps, "pump", detector=RobustZ(), signals=["current"])
    assert robust.attrs["signals"] == ["current"]
    hourly = anomaly_table(pumps, "pump", step="1h", signals=["pressure", "current"])
    assert hourly["asset"].tolist() == ["P2"]
    assert hourly.attrs["signals"] == ["pressure_mean", "current_mean"]
    short = anomaly_table(pumps, "pump", usual=("2026-01-05", "2026-01-15"), start="2026-02-01")
    assert short.attrs["usual"].startswith("2026-01-05")
    generous, strict = (anomaly_table(pumps, "pump", per_100_asset_weeks=budget) for budget in (5_000, 0))
    assert generous.attrs["limit"] <= strict.attrs["limit"]
    assert strict.attrs["false_alarms"].startswith("0 in")
    assert generous.attrs["proven"] and not robust.attrs["proven"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"usual": ("2026-01-01", "2026-02-02"), "start": "2026-02-01"}, "ends before the start"),
        ({"start": "2026-02-03", "stop": "2026-02-01"}, "a start before the stop"),
        ({"start": "soon"}, "anomalies: start"),
        ({"signals": ["valve"]}, "valve: the value is 1"),
        (
            {"start": "2025-12-01", "stop": "2025-12-20"},
            "at least 20 rows of 'pump' to learn from, got 0 from 2025-11-03",
        ),
        (
            {"usual": ("2026-01-05", "2026-01-05T01:00")},
            "got 6 from .*the history is from 2026-01-01T00:00 to 2026-02-04T23:50",
        ),
    ],
)
def test_what_can_not_be_searched_is_refused_with_what_to_do(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        anomaly_table(twin(history()), "pump", **options)


def test_a_unit_that_has_changed_since_is_refused_by_the_model() -> None:
    from twinlab.predict.anomaly import fit

    data = history()[["pressure", "current"]].isel(asset=slice(3))
    model = fit(data)
    data["pressure"].attrs["units"] = "kPa"
    with pytest.raises(UnitError, match="trained on bar"):
        model.score(data)


def without(rows: slice, assets: list[int], *names: str) -> xr.Dataset:
    """The history without some values."""
    data = history()
    for name in names or ("pressure", "current"):
        data[name].values[rows, assets] = np.nan
    return data


EVERY = [0, 1, 2, 3]


@pytest.mark.parametrize("detector", [None, RobustZ(), Forest()])
def test_one_asset_alone_is_compared_with_its_own_past(detector: Any) -> None:
    found = anomaly_table(twin(history().isel(asset=[0])), "pump", detector=detector)
    assert found.empty and found.attrs["assets"] == ["P1"]
    # What went apart is found by the detector that learns how signals go together.
    if detector is None:
        assert anomaly_table(twin(history().isel(asset=[1])), "pump")["asset"].tolist() == ["P2"]
    # Without its pressure it has one signal.
    alone = anomaly_table(twin(without(slice(None), EVERY, "pressure").isel(asset=[1])), "pump", detector=detector)
    assert alone.attrs["cant_tell"]["pressure"] == "it has no value in the span that is learnt from"


@pytest.mark.parametrize("detector", [None, RobustZ(), Forest()])
def test_where_all_is_missing_nothing_is_learnt_and_nothing_searched_and_that_is_said(detector: Any) -> None:
    with pytest.raises(
        SchemaError, match=r"nothing can be learnt \(pressure: it has no value .*; valve: it has one value"
    ):
        anomaly_table(twin(without(slice(None), EVERY)), "pump", detector=detector)
    searched = anomaly_table(twin(without(slice(28 * 144, None), [0, 1, 2])), "pump", detector=detector)
    assert searched.empty
    said = searched.attrs["cant_tell"]
    assert (
        said["P1"]
        == said["P3"]
        == "more than half of its signals are missing in each row from 2026-01-29 00:00:00 to 2026-02-05 00:00:00"
    )
    one = anomaly_table(twin(without(slice(28 * 144, None), [2])), "pump", detector=detector)
    assert set(one.attrs["cant_tell"]) == {"valve", "P3", "P4"}


def test_a_type_without_assets_is_refused() -> None:
    with pytest.raises(SchemaError, match="'pump' has no asset"):
        anomaly_table(twin(history().isel(asset=[])), "pump")
