"""`twin.delay`: the settings that follow from the twin's model, the table, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.twinmodel import TwinModel
from twinlab.predict.known.knowledge import ByEventTime
from twinlab.testing import FakeTwin
from twinlab.twin.predict.delays import default_settings, delay_table, fit_delay

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


def test_links_and_places_follow_from_the_model(twin):
    found = default_settings(twin, "crossing")
    assert (found.links, found.places, found.asset_type) == (
        ("origin", "destination"),
        ("origin", "destination"),
        "ferry",
    )
    with pytest.raises(UnknownTermError, match="crossing"):
        default_settings(twin, "crosing")


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
