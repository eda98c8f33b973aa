"""Wide and long tables, their tags, values and states."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import UnknownTermError
from twinlab.harmonise import Claims, Series
from twinlab.model.schema import TEXT_SUFFIX

HOUR = 3600 * 10**9
TIMES = ["1970-01-01T00:00", "1970-01-01T01:00", "1970-01-01T02:00"]
TEMPERATURE = {"T": {"signal": "temperature", "unit": "degF"}}


def test_a_wide_table_gives_a_claim_a_filled_cell_in_the_signals_unit(kit):
    done = kit.run(
        {"time": TIMES, "T": [32.0, None, 212.0], "kWh": [1.0, 2.0, 3.0]},
        kit.wide(TEMPERATURE | {"kWh": {"signal": "energy"}}),
        first=10,
    )
    claims = done.claims
    assert claims.value.tolist() == [0.0, 100.0, 1.0, 2.0, 3.0]
    assert claims.event_time.tolist() == [0, 2 * HOUR, 0, HOUR, 2 * HOUR]
    assert claims.ordinal.tolist() == [10, 12, 10, 11, 12]
    assert [claims.series[c].signal for c in claims.code] == ["temperature"] * 2 + ["energy"] * 3
    assert {claims.tags[t] for t in claims.tag} == {"T@cold_room/A", "kWh@cold_room/A"}
    assert (done.missing, done.problem_count, done.unknown) == (1, 0, {})
    assert set(claims.sequence) == {-1}
    assert set(claims.op) == {0}


def test_the_asset_may_be_in_a_column(kit):
    mapping = kit.wide(TEMPERATURE, asset={"type": "cold_room", "column": "room", "pattern": "room (?P<id>.+)"})
    done = kit.run(
        {"time": TIMES, "room": ["room B", "room A", "hall"], "T": [32.0, 50.0, 32.0]},
        mapping,
        numbers=np.array([2, 3, 4]),
    )
    assert [done.claims.series[c].asset for c in done.claims.code] == ["B", "A"]
    assert done.claims.row_number.tolist() == [2, 3]
    assert [(p.row, p.column, p.text) for p in done.problems] == [(4, "room", "hall"), (4, "T", "32")]


def test_a_pattern_names_a_family_of_columns_and_their_assets(kit):
    rule = {
        r"/^Room (?P<room>\w+) temp$/": {"signal": "temperature", "asset": "cold_room/R{room}"},
        "Room 9 temp": {"signal": "energy", "asset": "cold_room/nine"},
    }
    done = kit.run(
        {"time": TIMES[:1], "Room 1 temp": [1.0], "Room 2 temp": [2.0], "Room 9 temp": [9.0], "Room 3 tmep": [3.0]},
        kit.wide(rule),
    )
    assert {(done.claims.series[c], v) for c, v in zip(done.claims.code, done.claims.value, strict=True)} == {
        (Series("cold_room", "R1", "temperature"), 1.0), (Series("cold_room", "R2", "temperature"), 2.0), (Series("cold_room", "nine", "energy"), 9.0),
    }  # fmt: skip
    term = done.unknown["column 'Room 3 tmep'"]
    assert term.rows == 1
    assert "did you mean 'Room 9 temp'" in term.message


def test_a_sensor_that_was_replaced_has_a_rule_before_and_one_after(kit):
    rules = {
        "T": [
            {"signal": "temperature", "unit": "degF", "valid_until": "1970-01-01T01:00"},
            {"signal": "temperature", "valid_from": "1970-01-01T01:00Z", "valid_until": "1970-01-01T02:00"},
        ]
    }
    done = kit.run({"time": TIMES, "T": [32.0, 5.0, 6.0]}, kit.wide(rules))
    assert done.claims.value.tolist() == [0.0, 5.0]


def test_rules_without_validity_are_signals_of_their_own_and_one_of_the_same_signal_never_applies(kit):
    rules = {
        "T": [
            {"signal": "temperature", "unit": "degF"},
            {"signal": "energy", "missing": [41]},
            {"signal": "temperature", "unit": "degC"},
        ]
    }
    done = kit.run({"time": TIMES, "T": [32.0, 41.0, 50.0]}, kit.wide(rules))
    found = [
        (done.claims.series[c].signal, v) for c, v in zip(done.claims.code, done.claims.value.round(6), strict=True)
    ]
    assert sorted(found) == [
        ("energy", 32),
        ("energy", 50),
        ("temperature", 0),
        ("temperature", 5),
        ("temperature", 10),
    ]


def test_codes_for_no_value_are_missing_and_other_texts_are_problems(kit):
    columns = {
        "time": TIMES + TIMES[:1],
        "T": [-9999.0, None, None, 1.5],
        "T" + TEXT_SUFFIX: [None, "N/A", "broken", None],
    }
    done = kit.run(columns, kit.wide({"T": {"signal": "temperature", "missing": [-9999, "N/A"]}}))
    assert done.claims.value.tolist() == [1.5]
    assert done.missing == 2
    assert [(p.row, p.column, p.text) for p in done.problems] == [(2, "T", "broken")]
    assert "missing" in done.problems[0].reason


def test_text_that_spells_a_number_is_one(kit):
    done = kit.run({"time": TIMES, "T": ["007.5", "−3", "1_0"]}, kit.wide({"T": {"signal": "temperature"}}))
    assert done.claims.value.tolist() == [7.5, -3.0]
    assert done.problems[0].text == "1_0"


def test_states_are_known_by_text_number_or_truth(kit):
    rule = {"door": {"signal": "door", "states": {"offen": "open", "zu": "closed", 1: "open"}}}
    done = kit.run({"time": TIMES, "door": ["offen", "zu", "ofen"]}, kit.wide(rule))
    assert done.claims.value.tolist() == [1.0, 0.0]
    assert "did you mean 'offen'" in done.problems[0].reason
    assert kit.run({"time": TIMES[:2], "door": [1.0, 2.0]}, kit.wide(rule)).claims.value.tolist() == [1.0]
    truth = kit.wide({"door": {"signal": "door", "states": {True: "open", False: "closed"}}})
    assert kit.run({"time": TIMES, "door": [True, None, False]}, truth).claims.value.tolist() == [1.0, 0.0]
    plain = kit.wide({"door": {"signal": "door"}})
    assert kit.run({"time": TIMES, "door": ["open", "closed", "1"]}, plain).claims.value.tolist() == [1.0, 0.0, 1.0]


def test_the_units_row_is_used_where_the_mapping_has_no_unit(kit):
    bare = kit.wide({"T": {"signal": "temperature"}})
    assert kit.run({"time": TIMES[:1], "T": [50.0]}, bare, units={"T": "°F"}).claims.value.tolist() == [10.0]
    assert kit.run(
        {"time": TIMES[:1], "T": [50.0]}, kit.wide({"T": {"signal": "temperature", "unit": "degC"}}), units={"T": "°F"}
    ).claims.value.tolist() == [50.0]
    lost = kit.run({"time": TIMES[:1], "T": [50.0]}, bare, units={"T": "furlongs!"})
    assert len(lost.claims) == 0
    assert lost.unknown["unit 'furlongs!'"].rows == 1


def test_a_unit_that_doesnt_fit_its_signal_is_refused_or_counted(kit):
    done = kit.run({"time": TIMES[:1], "T": [50.0]}, kit.wide({"T": {"signal": "temperature", "unit": "kWh"}}))
    assert len(done.claims) == 0
    assert "kWh" in next(iter(done.unknown.values())).message
    with pytest.raises(ValueError, match="unknown unit"):
        kit.wide({"T": {"signal": "temperature", "unit": "degreez"}})


def test_scale_and_offset_come_before_the_unit(kit):
    done = kit.run(
        {"time": TIMES[:1], "T": [500]},
        kit.wide({"T": {"signal": "temperature", "unit": "degF", "scale": 0.1, "offset": -18}}),
    )
    assert done.claims.value.tolist() == [0.0]


def test_a_long_table_has_a_tag_and_a_value_a_row(kit):
    mapping = kit.table(
        time={"column": "time", "zone": "UTC"}, tag="tag", value="value", unit_column="unit",
        tags={"A.T": {"signal": "temperature", "asset": "cold_room/A"}, "/(?P<r>.)[.]door/": {"signal": "door", "asset": "cold_room/{r}", "priority": 2}},
    )  # fmt: skip
    columns = {
        "time": [*TIMES, *TIMES, None], "tag": ["A.T", "B.door", "A.T", "A.X", None, "A.T", "A.T"],
        "value": ["32", "open", "1", "1", "1", "hot", "5"], "unit": ["F", None, None, None, None, None, None],
    }  # fmt: skip
    done = kit.run(columns, mapping)
    claims = done.claims
    assert sorted(
        (claims.tags[t], v, p) for t, v, p in zip(claims.tag, claims.value, claims.priority, strict=True)
    ) == [("A.T", 0.0, 0), ("A.T", 1.0, 0), ("B.door", 1.0, 2)]
    assert done.unknown["tag 'A.X'"].rows == 1
    assert {(p.row, p.column) for p in done.problems} == {(5, "value"), (4, "tag"), (6, "time")}


def test_rows_with_a_missing_or_wrong_time_are_reported(kit):
    done = kit.run(
        {"time": [None, "yesterday", None], "T": [1.0, 2.0, None]}, kit.wide({"T": {"signal": "temperature"}})
    )
    assert len(done.claims) == 0
    assert [(p.row, p.text) for p in done.problems] == [(1, "yesterday"), (0, "")]


def test_a_column_or_table_that_is_not_there_is_an_unknown_term(kit):
    done = kit.run({"tiem": TIMES, "T": [1.0, 2.0, 3.0]}, kit.wide({"T": {"signal": "temperature"}}))
    assert "did you mean 'tiem'" in done.unknown["column 'time'"].message
    other = kit.run({"time": TIMES}, kit.wide({"T": {"signal": "temperature"}}), table="u")
    assert other.unknown["table 'u'"].rows == 3


def test_a_signal_that_the_model_lacks_is_an_error_of_the_mapping(kit):
    with pytest.raises(UnknownTermError, match="did you mean 'temperature'"):
        kit.run({"time": TIMES, "T": [1.0] * 3}, kit.wide({"T": {"signal": "temprature"}}))


def test_ignored_and_empty_columns_are_not_reported(kit):
    done = kit.run(
        {"time": TIMES, "T": [1.0] * 3, "note": ["x"] * 3, "empty": pa.nulls(3)},
        kit.wide({"T": {"signal": "temperature"}}, ignore=["note"]),
    )
    assert done.unknown == {}


def test_a_clock_may_take_its_day_from_a_date_column(kit):
    time = {"column": None, "clock": "clock", "date_column": "day", "format": "%d.%m.%Y", "zone": "Europe/Berlin"}
    done = kit.run(
        {"day": ["02.01.1970", "02.01.1970"], "clock": ["01:30", "25:00"], "T": [1.0, 2.0]},
        kit.wide({"T": {"signal": "temperature"}}, time=time),
    )
    assert done.claims.event_time.tolist() == [24 * HOUR + HOUR // 2]
    assert done.problems[0].text == "25:00"


def test_formats_are_tried_in_order_and_excels_instants_are_taken_as_they_are(kit):
    time = {"format": ["excel1900", "%d.%m.%Y %H:%M"]}
    columns = {"time": [25569.5, None], "time" + TEXT_SUFFIX: [None, "01.01.1970 01:00"], "T": [1.0, 2.0]}
    assert kit.run(columns, kit.wide({"T": {"signal": "temperature"}}, time=time)).claims.event_time.tolist() == [
        12 * HOUR,
        HOUR,
    ]
    stamps = pa.array([HOUR // 1000], pa.timestamp("us"))
    assert kit.run(
        {"time": stamps, "T": [1.0]}, kit.wide({"T": {"signal": "temperature"}}, time=time)
    ).claims.event_time.tolist() == [HOUR]


def test_a_clock_that_is_known_to_be_off_is_shifted(kit):
    done = kit.run(
        {"time": TIMES[1:2], "T": [1.0]},
        kit.wide({"T": {"signal": "temperature"}}, time={"shift": "5min", "shift_sign": -1}),
    )
    assert done.claims.event_time.tolist() == [55 * 60 * 10**9]


def test_numbers_where_iso_times_are_expected_hint_at_excel(kit):
    done = kit.run({"time": [41275.5], "T": [1.0]}, kit.wide({"T": {"signal": "temperature"}}))
    assert "excel1900" in done.problems[0].reason


def test_only_the_first_hundred_problems_are_kept_and_all_are_counted(kit):
    done = kit.run({"time": ["x"] * 250, "T": [1.0] * 250}, kit.wide({"T": {"signal": "temperature"}}))
    assert (len(done.problems), done.problem_count) == (100, 250)


NUMBERS = st.none() | st.floats(-1e6, 1e6) | st.just(-9999.0)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**6),
            st.sampled_from(["A", "B", None]),
            NUMBERS,
            st.sampled_from(["open", "closed", "ajar", None]),
        ),
        min_size=1,
    ),
    st.randoms(),
)
def test_any_order_of_rows_gives_the_same_claims(kit, as_rows, cells, random):
    mapping = kit.wide(
        {"T": {"signal": "temperature", "unit": "degF", "missing": [-9999]}, "door": {"signal": "door"}},
        time={"format": "epoch_s"}, asset={"type": "cold_room", "column": "room"},
    )  # fmt: skip

    def run(order):
        time, room, value, door = zip(*(cells[place] for place in order), strict=True)
        columns = {
            "time": time,
            "room": pa.array(room, pa.string()),
            "T": pa.array(value, pa.float64()),
            "door": pa.array(door, pa.string()),
        }
        frame = kit.frame(columns)
        frame.ordinals = lambda: np.array(order)
        return kit_harmonise(frame, mapping, kit.context())

    order = list(range(len(cells)))
    shuffled = order.copy()
    random.shuffle(shuffled)
    one, two = run(order), run(shuffled)
    assert as_rows(one.claims) == as_rows(two.claims)
    assert (one.missing, one.problem_count, one.unknown) == (two.missing, two.problem_count, two.unknown)


def kit_harmonise(frame, mapping, context):
    from twinlab.harmonise import harmonise

    return harmonise(frame, mapping, context)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_a_value_converted_back_is_the_value_written(kit, values):
    mapping = kit.wide({"T": {"signal": "temperature", "unit": "degF"}}, time={"format": "epoch_s"})
    done = kit.run({"time": list(range(len(values))), "T": values}, mapping)
    for written, value in zip(values, done.claims.value.tolist(), strict=True):
        assert math.isclose(value * 1.8 + 32, written, rel_tol=1e-12, abs_tol=1e-9)


def test_claims_join_under_common_dictionaries_and_select_by_mask(kit):
    one = kit.run({"time": TIMES, "T": [1.0, 2.0, 3.0]}, kit.wide({"T": {"signal": "temperature"}}))
    two = kit.run(
        {"time": TIMES, "E": [4.0, 5.0, 6.0]}, kit.wide({"E": {"signal": "energy"}}), numbers=np.array([7, 8, 9])
    )
    both = Claims.concat([one.claims, Claims.empty(), two.claims, one.claims])
    assert [both.series[c].signal for c in both.code] == ["temperature"] * 3 + ["energy"] * 3 + ["temperature"] * 3
    assert [both.tags[t] for t in both.tag][3] == "E@cold_room/A"
    assert both.row_number.tolist() == [-1, -1, -1, 7, 8, 9, -1, -1, -1]
    assert both.select(both.value > 4).value.tolist() == [5.0, 6.0]
    assert len(Claims.concat([])) == 0


def test_a_unit_column_converts_a_wide_table_row_by_row(kit):
    rule = {"T": {"signal": "temperature"}, "kWh": {"signal": "energy", "unit": "kWh"}}
    table = {"time": TIMES, "T": [212.0, 100.0, 7.0], "kWh": [1.0, 2.0, 3.0], "u": ["°F", "C", None]}
    done = kit.run(table, kit.wide(rule, unit_column="u"))
    found = {
        signal: sorted(float(v) for c, v in zip(done.claims.code, done.claims.value, strict=True) if done.claims.series[c].signal == signal)
        for signal in ("temperature", "energy")
    }  # fmt: skip
    # A row without a unit is in the signal's own, and a rule's unit takes precedence over the column's.
    assert found == {"temperature": [7.0, 100.0, 100.0], "energy": [1.0, 2.0, 3.0]}
    assert (done.problem_count, done.unknown) == (0, {})


def test_a_unit_in_a_wide_table_that_doesnt_fit_is_reported_and_stores_nothing(kit):
    table = {"time": TIMES, "T": [1.0, 2.0, 3.0], "u": ["C", "kWh", "C"]}
    done = kit.run(table, kit.wide({"T": {"signal": "temperature"}}, unit_column="u"))
    assert done.claims.value.tolist() == [1.0, 3.0]
    assert list(done.unknown) == ["unit 'kWh'"]
