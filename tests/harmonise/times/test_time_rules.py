"""What a mapping can say about times: zones in a column, fixed days, clocks in any format, counts since a start."""

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from twinlab.errors import SchemaError
from twinlab.harmonise import Context, harmonise
from twinlab.model.load import check_mapping, parse_model
from twinlab.model.mapping import ColumnRule, EventsRule, Mapping, TimeRule

TEMPERATURE = {"columns": {"t": {"signal": "temperature", "unit": "degC"}}, "asset": {"type": "cold_room", "id": "1"}}


def ns(*when):
    return (datetime(*when) - datetime(1970, 1, 1)) // timedelta(microseconds=1) * 1000


def times(kit, columns, *, table="t", **time):
    count = len(next(iter(columns.values())))
    mapping = Mapping.model_validate({"source": "s", "tables": [{"table": "*", "time": time, **TEMPERATURE}]})
    found = harmonise(kit.frame({**columns, "t": [4.0] * count}, table=table), mapping, kit.context())
    return found.claims.event_time.tolist(), found


@pytest.mark.parametrize("zone", ["-05:00", "GMT-05:00", "UTC-5", "-0500"])
def test_a_fixed_offset_is_a_zone(kit, zone):
    got, _ = times(kit, {"when": ["2026-07-01 00:00"]}, column="when", zone=zone)
    assert got == [ns(2026, 7, 1, 5)]


def test_a_column_of_zones_gives_each_row_its_own(kit):
    columns = {"when": ["2026-07-01 12:00"] * 5, "tz": ["EST", "Europe/Berlin", "Z", "+05:30", "XYZ"]}
    got, found = times(kit, columns, column="when", zone_column="tz", zones={"EST": "-05:00"})
    assert got == [ns(2026, 7, 1, 17), ns(2026, 7, 1, 10), ns(2026, 7, 1, 12), ns(2026, 7, 1, 6, 30)]
    assert "add it to `zones:`" in found.unknown["zone 'XYZ'"].message
    assert "column 'tz'" not in found.unknown


def test_a_row_without_a_zone_in_its_column_is_reported(kit):
    columns = {"when": ["2026-07-01 12:00", "2026-07-01 12:00Z"], "tz": ["", ""]}
    got, found = times(kit, columns, column="when", zone_column="tz")
    assert got == [ns(2026, 7, 1, 12)]
    assert [problem.reason for problem in found.problems] == ["the row states no zone, so its time is unknown"]


def test_an_abbreviation_needs_an_entry_even_if_the_tz_database_has_a_zone_of_this_name(kit):
    got, found = times(kit, {"when": ["2026-07-01 12:00"], "tz": ["CET"]}, column="when", zone_column="tz")
    assert got == []
    assert "zone 'CET'" in found.unknown


def test_clock_parts_take_a_fixed_day_or_the_one_in_the_files_name(kit):
    columns = {"h": [9, 24], "m": [39, 0], "s": [49.5, 0.0]}
    parts = {"hour": "h", "minute": "m", "second": "s"}
    want = [ns(2026, 1, 5, 9, 39, 49, 500_000), ns(2026, 1, 6)]
    assert times(kit, columns, parts=parts, date="2026-01-05", zone="UTC")[0] == want
    pattern = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    assert times(kit, columns, table="run_20260105", parts=parts, date_pattern=pattern, zone="UTC")[0] == want
    got, found = times(kit, columns, table="run_7", parts=parts, date_pattern=pattern, zone="UTC")
    assert got == []
    assert "gives no day" in found.unknown["day of 'run_7'"].message


def test_date_and_clock_have_a_format_each(kit):
    columns = {"d": ["5-Jan-26", "05-Jan-26"], "c": ["6.30 pm", "12.00 am"]}
    time = {
        "date_column": "d",
        "format": "%d-%b-%y",
        "clock": "c",
        "clock_format": ["%H:%M", "%I.%M %p"],
        "zone": "UTC",
    }
    assert times(kit, columns, **time)[0] == [ns(2026, 1, 5, 18, 30), ns(2026, 1, 5)]


