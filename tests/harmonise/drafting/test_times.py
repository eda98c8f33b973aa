"""Times in drafts: read as they were written, or asked for; a wrong time or zone is never stated."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinlab.harmonise import Context, draft, harmonise
from twinlab.harmonise.drafting.samples import samples_of
from twinlab.harmonise.drafting.times.zones import zone_in_header, zone_in_preamble
from twinlab.model.load import check_mapping, parse_mapping, parse_model
from twinlab.model.questions import open_questions
from twinlab.sources import open_source

EPOCH = datetime(1970, 1, 1)


def ns(when):
    return (when - EPOCH) // timedelta(microseconds=1) * 1000


def drafted(folder, text, name="log.csv"):
    """Return the mapping of a drafted file, the open questions, and what its first rows give."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    made = draft([path], name="x")
    model = parse_model(made.model_yaml)
    ((source, written),) = made.mappings.items()
    mapping = parse_mapping(written, source)
    check_mapping(mapping, model)
    questions = {one.path: one for one in open_questions(model, {source: mapping}) if one.file != "twin.yaml"}
    (sample,) = samples_of(open_source(path))
    return mapping, questions, harmonise(sample, mapping, Context(model))


def rows(header, line, count=40):
    return "\n".join([header, *(line(i) for i in range(count))]) + "\n"


def hours(i):
    return datetime(2004, 3, 10) + timedelta(hours=i)


def times_of(found):
    return sorted(set(found.claims.event_time.tolist()))


def test_a_date_and_a_clock_with_dots_are_one_time_and_no_asset(tmp_path):
    text = rows("Data;Ora;T (°C)", lambda i: f"{hours(i):%d/%m/%Y;%H.%M.%S};1{i % 10},5")
    mapping, questions, found = drafted(tmp_path, text)
    assert times_of(found) == [ns(hours(i)) for i in range(40)]
    assert {series.asset for series in found.claims.series} == {"log"}
    assert mapping.tables[0].time.clock == "Ora"
    assert questions["tables[0].time.format"].choices == ("%d/%m/%Y", "%m/%d/%Y")


def test_hours_without_minutes_are_read_and_the_order_of_the_date_is_asked(tmp_path):
    _, questions, found = drafted(tmp_path, rows("DATETIME,level", lambda i: f"{hours(i):%d/%m/%y %H},{i}.5"))
    assert times_of(found) == [ns(hours(i)) for i in range(40)]
    assert questions["tables[0].time.format"].choices[0] == "%d/%m/%y %H"


def test_whole_hours_beside_a_date_are_its_clock(tmp_path):
    _, _, found = drafted(tmp_path, rows("date,hour,level", lambda i: f"{hours(i):%Y-%m-%d},{hours(i).hour},{i}.5"))
    assert times_of(found) == [ns(hours(i)) for i in range(40)]


def test_a_bare_date_is_midnight_and_fractions_come_and_go(tmp_path):
    def written(i):
        when = datetime(2026, 1, 17, 23, 59, 50) + timedelta(seconds=0.5 * i)
        if when.time() == datetime.min.time():
            return f"{when:%d.%m.%Y},{i}.5"
        return f"{when:%d.%m.%Y %H:%M:%S}{'.5' if i % 2 else ''},{i}.5"

    mapping, questions, found = drafted(tmp_path, rows("when,x", written))
    assert times_of(found) == [ns(datetime(2026, 1, 17, 23, 59, 50)) + i * 500_000_000 for i in range(40)]
    assert isinstance(mapping.tables[0].time.format, list)
    assert set(questions) == {"tables[0].time.zone"}


def test_hour_24_is_the_end_of_its_day(tmp_path):
    def written(i):
        when = datetime(2026, 1, 20, 1) + timedelta(hours=i)
        return f"{when - timedelta(days=1):%d/%m/%Y} 24:00,{i}.5" if when.hour == 0 else f"{when:%d/%m/%Y %H:%M},{i}.5"

    _, _, found = drafted(tmp_path, rows("when,x", written))
    assert times_of(found) == [ns(datetime(2026, 1, 20, 1) + timedelta(hours=i)) for i in range(40)]


