"""`twin.forecast`, `twin.forecast_events` and `twin.forecast_kpi`: what follows from the model, what is stored, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.predict import ByEventTime, reasons, truth_of


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """Two rooms for thirty days, with a counter and a state, and visits by gate."""
    folder = tmp_path_factory.mktemp("forecasts")
    (folder / "twin.yaml").write_text(
        "twin: cold\norigin: 2026-01-01\nasset_types:\n  gate: {}\n  room:\n    signals:\n"
        "      temperature: {unit: degC, resolution: 0.1, cadence: 30min, sensor_span: [0, 40]}\n"
        "      energy: {kind: counter, unit: kWh, resolution: 0.1, cadence: 30min}\n"
        "      door: {kind: state, states: {0: closed, 1: open}, cadence: 30min}\n"
        "event_types:\n  visit: {asset: room, links: {gate: gate}}\n"
        "kpis:\n  open_share: {title: Open, on: room, formula: time_share(door == open), unit: '%'}\n"
    )
    (folder / "log.yaml").write_text(
        'source: log\nfiles: ["log*.csv", "visits*.csv"]\ntables:\n  - table: "log*"\n    time: {column: time, zone: UTC}\n'
        "    asset: {type: room, column: room}\n    columns:\n      t: {signal: temperature, unit: degC}\n"
        "      e: {signal: energy, unit: kWh}\n      d: {signal: door}\n"
        '  - table: "visits*"\n    events:\n      - type: visit\n        key: [id]\n        asset: {type: room, column: room}\n'
        "        start: {column: start, zone: UTC}\n        end: {column: end, zone: UTC}\n        links: {gate: gate}\n"
    )
    rng = np.random.default_rng(3)
    rows, visits = ["time,room,t,e,d"], ["id,room,gate,start,end"]
    for half in range(48 * 30):
        when = np.datetime64("2026-01-01T00:00") + half * np.timedelta64(30, "m")
        busy = 8 <= half // 2 % 24 < 18
        for place, room in enumerate("AB"):
            t = 4 + place + 2 * np.sin(half * np.pi / 24) + rng.normal(0, 0.2)
            rows.append(
                f"{when},{room},{t:.1f},{half * (1 + place) + 0.4 * busy:.1f},{int(busy and rng.random() < 0.5)}"
            )
            for number in range(rng.poisson(3 if busy else 0.3)):
                at = when + rng.integers(0, 30) * np.timedelta64(1, "m")
                visits.append(f"{half}{room}{number},{room},{'NS'[number % 2]},{at},{at + np.timedelta64(5, 'm')}")
    (folder / "log.csv").write_text("\n".join(rows) + "\n")
    (folder / "visits.csv").write_text("\n".join(visits) + "\n")
    made = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "log.yaml")
    made.ingest(folder / "log.csv")
    made.ingest(folder / "visits.csv")
    return made


def test_a_signal_is_forecast_at_the_end_of_the_history_in_the_finest_step_that_fits(twin):
    found = twin.forecast("room", "temperature", horizon="48h")
    assert found.attrs["target"] == "temperature"
    assert found["issue_time"].values[0] == np.datetime64("2026-01-31T00:00")
    assert found["lead_time"].values[[0, -1]].astype("timedelta64[m]").astype(int).tolist() == [30, 48 * 60]
    assert not bool(reasons(found).any())
    assert float(found.temperature.min()) >= 0
    hourly = twin.forecast("room", "temperature", horizon="48h", step="1h")
    assert hourly.attrs["target"] == "temperature_mean"
    assert hourly.sizes["lead_time"] == 48


def test_a_counter_is_forecast_by_its_increase(twin):
    found = twin.forecast("room", "energy", horizon="24h", step="1h")
    assert found.attrs["target"] == "energy_increase"
    assert found["energy_increase"].attrs["units"] == "kWh"
    assert not bool(reasons(found).any())


def test_a_stored_forecast_is_scored_once_the_truth_is_known(twin):
    twin.forecast(
        "room", "temperature", horizon="24h", step="1h", at="2026-01-28", knowledge=ByEventTime(), store="rooms"
    )
    table = twin.predictions.score("rooms", by=())
    assert table["cases"].item() == 48
    assert table["mae"].item() < 0.5


def test_events_are_counted_by_a_link_and_compared_with_what_came(twin):
    found = twin.forecast_events("visit", by="gate", horizon="24h", at="2026-01-29", knowledge=ByEventTime())
    assert found["asset"].values.tolist() == ["N", "S"]
    assert float(found["visit_count"].min()) >= 0
    true = truth_of(twin, found)
    table = twin.events("visit", start="2026-01-29", stop="2026-01-30")
    begun = table[(table["start"] >= "2026-01-29") & (table["start"] < "2026-01-30")]
    assert true.sum("lead_time").values.ravel().tolist() == begun["gate"].value_counts()[["N", "S"]].tolist()
    error = np.abs(found["visit_count"].sel(quantile=0.5) - true)
    assert float(error.mean()) < float(np.abs(true - true.mean()).mean()) / 2


def test_a_kpi_is_forecast_within_what_a_share_can_be(twin):
    found = twin.forecast_kpi("open_share", by="asset", every="1d", horizon="3d")
    assert found["asset"].values.tolist() == ["A", "B"]
    assert found.attrs["truth"] == "kpi"
    assert bool((found["open_share"].fillna(50) >= 0).all() and (found["open_share"].fillna(50) <= 100).all())


def test_what_cannot_be_forecast_is_named(twin):
    with pytest.raises(UnknownTermError, match="temperature"):
        twin.forecast("room", "temprature", horizon="1h")
    with pytest.raises(SchemaError, match="is a state"):
        twin.forecast("room", "door", horizon="1h")
    with pytest.raises(UnknownTermError, match="gate"):
        twin.forecast_events("visit", by="gat", horizon="1h")
    with pytest.raises(SchemaError, match="multiple of every"):
        twin.forecast("room", "temperature", horizon="90min", step="1h")
    with pytest.raises(SchemaError, match="nothing was known"):
        twin.forecast("room", "temperature", horizon="1h", at="2026-01-20")


def test_a_fit_of_another_signal_or_of_later_is_refused(twin):
    predict = tl.predict
    inputs = predict.Inputs("room", ("temperature",), step="30min", window="20d", training="20d")
    model = predict.Forecaster(
        inputs, predict.SignalTarget("temperature", "degC"), predict.lead_times("2h", every="30min"), span=(0, 40)
    )
    fitted = predict.fit_on(model, twin, known="2026-01-25", knowledge=ByEventTime())
    options = {"horizon": "2h", "step": "30min", "knowledge": ByEventTime(), "fitted": fitted}
    found = twin.forecast("room", "temperature", at="2026-01-26", **options)
    assert pd.Timestamp(found["issue_time"].values[0]) == pd.Timestamp("2026-01-26")
    with pytest.raises(SchemaError, match="fitted at 2026-01-25"):
        twin.forecast("room", "temperature", at="2026-01-24", **options)
    with pytest.raises(SchemaError, match="energy"):
        twin.forecast("room", "energy", at="2026-01-26", **options)
