"""Finding events: what a rule finds, on a twin as on a plain Dataset, whatever pieces of time are searched."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnitError, UnknownTermError
from twinlab.events import episodes, find
from twinlab.events.finding import search
from twinlab.model.flags import Flag
from twinlab.model.reader import SomeAssets
from twinlab.model.rules import Rule
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

DAY = np.datetime64("2026-01-01", "ns")
MINUTE = np.timedelta64(60, "s")
STEP = 10
OK, BAD, GONE = Flag.PASS, Flag.FAIL, Flag.MISSING
MODEL = TwinModel.model_validate(
    {
        "twin": "rooms",
        "origin": "2026-01-01",
        "asset_types": {
            "room": {
                "properties": {"upper": {"dtype": "number", "unit": "degF"}, "kind": {}, "until": {"dtype": "time"}},
                "lifetime": {"until": "until"},
                "signals": {
                    "temperature": {"unit": "degC", "resolution": 0.1, "cadence": "10min"},
                    "door": {"kind": "state", "cadence": "10min", "states": {0: "closed", 1: "open"}},
                    "humidity": {"unit": "%", "resolution": 0.1, "cadence": "30min"},
                },
            },
            "parcel": {},
        },
    }
)
WARM = "temperature > 8 degC"


def at(minute):
    return DAY + minute * MINUTE


def rooms(*, rows=24, upper=(46.4, 50.0), until=(None, None), **cells):
    """Two rooms; ``signal={(row, room): (value, flag)}``, states filled as a twin's history fills them."""
    parts = []
    for names, every in ((("temperature", "door"), 1), (("humidity",), 3)):
        data = {}
        count = -(-rows // every)
        for name in names:
            value, flag = np.full((count, 2), np.nan), np.full((count, 2), GONE, "uint8")
            for (row, room), (number, judged) in cells.get(name, {}).items():
                value[row, room], flag[row, room] = number, judged
            if name == "door":
                value = pd.DataFrame(np.where(flag == OK, value, np.nan)).ffill().to_numpy()
            data[name], data[f"{name}_qc"] = (("time", "asset"), value), (("time", "asset"), flag)
        axis = DAY + np.arange(count) * STEP * every * MINUTE
        parts.append(xr.Dataset(data, coords={"time": axis, "asset": np.array(["A", "B"], dtype=object)}))
    table = pd.DataFrame(
        {
            "upper": upper,
            "kind": ["freezer", None],
            "until": pd.to_datetime([None if one is None else at(one) for one in until]),
        },
        index=pd.Index(["A", "B"], name="asset"),
    )
    return FakeTwin(MODEL, histories={"room": parts}, assets={"room": table})


def series(values, room=0, flag=OK):
    return {(row, room): (value, flag) for row, value in enumerate(values) if value is not None}


def minutes(table):
    """Return the events as (asset, first minute, last minute or None)."""
    return [
        (
            row.asset,
            (row.start - pd.Timestamp(DAY)) // pd.Timedelta("1min"),
            None if pd.isna(row.end) else (row.end - pd.Timestamp(DAY)) // pd.Timedelta("1min"),
        )
        for row in table.itertuples()
    ]


def test_an_event_is_where_the_condition_is_true():
    twin = rooms(temperature=series([5, 9, 9, 5, 9, 9]) | series([9, 5, 5], room=1))
    found = find(twin, WARM, on="room")
    # The last value is valid for an hour.
    assert minutes(found) == [("A", 10, 30), ("A", 40, 110), ("B", 0, 10)]
    assert found["duration"].tolist() == [pd.Timedelta("20min"), pd.Timedelta("70min"), pd.Timedelta("10min")]
    assert found["type"].unique().tolist() == [WARM]


def test_what_isnt_over_has_no_end():
    twin = rooms(temperature=series([5] + [9] * 23))
    found = find(twin, WARM, on="room")
    assert minutes(found) == [("A", 10, None)]
    assert found["duration"].isna().all()
    assert minutes(find(twin, WARM, on="room", stop=at(290))) == [("A", 10, None)]
    # The last value is no longer valid.
    assert minutes(find(twin, WARM, on="room", stop=at(300))) == [("A", 10, 290)]


def test_lasting_and_gap():
    twin = rooms(temperature=series([9, 9, 5, 9, 5, 5, 9, 9, 9, 5]))
    assert minutes(find(twin, WARM, on="room")) == [("A", 0, 20), ("A", 30, 40), ("A", 60, 90)]
    assert minutes(find(twin, WARM, on="room", lasting="20min")) == [("A", 0, 20), ("A", 60, 90)]
    assert minutes(find(twin, WARM, on="room", gap="10min")) == [("A", 0, 40), ("A", 60, 90)]
    assert minutes(find(twin, WARM, on="room", gap="20min", lasting="90min")) == [("A", 0, 90)]


def test_a_window_of_a_condition_is_the_share_of_the_known_cells_in_which_it_is_true():
    closed, opened = 0, 1
    twin = rooms(rows=12, door=series([closed, None, opened, None, None, closed, None, None, None, opened]))
    # Of each half hour: 0, 0, 1, 2, 3, 2, 1, 0, 0, 1, 2, 3 of three cells.
    assert minutes(find(twin, "mean(door == open) over 30 min > 50 %", on="room")) == [("A", 30, 60), ("A", 100, None)]
    assert minutes(find(twin, "max(door == open) over 30 min == 0", on="room")) == [("A", 0, 20), ("A", 70, 90)]
    assert minutes(find(twin, "min(door == open) over 30 min > 0", on="room")) == [("A", 40, 50), ("A", 110, None)]
    # The value is valid for an hour; what isn't known then isn't counted, until nothing in the window is known.
    twin = rooms(rows=12, temperature=series([9]))
    assert minutes(find(twin, "mean(temperature > 8 degC) over 1h >= 50 %", on="room")) == [("A", 0, 110)]


def test_a_window_gives_the_events_that_overlap_it_whole():
    twin = rooms(rows=400, temperature=series([9] * 100 + [5] + [9] * 50 + [5] * 249))
    whole = find(twin, WARM, on="room")
    assert minutes(whole) == [("A", 0, 1000), ("A", 1010, 1510)]
    pd.testing.assert_frame_equal(find(twin, WARM, on="room", start=at(1400)), whole[1:].reset_index(drop=True))
    pd.testing.assert_frame_equal(
        find(twin, WARM, on="room", start=at(1400), gap="10min")[["start", "end"]],
        pd.DataFrame({"start": [at(0)], "end": [at(1510)]}),
    )
    assert find(twin, WARM, on="room", start=at(2000)).empty
    assert minutes(find(twin, WARM, on="room", start=at(905), stop=at(950))) == [("A", 0, None)]


def test_what_began_before_what_is_searched_has_no_start():
    twin = rooms(rows=6000, temperature=series([9] * 6000))
    found = find(twin, WARM, on="room", start=at(40 * 1440))
    assert found["start"].isna().all()
    assert found["event_id"].str.endswith("/A/earlier").all()
    assert minutes(find(twin, WARM, on="room", start=at(30 * 1440))) == [("A", 0, None)]


def test_ids_stay_the_same_when_data_are_added_and_differ_between_definitions():
    few, more = (rooms(rows=rows, temperature=series([5, 9, 9, 9] + [5] * (rows - 4))) for rows in (10, 20))
    one = find(few, WARM, on="room")["event_id"].item()
    assert find(more, "temperature > 46.4 degF", on="room")["event_id"].tolist() == [one]
    assert find(more, WARM, on="room", gap="1h")["event_id"].item() != one


def test_a_relation_to_several_cadences_properties_and_a_lifetime():
    twin = rooms(
        temperature=series([9] * 12) | series([9] * 12, room=1),
        humidity=series([50, 90, 50, 50]) | series([90] * 4, room=1),
        until=(None, 50),
    )
    assert minutes(find(twin, "temperature > 8 degC and humidity > 80 %", on="room")) == [("A", 30, 60), ("B", 0, 50)]
    assert minutes(find(twin, "kind == freezer and temperature > 8", on="room")) == [("A", 0, 170)]
    # A room of no kind is neither a freezer nor not one.
    assert find(twin, "kind != freezer and temperature > 8", on="room").empty
    assert minutes(find(twin, "temperature > upper", on="room")) == [("A", 0, 170)]


def test_the_asset_type_may_be_named_in_the_expression_and_assets_chosen():
    twin = rooms(temperature=series([9] * 3) | series([9] * 3, room=1))
    assert find(twin, "room.temperature > 8 degC")["asset"].tolist() == ["A", "B"]
    assert find(twin, WARM, on="room", assets=["B"])["asset"].tolist() == ["B"]
    assert find(SomeAssets(twin, {"room": ["A"]}), WARM, on="room")["asset"].tolist() == ["A"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"expression": WARM}, SchemaError, "expected on=…, the asset type"),
        ({"expression": WARM, "on": "rom"}, UnknownTermError, "did you mean 'room'"),
        ({"expression": "temprature > 8", "on": "room"}, UnknownTermError, "did you mean 'temperature'"),
        ({"expression": "temperature > 8 %", "on": "room"}, UnitError, "different things"),
        ({"expression": WARM, "on": "room", "assets": ["C"]}, UnknownTermError, "got 'C'"),
        ({"expression": WARM, "on": "room", "lasting": "soon"}, SchemaError, "lasting: expected a duration"),
        ({"expression": WARM, "on": "room", "start": at(20), "stop": at(10)}, SchemaError, "start before stop"),
        ({"expression": "true", "on": "room"}, SchemaError, "expected a signal or property of 'room'"),
    ],
)
def test_a_wrong_question_is_refused_with_the_reason(call, error, words):
    with pytest.raises(error, match=words):
        find(rooms(), **call)