def test_a_date_a_clock_and_a_stop_clock_are_an_event_that_may_pass_midnight(tmp_path):
    def written(i):
        start = datetime(2026, 1, 20, 22, 30) + timedelta(days=i)
        return f"R{i},{start:%Y-%m-%d},{start:%H:%M},{start + timedelta(hours=2):%H:%M}"

    _, _, found = drafted(tmp_path, rows("run,Date,Start time,Stop time", written))
    table = found.events[0].table.to_pandas()
    assert table.event_id[0] == "R0"
    assert str(table.start[0]) == "2026-01-20 22:30:00"
    assert (table.end - table.start == timedelta(hours=2)).all()


def test_a_start_and_a_duration_are_an_event_and_its_unit_is_asked_for_if_nobody_states_it(tmp_path):
    header = "trip id,started at,{},bike"
    line = lambda i: f"{100 + i},2026-01-20 08:{i:02d},{i + 5},B{i % 4}"  # noqa: E731
    _, questions, found = drafted(tmp_path, rows(header.format("duration (min)"), line))
    table = found.events[0].table.to_pandas()
    assert (table.end - table.start).tolist() == [timedelta(minutes=i + 5) for i in range(40)]
    assert {path.rpartition(".")[2] for path in questions} == {"zone"}
    mapping, _, _ = drafted(tmp_path, rows("trip id,planned departure,duration (min),bike", line))
    assert not any(event.duration for event in mapping.tables[0].events)
    _, questions, found = drafted(tmp_path, rows(header.format("duration"), line))
    assert "In which unit is this duration?" in questions["tables[0].events[0].duration"].ask
    assert found.events[0].table.column("end").null_count == 40


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("name", ["time", "column_1"])
def test_counts_since_1970_are_recognised_and_asked_for_without_a_telling_name(tmp_path, unit, factor, name):
    text = rows(f"{name},x", lambda i: f"{(1_700_000_000 + 60 * i) * factor},{i}.5")
    mapping, questions, found = drafted(tmp_path, text)
    assert times_of(found) == [(1_700_000_000 + 60 * i) * 10**9 for i in range(40)]
    assert mapping.tables[0].time.zone == "UTC"
    assert ("tables[0].time.format" in questions) == (name == "column_1")


@pytest.mark.parametrize(
    ("header", "zone"),
    [
        ("Date Time, GMT-05:00", "-05:00"),
        ("Time (UTC)", "UTC"),
        ("time_utc", "UTC"),
        ("Zeit (Europe/Berlin)", "Europe/Berlin"),
    ],
)
def test_a_zone_in_a_header_is_taken_over(tmp_path, header, zone):
    mapping, questions, _ = drafted(tmp_path, rows(f'"{header}",x', lambda i: f"2026-01-20 00:{i:02d},{i}.5"))
    assert mapping.tables[0].time.zone == zone
    assert not questions


def test_an_abbreviation_is_its_offset_and_a_question_if_it_could_be_civil_time(tmp_path):
    mapping, questions, _ = drafted(tmp_path, rows("Timestamp [CET],x", lambda i: f"2026-01-20 00:{i:02d},{i}.5"))
    assert mapping.tables[0].time.zone == "+01:00"
    assert questions["tables[0].time.zone"].choices == ("+01:00", "Europe/Berlin")


def test_a_column_of_zones_is_used_and_a_lone_standard_time_is_asked_for(tmp_path):
    text = rows("site,when,tz_cd,level", lambda i: f"A,2026-01-20 00:{i:02d},EST,{i}.5")
    mapping, questions, found = drafted(tmp_path, text)
    assert mapping.tables[0].time.zone_column == "tz_cd"
    assert times_of(found)[0] == ns(datetime(2026, 1, 20, 5))
    assert questions["tables[0].time.zones.EST"].choices == ("-05:00", "America/New_York")
    both = rows(
        "site,when,tz_cd,level",
        lambda i: f"A,2026-03-08 0{1 if i < 30 else 3}:{i:02d},{'EST' if i < 30 else 'EDT'},{i}.5",
    )
    mapping, questions, found = drafted(tmp_path, both)
    assert dict(mapping.tables[0].time.zones) == {"EDT": "-04:00", "EST": "-05:00"}
    assert not questions
    assert times_of(found)[30] == ns(datetime(2026, 3, 8, 7, 30))


