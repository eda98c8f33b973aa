"""Rooms of a twin in its futures."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SchemaError

START = "2026-01-29T06:00"


@pytest.fixture(scope="module")
def results(parcel, calibrated):
    options = {"horizon": "12h", "replications": 6, "trace": 2, "progress": False}
    return parcel.simulate(start=START, calibrated=calibrated, **options)


def test_temperatures_go_on_from_the_last_ones_of_the_history(parcel, calibrated, results):
    before = parcel.history("cold_room", signals=["temperature"], start="2026-01-29T05:30", stop=START)[
        "temperature"
    ].load()
    signals = results.signals("cold_room")
    first = signals["temperature"].isel(time=0)
    assert first.sizes == {"scenario": 1, "replication": 6, "asset": 1}
    assert abs(float(first.mean()) - float(before.isel(time=-1).mean())) < 1
    assert np.ptp(first.to_numpy()) == 0
    assert np.ptp(signals["temperature"].isel(time=-1).to_numpy()) > 0
    assert signals["door"].attrs["flag_meanings"] == "closed open"
    assert any("cold_room begin with their last temperature" in text for text in results.assumed)


def test_conditions_and_kpis_of_rooms_are_those_of_the_twin(parcel, results):
    whole = results.room_history()
    assert whole.sizes["time"] == 144
    found = results.find("temperature > 4 degC", on="cold_room", lasting="10min")
    warm = float((whole["temperature"] > 4).mean())
    assert (len(found) > 0) == (warm > 0.05)
    compliance = results.kpi("cold_chain")
    assert compliance.sizes["replication"] == 2
    allowed = parcel.assets("cold_room")["upper_limit"].iloc[0]
    share = (whole["temperature"].isel(scenario=0, replication=[0, 1]) <= allowed).mean(["time", "asset"])
    np.testing.assert_allclose(compliance["value"].isel(scenario=0, time=0), 100 * share, atol=0.01)


def test_a_simulated_reader_goes_on_after_the_history(parcel, results):
    reader = results.reader("base", 1)
    whole = reader.history("cold_room", start="2026-01-29T05:00", stop="2026-01-29T07:00").load()
    assert whole.sizes["time"] == 24
    assert whole["temperature"].notnull().all()
    assert set(np.unique(whole["temperature_qc"].sel(time=slice(START, None)))) == {1}
    simulated = (
        results.room_history().isel(scenario=0, replication=1)["temperature"].sel(time=slice(START, "2026-01-29T06:59"))
    )
    xr.testing.assert_allclose(
        whole["temperature"].sel(time=slice(START, None)).drop_vars("asset"),
        simulated.drop_vars(["asset", "scenario", "replication"]),
    )
    # Signals that aren't simulated end with the start.
    late = reader.history("forklift", start="2026-01-29T05:00", stop="2026-01-29T07:00")
    assert late["time"].max() < pd.Timestamp(START).to_datetime64()
    assert reader.steps("cold_room", "temperature") == ()
    with pytest.raises(SchemaError, match="have no rollups"):
        reader.history("cold_room", step="1h")


def test_stored_rooms_are_computed_again_from_their_state(parcel, calibrated, results):
    options = {"horizon": "12h", "replications": 6, "trace": 2, "progress": False, "name": "rooms"}
    parcel.simulate(start=START, calibrated=calibrated, **options)
    try:
        xr.testing.assert_identical(parcel.scenarios["rooms"].room_history(), results.room_history())
    finally:
        parcel.scenarios.delete("rooms")


def test_trucks_go_on_from_where_they_were(parcel, results):
    reader = results.reader("base", 0)
    whole = reader.history(
        "truck", signals=["latitude", "longitude"], start="2026-01-28T18:00", stop="2026-01-29T18:00"
    ).load()
    hubs = parcel.assets("hub")
    after = whole.sel(time=slice(START, None))
    assert after["latitude"].notnull().mean() > 0.5
    for name in ("latitude", "longitude"):
        values = after[name].to_numpy()
        values = values[~np.isnan(values)]
        assert values.min() >= hubs[name].min() - 1e-6
        assert values.max() <= hubs[name].max() + 1e-6
    # A truck at rest is where its last trip ended.
    trips = parcel.events("trip", start="2026-01-28", stop=START)
    trips = trips[trips["end"] < START].sort_values("start").groupby("asset").last()
    assert len(trips) > 3
    for name, trip in trips.iterrows():
        there = float(after["latitude"].sel(asset=name).isel(time=0))
        assert there == pytest.approx(hubs.loc[trip["destination"], "latitude"], abs=1e-3)
