"""Events by windows of time, against minutes in plain Python."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twinlab as tl
from tests.events.algebra.tables import DAY, MINUTE, TABLES, Row, has_time, minutes, table
from tests.events.statistics.test_counts import latest
from twinlab.testing import FakeTwin


def at(minute: int) -> pd.Timestamp:
    return pd.Timestamp(DAY + minute * MINUTE)


@settings(max_examples=60)
@given(TABLES, st.integers(1, 7), st.none() | st.tuples(st.integers(-3, 8), st.integers(1, 12)), st.booleans())
def test_windows_have_the_minutes_of_their_events(rows, every, window, by_asset) -> None:
    low, high = (-1000, 1000) if window is None else (window[0], window[0] + window[1])
    bounds = {} if window is None else {"start": at(low), "stop": at(high)}
    found = tl.events.timeline(table(rows), f"{every}min", by="asset" if by_asset else None, **bounds)
    now = latest(rows)
    some = [
        Row(row.asset, row.start, max(now, row.start) if row.end is None else row.end)
        for row in rows
        if has_time(Row("a", row.start, row.end))
    ]
    table_ = found.reset_index()
    for one, begin, stop in zip(table_.itertuples(), minutes(table_["time"]), minutes(table_["stop"]), strict=True):
        mine = [row for row in some if not by_asset or row.asset == (None if pd.isna(one.asset) else one.asset)]
        assert one.started == sum(begin <= row.start < stop for row in mine)
        assert one.active == sum(
            row.start < stop and (row.end > begin or begin <= row.start == row.end) for row in mine
        )
        lasted = sum(max(0, min(row.end, stop) - max(row.start, begin)) for row in mine)
        assert one.duration == pd.Timedelta(minutes=lasted)
    total = sum(max(0, min(row.end, high) - max(row.start, low)) for row in some)
    assert found["duration"].sum() == pd.Timedelta(minutes=total)
    if window is not None:
        assert (table_["time"].min(), table_["stop"].max()) == (at(low), at(high)) or (by_asset and not rows)


def test_days_are_those_of_the_zone_and_add_up_over_a_clock_change() -> None:
    times = pd.to_datetime(["2026-03-27 12:00", "2026-03-31 12:00"])
    long = pd.DataFrame({"start": times[:1], "end": times[1:]})
    found = tl.events.timeline(long, "1d", zone="Europe/Berlin")
    hours = (found["duration"] / pd.Timedelta(hours=1)).tolist()
    assert hours == [11, 24, 23, 24, 14]
    assert found.index[0] == pd.Timestamp("2026-03-26 23:00")
    assert found["active"].tolist() == [1] * 5
    assert found["started"].tolist() == [1, 0, 0, 0, 0]


def test_timelines_of_recorded_events_equal_the_split_events() -> None:
    trips = FakeTwin.example(days=4, trips=300).events("trip")
    found = tl.events.timeline(trips, "6h", by="origin")
    parts = tl.events.split(trips, every="6h")
    latest_ = pd.concat([trips["start"], trips["end"]]).max()
    parts = parts.assign(length=parts["end"].fillna(latest_) - parts["start"], time=parts["start"].dt.floor("6h"))
    wanted = parts.groupby(["origin", "time"])["length"].sum()
    assert (
        found["duration"][found["duration"] > pd.Timedelta(0)]
        .sort_index()
        .equals(wanted[wanted > pd.Timedelta(0)].sort_index().rename("duration"))
    )


def test_no_events_have_empty_windows_if_the_window_is_stated() -> None:
    assert len(tl.events.timeline(table([]), "1d")) == 0
    found = tl.events.timeline(table([]), "1d", start=at(0), stop=at(3 * 1440))
    assert found["active"].tolist() == [0, 0, 0]


def test_wrong_arguments_are_refused() -> None:
    some = table([Row("a", 0, 10)])
    with pytest.raises(tl.UnknownTermError, match="no column 'casue'"):
        tl.events.timeline(some, by="casue")
    with pytest.raises(tl.SchemaError, match="expected start before stop"):
        tl.events.timeline(some, start="2026-03-02", stop="2026-03-01")
    with pytest.raises(tl.SchemaError, match="every: expected a duration|every: "):
        tl.events.timeline(some, "daily")
    with pytest.raises(tl.SchemaError, match="a longer every"):
        tl.events.timeline(some, "5ms", start="2026-03-01", stop="2026-03-02")
    with pytest.raises(tl.SchemaError, match="time zone"):
        tl.events.timeline(some, zone="Mars/Olympus")