def test_a_zone_above_the_table_is_taken_over(tmp_path):
    text = "Logger 7\nTime zone: UTC+02:00\n\n" + rows("when,x", lambda i: f"2026-01-20 00:{i:02d},{i}.5")
    mapping, _, _ = drafted(tmp_path, text)
    assert mapping.tables[0].time.zone == "+02:00"
    assert zone_in_preamble(["timezone: UTC", "time zone: CET"]) is None


@pytest.mark.parametrize("name", ["West gate", "Departure est", "Sensor A-05", "best UTCX", "Zeit"])
def test_words_in_a_header_are_no_zones(name):
    assert zone_in_header(name) is None


def test_times_that_cant_be_read_are_reported_and_are_no_assets(tmp_path):
    text = rows("Zeitpunkt,x", lambda i: f"Woche {1 + i // 7} Tag {i % 7} 10:{i:02d},{i}.5")
    mapping, questions, _ = drafted(tmp_path, text)
    asked = questions["tables[0].time.format"]
    assert "'Zeitpunkt' looks like times, but couldn't be read" in asked.ask
    assert "Woche 1 Tag 0 10:00" in asked.evidence
    assert mapping.tables[0].asset.id == "log"
    assert not mapping.tables[0].assets


def test_an_unread_time_beside_a_read_one_is_a_question_and_no_asset(tmp_path):
    text = rows("when,last date,x", lambda i: f"2026-01-20 00:{i:02d},2026/W{i:02d}-3,{i}.5")
    mapping, questions, found = drafted(tmp_path, text)
    assert "'last date' looks like times" in questions["tables[0].ignore"].ask
    assert "last date" in mapping.tables[0].ignore
    assert len(found.claims) == 40


def test_clock_parts_without_a_date_take_the_day_in_the_files_name_or_ask(tmp_path):
    text = rows("h,m,s,r", lambda i: f"9,{i},49,{i}.5")
    _, _, found = drafted(tmp_path, text, name="run_2026-01-05.csv")
    assert times_of(found)[0] == ns(datetime(2026, 1, 5, 9, 0, 49))
    _, questions, _ = drafted(tmp_path, text, name="run.csv")
    assert questions["tables[0].time.date"].choices == ("1970-01-01",)


def test_elapsed_seconds_ask_for_their_start(tmp_path):
    mapping, questions, found = drafted(tmp_path, rows("Time (s),x", lambda i: f"{0.5 * i},{i}.5"))
    assert (mapping.tables[0].time.elapsed, mapping.tables[0].time.step) == ("Time (s)", "1s")
    assert times_of(found)[:2] == [0, 500_000_000]
    assert "At which instant is this count 0?" in questions["tables[0].time.since"].ask


def test_numbers_named_like_durations_are_no_clocks(tmp_path):
    text = rows("when,runtime,time to failure,time_on", lambda i: f"2026-01-20 00:{i:02d},{i % 24},{i % 20},{i % 9}")
    mapping, _, found = drafted(tmp_path, text)
    assert len(mapping.tables[0].columns) == 3
    assert len(found.claims) == 120


def test_three_dates_are_an_event_with_a_property_and_no_start_after_its_end(tmp_path):
    def written(i):
        day = datetime(2026, 1, 1) + timedelta(days=i)
        late = day + timedelta(days=1)
        sent = "Date Not Captured" if i % 3 == 0 else f"{day - timedelta(days=20):%m/%d/%y}"
        return f"O{i},{sent},{day:%Y-%m-%d},{late:%Y-%m-%d},{late + timedelta(days=1):%Y-%m-%d}"

    header = "order,Order sent,Scheduled delivery,Delivered,Delivery recorded"
    mapping, _, found = drafted(tmp_path, rows(header, written))
    (rule,) = mapping.tables[0].events
    assert (rule.start, rule.planned_end.column, rule.end.column) == (None, "Scheduled delivery", "Delivered")
    assert rule.properties["order_sent"].missing == ["Date Not Captured"]
    table = found.events[0].table.to_pandas()
    assert table.delivery_recorded[1] == table.end[1] + timedelta(days=1)
    assert table.order_sent.isna().sum() == 14
    assert found.problem_count == 0