def test_clocks_with_dots_are_read_and_a_number_with_two_decimals_only_as_stated(kit):
    assert times(kit, {"c": ["18.00.00", "24.00.00"]}, clock="c", date="2026-01-05", zone="UTC")[0] == [
        ns(2026, 1, 5, 18),
        ns(2026, 1, 6),
    ]
    got, _ = times(kit, {"c": [18.3, 7.05, 7.6]}, clock="c", clock_format="%H.%M", date="2026-01-05", zone="UTC")
    assert got == [ns(2026, 1, 5, 18, 30), ns(2026, 1, 5, 7, 5)]


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ("iso", ["2026-01-04T24:00", "2026-01-04 24:00:00", "2026-01-05", "2026-01-05 00:00 UTC"]),
        (["%d.%m.%Y %H:%M", "%d.%m.%Y"], ["04.01.2026 24:00", "05.01.2026 00:00", "05.01.2026", "05.01.2026"]),
    ],
)
def test_hour_24_and_a_bare_date_are_midnight(kit, form, texts):
    got, found = times(kit, {"when": texts}, column="when", format=form, zone="UTC")
    assert (got, found.problem_count) == ([ns(2026, 1, 5)] * 4, 0)


def test_an_hour_24_with_minutes_is_refused(kit):
    got, found = times(kit, {"when": ["04.01.2026 24:10"]}, column="when", format="%d.%m.%Y %H:%M", zone="UTC")
    assert (got, found.problem_count) == ([], 1)


def test_counts_since_a_start_are_exact(kit):
    got, _ = times(kit, {"n": [0, 1.5, 10**9]}, elapsed="n", step="1s", since="2026-01-05T01:00", zone="Europe/Berlin")
    assert got == [ns(2026, 1, 5), ns(2026, 1, 5, 0, 0, 1, 500_000), ns(2026, 1, 5) + 10**18]
    assert times(kit, {"n": [3]}, elapsed="n", step="1d", date="2026-01-05", zone="UTC")[0] == [ns(2026, 1, 8)]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"parts": {"hour": "h", "minute": "m", "second": "s"}}, "lack year, month, day; where the file has no date"),
        ({"parts": {"year": "y", "day": "d"}}, "the parts year, day lack month"),
        ({"parts": {"second": "s"}, "date": "2026-01-05"}, "lack hour, minute"),
        ({"parts": {"year": "y", "hour": "h"}, "date": "2026-01-05"}, "the day is given twice"),
        ({"clock": "c", "date": {"month": "m"}}, "date lacks year, day"),
        ({"clock": "c", "date": "5 Jan"}, "expected a day such as 2026-01-05"),
        ({"clock": "c", "date_pattern": r"(?P<year>\d+)"}, r"lacks the groups \(\?P<month>…\), \(\?P<day>…\)"),
        ({"column": "c", "format": "DD.MM.YYYY"}, "or a strptime format such as"),
        ({"column": "c", "format": ["iso", "%d.%m.%Q"]}, "'Q' is a bad directive"),
        ({"column": "c", "format": "%d.%d"}, "expected a strptime format"),
        ({"clock": "c", "date": "2026-01-05", "clock_format": "%H:%"}, "stray %"),
        ({"elapsed": "n"}, "exactly one of since, date or date_pattern"),
        ({"elapsed": "n", "since": "soon"}, "expected an ISO time"),
        ({"column": "c", "since": "2026-01-05"}, "state elapsed, or remove since"),
        ({"column": "c", "zones": {"EST": "-05:00"}}, "state zone_column"),
    ],
)
def test_a_time_rule_that_cant_work_is_refused_when_the_mapping_is_read(rule, reason):
    with pytest.raises(ValidationError, match=reason):
        TimeRule.model_validate({"zone": "UTC", **rule})


