"""Exceptions from rules: what raises them, what ends them, and that an instant and a span are told alike."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import episodes, exceptions
from twinlab.model.flags import Flag
from twinlab.model.rules import Rule
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

DAY = np.datetime64("2026-01-01", "ns")
MINUTE = np.timedelta64(60, "s")
STEP = 10
NAN, OK, SUSPECT, BAD, GONE = np.nan, Flag.PASS, Flag.SUSPECT, Flag.FAIL, Flag.MISSING
MODEL = TwinModel.model_validate(
    {
        "twin": "rooms",
        "origin": "2026-01-01",
        "asset_types": {
            "room": {
                "properties": {"upper": {"dtype": "number", "unit": "degF"}},
                "signals": {
                    "temperature": {"unit": "degC", "resolution": 0.1, "cadence": "10min"},
                    "door": {"kind": "state", "cadence": "10min", "states": {0: "closed", 1: "open"}},
                },
            },
            "parcel": {},
        },
        "event_types": {
            "leg": {"asset": "parcel", "properties": {"cancelled": {"dtype": "boolean"}}},
            "flight": {"without_start": "cancelled"},
        },
        "rules": {
            "warm": {"on": "room", "when": "temperature > 8 degC", "lasting": "20min", "severity": "high"},
            "above": {"on": "room", "when": "temperature > upper"},
            "open": {"on": "room", "when": "door == open", "lasting": "30min", "severity": "low"},
            "both": {"on": "room", "when": "door == open and temperature > 8"},
            "silent": {"on": "room", "silent": "40min"},
            "late": {"on": "leg", "late": "30min"},
            "slow_start": {"on": "leg", "late": "30min", "at": "start"},
            "late_flight": {"on": "flight", "late": "30min"},
        },
    }
)


def at(minute):
    return DAY + minute * MINUTE


def rooms(*, rows=24, legs=(), flights=(), upper=(46.4, 50.0), **cells):
    """Two rooms (a third that nobody heard); ``signal={(row, room): (value, flag)}``, states held as a twin holds them."""
    data = {}
    for name in ("temperature", "door"):
        value, flag = np.full((rows, 2), NAN), np.full((rows, 2), GONE, "uint8")
        for (row, room), (number, judged) in cells.get(name, {}).items():
            value[row, room], flag[row, room] = number, judged
        if name == "door":
            good = np.where(np.isin(flag, (OK, SUSPECT)), value, NAN)
            value = pd.DataFrame(good).ffill().to_numpy()
        data[name], data[f"{name}_qc"] = (("time", "asset"), value), (("time", "asset"), flag)
    coords = {"time": DAY + np.arange(rows) * STEP * MINUTE, "asset": np.array(["A", "B"], dtype=object)}
    index = pd.Index(["A", "B", "C"], name="asset")
    return FakeTwin(
        MODEL,
        histories={"room": xr.Dataset(data, coords=coords)},
        assets={"room": pd.DataFrame({"upper": [*upper, np.nan]}, index=index)},
        events={"leg": events(legs, "leg"), "flight": events(flights, "flight")},
    )


def events(rows, kind):
    """Events of (planned start, planned end, start, end[, cancelled]) in minutes; None is unknown."""
    nat = np.datetime64("NaT", "ns")
    frame = {"event_id": [f"{kind}{k}" for k in range(len(rows))], "type": kind, "asset": "P1"}
    for place, name in enumerate(("planned_start", "planned_end", "start", "end")):
        frame[name] = np.array([nat if row[place] is None else at(row[place]) for row in rows], dtype="datetime64[ns]")
    if kind == "leg":
        frame["cancelled"] = [len(row) > 4 and row[4] for row in rows]
    return pd.DataFrame(frame)


def series(values, room=0, flag=OK):
    return {(row, room): (value, flag) for row, value in enumerate(values) if value is not None}


def keys(twin, minute, *rules):
    return exceptions(twin, at=at(minute), rules=rules)["key"].tolist()


# -- when -------------------------------------------------------------------------------------------------------------


def test_it_is_told_once_it_has_lasted_long_enough_and_not_before():
    twin = rooms(temperature=series([5, 9, 9, 9, 9]))
    assert keys(twin, 29, "warm") == []
    assert keys(twin, 30, "warm") == ["warm/A/2026-01-01T00:10:00"]


def test_its_key_stays_the_same_for_as_long_as_it_stands():
    twin = rooms(rows=600, temperature=series([5] + [9] * 590))
    found = {minute: keys(twin, minute, "warm") for minute in (40, 400, 3000, 5900)}
    assert set(map(tuple, found.values())) == {("warm/A/2026-01-01T00:10:00",)}


def test_what_began_before_the_furthest_look_back_has_a_key_without_a_time():
    twin = rooms(rows=6000, temperature=series([9] * 6000))
    recent = exceptions(twin, at=at(30 * 1440), rules=["warm"])
    assert recent["key"].tolist() == ["warm/A/2026-01-01T00:00:00"]
    late = exceptions(twin, at=at(40 * 1440), rules=["warm"]).iloc[0]
    assert late["key"] == "warm/A/earlier"
    assert pd.isna(late["since"])
    assert "since before 2026-01" in late["text"]


def test_failed_samples_raise_nothing_and_end_nothing_and_suspect_ones_count():
    failed = rooms(temperature=series([99] * 6, flag=BAD))
    assert keys(failed, 50, "warm") == []
    suspect = rooms(temperature=series([99] * 6, flag=SUSPECT))
    assert keys(suspect, 50, "warm") == ["warm/A/2026-01-01T00:00:00"]
    between = rooms(temperature=series([9, 9, None, 9, 9]) | {(2, 0): (-40, BAD)})
    assert keys(between, 40, "warm") == ["warm/A/2026-01-01T00:00:00"]


def test_a_gauge_that_fell_silent_says_something_for_an_hour_and_a_state_until_it_is_told_otherwise():
    twin = rooms(temperature=series([9] * 4), door=series([1]))
    assert keys(twin, 89, "warm") == ["warm/A/2026-01-01T00:00:00"]
    assert keys(twin, 90, "warm") == []
    assert keys(twin, 230, "open") == ["open/A/2026-01-01T00:00:00"]


def test_a_limit_of_the_asset_in_another_unit_is_converted_and_without_a_limit_nothing_is_told():
    # 46.4 degF are 8 degC, 50 degF are 10 degC.
    warm = rooms(temperature=series([9.0]) | series([9.0], room=1))
    found = exceptions(warm, at=at(0), rules=["above"])
    assert found["asset"].tolist() == ["A"]
    assert found["limit"].tolist() == pytest.approx([8.0])
    assert found["unit"].tolist() == ["degC"]
    assert keys(rooms(temperature=series([99.0]), upper=(np.nan, 50.0)), 0, "above") == []


def test_several_comparisons_must_hold_together():
    twin = rooms(temperature=series([9, 9, 5, 9]), door=series([0, 1, 1, 1]))
    assert [bool(keys(twin, minute, "both")) for minute in (0, 10, 20, 30)] == [False, True, False, True]


def test_what_is_observed_later_changes_nothing_of_before():
    early, late = rooms(temperature=series([9, 9, 9])), rooms(temperature=series([9, 9, 9, 1, 1]))
    pd.testing.assert_frame_equal(
        exceptions(early, at=at(25), rules=["warm", "above"]), exceptions(late, at=at(25), rules=["warm", "above"])
    )


# -- silent -----------------------------------------------------------------------------------------------------------


def test_any_observation_breaks_the_silence_and_a_failed_one_too():
    twin = rooms(temperature=series([5]), door={(4, 0): (0, OK), (8, 0): (0, BAD)})
    assert "silent/A/2026-01-01T01:20:00" not in keys(twin, 110, "silent")
    assert keys(twin, 79, "silent")[0] != "silent/A/2026-01-01T00:40:00"
    assert "silent/A/2026-01-01T01:20:00" in keys(twin, 120, "silent")


def test_who_was_never_heard_is_told_so_and_comes_last():
    found = exceptions(rooms(temperature=series([5])), at=at(100), rules=["silent"])
    assert found["asset"].tolist() == ["A", "B", "C"]
    assert found["text"].tolist() == ["silent for 1 h 40 min (allowed 40 min)", "never heard", "never heard"]
    assert found["key"].tolist()[1:] == ["silent/B/earlier", "silent/C/earlier"]


def test_who_fell_silent_long_ago_keeps_the_time_it_was_last_heard():
    twin = rooms(rows=144 * 20, temperature=series([5, 5, 5]))
    found = exceptions(twin, at=at(19 * 1440), rules=["silent"])
    assert found.loc[found["asset"] == "A", "key"].tolist() == ["silent/A/2026-01-01T00:20:00"]


# -- late -------------------------------------------------------------------------------------------------------------


def test_what_has_not_ended_so_long_after_its_plan_is_late_until_it_ends():
    twin = rooms(legs=[(0, 60, 5, 200)])
    assert keys(twin, 89, "late") == []
    assert keys(twin, 90, "late") == ["late/leg0/2026-01-01T01:00:00"]
    assert keys(twin, 199, "late") == ["late/leg0/2026-01-01T01:00:00"]
    assert keys(twin, 200, "late") == []


def test_a_late_beginning_is_told_until_the_event_has_ended():
    twin = rooms(legs=[(0, 60, 45, 200)])
    words = [exceptions(twin, at=at(minute), rules=["slow_start"])["text"].tolist() for minute in (30, 100, 200)]
    assert words[0] == ["leg hasn't started, 30 min after its plan (2026-01-01 00:00)"]
    assert words[1] == ["leg began, 45 min after its plan (2026-01-01 00:00)"]
    assert words[2] == []


def test_what_was_on_time_or_cancelled_or_has_no_plan_is_not_late():
    twin = rooms(legs=[(0, 60, 5, 89), (0, 60, None, None, True), (None, None, 5, None)], flights=[(0, 60, None, None)])
    assert keys(twin, 100, "late", "slow_start", "late_flight") == []


def test_an_end_that_nobody_records_is_given_up_a_week_after_the_plan():
    twin = rooms(legs=[(0, 60, 5, None)])
    assert len(keys(twin, 7 * 1440 + 59, "late")) == 1
    assert keys(twin, 7 * 1440 + 60, "late") == []


# -- all --------------------------------------------------------------------------------------------------------------


def test_the_gravest_comes_first_then_what_is_furthest_beyond():
    twin = rooms(
        temperature=series([9] * 13) | series([30] * 13, room=1),
        door=series([1] * 13),
        legs=[(0, 20, 0, None), (0, 60, 0, None)],
    )
    found = exceptions(twin, at=at(120))
    assert found["severity"].tolist() == sorted(found["severity"], key=["high", "medium", "low"].index)
    assert found["key"].tolist()[:2] == ["warm/B/2026-01-01T00:00:00", "warm/A/2026-01-01T00:00:00"]
    late = found[found["rule"] == "late"]
    assert late["event_id"].tolist() == ["leg0", "leg1"]


def test_a_twin_without_rules_or_data_has_none_and_the_columns_all_the_same():
    empty = exceptions(FakeTwin(TwinModel(twin="empty")), at=at(0))
    full = exceptions(rooms(temperature=series([9])), at=at(0), rules=["above"])
    assert empty.empty
    pd.testing.assert_series_equal(empty.dtypes, full.dtypes)


def test_rules_of_ones_own_may_be_tried_and_a_wrong_one_is_refused():
    twin = rooms(temperature=series([9]))
    mine = {"mine": Rule(on="room", when="temperature >= 9 degC")}
    assert exceptions(twin, at=at(0), rules=mine)["key"].tolist() == ["mine/A/2026-01-01T00:00:00"]
    with pytest.raises(UnknownTermError, match="no signal or property 'temprature'.*; did you mean"):
        exceptions(twin, at=at(0), rules={"mine": Rule(on="room", when="temprature > 9")})
    with pytest.raises(UnknownTermError, match="did you mean 'warm'"):
        exceptions(twin, at=at(0), rules=["warn"])
    with pytest.raises(SchemaError, match="start before stop"):
        episodes(twin, "warm", start=at(5), stop=at(5))


CELL = st.tuples(st.sampled_from([0.0, 1.0, 9.0]), st.sampled_from([OK, OK, OK, SUSPECT, BAD]))
CELLS = st.dictionaries(st.tuples(st.integers(0, 23), st.integers(0, 1)), CELL, max_size=40)
MIN = st.one_of(st.none(), st.integers(0, 240))
LEGS = st.lists(st.tuples(MIN, MIN, MIN, MIN, st.booleans()), max_size=4)


def doors(cells):
    return {place: (min(value, 1.0), flag) for place, (value, flag) in cells.items()}


@settings(max_examples=15)
@given(CELLS, CELLS, LEGS, st.integers(0, 239))
def test_what_stands_at_an_instant_are_the_episodes_that_hold_it(temperature, door, legs, minute):
    twin = rooms(temperature=temperature, door=doors(door), legs=legs)
    now = pd.Timestamp(at(minute))
    standing = exceptions(twin, at=now)
    for rule in MODEL.rules:
        spans = episodes(twin, rule, start=at(0), stop=at(240))
        held = spans[~(spans["raised"] > now) & ~(spans["until"] <= now)]
        mine = standing[standing["rule"] == rule]
        assert sorted(held["key"]) == sorted(mine["key"])
        assert mine["until"].isna().all()


@settings(max_examples=25)
@given(CELLS, st.integers(0, 230))
def test_a_warm_room_is_told_as_a_walk_through_its_samples_tells_it(cells, minute):
    found = exceptions(rooms(temperature=cells), at=at(minute), rules=["warm"])
    for room, asset in enumerate(("A", "B")):
        warm = []
        for row in range(minute // STEP + 1):
            good = [k for k in range(max(0, row - 5), row + 1) if cells.get((k, room), (0, BAD))[1] != BAD]
            warm.append(bool(good) and cells[good[-1], room][0] > 8)
        run = len(warm) - next((k for k in range(len(warm), 0, -1) if not warm[k - 1]), 0)
        since = (len(warm) - run) * STEP
        expected = [pd.Timestamp(at(since))] if run and minute - since >= 20 else []
        assert found.loc[found["asset"] == asset, "since"].tolist() == expected
