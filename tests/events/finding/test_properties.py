"""Conditions of properties alone: one event over the lifetime of each asset for which they are true."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.events import during, find
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

DAY = pd.Timestamp("2026-01-01")
MODEL = TwinModel.model_validate(
    {
        "twin": "trucks",
        "origin": "2025-01-01",
        "asset_types": {
            "truck": {
                "properties": {
                    "payload": {"dtype": "number", "unit": "kg"},
                    "box": {},
                    "bought": {"dtype": "time"},
                    "sold": {"dtype": "time"},
                },
                "lifetime": {"start": "bought", "until": "sold"},
            },
            "parcel": {},
        },
        "relationships": {"carried_by": {"from": "parcel", "to": "truck"}},
    }
)


@pytest.fixture
def twin():
    table = pd.DataFrame(
        {
            "payload": [12500.0, 9000.0, np.nan, 13000.0],
            "box": ["chilled", None, "chilled", "open"],
            "bought": [DAY, pd.NaT, pd.NaT, pd.NaT],
            "sold": [DAY + pd.Timedelta("9D"), pd.NaT, pd.NaT, pd.NaT],
        },
        index=pd.Index(["T1", "T2", "T3", "T4"], name="asset"),
    )
    links = pd.DataFrame(
        {
            "source": ["P", "P", "P"],
            "target": ["T1", "T2", "T4"],
            "valid_from": [DAY, DAY + pd.Timedelta("1D"), DAY + pd.Timedelta("2D")],
            "valid_until": [DAY + pd.Timedelta("1D"), DAY + pd.Timedelta("2D"), pd.NaT],
        }
    )
    parcels = pd.DataFrame(index=pd.Index(["P"], name="asset"))
    return FakeTwin(MODEL, assets={"truck": table, "parcel": parcels}, relationships={"carried_by": links})


def rows(found):
    return [
        [row.asset, *(None if pd.isna(one) else str(one.date()) for one in (row.start, row.end))]
        for row in found.itertuples()
    ]


def test_an_event_is_the_lifetime_of_an_asset(twin):
    found = find(twin, "payload > 12 t", on="truck")
    assert rows(found) == [["T1", "2026-01-01", "2026-01-10"], ["T4", "2025-01-01", None]]
    assert found["duration"].tolist() == [pd.Timedelta("9D"), pd.NaT]
    assert rows(find(twin, "not payload > 12 t", on="truck")) == [["T2", "2025-01-01", None]]
    assert rows(find(twin, "box == 'chilled' and payload > 1 t", on="truck")) == [["T1", "2026-01-01", "2026-01-10"]]
    assert rows(find(twin, "payload > 12 t", on="truck", assets=["T4", "T2"])) == [["T4", "2025-01-01", None]]


def test_a_window_selects_lifetimes_that_overlap_it(twin):
    assert rows(find(twin, "payload > 12 t", on="truck", stop=DAY)) == [["T4", "2025-01-01", None]]
    assert rows(find(twin, "payload > 12 t", on="truck", start="2026-01-10")) == [["T4", "2025-01-01", None]]
    inside = find(twin, "payload > 12 t", on="truck", start="2026-01-09", stop="2026-01-10")
    # What ends at the stop isn't over.
    assert rows(inside) == [["T1", "2026-01-01", None], ["T4", "2025-01-01", None]]
    assert rows(find(twin, "payload > 12 t", on="truck", lasting="10d")) == [["T4", "2025-01-01", None]]


def test_the_event_of_an_asset_keeps_its_id(twin):
    whole = find(twin, "payload > 12 t", on="truck").set_index("asset")["event_id"]
    part = find(twin, "payload > 12 t", on="truck", start="2026-01-05", stop="2026-01-06").set_index("asset")[
        "event_id"
    ]
    assert part.equals(whole)


def test_other_events_can_be_selected_by_it(twin):
    heavy = find(twin, "payload > 12 t", on="truck")
    times = [DAY + pd.Timedelta("1D"), DAY + pd.Timedelta("11D")]
    stops = pd.DataFrame({"asset": "T1", "start": times, "end": [one + pd.Timedelta("1h") for one in times]})
    assert during(stops, heavy).index.tolist() == [0]


def test_a_relation_to_assets_with_a_property_is_true_while_it_lasts(twin):
    assert rows(find(twin, "parcel in truck where truck.payload > 12 t")) == [
        ["P", "2026-01-01", "2026-01-02"],
        ["P", "2026-01-03", None],
    ]
    assert rows(find(twin, "not parcel in truck where payload > 12 t", on="parcel"))[-1] == [
        "P",
        "2026-01-02",
        "2026-01-03",
    ]
    lasting = find(twin, "(in truck where payload > 12 t) for at least 12h", on="parcel")
    assert lasting["start"].tolist() == [DAY + pd.Timedelta("12h"), DAY + pd.Timedelta("2D12h")]


def test_a_wrong_window_is_refused(twin):
    with pytest.raises(SchemaError, match="start before stop"):
        find(twin, "payload > 12 t", on="truck", start=DAY, stop=DAY)


def test_in_a_dataset_it_lasts_from_the_first_instant_on():
    ds = xr.Dataset(
        {"height": ("place", [5.0, 50.0], {"units": "m"})},
        coords={"time": DAY + pd.to_timedelta([0, 1], "h"), "place": ["low", "high"]},
    )
    assert rows(find(ds, "height > 10 m")) == [["high", "2026-01-01", None]]
