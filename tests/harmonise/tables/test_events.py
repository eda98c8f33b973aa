"""Events, assets and relationships from rows."""

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.schema import EVENT_COLUMNS

DAY = {"year": "y", "month": "m", "day": "d"}


def trips(kit, rule, columns, **how):
    mapping = kit.table(events=[{"type": "trip", "key": ["id"]} | rule])
    done = kit.run(columns, mapping, **how)
    return done, done.events[0].table.to_pandas()


def day(count, *, y=2024, m=5, d=6):
    return {"id": [str(n) for n in range(count)], "y": [y] * count, "m": [m] * count, "d": [d] * count}


def test_the_table_has_the_schemas_columns_then_links_then_properties(kit):
    rule = {
        "asset": {"type": "truck", "column": "truck"}, "start": {"column": "left", "zone": "UTC"},
        "links": {"origin": "from", "destination": {"column": "to", "values": {"B": "Berlin"}, "missing": ["-"]}},
        "properties": {"distance": {"column": "miles", "unit": "mile", "missing": [-1]}, "driver": "who", "stops": "n"},
    }  # fmt: skip
    columns = {"id": ["1", "2", "3"], "truck": ["T1", None, "T2"], "left": ["2024-05-06", None, "2024-05-06 07:00"], "from": ["A"] * 3, "to": ["B", "-", "C"],
               "miles": [10.0, -1, None], "who": ["x", None, "y"], "n": [1.0, 2.5, None]}  # fmt: skip
    done, table = trips(kit, rule, columns, first=7)
    assert list(table) == [*EVENT_COLUMNS, "origin", "destination", "distance", "driver", "stops"]
    assert table.event_id.tolist() == ["1", "2", "3"]
    assert table.asset.iloc[0] == "T1"
    assert table.asset.isna().tolist() == [False, True, False]
    assert table.destination.tolist()[::2] == ["Berlin", "C"]
    assert table.destination.isna().tolist() == [False, True, False]
    assert table.distance.iloc[0] == pytest.approx(16.09344)
    assert table.distance.isna().tolist() == [False, True, True]
    assert done.events[0].ordinal.tolist() == [7, 8, 9]
    assert [(p.column, p.text) for p in done.problems] == [("n", "2.5")]
    assert done.events[0].table.schema.field("start").type == pa.timestamp("ns")


def test_a_key_of_several_columns_stays_unambiguous_and_rows_without_one_are_noted(kit):
    done, table = trips(
        kit,
        {"key": ["a", "b"], "start": {"column": "t", "zone": "UTC"}},
        {"a": ["x/y", "x", "p"], "b": ["z", "y/z", None], "t": ["2024-01-01"] * 3},
    )
    assert table.event_id.tolist() == ["x%2Fy/z", "x/y%2Fz"]
    assert "no key" in done.problems[0].reason
    assert done.events[0].ordinal.tolist() == [0, 1]


