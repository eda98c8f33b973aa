"""Connections: what arrives after the next truck has left has missed it; a truck that is late itself is caught."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.predict.delay.connections import missed_connections

DAY = pd.Timestamp("2026-03-02")


def at(minutes):
    return pd.NaT if minutes is None else DAY + pd.Timedelta(minutes=minutes)


def legs(*rows):
    """Events of parcel P: id, planned start and end, end."""
    return pd.DataFrame(
        [
            {"event_id": name, "asset": "P", "planned_start": at(begin), "planned_end": at(until), "end": at(end)}
            for name, begin, until, end in rows
        ]
    )


def open_legs(*rows):
    """Events that haven't ended: id, phase, planned start, when the truck is ready, expected end."""
    columns = ["event_id", "phase", "planned_start", "earliest", "expected"]
    table = pd.DataFrame([(name, phase, at(a), at(b), at(c)) for name, phase, a, b, c in rows], columns=columns)
    for name in columns[2:]:
        table[name] = table[name].astype("datetime64[ns]")
    return table.assign(asset="P")


EVENTS = legs(("P/1", 600, 700, None), ("P/2", 720, 800, None))
BEFORE, UNDER_WAY = "before the planned start", "under way"


def test_a_leg_that_ends_after_the_next_one_begins_has_missed_it():
    table = open_legs(("P/1", UNDER_WAY, 600, None, 735), ("P/2", BEFORE, 720, None, 801))
    assert missed_connections(table, EVENTS) == {
        "P/2": "connection probably missed: P/1 ends at 12:15, after this one begins at 12:00"
    }


def test_a_truck_that_is_late_itself_is_caught_and_what_has_begun_has_missed_nothing():
    late = open_legs(("P/1", UNDER_WAY, 600, None, 735), ("P/2", BEFORE, 720, 740, 821))
    assert missed_connections(late, EVENTS) == {}
    begun = open_legs(("P/1", UNDER_WAY, 600, None, 735), ("P/2", UNDER_WAY, 720, None, 821))
    assert missed_connections(begun, EVENTS) == {}


def test_one_that_has_ended_counts_by_its_end_and_one_of_which_nothing_can_be_said_does_not():
    over = legs(("P/1", 600, 700, 730), ("P/2", 720, 800, None))
    table = open_legs(("P/2", BEFORE, 720, None, 801))
    assert "P/1 ends at 12:10" in missed_connections(table, over)["P/2"]
    assert (
        missed_connections(open_legs(("P/1", UNDER_WAY, 600, None, None), ("P/2", BEFORE, 720, None, None)), EVENTS)
        == {}
    )
    assert missed_connections(table.iloc[:0], over) == {}


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(10, 90), st.integers(0, 60)), min_size=1, max_size=6),
    st.integers(0, 60),
)
def test_as_one_compares_leg_by_leg(steps, slack):
    rows, begin = [], 0
    for number, (wait, lasts, delay) in enumerate(steps):
        begin += wait + (rows[-1][2] - begin if rows else 0)
        rows.append((f"P/{number}", begin, begin + lasts, begin + lasts + delay - slack))
    events = legs(*((name, a, b, None) for name, a, b, _ in rows))
    table = open_legs(*((name, BEFORE, a, None, end) for name, a, _, end in rows))
    expected = {now[0] for one, now in zip(rows, rows[1:], strict=False) if one[3] > now[1]}
    assert set(missed_connections(table, events)) == expected
