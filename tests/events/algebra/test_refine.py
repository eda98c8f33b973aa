"""Functions that refine one event table, against plain Python."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinlab as tl
from tests.events.algebra.tables import (
    DAY,
    EXAMPLES,
    MINUTE,
    TABLES,
    Row,
    end_of,
    has_time,
    instants,
    minutes,
    table,
    times_of,
)

FREE = st.integers(0, 8)


def at(minute: int) -> np.datetime64:
    return np.datetime64(DAY + minute * MINUTE, "ns")


def timed(row: Row) -> bool:
    """Whether an event has a time; it needs no asset."""
    return has_time(Row("a", row.start, row.end))


@EXAMPLES
@given(TABLES, st.none() | FREE, st.none() | FREE, st.none() | st.integers(0, 20))
def test_lasting_keeps_durations_between_two_limits(rows, least, most, now) -> None:
    def kept(row: Row) -> bool:
        if not timed(row):
            return False
        end = end_of(row) if row.end is not None or now is None else max(now, row.start)
        return (least is None or end - row.start >= least) and (most is None or end - row.start <= most)

    limits = [None if one is None else dt.timedelta(minutes=one) for one in (least, most)]
    found = tl.events.lasting(table(rows), limits[0], at_most=limits[1], now=None if now is None else at(now))
    assert found["place"].tolist() == [place for place, row in enumerate(rows) if kept(row)]
    assert found.equals(table(rows).loc[found.index])


@EXAMPLES
@given(TABLES, st.integers(0, 9), st.integers(1, 9))
def test_within_and_clip_cut_at_a_window(rows, low, length) -> None:
    high = low + length
    inside = tl.events.within(table(rows), at(low), at(high))
    last = [end_of(row) + (0.5 if row.end == row.start else 0) for row in rows]
    assert inside["place"].tolist() == [
        n for n, row in enumerate(rows) if timed(row) and low <= row.start and last[n] <= high
    ]
    parts = tl.events.clip(table(rows), at(low), at(high))
    wanted = {
        n: (max(row.start, low), min(end_of(row), high))
        for n, row in enumerate(rows)
        if timed(row) and row.start < high and (max(row.start, low) < end_of(row) or low <= row.start == row.end)
    }
    found = zip(parts["place"], minutes(parts["start"]), minutes(parts["end"]), strict=True)
    assert {place: (start, end) for place, start, end in found} == wanted
    assert len(parts) == len(wanted)


@EXAMPLES
@given(TABLES, FREE)
def test_merge_counts_what_it_joins_and_keeps_what_all_have_in_common(rows, gap) -> None:
    groups: list[list[int]] = []
    order = sorted((n for n, row in enumerate(rows) if has_time(row)), key=lambda n: (rows[n].asset, rows[n].start))
    for n in order:
        last = groups[-1] if groups else None
        if last and rows[last[0]].asset == rows[n].asset and rows[n].start <= max(end_of(rows[m]) for m in last) + gap:
            last.append(n)
        else:
            groups.append([n])
    groups.sort(key=lambda group: rows[group[0]].start)
    colour = ["red", "green", None]
    found = tl.events.merge(table(rows).assign(colour=[colour[n % 3] for n in range(len(rows))]), gap=f"{gap}min")
    assert found["start"].is_monotonic_increasing
    by_id = {row.event_id: row for row in found.itertuples()}
    assert set(by_id) == {f"warm{group[0]}" for group in groups}
    for group in groups:
        joined = by_id[f"warm{group[0]}"]
        assert joined.count == len(group)
        assert joined.start == pd.Timestamp(at(rows[group[0]].start))
        last = max(end_of(rows[n]) for n in group)
        assert pd.isna(joined.end) if last > 1000 else joined.end == pd.Timestamp(at(last))
        colours = {colour[n % 3] for n in group}
        assert (joined.colour if isinstance(joined.colour, str) else None) == (
            colours.pop() if len(colours) == 1 else None
        )


@EXAMPLES
@given(TABLES, st.lists(st.integers(0, 20), max_size=4))
def test_split_at_instants_keeps_the_time_and_leaves_no_cut_inside(rows, cuts) -> None:
    found = tl.events.split(table(rows), [at(one) for one in cuts], now=at(30))
    assert_parts(rows, found)
    for one in times_of(found.assign(asset="a")):
        assert not any(cut in one and cut - 1 in one for cut in cuts if cut < 30)


@EXAMPLES
@given(TABLES, st.integers(1, 5))
def test_no_part_of_a_split_is_longer_than_asked(rows, most) -> None:
    found = tl.events.split(table(rows), longest=f"{most}min", now=at(30))
    assert_parts(rows, found)
    lengths = (found["end"] - found["start"]).dropna()
    assert (lengths <= pd.Timedelta(minutes=most)).all()
    for place, row in enumerate(rows):
        if timed(row) and row.end is not None:
            assert (found["place"] == place).sum() == max(1, -(-(row.end - row.start) // most))


@EXAMPLES
@given(TABLES, st.integers(1, 7))
def test_split_by_periods_cuts_at_multiples(rows, size) -> None:
    by_period = tl.events.split(table(rows), every=f"{size}min", now=at(30))
    first = DAY // MINUTE // size * size - DAY // MINUTE
    at_multiples = tl.events.split(table(rows), [at(one) for one in range(first, 40, size)], now=at(30))
    assert by_period.equals(at_multiples)


def assert_parts(rows: list[Row], found: pd.DataFrame) -> None:
    assert found["place"].tolist() == sorted(found["place"])
    assert set(found["place"]) == {place for place, row in enumerate(rows) if timed(row)}
    for place, row in enumerate(rows):
        parts = found[found["place"] == place]
        times = times_of(parts.assign(asset="a"))
        assert [one for part in times for one in sorted(part)] == sorted(instants(Row("a", row.start, row.end)))
        assert parts["end"].isna().sum() == (timed(row) and row.end is None)


def test_midnight_is_that_of_the_zone_over_a_clock_change() -> None:
    times = pd.to_datetime(["2026-03-27 12:00", "2026-03-31 12:00"])
    found = tl.events.split(pd.DataFrame({"start": times[:1], "end": times[1:]}), every="1d", zone="Europe/Berlin")
    midnights = found["start"].iloc[1:].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    assert midnights.dt.strftime("%d %H:%M").tolist() == ["28 00:00", "29 00:00", "30 00:00", "31 00:00"]
    assert found["start"].iloc[2:4].diff().iloc[1] == pd.Timedelta("23h")


def test_a_midnight_that_the_clocks_skip_is_the_instant_of_the_change() -> None:
    times = pd.to_datetime(["2018-11-03 12:00", "2018-11-05 12:00"])
    found = tl.events.split(pd.DataFrame({"start": times[:1], "end": times[1:]}), every="1d", zone="America/Sao_Paulo")
    assert found["start"].iloc[1:].tolist() == [pd.Timestamp("2018-11-04 03:00"), pd.Timestamp("2018-11-05 02:00")]


@EXAMPLES
@given(TABLES, st.integers(-4, 4), st.integers(-4, 4))
def test_pad_moves_both_ends_and_drops_what_is_used_up(rows, before, after) -> None:
    found = tl.events.pad(table(rows), f"{before}min", dt.timedelta(minutes=after))
    wanted = [
        (n, row.start - before, None if row.end is None else row.end + after)
        for n, row in enumerate(rows)
        if timed(row) and (row.end is None or row.end - row.start + before + after >= 0)
    ]
    rows_found = zip(found["place"], minutes(found["start"]), minutes(found["end"]), strict=True)
    assert [(n, start, None if np.isnan(end) else end) for n, start, end in rows_found] == wanted
    assert found.index.equals(table(rows).index[found["place"]])


@EXAMPLES
@given(TABLES, st.integers(-9, 9))
def test_shift_moves_all_times_and_back(rows, step) -> None:
    some = table(rows)
    moved = tl.events.shift(some, f"{step}min")
    assert tl.events.shift(moved, f"{-step}min").equals(some)
    assert ((moved["start"] - some["start"]).dropna() == pd.Timedelta(minutes=step)).all()


def test_a_column_duration_is_computed_again() -> None:
    some = table([Row("a", 0, 10), Row("a", 12, None)]).assign(duration=pd.Timedelta(days=1))
    for found in (tl.events.split(some, longest="4min"), tl.events.pad(some, "1min"), tl.events.merge(some, gap="1h")):
        lengths = found["end"] - found["start"]
        assert lengths.equals(found["duration"].rename(None))
        assert lengths.isna().sum() == 1
    assert tl.events.at_start(some)["duration"].tolist() == [pd.Timedelta(0)] * 2


def test_ids_and_times_may_have_other_types_of_pandas() -> None:
    some = table([Row("a", 0, 10)])
    other = some.astype({"event_id": object, "asset": "category", "start": "datetime64[s]", "end": "datetime64[us]"})
    found = tl.events.split(other, longest="6min")
    assert found["event_id"].tolist() == tl.events.split(some, longest="6min")["event_id"].tolist()
    assert minutes(tl.events.both(other, some)["end"]) == minutes(tl.events.both(some, other)["end"]) == [10]
    assert other["event_id"].tolist() == ["warm0"]


def test_starts_and_ends_are_events_without_duration() -> None:
    some = table([Row("a", 3, 5), Row("b", None, 4), Row("b", 6, None)])
    assert minutes(tl.events.at_start(some)["start"]) == minutes(tl.events.at_start(some)["end"]) == [3, 6]
    assert minutes(tl.events.at_end(some)["start"]) == [5, 4]


def test_a_chain_reads_from_top_to_bottom() -> None:
    warm, door = table([Row("a", 0, 3), Row("a", 4, 30), Row("b", 0, 2)]), table([Row("a", 10, 12)], "door")
    found = (
        warm.pipe(tl.events.merge, gap="1min")
        .pipe(tl.events.lasting, "10min")
        .pipe(tl.events.without, door.pipe(tl.events.pad, after="5min"))
        .pipe(tl.events.split, longest="20min")
    )
    assert list(zip(minutes(found["start"]), minutes(found["end"]), strict=True)) == [(0, 10), (17, 30)]


def test_functions_take_recorded_events_of_a_twin() -> None:
    twin = tl.testing.FakeTwin.example(days=3, trips=50)
    trips = twin.events("trip")
    days = tl.events.split(trips, every="1d")
    assert len(days) >= len(trips.dropna(subset="start"))
    assert tl.events.during(days, trips).equals(days)
    assert list(days.columns) == list(trips.columns)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "exactly one of at, every and longest, got none"),
        ({"every": "1d", "longest": "1h"}, "got every and longest"),
        ({"every": "0s"}, "expected every to be longer than zero"),
        ({"longest": "-1h"}, "expected longest to be zero or longer"),
        ({"every": "1d", "zone": "Europe/Atlantis"}, "expected a time zone such as 'Europe/Berlin'"),
        ({"at": ["noon-ish"]}, "at: expected instants"),
        ({"longest": dt.timedelta(microseconds=1)}, "at most 50,000,000 parts of events, got 86,399"),
        ({"every": dt.timedelta(microseconds=1)}, "at most 50,000,000 periods"),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(arguments: dict, message: str) -> None:
    some = table([Row("a", 0, 24 * 60)])
    with pytest.raises(tl.SchemaError, match=message):
        tl.events.split(some, **arguments)


@pytest.mark.parametrize("duration", ["", "min", "1", "five", "nan min", pd.NaT, object()])
def test_a_duration_that_is_none_is_refused(duration: object) -> None:
    with pytest.raises(tl.SchemaError, match="by: .*expected a duration|by: "):
        tl.events.shift(table([Row("a", 0, 1)]), duration)