@given(st.integers(0, 2399).filter(lambda c: c % 100 < 60), st.integers(0, 2400).filter(lambda c: c % 100 < 60))
def test_a_clock_after_another_time_is_the_first_such_clock_from_then_on(kit, start, end):
    rule = {"start": {"clock": "s", "date": DAY, "zone": "UTC"}, "end": {"clock": "e", "after": "start", "zone": "UTC"}}
    _, table = trips(kit, rule, day(1) | {"s": [start], "e": [end]})
    lasts = (table.end - table.start)[0] / pd.Timedelta("1min")
    assert lasts == ((end // 100 - start // 100) * 60 + end % 100 - start % 100) % 1440


@given(st.integers(0, 2399).filter(lambda c: c % 100 < 60), st.integers(-700, 3000))
def test_a_clock_near_a_plan_and_its_delay_is_found_on_the_right_day(kit, planned, delay):
    actual = pd.Timestamp("2024-05-06") + pd.Timedelta(minutes=planned // 100 * 60 + planned % 100 + delay)
    rule = {
        "planned_start": {"clock": "s", "date": DAY, "zone": "Europe/Berlin"},
        "start": {"clock": "a", "near": "planned_start", "plus": "late", "zone": "Europe/Berlin"},
    }
    _, table = trips(kit, rule, day(1) | {"s": [planned], "a": [actual.hour * 100 + actual.minute], "late": [delay]})
    assert (table.start - table.planned_start)[0] == pd.Timedelta(minutes=delay)


def test_an_event_in_the_repeated_hour_is_resolved_by_its_other_time(kit):
    rule = {"planned_start": {"clock": "s", "date": DAY, "zone": "America/New_York"}, "start": {"clock": "a", "near": "planned_start", "plus": "late", "zone": "America/New_York"},
            "end": {"clock": "e", "after": "start", "zone": "America/New_York"}}  # fmt: skip
    _, table = trips(
        kit, rule, day(2, y=2013, m=11, d=3) | {"s": [30, 30], "a": [130, 130], "late": [60, 120], "e": [110, 145]}
    )
    assert table.start.tolist() == [pd.Timestamp("2013-11-03 05:30"), pd.Timestamp("2013-11-03 06:30")]
    assert table.end.tolist() == [pd.Timestamp("2013-11-03 06:10"), pd.Timestamp("2013-11-03 06:45")]


def test_a_cancelled_trip_stays_an_event_without_actual_times(kit):
    rule = {
        "planned_start": {"clock": "s", "date": DAY, "zone": "UTC"},
        "start": {"clock": "a", "near": "planned_start", "zone": "UTC"},
    }
    done, table = trips(kit, rule, day(2) | {"s": [800, 800], "a": [810, None]})
    assert table.start.isna().tolist() == [False, True]
    assert done.problem_count == 0


def test_a_clock_time_without_its_delay_is_reported_because_its_day_is_unknown(kit):
    rule = {
        "planned_start": {"clock": "s", "date": DAY, "zone": "UTC"},
        "start": {"clock": "a", "near": "planned_start", "plus": "late", "zone": "UTC"},
    }
    done, table = trips(kit, rule, day(1) | {"s": [800], "a": [810], "late": pa.array([None], pa.int64())})
    assert table.start.isna().all()
    assert "'late' has no number" in done.problems[0].reason


def test_an_unknown_depots_zone_is_counted_and_the_row_kept(kit):
    rule = {
        "start": {
            "clock": "s",
            "date": DAY,
            "zone_of": {"column": "depot", "asset_type": "depot", "property": "zone", "also": {"X": "Asia/Tokyo"}},
        }
    }
    columns = day(5) | {"s": [900] * 5, "depot": ["B", "N", "X", "Q", "Q"]}
    context = kit.context(depot={"B": {"zone": "Europe/Berlin"}, "N": {"zone": "Europe/Berlim"}})
    done, table = trips(kit, rule, columns, context=context)
    assert table.start.tolist()[:3] == [pd.Timestamp("2024-05-06 07:00"), pd.NaT, pd.Timestamp("2024-05-06 00:00")]
    assert len(table) == 5
    assert {term: found.rows for term, found in done.unknown.items()} == {"depot 'N'": 1, "depot 'Q'": 2}
    assert "'Europe/Berlin'" in done.unknown["depot 'N'"].message
    assert "also: {Q:" in done.unknown["depot 'Q'"].message


def test_times_relative_to_each_other_are_an_error_of_the_mapping(kit):
    rule = {
        "start": {"clock": "s", "after": "end", "zone": "UTC"},
        "end": {"clock": "e", "after": "start", "zone": "UTC"},
    }
    with pytest.raises(SchemaError, match="relative to each other"):
        trips(kit, rule, day(1) | {"s": [1], "e": [2]})


def test_names_that_the_model_lacks_are_errors_of_the_mapping(kit):
    with pytest.raises(UnknownTermError, match="did you mean 'destination'"):
        trips(
            kit,
            {"start": {"column": "t", "zone": "UTC"}, "links": {"destinaton": "x"}},
            {"id": ["1"], "t": ["2024-01-01"], "x": ["A"]},
        )


def test_rows_become_assets_with_properties_in_model_units(kit):
    rule = {
        "type": "truck",
        "id": "plate",
        "properties": {
            "built": {"column": "y", "missing": [0]},
            "empty_weight": {"column": "w", "unit": "lb"},
            "cooled": "c",
        },
    }
    columns = {"plate": ["A 1", "B 2", None], "y": [2004, 0, 2010], "w": [1000.0, None, 1.0], "c": ["yes", "No", "?"]}
    done = kit.run(columns, kit.table(assets=[rule]))
    table = done.assets[0].table.to_pylist()
    assert table == [
        {"id": "A 1", "built": 2004, "empty_weight": pytest.approx(453.59237), "cooled": True},
        {"id": "B 2", "built": None, "empty_weight": None, "cooled": False},
    ]
    assert done.assets[0].ordinal.tolist() == [0, 1]
    assert {(p.row, p.column) for p in done.problems} == {(2, "c"), (2, "plate")}


def test_rows_become_links_with_a_time_of_validity(kit):
    rule = {"type": "parked_at", "from": "truck", "to": "depot", "valid_from": {"column": "since", "zone": "UTC"}}
    done = kit.run(
        {"truck": ["T1", "T2", None], "depot": ["B"] * 3, "since": ["2024-01-01", None, None]},
        kit.table(relationships=[rule]),
    )
    table = done.relationships[0].table.to_pandas()
    assert table.source.tolist() == ["T1", "T2"]
    assert table.valid_from.isna().tolist() == [False, True]
    assert table.valid_until.isna().all()
    assert done.problem_count == 1


def test_one_table_may_give_signals_events_and_assets_at_once(kit):
    mapping = kit.wide({"T": {"signal": "temperature"}}, asset={"type": "cold_room", "column": "room"},
                       assets=[{"type": "depot", "id": "room"}], events=[{"type": "trip", "key": ["time"], "start": {"column": "time", "zone": "UTC"}}])  # fmt: skip
    done = kit.run({"time": ["2024-01-01"], "room": ["A"], "T": [4.0]}, mapping)
    assert (len(done.claims), len(done.events), len(done.assets), done.unknown) == (1, 1, 1, {})
