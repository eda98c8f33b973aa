"""Forecasts: M4 hourly, the parcel demo, and a day of hourly forecasts for 1,000 series; baselines and Holt-Winters of statsmodels beside.

One configuration, the defaults of `twinlab.predict.Forecaster`. It was chosen on holdouts within the training parts of M4, and on the parcel demo up to 12 March.

    TWINLAB_TEST_DATA=... python -m pytest tests/benchmarks/test_forecast_bench.py -m benchmark -n0 -s
"""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from twinlab.model.twinmodel import TwinModel
from twinlab.predict.backtests.result import Backtest
from twinlab.predict.protocol.events import EventColumns
from twinlab.testing import FakeTwin

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

FOLDER = Path(os.environ.get("TWINLAB_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
HOUR, HORIZON, DAY, WEEK = np.timedelta64(1, "h"), 48, 24, 168
LEADS = tl.predict.lead_times("48h", every="1h")


def show(name: str, figure: object) -> None:
    print(f"\n{name}: {figure}", end="")  # noqa: T201
    note(name, figure=str(figure))


def m4_hourly() -> tuple[xr.DataArray, np.ndarray]:
    """Return the training parts, all ending at one instant, and what came (series, lead)."""
    path = FOLDER / "m4_hourly" / "m4_hourly.parquet"
    if not path.is_file():
        pytest.skip(f"the data set m4_hourly isn't in {FOLDER}; TWINLAB_TEST_DATA names the folder with it")
    table = pd.read_parquet(path)
    train = table[table["split"] == "train"].groupby("series", sort=False)["value"]
    longest = int(train.size().max())
    values = {str(name): np.concatenate([np.full(longest - len(one), np.nan), one]) for name, one in train}
    test = table[table["split"] == "test"].groupby("series", sort=False)["value"]
    true = {str(name): one.to_numpy(float) for name, one in test}
    times = np.datetime64("2026-01-05", "ns") + np.arange(longest) * HOUR
    data = xr.DataArray(
        np.stack([*values.values()], 1), {"time": times, "asset": list(values)}, ("time", "asset"), "m4"
    )
    return data, np.stack([true[name] for name in values])


def scores(found: np.ndarray, true: np.ndarray, past: np.ndarray) -> tuple[float, float]:
    """Return sMAPE in percent and MASE with a season of a day, the means over series, as the M4 competition defines them."""
    smape = (200 * np.abs(found - true) / (np.abs(found) + np.abs(true))).mean(axis=1)
    scale = np.nanmean(np.abs(past[:, DAY:] - past[:, :-DAY]), axis=1)
    return float(smape.mean()), float((np.abs(found - true).mean(axis=1) / scale).mean())


def seasonal_naive(past: np.ndarray, season: int) -> np.ndarray:
    size = past.shape[1]
    return np.stack([past[:, size + lead - season * (lead // season + 1)] for lead in range(HORIZON)], 1)


def holt_winters(past: np.ndarray, season: int) -> np.ndarray:
    """Return forecasts of statsmodels' Holt-Winters: additive season, no trend, smoothing optimised for each series."""
    holtwinters = pytest.importorskip("statsmodels.tsa.holtwinters")
    out = np.empty((len(past), HORIZON))
    for row, values in enumerate(past):
        known = values[~np.isnan(values)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = holtwinters.ExponentialSmoothing(
                known, seasonal="add", seasonal_periods=season, initialization_method="heuristic"
            )
            out[row] = model.fit().forecast(HORIZON)
    return out


def test_m4_hourly() -> None:
    data, true = m4_hourly()
    past = data.transpose("asset", "time").values
    begin = time.process_time()
    found = tl.predict.forecast(data, horizon="48h")
    seconds = time.process_time() - begin
    bounds = found.m4.values[0].transpose(1, 0, 2)
    assert not np.isnan(bounds).any()
    inside = ((true >= bounds[..., 0]) & (true <= bounds[..., 2])).mean(axis=0)
    table = {
        "twinlab": scores(bounds[..., 1], true, past),
        "seasonal naive, a day": scores(seasonal_naive(past, DAY), true, past),
        "seasonal naive, a week": scores(seasonal_naive(past, WEEK), true, past),
    }
    begin = time.process_time()
    table["Holt-Winters (statsmodels), a week"] = scores(holt_winters(past, WEEK), true, past)
    peer = time.process_time() - begin
    for name, (smape, mase) in table.items():
        show(f"m4_hourly: {name}", f"sMAPE {smape:.2f}, MASE {mase:.3f}")
    show("m4_hourly: coverage of 90 %", f"{inside.mean():.3f}; by lead time {inside.min():.3f} to {inside.max():.3f}")
    show("m4_hourly: coverage by six leads", np.round(inside.reshape(8, 6).mean(axis=1), 3).tolist())
    show("m4_hourly: CPU, s", f"{seconds:.1f}; Holt-Winters {peer:.1f}")
    # The official figures of the competition: the protocol is the same.
    assert table["seasonal naive, a day"] == pytest.approx((13.91, 1.193), abs=0.005)
    smape, mase = table["twinlab"]
    assert smape <= 11.5
    assert mase <= 1.0
    assert 0.87 <= inside.mean() <= 0.93


def reported(name: str, result: Backtest) -> None:
    """Note scores and coverage by lead time of a backtest, and check the coverage."""
    for row in result.scores().itertuples():
        show(
            f"{name}: {row.model}",
            f"MAE {row.mae:.3g}, skill {row.skill:.3f}, coverage {row.coverage:.3f}, width {row.width:.3g}",
        )
    table = result.scores(by=("lead_time",))
    inside = table[table["model"] == "forecast"]["coverage"]
    show(f"{name}: coverage of 90 % by lead time", f"{inside.min():.3f} to {inside.max():.3f}")
    show(
        f"{name}: cost",
        result.cost[["model", "predictions", "cpu_seconds", "kwh", "money", "currency"]].to_dict("records"),
    )
    assert inside.between(0.87, 0.93).all()
    assert (result.scores().set_index("model")["mae"].drop("forecast") > result.scores()["mae"].iloc[0]).all()


def test_parcels_by_hub_and_hour() -> None:
    known = EventColumns(planned=("origin",))
    inputs = tl.predict.Inputs(
        "hub", step="1h", window="63d", training="63d", events=("leg",), columns={"leg": known}, ahead="0s"
    )
    model = tl.predict.Forecaster(inputs, tl.predict.CountTarget("leg", "origin"), LEADS, span=(0, np.inf))
    # Each 5 h: all hours of the day come at each lead time.
    result = tl.predict.backtest(
        model, tl.demo("parcel"), "2026-03-12", "2026-04-03", every="5h", refit="25h",
        knowledge=tl.predict.ByEventTime(), progress=False,
    )  # fmt: skip
    reported("parcels by hub and hour", result)


def test_temperatures_of_cold_rooms() -> None:
    inputs = tl.predict.Inputs("cold_room", ("temperature_mean",), step="1h", window="63d", training="63d")
    model = tl.predict.Forecaster(inputs, tl.predict.SignalTarget("temperature_mean", "degC"), LEADS)
    result = tl.predict.backtest(
        model, tl.demo("parcel"), "2026-03-12", "2026-04-03", every="5h", refit="25h",
        knowledge=tl.predict.ByEventTime(), progress=False,
    )  # fmt: skip
    reported("temperatures of cold rooms", result)


def test_totals_of_hubs_are_the_sums_of_their_parts() -> None:
    twin, predict = tl.demo("parcel"), tl.predict
    known = EventColumns(planned=("origin",))
    inputs = predict.Inputs("hub", step="1h", window="63d", events=("leg",), columns={"leg": known}, ahead="0s")
    state = predict.read_state(
        twin, inputs, np.datetime64("2026-04-03", "ns"), knowledge=predict.ByEventTime(), span=np.timedelta64(90, "D")
    )
    counts = predict.CountTarget("leg", "origin").series(state, np.timedelta64(90, "D"))
    hubs = counts["asset"].values.tolist()
    totals = {"all hubs": hubs}
    data = predict.add_totals(counts, totals)
    methods = ("base", "bottom_up", "ols", "wls", "mint")
    errors: dict[str, list[np.ndarray]] = {one: [] for one in methods}
    inside: dict[str, list[np.ndarray]] = {one: [] for one in methods}
    for end in range(data.sizes["time"] - 22 * DAY, data.sizes["time"] - HORIZON, 29):
        past, true = data.isel(time=slice(0, end)), data.isel(time=slice(end, end + HORIZON)).values
        base = predict.forecast(past, horizon="48h", span=(0, np.inf))
        for method in methods:
            found = (
                base
                if method == "base"
                else predict.reconcile(base, totals, history=past, method=method, span=(0, np.inf))
            )
            values = found["leg_count"].values[0]
            errors[method].append(np.abs(values[..., 1] - true).mean(axis=0))
            inside[method].append((true >= values[..., 0]) & (true <= values[..., 2]))
            if method != "base":
                assert np.allclose(values[:, :-1, 1].sum(axis=1), values[:, -1, 1], rtol=0, atol=1e-9)
    for method in methods:
        mean, cover = np.mean(errors[method], axis=0), np.mean(inside[method], axis=(0, 1))
        show(
            f"parcels by hub, {method}",
            f"MAE of hubs {mean[:-1].mean():.2f}, of the total {mean[-1]:.1f}; coverage of 90 % {cover[:-1].mean():.3f} and {cover[-1]:.3f}",
        )


def test_a_day_of_hourly_forecasts_for_1000_series() -> None:
    rng = np.random.default_rng(7)
    series, hours = 1000, 24 * 70
    hour = np.arange(hours)[:, None]
    daily = np.sin((hour + rng.integers(0, 24, series)) * np.pi / 12) * rng.uniform(1, 3, series)
    weekly = np.where(hour // 24 % 7 >= 5, -1.0, 0.0) * rng.uniform(0, 2, series)
    values = 10 + daily + weekly + rng.normal(0, 0.5, (hours, series))
    start = np.datetime64("2026-01-05", "ns")
    ids = np.array([f"S{k:04d}" for k in range(series)], object)
    history = xr.Dataset(
        {"level": (("time", "asset"), values, {"units": "m"})}, {"time": start + np.arange(hours) * HOUR, "asset": ids}
    )
    spec = {"signals": {"level": {"unit": "m", "cadence": "1h", "resolution": 0.01}}}
    twin = FakeTwin(
        TwinModel.model_validate({"twin": "t", "origin": "2026-01-05", "asset_types": {"tank": spec}}),
        histories={"tank": history},
    )
    inputs = tl.predict.Inputs("tank", ("level",), step="1h", window="56d", training="56d")
    model = tl.predict.Forecaster(inputs, tl.predict.SignalTarget("level", "m"), LEADS)
    naive = tl.predict.SeasonalNaive(inputs, tl.predict.SignalTarget("level", "m"), LEADS, season="7d")
    first = start + (hours - 3 * DAY) * HOUR
    begin = time.perf_counter()
    result = tl.predict.backtest(
        model, twin, first, first + DAY * HOUR, every="1h", baselines={"seasonal naive": naive},
        knowledge=tl.predict.ByEventTime(), progress=False,
    )  # fmt: skip
    wall = time.perf_counter() - begin
    some = 20
    past = history["level"].sel(time=slice(None, first - HOUR)).values[-56 * DAY :, :some].T
    begin = time.process_time()
    peer = holt_winters(past, WEEK)
    each = (time.process_time() - begin) / some
    true = values[hours - 3 * DAY : hours - DAY, :some].T
    own = result.predictions["forecast", "then"]["level"].sel(quantile=0.5).values[0, :, :some].T
    cost = result.cost.set_index("model")
    cpu = float(cost.loc["forecast", "cpu_seconds"])
    show(
        "a day of hourly 48-h forecasts for 1,000 series",
        f"{wall:.1f} s with baseline and scores; the forecaster {cpu:.1f} s CPU",
    )
    show("the same with Holt-Winters, one fit a series, no intervals", f"{each * series:.0f} s CPU, from {some} series")
    show(
        "MAE of these series, first issue time",
        f"{np.abs(own - true).mean():.4f}, Holt-Winters {np.abs(peer - true).mean():.4f}",
    )
    show("cost", result.cost.to_dict("records"))
    table = result.scores().set_index("model")
    show("checks", table[["cases", "mae", "coverage"]].to_dict("index"))
    assert table.loc["forecast", "cases"] == DAY * HORIZON * series
    assert table.loc["forecast", "mae"] < table.loc["seasonal naive", "mae"]
