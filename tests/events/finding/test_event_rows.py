"""Finding recorded events by a condition of their columns, on a twin, on views of one, and in plain tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnitError, UnknownTermError
from twinlab.events import delays, find
from twinlab.model.reader import SomeAssets
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

DAY = pd.Timestamp("2026-01-01")
MODEL = TwinModel.model_validate(
    {
        "twin": "legs",
        "asset_types": {"parcel": {"properties": {"weight": {"dtype": "number", "unit": "kg"}}}, "truck": {}},
        "event_types": {
            "leg": {
                "asset": "parcel",
                "links": {"truck": "truck"},
                "without_start": "cancelled",
                "properties": {
                    "distance": {"dtype": "number", "unit": "km"},
                    "fragile": {"dtype": "boolean"},
                    "reason": {},
                },
            },
            "strike": {},
        },
        "events": {},
    }
)


def legs(rows):
    """Return legs: start, end, planned end (hours or None), then columns of the type by name."""
    hours = [[None if one is None else DAY + pd.Timedelta(hours=one) for one in row[:3]] for row in rows]
    table = pd.DataFrame(
        {
            "event_id": [str(place) for place in range(len(rows))],
            "type": "leg",
            "asset": ["AB"[place % 2] for place in range(len(rows))],
            "start": pd.to_datetime([one[0] for one in hours]),
            "end": pd.to_datetime([one[1] for one in hours]),
            "planned_start": pd.to_datetime([one[0] for one in hours]),
            "planned_end": pd.to_datetime([one[2] for one in hours]),
            "truck": "T1",
        }
    )
    more = [row[3] if len(row) > 3 else {} for row in rows]
    for name, dtype in {"distance": "float64", "fragile": "object", "reason": "str"}.items():
        table[name] = pd.Series([one.get(name) for one in more], dtype=dtype)
    return table


def twin_of(rows):
    table = pd.DataFrame({"weight": [1.0, 2.0]}, index=pd.Index(["A", "B"], name="asset"))
    return FakeTwin(MODEL, events={"leg": legs(rows), "strike": legs([])}, assets={"parcel": table})


ROWS = [
    (0, 2, 1, {"distance": 5.0, "fragile": True, "reason": "fog"}),
    (1, 2, 2, {"distance": 80.0, "fragile": False}),
    (2, None, 3, {"fragile": None}),
    (None, None, 4, {"distance": 3.0}),
    (30, 40, 30, {"distance": 100.0, "reason": "fog"}),
]


@pytest.mark.parametrize(
    ("expression", "hits"),
    [
        ("end_delay > 30 min", [0, 4]),
        ("not end_delay > 30 min", [1]),
        ("duration >= 2h", [0, 4]),
        ("distance > 50000 m", [1, 4]),
        ("fragile", [0]),
        ("not fragile", [1]),
        ('reason == "fog"', [0, 4]),
        ("reason != 'fog'", []),
        ("cancelled", [3]),
        ("start >= '2026-01-02'", [4]),
        ("asset == 'B' and end_delay <= 0 min", [1]),
        ("end - planned_end > 5h or distance < 4 km", [3, 4]),
        ("abs(end_delay) > 90 min", [4]),
    ],
)
def test_the_events_for_which_a_condition_is_true_are_returned(expression, hits):
    twin = twin_of(ROWS)
    found = find(twin, expression, on="leg")
    recorded = twin.events("leg")
    pd.testing.assert_frame_equal(found.drop(columns="duration"), recorded.iloc[hits].reset_index(drop=True))
    assert found["duration"].equals(found["end"] - found["start"])


def test_the_type_may_be_named_in_the_expression():
    assert find(twin_of(ROWS), "leg.end_delay > 30 min")["event_id"].tolist() == ["0", "4"]


def test_windows_assets_and_durations_select_events():
    twin = twin_of(ROWS)
    assert find(twin, "distance > 0 km", on="leg", start=DAY + pd.Timedelta("24h"))["event_id"].tolist() == ["4"]
    assert find(twin, "distance > 0 km", on="leg", assets=["B"])["event_id"].tolist() == ["1", "3"]
    assert find(twin, "planned_end > '2026-01-01'", on="leg", lasting="2h")["event_id"].tolist() == ["0", "2", "4"]
    stop = DAY + pd.Timedelta("3h")
    # What isn't over at the stop has lasted up to then.
    assert find(twin, "planned_end > '2026-01-01'", on="leg", lasting="2h", stop=stop)["event_id"].tolist() == ["0"]


def test_parts_of_a_twin_and_plain_tables_have_the_same_events():
    twin = twin_of(ROWS)
    expected = find(twin, "end_delay > 30 min", on="leg")
    pd.testing.assert_frame_equal(find(SomeAssets(twin, {"parcel": ["A"]}), "end_delay > 30 min", on="leg"), expected)
    table = twin.events("leg").set_index("event_id", drop=False)
    found = find(table, "end_delay > 30 min")
    pd.testing.assert_frame_equal(found, table.loc[["0", "4"]])
    # What is found can be searched again.
    assert find(expected, "duration > 3h and distance > 6 and not reason == 'snow'")["event_id"].tolist() == ["4"]
    assert find(table, "fragile or distance > 1000", assets=["A"], start=DAY, lasting="1h")["event_id"].tolist() == [
        "0"
    ]


def test_a_table_with_a_status_says_what_was_cancelled():
    table = legs(ROWS[:2]).assign(status=["Cancelled", "done"])
    assert find(table, "cancelled or duration < 1 min")["event_id"].tolist() == ["0"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"expression": "end_dely > 3 min", "on": "leg"}, UnknownTermError, "did you mean 'end_delay'"),
        ({"expression": "end_delay > 3 km", "on": "leg"}, UnitError, "km"),
        (
            {"expression": "end_delay > 3 min", "on": "legs"},
            UnknownTermError,
            "event type, got 'legs'; did you mean 'leg'",
        ),
        ({"expression": "end_delay > 3 min"}, SchemaError, "one of parcel, truck, leg, strike"),
        ({"expression": "true", "on": "leg"}, SchemaError, "expected a column"),
        ({"expression": "fragile", "on": "leg", "gap": "1h"}, SchemaError, "twinlab.events.merge"),
        (
            {"expression": "fragile", "on": "leg", "assets": ["C"]},
            UnknownTermError,
            "an asset of type 'parcel', got 'C'",
        ),
        ({"expression": "duration > 1h", "on": "strike", "assets": ["C"]}, UnknownTermError, "no assets"),
        ({"expression": "fragile", "on": "leg", "lasting": "soon"}, SchemaError, "expected a duration"),
        ({"expression": "fragile for at least 1h", "on": "leg"}, SchemaError, "use it on an asset type"),
        ({"expression": "fragile", "on": "leg", "start": DAY, "stop": DAY}, SchemaError, "start before stop"),
    ],
)
def test_a_wrong_question_is_refused_with_the_reason(call, error, words):
    with pytest.raises(error, match=words):
        find(twin_of(ROWS), call.pop("expression"), **call)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"expression": "distance > 3 km"}, UnitError, "without a unit"),
        ({"expression": "distanc > 3"}, UnknownTermError, "of the table of events; did you mean 'distance'"),
        ({"expression": "fragile", "on": "leg"}, SchemaError, "no type for a DataFrame"),
        ({"expression": "fragile", "gap": "1h"}, SchemaError, "twinlab.events.merge"),
    ],
)
def test_a_wrong_question_to_a_table_is_refused_with_the_reason(call, error, words):
    with pytest.raises(error, match=words):
        find(legs(ROWS), call.pop("expression"), **call)


TIMES = st.one_of(st.none(), st.integers(0, 60))


@given(rows=st.lists(st.tuples(TIMES, TIMES, TIMES), max_size=30), limit=st.integers(-5, 5))
def test_found_events_are_those_that_pandas_selects(rows, limit):
    twin = twin_of(rows)
    table = twin.events("leg")
    late = delays(table)["end_delay"] > pd.Timedelta(hours=limit)
    wanted = table["event_id"][late.to_numpy() | table["start"].isna().to_numpy()].tolist()
    found = find(
        twin, f"end_delay > {limit}h or cancelled" if limit >= 0 else f"end_delay > -{-limit}h or cancelled", on="leg"
    )
    assert found["event_id"].tolist() == wanted
    assert (
        find(table, f"not end_delay > 0 - {-limit}h" if limit < 0 else f"not end_delay > {limit}h")["event_id"].tolist()
        == table["event_id"][(~late & table["end"].notna() & table["planned_end"].notna()).to_numpy()].tolist()
    )
    assert np.unique(found.index).tolist() == list(range(len(found)))