DATES = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%Y%m%d",
    "%y-%m-%d",
]
CLOCKS = ["%H:%M", "%H:%M:%S", "%H.%M.%S", "%I:%M %p", "%I:%M:%S %p", "%H"]
ZONES = ["", " UTC", "+01:00", "header", "column"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2035, 1, 1)),
    step=st.sampled_from([60, 300, 3600, 86_400, 90_061]),
    date=st.sampled_from(DATES),
    clock=st.sampled_from(CLOCKS),
    between=st.sampled_from([" ", ", ", "T"]),
    zone=st.sampled_from(ZONES),
    midnight=st.sampled_from(["00", "24", "bare"]),
    split=st.booleans(),
)
def test_a_draft_reads_generated_times_or_asks(tmp_path, start, step, date, clock, between, zone, midnight, split):
    """The oracle is strftime: the wall times that were written, in the zone that was written."""
    start = start.replace(microsecond=0, second=0 if "%S" not in clock else start.second)
    start = start.replace(minute=0) if clock == "%H" else start
    step = {"%H": max(step // 3600, 1) * 3600}.get(clock, step if "%S" in clock else max(step // 60, 1) * 60)
    whens = [start + timedelta(seconds=step * i) for i in range(30)]
    suffix = zone if zone in (" UTC", "+01:00") and not split else ""

    def written(when):
        if when.hour == when.minute == when.second == 0 and not suffix and "%I" not in clock and not split:
            if midnight == "bare":
                return when.strftime(date)
            if midnight == "24":
                day = when - timedelta(days=1)
                return day.strftime(date) + between + when.strftime(clock).replace("00", "24", 1)
        return when.strftime(date) + (";" if split else between) + when.strftime(clock) + suffix

    header = ["Date;Time" if split else "Timestamp", "tz", "x"]
    header[0] += " (UTC+02:00)" if zone == "header" else ""
    lines = [";".join(header)] + [
        f"{written(when)};{'-03:00' if zone == 'column' else 'a'};{i}.5" for i, when in enumerate(whens)
    ]
    mapping, questions, found = drafted(tmp_path, "\n".join(lines) + "\n")
    offset = {"+01:00": 1 if suffix else 0, "header": 2, "column": -3}.get(zone, 0)
    want = [ns(when) - offset * 3600 * 10**9 for when in whens]
    asked = {path.rpartition(".")[2] for path in questions}
    stated = bool(suffix) or zone in ("header", "column")
    assert stated or "zone" in asked
    assert not (stated and "zone" in asked)
    if "format" not in asked:
        assert times_of(found) == want
        return
    time = mapping.tables[0].time
    choices = next(one.choices for path, one in questions.items() if path.endswith("format"))
    # The true order of day and month is among the choices.
    assert any(date in choice for choice in choices), (time, choices)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2035, 1, 1)),
        min_size=5,
        max_size=30,
        unique=True,
    ),
    st.integers(-11, 13),
)
def test_times_with_offsets_and_fractions_need_no_zone(tmp_path, whens, offset):
    zone = timezone(timedelta(hours=offset))
    lines = [f"{when.replace(tzinfo=zone).isoformat()},{i}.5" for i, when in enumerate(whens)]
    _, questions, found = drafted(tmp_path, "t,x\n" + "\n".join(lines) + "\n")
    want = [ns(when.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)) for when in whens]
    assert times_of(found) == sorted(want)
    assert not questions


def test_clocks_with_one_letter_for_the_half_of_the_day_are_times_and_no_assets(tmp_path: Path) -> None:
    rows = [
        f"{1 + i // 48}/15/24,{i // 2 % 12 or 12}:{i % 2 * 30:02d}{'ap'[i // 24 % 2]},{50 + i % 7}.{i % 10}"
        for i in range(96)
    ]
    path = tmp_path / "davis.csv"
    path.write_text("\n".join(["Date,Time,Temp (°F)", *rows]) + "\n", encoding="utf-8")
    made = draft(path, name="x")
    assert "clock: Time" in made.mappings["davis"]
    assert "id: davis}" in made.mappings["davis"]


def test_a_clock_in_a_spelling_that_is_not_known_names_no_asset(tmp_path: Path) -> None:
    rows = [f"2024-01-{1 + i // 24:02d},{i % 24} o'clock sharp,{50 + i % 7}.{i % 10}" for i in range(96)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["Date,Time,Temp", *rows]) + "\n", encoding="utf-8")
    made = draft(path, name="x")
    assert "column: Time" not in made.mappings["log"].split("ignore")[0]
    assert "time" not in parse_model(made.model_yaml).asset_types