# -- as a rule does ---------------------------------------------------------------------------------------------------

values = st.one_of(st.none(), st.sampled_from([5.0, 8.0, 9.0]))
flags = st.sampled_from([OK, OK, OK, BAD])
EXPRESSIONS = [
    "temperature > 8 degC",
    "temperature <= upper and door == open",
    "door != open",
    "temperature > 8 and humidity >= 46.4 and door == open",
]


@st.composite
def histories(draw):
    rows = draw(st.integers(1, 40))
    cells = {}
    for name, count in (("temperature", rows), ("door", rows), ("humidity", -(-rows // 3))):
        numbers = st.one_of(st.none(), st.sampled_from([0.0, 1.0])) if name == "door" else values
        cells[name] = {
            (row, room): (value, draw(flags))
            for room in (0, 1)
            for row, value in enumerate(draw(st.lists(numbers, min_size=count, max_size=count)))
            if value is not None
        }
    return rows, cells


@given(
    histories(),
    st.sampled_from(EXPRESSIONS),
    st.integers(0, 300),
    st.integers(1, 300),
    st.sampled_from([None, "15.5min", "45.5min"]),
)
@settings(max_examples=40, deadline=None)
def test_find_finds_what_a_rule_finds(history, expression, first, length, lasting):
    # Of an event that has lasted exactly as long as asked for, a rule says nothing yet.
    rows, cells = history
    twin = rooms(rows=rows, **cells)
    rule = Rule(on="room", when=expression, lasting=lasting)
    told = episodes(twin, {"it": rule}, start=at(first), stop=at(first + length))
    found = find(twin, expression, on="room", lasting=lasting, start=at(first), stop=at(first + length))
    ours = found[["asset", "start", "end"]].sort_values(["start", "asset"], ignore_index=True)
    theirs = told.rename(columns={"since": "start", "until": "end"})[["asset", "start", "end"]]
    pd.testing.assert_frame_equal(ours, theirs.sort_values(["start", "asset"], ignore_index=True))


# -- the same whatever pieces are read --------------------------------------------------------------------------------

TIMED = [
    *EXPRESSIONS,
    "mean(temperature) over 30 min > 8 degC",
    "max(temperature) over 1h - min(temperature) over 1h > 2 degC or rate(humidity) > 10 %/h",
    "door == open for at least 20 min and not humidity > 80 %",
    "temperature > 8 within 40 min after door == open",
    "change(temperature) over 20 min >= 1",
]


@given(histories(), st.sampled_from(TIMED), st.integers(1, 30), st.sampled_from([None, "10min", "40min"]))
@settings(max_examples=40, deadline=None)
def test_the_events_are_the_same_in_whatever_pieces_the_cells_are_read(history, expression, cells_at_once, gap):
    rows, cells = history
    twin = rooms(rows=rows, **cells)
    whole = find(twin, expression, on="room", gap=gap)
    before = search._CELLS_AT_ONCE, search._LEADS_AT_ONCE
    try:
        search._CELLS_AT_ONCE, search._LEADS_AT_ONCE = cells_at_once, 0
        pd.testing.assert_frame_equal(find(twin, expression, on="room", gap=gap), whole)
    finally:
        search._CELLS_AT_ONCE, search._LEADS_AT_ONCE = before


# -- plain xarray -----------------------------------------------------------------------------------------------------


def test_a_dataset_of_a_history_gives_the_same_events():
    twin = FakeTwin.example(days=3, trips=10)
    for expression in ("temperature > 62 degF", "mean(wind_speed) over 15 min > 8 mph and temperature < 20 degC"):
        whole = find(twin, expression, on="station")
        assert len(whole)
        for data in (twin.history("station"), twin.history("station").chunk(time=1000)):
            plain = find(data, expression)
            pd.testing.assert_frame_equal(plain.drop(columns="event_id"), whole.drop(columns="event_id"))


def test_a_dataset_of_several_dimensions_and_of_none():
    time = DAY + np.arange(6) * MINUTE
    cube = xr.Dataset(
        {
            "t": (("lat", "time", "lon"), np.array([[[1.0, 9]] * 6, [[9.0, 1]] * 6]), {"units": "degC"}),
            "limit": ("lat", [8.0, 100.0], {"units": "degC"}),
        },
        coords={"time": time, "lat": [10, 20], "lon": ["a", "b"]},
    )
    assert find(cube, "t > 8 degC")["asset"].tolist() == ["10/b", "20/a"]
    assert find(cube, "t > limit")["asset"].tolist() == ["10/b"]
    assert find(cube, "t > 8 degC", assets=["20/a"])["asset"].tolist() == ["20/a"]
    alone = cube["t"].isel(lat=0, lon=1, drop=True).to_dataset()
    assert find(alone, "t > 8 degC")[["asset", "start"]].values.tolist() == [["", pd.Timestamp(DAY)]]


def test_states_flags_and_holes_of_a_dataset():
    minute = np.array([0, 1, 2, 3, 200, 201])
    ds = xr.Dataset(
        {
            "t": ("time", [9.0, 9, 9, 9, 9, 5], {"units": "degC"}),
            "t_qc": ("time", np.array([OK, BAD, OK, OK, OK, OK], "uint8")),
            "mode": ("time", [1.0, 0, 0, 1, 1, 1], {"flag_values": [0, 1], "flag_meanings": "idle busy"}),
        },
        coords={"time": DAY + minute * MINUTE},
    )
    # The failed value is ignored; the hole is longer than a value is valid.
    assert minutes(find(ds, "t > 8 degC")) == [("", 0, 63), ("", 200, 201)]
    assert minutes(find(ds, "mode == busy")) == [("", 0, 1), ("", 3, None)]


@pytest.mark.parametrize(
    ("ds", "words"),
    [
        (xr.Dataset({"t": ("x", [1.0])}), "expected a dataset with the coordinate 'time'"),
        (xr.Dataset({"t": ("time", [1.0])}), "the coordinate 'time'"),
        (xr.Dataset({"t": ("time", [1.0, 2.0])}, coords={"time": [1, 2]}), "expected instants"),
        (xr.Dataset({"t": ("time", [1.0, 2.0])}, coords={"time": [at(2), at(1)]}), "rising instants"),
        (3, "expected a twin, an xarray Dataset or a DataFrame"),
    ],
)
def test_what_isnt_a_history_is_refused(ds, words):
    with pytest.raises(SchemaError, match=words):
        find(ds, "t > 0")
