"""Formats of times, each against a plain Python oracle."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.harmonise.cells import as_cells, as_texts
from twinlab.harmonise.claims import NAT
from twinlab.harmonise.times.formats import from_format, from_parts, parse_clock

EPOCH = datetime(1970, 1, 1)


def ns(when):
    return ((when - EPOCH) // timedelta(microseconds=1)) * 1000


def parsed(values, form):
    array = values if isinstance(values, pa.Array) else pa.array(values)
    times, utc = from_format(as_cells(array), lambda: as_texts(array), form, column=array)
    return [None if at == NAT else int(at) for at in times], utc.tolist()


@given(st.lists(st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2200, 1, 1)), min_size=1))
def test_iso_times_are_read_to_the_microsecond(whens):
    assert parsed([when.isoformat(sep=" ") for when in whens], "iso")[0] == [ns(when) for when in whens]


@given(
    st.lists(
        st.tuples(
            st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),
            st.integers(-14 * 60, 14 * 60) | st.none(),
        ),
        min_size=1,
    )
)
def test_iso_times_with_and_without_offsets_may_be_in_one_column(cases):
    texts = [
        when.isoformat() if minutes is None else when.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat()
        for when, minutes in cases
    ]
    times, utc = parsed(texts, "iso")
    assert utc == [minutes is not None for _, minutes in cases]
    assert times == [ns(when - timedelta(minutes=minutes or 0)) for when, minutes in cases]


def test_iso_accepts_what_people_write_and_refuses_what_is_no_date():
    texts = [
        "2013-01-01",
        "2013-01-01T05",
        "2013-01-01 05:17",
        "2013-01-01T05:17:00,5",
        "20130101T051700Z",
        "2013-02-30",
        "1.2.2013",
        "",
        "2013-01-01T05:17-0500",
    ]
    times, utc = parsed(texts, "iso")
    day = ns(datetime(2013, 1, 1))
    hour = 3600 * 10**9
    assert times == [day, day + 5 * hour, day + 5 * hour + 17 * 60 * 10**9, day + 5 * hour + 17 * 60 * 10**9 + 5 * 10**8,
                     day + 5 * hour + 17 * 60 * 10**9, None, None, None, day + 10 * hour + 17 * 60 * 10**9]  # fmt: skip
    assert utc == [False] * 4 + [True, False, False, False, True]


@pytest.mark.parametrize(
    ("serial", "expected"),
    [(1.0, datetime(1900, 1, 1)), (59.5, datetime(1900, 2, 28, 12)), (60.0, None), (60.5, None), (61.0, datetime(1900, 3, 1)),
     (41275.220138888886, datetime(2013, 1, 1, 5, 17)), (0.5, None), (-1.0, None)],
)  # fmt: skip
def test_excel_dates_of_1900_skip_the_leap_day_that_did_not_exist(serial, expected):
    assert parsed([serial], "excel1900")[0] == [None if expected is None else ns(expected)]


@given(st.datetimes(min_value=datetime(1904, 1, 2), max_value=datetime(2150, 1, 1)))
def test_excel_dates_agree_to_the_millisecond_in_both_systems(when):
    when = when.replace(microsecond=when.microsecond // 1000 * 1000)
    for form, first in (("excel1900", datetime(1899, 12, 30)), ("excel1904", datetime(1904, 1, 1))):
        assert parsed([(when - first) / timedelta(days=1)], form)[0] == [ns(when)]


@pytest.mark.parametrize(
    ("form", "factor"), [("epoch_s", 1), ("epoch_ms", 10**3), ("epoch_us", 10**6), ("epoch_ns", 10**9)]
)
def test_counts_since_1970_are_utc(form, factor):
    assert parsed(pa.array([1_356_998_400 * factor, None], pa.int64()), form) == (
        [1_356_998_400 * 10**9, None],
        [True, False],
    )


def test_float_seconds_keep_microseconds_and_no_noise():
    assert parsed([1_356_998_400.123456], "epoch_s")[0] == [1_356_998_400_123_456_000]


def test_numbers_that_are_dates_are_read_by_their_format():
    assert parsed([20130517, 20131340], "%Y%m%d")[0] == [ns(datetime(2013, 5, 17)), None]


def test_a_format_with_an_offset_gives_utc():
    assert parsed(["17.05.2013 05:00 +0200"], "%d.%m.%Y %H:%M %z") == ([ns(datetime(2013, 5, 17, 3))], [True])


@given(
    st.dates(min_value=date(1700, 1, 1), max_value=date(2200, 1, 1)),
    st.integers(0, 24),
    st.integers(0, 59),
    st.floats(0, 59.5),
)
def test_parts_give_the_instant_that_datetime_gives(day, hour, minute, second):
    parts = {"year": day.year, "month": day.month, "day": day.day, "hour": hour, "minute": minute, "second": second}
    found = int(from_parts({name: np.array([float(value)]) for name, value in parts.items()})[0])
    if hour == 24 and (minute or second):
        assert found == NAT
    else:
        whole = datetime(day.year, day.month, day.day) + timedelta(hours=hour, minutes=minute)
        assert abs(found - ns(whole) - second * 1e9) <= 1


def test_parts_that_name_no_day_are_refused():
    parts = {
        "year": np.array([2013.0, 2012.0, np.nan]),
        "month": np.array([2.0, 2.0, 1.0]),
        "day": np.array([29.0, 29.0, 1.0]),
    }
    assert from_parts(parts).tolist() == [NAT, ns(datetime(2012, 2, 29)), NAT]


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_clock_time_means_the_same_however_it_is_written(hour, minute):
    expected = (hour * 60 + minute) * 60 * 10**9
    half = f"{(hour - 1) % 12 + 1}:{minute:02d} {'AM' if hour < 12 else 'PM'}"
    texts = pa.array([f"{hour:02d}{minute:02d}", f"{hour:02d}:{minute:02d}", f"{hour}:{minute:02d}:00", half])
    assert parse_clock(as_cells(texts)).tolist() == [expected] * 4
    assert parse_clock(as_cells(pa.array([hour * 100 + minute]))).tolist() == [expected]


def test_2400_is_the_days_end_and_what_is_no_clock_is_refused():
    clock = parse_clock(as_cells(pa.array([2400, 2401, 1260, -5, 2500])))
    assert clock.tolist() == [24 * 3600 * 10**9, NAT, NAT, NAT, NAT]
    assert parse_clock(as_cells(pa.array(["24:00", "24:01", "13:00 pm", "noon"]))).tolist() == [
        24 * 3600 * 10**9,
        NAT,
        NAT,
        NAT,
    ]


def test_epoch_of_utc_is_what_python_says():
    when = datetime(2013, 5, 17, 3, tzinfo=UTC)
    assert parsed(["2013-05-17T03:00Z"], "iso")[0] == [int(when.timestamp()) * 10**9]


def test_dots_in_a_clock_are_no_fraction_of_an_iso_time():
    texts = ["2013-01-01 10.30.15", "2013-01-01 10.30", "2013-01-01 10:30.5", "2013-01-01T10:30:00.25 UTC"]
    when = ns(datetime(2013, 1, 1, 10, 30)) + 250_000_000
    assert parsed(texts, "iso") == ([None, None, None, when], [False, False, False, True])


def test_clocks_with_one_letter_for_the_half_of_the_day() -> None:
    clock = parse_clock(as_cells(pa.array(["12:30a", "1:05p", "12:00p", "13:00p"]))) / 3.6e12
    assert clock[:3].tolist() == [0.5, 13 + 5 / 60, 12.0]
    assert parse_clock(as_cells(pa.array(["13:00p"]))).tolist() == [NAT]
