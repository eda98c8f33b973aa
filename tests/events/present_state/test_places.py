"""Where assets are: by properties, by good fixes, by what they're in; against a slow walk."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import CachedReader, positions, where
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

DAY = np.datetime64("2026-01-01", "ns")
MINUTE = np.timedelta64(60, "s")
PLACE = {"dtype": "number", "unit": "deg"}
MODEL = TwinModel.model_validate(
    {
        "twin": "yard",
        "origin": "2026-01-01",
        "asset_types": {
            "hub": {"position": ["latitude", "longitude"], "properties": {"latitude": PLACE, "longitude": PLACE}},
            "truck": {
                "position": ["lat", "lon"],
                "signals": {name: {"unit": "deg", "resolution": 0.001, "cadence": "5min"} for name in ("lat", "lon")},
            },
            "crate": {},
            "parcel": {"properties": {"weight": {"dtype": "number"}}},
        },
        "relationships": {
            "on": {"from": "crate", "to": "truck", "locates": True},
            "inside": {"from": "crate", "to": "crate", "locates": True},
            "packed": {"from": "parcel", "to": "crate", "locates": True},
            "held": {"from": "parcel", "to": "hub", "locates": True},
            "owner": {"from": "parcel", "to": "hub"},
        },
    }
)
HUBS = pd.DataFrame({"latitude": [50.0, np.nan], "longitude": [8.0, 9.0]}, index=pd.Index(["H1", "H2"], name="asset"))
NAMES = {"truck": ["T1", "T2"], "crate": ["C1", "C2", "C3"], "parcel": ["P1", "P2"]}


def at(minute):
    return DAY + minute * MINUTE


def links(rows):
    """Links of (source, target, from minute, until minute); None is open."""
    nat = np.datetime64("NaT", "ns")
    times = [[nat if row[k] is None else at(row[k]) for row in rows] for k in (2, 3)]
    return pd.DataFrame(
        {
            "source": pd.Series([row[0] for row in rows], dtype="str"),
            "target": pd.Series([row[1] for row in rows], dtype="str"),
            "valid_from": np.array(times[0], dtype="datetime64[ns]"),
            "valid_until": np.array(times[1], dtype="datetime64[ns]"),
        }
    )


def yard(fixes=(), **relationships):
    """A yard; fixes are (row, truck, latitude, longitude, flag of the latitude)."""
    value = {name: np.full((24, 2), np.nan) for name in ("lat", "lon")}
    flag = {name: np.full((24, 2), Flag.MISSING, "uint8") for name in ("lat", "lon")}
    for row, truck, lat, lon, judged in fixes:
        value["lat"][row, truck], value["lon"][row, truck] = lat, lon
        flag["lat"][row, truck], flag["lon"][row, truck] = judged, Flag.PASS
    data = {name: (("time", "asset"), value[name]) for name in value}
    data |= {f"{name}_qc": (("time", "asset"), flag[name]) for name in value}
    coords = {"time": DAY + np.arange(24) * 5 * MINUTE, "asset": np.array(NAMES["truck"], dtype=object)}
    frames = {kind: pd.DataFrame(index=pd.Index(ids, name="asset")) for kind, ids in NAMES.items()}
    return FakeTwin(
        MODEL,
        histories={"truck": xr.Dataset(data, coords=coords)},
        assets={"hub": HUBS, **frames},
        relationships={name: links(relationships.get(name, [])) for name in MODEL.relationships},
    )


def test_a_fixed_place_comes_from_properties_and_has_no_time():
    found = positions(yard(), "hub", at=at(10))
    assert found.loc["H1", ["latitude", "longitude", "via"]].tolist() == [50.0, 8.0, ""]
    assert found["time"].isna().all()
    assert found.loc["H2", ["latitude", "longitude"]].isna().all()


def test_a_failed_fix_is_skipped_for_the_good_one_before():
    twin = yard([(2, 0, 51.0, 7.0, Flag.PASS), (3, 0, 0.0, 0.0, Flag.FAIL), (5, 0, 52.0, 7.0, Flag.PASS)])
    found = positions(twin, "truck", at=at(20))
    assert found.loc["T1", ["latitude", "longitude"]].tolist() == [51.0, 7.0]
    assert found.loc["T1", "time"] == at(10)
    assert np.isnan(found.loc["T2", "latitude"])


def test_a_fix_older_than_asked_is_none():
    assert positions(yard([(0, 0, 51.0, 7.0, Flag.PASS)]), "truck", at=at(60), within="30min")["latitude"].isna().all()


def test_a_chain_of_things_inside_each_other_ends_at_the_first_that_has_a_place():
    twin = yard([(2, 1, 51.0, 7.0, Flag.PASS)], packed=[("P1", "C1", 0, None)], on=[("C1", "T2", 5, 90)])
    found = positions(twin, "parcel", at=at(20))
    assert found.loc["P1", ["latitude", "via"]].tolist() == [51.0, "crate/C1 > truck/T2"]
    assert found.loc["P1", "time"] == at(10)
    assert found.loc["P2", "via"] == ""


def test_of_several_the_one_it_came_into_last_counts_whichever_relationship_says_it():
    twin = yard(packed=[("P1", "C1", 0, None)], held=[("P1", "H1", 10, 30)])
    assert positions(twin, "parcel", at=at(9)).loc["P1", "via"] == "crate/C1"
    assert positions(twin, "parcel", at=at(10)).loc["P1", "via"] == "hub/H1"
    assert positions(twin, "parcel", at=at(30)).loc["P1", "via"] == "crate/C1"


def test_a_relationship_that_does_not_locate_says_nothing():
    assert positions(yard(owner=[("P1", "H1", 0, None)]), "parcel", at=at(5))["via"].tolist() == ["", ""]


def test_what_is_in_a_circle_is_nowhere():
    twin = yard(
        inside=[("C1", "C2", 0, None), ("C2", "C1", 0, None), ("C3", "C3", 0, None)], packed=[("P1", "C1", 0, None)]
    )
    assert positions(twin, "crate", at=at(5))["latitude"].isna().all()
    assert positions(twin, "parcel", at=at(5)).loc["P1", "via"] == "crate/C1 > crate/C2"
    assert where(twin, "crate", "C1", at=at(5)).latitude is None
    assert where(twin, "crate", "C3", at=at(5)).steps == ()


def test_links_to_assets_that_nobody_knows_are_left_out():
    twin = yard(held=[("P1", "H9", 5, None), ("P9", "H1", 0, None), ("P1", "H1", 0, None)])
    assert positions(twin, "parcel", at=at(5)).loc["P1", "via"] == "hub/H1"


def test_assets_come_in_the_order_asked_for_and_unknown_ones_are_nowhere():
    found = positions(yard(held=[("P2", "H1", 0, None)]), "parcel", at=at(5), assets=["P2", "P8", "P1"])
    assert found.index.tolist() == ["P2", "P8", "P1"]
    assert found["latitude"].notna().tolist() == [True, False, False]


def test_types_without_assets_have_an_empty_table():
    empty = FakeTwin(MODEL, relationships={name: links([]) for name in MODEL.relationships})
    assert positions(empty, "parcel", at=at(5)).columns.tolist() == ["latitude", "longitude", "time", "via"]
    assert positions(empty, "parcel", at=at(5), assets=["P1"])["latitude"].isna().all()


def test_an_unknown_type_and_an_impossible_time_are_refused():
    with pytest.raises(UnknownTermError, match="did you mean 'parcel'"):
        positions(yard(), "parcels", at=at(1))
    with pytest.raises(SchemaError, match="instant"):
        positions(yard(), "parcel", at="whenever")


def test_a_cached_reader_gives_the_same_places():
    twin = yard([(2, 1, 51.0, 7.0, Flag.PASS)], packed=[("P1", "C1", 0, None)], on=[("C1", "T2", 5, 90)])
    kept = CachedReader(twin)
    for minute in (20, 95, 3):
        pd.testing.assert_frame_equal(
            positions(twin, "parcel", at=at(minute)), positions(kept, "parcel", at=at(minute))
        )


def test_a_place_is_told_in_a_sentence():
    twin = yard([(2, 1, 51.0, 8.0, Flag.PASS)], packed=[("P1", "C1", 3, None)], on=[("C1", "T2", None, None)])
    place = where(twin, "parcel", "P1", at=at(20))
    assert str(place) == "parcel P1: in crate C1 since 00:03, in truck T2, 111.2 km from hub H1, fix 10 min old"
    assert place.steps[0] == ("crate", "C1", pd.Timestamp(at(3)))
    assert str(where(twin, "parcel", "P2", at=at(20))) == "parcel P2: position unknown"
    with pytest.raises(UnknownTermError, match="did you mean 'P1'"):
        where(twin, "parcel", "P11", at=at(20))


MINUTES = st.one_of(st.none(), st.integers(0, 60))
ROWS = {
    "packed": st.tuples(st.sampled_from(NAMES["parcel"]), st.sampled_from(NAMES["crate"]), MINUTES, MINUTES),
    "held": st.tuples(st.sampled_from(NAMES["parcel"]), st.sampled_from(["H1", "H2"]), MINUTES, MINUTES),
    "inside": st.tuples(st.sampled_from(NAMES["crate"]), st.sampled_from(NAMES["crate"]), MINUTES, MINUTES),
    "on": st.tuples(st.sampled_from(NAMES["crate"]), st.sampled_from(NAMES["truck"]), MINUTES, MINUTES),
}


def slow_place(tables, own, kind, asset, minute, order):
    """Follow links one by one; of those that hold the latest, of equals the later relationship and row."""
    for _ in range(40):
        if (kind, asset) in own:
            return own[kind, asset]
        best = None
        for name in order[kind]:
            for source, target, begin, end in tables[name]:
                begin, end = -1 if begin is None else begin, 10**6 if end is None else end
                if source == asset and begin <= minute < end and (best is None or begin >= best[0]):
                    best = begin, MODEL.relationships[name].target, target
        if best is None:
            return None
        _, kind, asset = best
    return None


@settings(max_examples=40)
@given(st.fixed_dictionaries({name: st.lists(rows, max_size=5) for name, rows in ROWS.items()}), st.integers(0, 60))
def test_places_are_those_that_a_walk_link_by_link_finds(tables, minute):
    twin = yard([(0, 0, 51.0, 7.0, Flag.PASS)], **tables)
    own = {("hub", "H1"): (50.0, 8.0), ("truck", "T1"): (51.0, 7.0)}
    order = {"parcel": ["packed", "held"], "crate": ["on", "inside"], "hub": [], "truck": []}
    for kind in ("parcel", "crate"):
        found = positions(twin, kind, at=at(minute))
        for asset in NAMES[kind]:
            expected = slow_place(tables, own, kind, asset, minute, order)
            got = found.loc[asset, ["latitude", "longitude"]].tolist()
            assert (None if np.isnan(got[0]) else tuple(got)) == expected
            place = where(twin, kind, asset, at=at(minute))
            assert (place.latitude, place.longitude) == (expected or (None, None))


def test_the_old_name_of_the_cached_reader_warns():
    import twinlab.events

    with pytest.warns(DeprecationWarning, match="now called CachedReader"):
        assert twinlab.events.KeptReader is CachedReader
