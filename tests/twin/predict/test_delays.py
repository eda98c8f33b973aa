"""`twin.delay`: the settings that follow from the twin's model, the table, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from tests.predict.delay.test_delay import trips
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.twinmodel import TwinModel
from twinlab.predict.known.knowledge import ByEventTime
from twinlab.testing import FakeTwin
from twinlab.twin.predict.delays import default_settings, delay_table, fit_delay
from twinlab.twin.predict.stored import TwinPredictions

MODEL = {
    "twin": "ferry",
    "origin": "2026-01-01",
    "asset_types": {"ferry": {}, "pier": {}},
    "event_types": {"crossing": {"asset": "ferry", "links": {"origin": "pier", "destination": "pier"}}},
}


@pytest.fixture
def twin() -> FakeTwin:
    """A ferry that crosses each 2 h; at pier S it begins half an hour late."""
    rng = np.random.default_rng(4)
    planned = np.datetime64("2026-01-01T06:00", "ns") + np.arange(600) * np.timedelta64(2, "h")
    late = np.where(np.arange(600) % 2 == 1, 30, 0) + rng.integers(0, 6, 600)
    table = pd.DataFrame(
        {
            "event_id": [f"c{k}" for k in range(600)],
            "type": "crossing",
            "asset": "F",
            "start": planned + late * np.timedelta64(1, "m"),
            "end": planned + (late + 60) * np.timedelta64(1, "m"),
            "planned_start": planned,
            "planned_end": planned + np.timedelta64(60, "m"),
            "origin": ["N", "S"] * 300,
            "destination": ["S", "N"] * 300,
        }
    )
    return FakeTwin(
        TwinModel.model_validate(MODEL), events={"crossing": table}, assets={"ferry": pd.DataFrame(index=["F"])}
    )


def test_links_places_chain_and_group_follow_from_model_and_plan(twin):
    found = default_settings(twin, "crossing", known=np.datetime64("2026-02-10"))
    assert (found.links, found.places, found.asset_type) == (
        ("origin", "destination"),
        ("origin", "destination"),
        "ferry",
    )
    assert (found.chain, found.group, found.surroundings) == ("asset", "origin", {})
    with pytest.raises(UnknownTermError, match="crossing"):
        default_settings(twin, "crosing", known=np.datetime64("2026-02-10"))


def test_what_carries_many_is_the_chain_and_signals_of_links_are_surroundings():
    table = trips(30).rename(columns={"asset": "bus"})
    # Two parcels on each trip.
    table = pd.concat(
        [table.assign(asset=f"p{k}-" + table["event_id"], event_id=f"{k}-" + table["event_id"]) for k in (1, 2)]
    )
    signals = {"speed": {"unit": "km/h", "resolution": 0.1, "cadence": "1h"}}
    spec = {
        "asset_types": {"bus": {"signals": signals}, "parcel": {}, "stop": {}},
        "event_types": {"leg": {"asset": "parcel", "links": {"bus": "bus", "origin": "stop", "destination": "stop"}}},
    }
    twin = FakeTwin(TwinModel.model_validate({"twin": "buses", "origin": "2026-01-01", **spec}), events={"leg": table})
    found = default_settings(twin, "leg", known=np.datetime64("2026-02-01"))
    assert (found.chain, found.surroundings) == ("bus", {"bus": ("bus", ("speed",))})
    given = default_settings(twin, "leg", known=np.datetime64("2026-02-01"), chain="asset", surroundings={})
    assert (given.chain, given.surroundings) == ("asset", {})


def test_the_table_of_an_instant_that_is_no_whole_hour(twin, need):
    need("lightgbm")
    known = ByEventTime()
    fitted = fit_delay(twin, "crossing", known="2026-02-10", knowledge=known)
    found = delay_table(twin, "crossing", at="2026-02-12T04:50", fitted=fitted, knowledge=known)
    told = found[found["cant_tell"] == ""]
    assert found["planned_start"].is_monotonic_increasing
    south = told["origin"] == "S"
    assert (told.loc[south, "late"] > 0.8).all()
    assert (told.loc[~south, "late"] < 0.2).all()
    assert (told["expected"] - told["planned_end"] < pd.Timedelta("40min")).all()
    with pytest.raises(SchemaError, match="fit it with known="):
        delay_table(twin, "crossing", at="2026-02-01", fitted=fitted, knowledge=known)


def test_predictions_are_stored_with_reasons_and_scored_once_the_events_have_ended(twin, need, tmp_path):
    need("lightgbm")
    known, stored = ByEventTime(), TwinPredictions(tmp_path / "predictions", twin)
    fitted = fit_delay(twin, "crossing", known="2026-02-10", knowledge=known)
    for at in ("2026-02-12T04:50", "2026-02-13T04:50"):
        found = delay_table(twin, "crossing", at=at, fitted=fitted, knowledge=known, store="ferries", stored=stored)
    assert found.attrs["issue_time"] == np.datetime64("2026-02-13T04:50")
    assert stored.names == ["ferries", "ferries, late"]
    data = stored.newest("ferries", at=np.datetime64("2026-02-13T03:00"))
    assert set(data["issue_time"].values) == {np.datetime64("2026-02-12T04:50", "ns")}
    assert stored.newest("ferries", at=np.datetime64("2026-02-12T03:00")) is None
    again = stored.newest("ferries", at=np.datetime64("2026-03-01"))
    assert (
        again["reason"].values.tolist() == found.set_index("event_id")["reason"].loc[again["event_id"].values].tolist()
    )
    score = stored.score("ferries", by=("origin",)).set_index("origin")
    assert (score["cases"] > 4).all()
    assert (score["mae"] < 5).all()
    late = stored.score("ferries, late", by=()).iloc[0]
    assert late["auc"] == 1
    assert stored.table().set_index("name").loc["ferries", "issued"] == 2
    with pytest.raises(SchemaError, match="same issue time"):
        delay_table(twin, "crossing", at=at, fitted=fitted, knowledge=known, store="ferries", stored=stored)


def test_without_an_instant_it_is_that_of_the_latest_event_and_one_asset_can_be_asked_for(twin, need):
    need("lightgbm")
    known = ByEventTime()
    fitted = fit_delay(twin, "crossing", known="2026-02-10", knowledge=known)
    found = delay_table(twin, "crossing", at=None, fitted=fitted, knowledge=known, assets=["G"])
    assert found.empty
    assert found.attrs["issue_time"] == twin.events("crossing")["end"].max().to_datetime64()
    empty = FakeTwin(TwinModel.model_validate(MODEL), events={"crossing": twin.events("crossing").iloc[:0]})
    with pytest.raises(SchemaError, match="expected events of 'crossing' that have begun, got none"):
        delay_table(empty, "crossing", at=None)