def test_keys_that_a_rule_doesnt_use_are_not_written_so_that_its_hash_stays():
    rule = TimeRule(column="a", zone="UTC").model_dump(mode="json")
    assert not {"clock_format", "date_pattern", "elapsed", "step", "since", "zone_column", "zones"} & rule.keys()
    assert TimeRule(column="a", zone_column="z").model_dump(mode="json")["zone_column"] == "z"
    assert ColumnRule(column="a").model_dump(mode="json") == {
        "column": "a",
        "unit": None,
        "missing": [],
        "values": None,
    }
    event = EventsRule(type="trip", key=["id"], start=TimeRule(column="a", zone="UTC")).model_dump(mode="json")
    assert not {"duration", "planned_duration"} & event.keys()


def trips(kit, columns, **rule):
    return harmonise(kit.frame(columns), kit.table(events=[{"type": "trip", "key": ["id"], **rule}]), kit.context())


def test_an_event_may_have_only_an_end(kit):
    found = trips(kit, {"id": ["a"], "done": ["2026-01-05"]}, end={"column": "done", "zone": "UTC"})
    table = found.events[0].table.to_pandas()
    assert table.start.isna().all()
    assert str(table.end[0]) == "2026-01-05 00:00:00"


@pytest.mark.parametrize(("values", "unit"), [([90, 30], "min"), (["1:30", "0:30:00"], None)])
def test_a_duration_gives_the_end_or_the_start(kit, values, unit):
    columns = {"id": ["a", "b"], "at": ["2026-01-05 08:00", "2026-01-05 09:00"], "took": values}
    duration = {"column": "took"} if unit is None else {"column": "took", "unit": unit}
    at = {"column": "at", "zone": "UTC"}
    ends = trips(kit, columns, start=at, duration=duration).events[0].table.to_pandas().end
    assert ends.astype(str).tolist() == ["2026-01-05 09:30:00", "2026-01-05 09:30:00"]
    starts = trips(kit, columns, end=at, duration=duration).events[0].table.to_pandas().start
    assert starts.astype(str).tolist() == ["2026-01-05 06:30:00", "2026-01-05 08:30:00"]


def test_a_duration_without_a_unit_is_reported_and_one_beside_both_times_refused(kit):
    found = trips(
        kit, {"id": ["a"], "at": ["2026-01-05"], "took": [9]}, start={"column": "at", "zone": "UTC"}, duration="took"
    )
    assert found.events[0].table.column("end").null_count == 1
    assert "state its unit" in found.problems[0].reason
    at = {"column": "at", "zone": "UTC"}
    with pytest.raises(ValidationError, match="exactly one of start and end"):
        EventsRule.model_validate({"type": "trip", "key": ["id"], "start": at, "end": at, "duration": "took"})


def test_a_property_that_is_a_time_has_a_format_a_zone_and_codes_for_no_time(kit):
    text = "{twin: a, event_types: {order: {properties: {sent: {dtype: time}}}}}"
    rule = {"column": "sent", "format": ["%m/%d/%y"], "missing": ["Date Not Captured"], "zone": "Europe/Berlin"}
    event = {"type": "order", "key": ["id"], "end": {"column": "done", "zone": "UTC"}, "properties": {"sent": rule}}
    mapping = Mapping.model_validate({"source": "s", "tables": [{"table": "t", "events": [event]}]})
    model = parse_model(text)
    check_mapping(mapping, model)
    sent = ["11/9/23", "Date Not Captured", "soon"]
    frame = kit.frame({"id": ["a", "b", "c"], "done": ["2026-01-05"] * 3, "sent": sent})
    found = harmonise(frame, mapping, Context(model))
    assert found.events[0].table.column("sent").to_pylist() == [datetime(2023, 11, 8, 23), None, None]
    assert (found.missing, found.problem_count) == (1, 1)


def test_a_format_of_a_property_that_is_no_time_is_an_error():
    model = parse_model("{twin: a, event_types: {order: {properties: {sent: {dtype: text}}}}}")
    event = {"type": "order", "key": ["id"], "end": {"column": "done", "zone": "UTC"}}
    event["properties"] = {"sent": {"column": "sent", "format": "iso"}}
    mapping = Mapping.model_validate({"source": "s", "tables": [{"table": "t", "events": [event]}]})
    with pytest.raises(SchemaError, match="expected a property with dtype: time, got text"):
        check_mapping(mapping, model)
