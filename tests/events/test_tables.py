"""Event tables: what overlaps a window, what a filter keeps, how late, and in which state."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import delays, overlapping, select, status

DAY = np.datetime64("2013-01-01", "ns")


def table(rows):
    """A table of (start, end, planned_start, planned_end) in hours; None is unknown."""
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    names = ("start", "end", "planned_start", "planned_end")
    hours = {
        n: [np.datetime64("NaT") if h is None else DAY + np.timedelta64(h, "h") for h in c]
        for n, c in zip(names, columns, strict=True)
    }
    return pd.DataFrame({n: pd.Series(v, dtype="datetime64[ns]") for n, v in hours.items()})


def at(hour):
    return DAY + np.timedelta64(hour, "h")


def test_the_model_may_say_that_what_never_started_was_cancelled():
    rows = table([(None, None, 1, 2), (0, 5, 0, 5), (None, None, 9, 10)])
    assert status(rows, without_start="cancelled").tolist() == ["cancelled", "done", "planned"]
    with pytest.raises(SchemaError, match="one of planned, cancelled"):
        status(rows, without_start="gone")


def test_an_event_that_ends_where_the_window_begins_is_outside():
    assert overlapping(table([(0, 2, 0, 2)]), start=at(2), stop=at(4)).empty


def test_an_event_that_begins_where_the_window_ends_is_outside():
    assert overlapping(table([(4, 6, 4, 6)]), start=at(2), stop=at(4)).empty


def test_a_cancelled_event_counts_at_its_planned_time():
    assert len(overlapping(table([(None, None, 3, 5)]), start=at(4), stop=at(6))) == 1


def test_an_event_that_is_still_running_overlaps_whatever_comes_later():
    assert len(overlapping(table([(0, None, 0, 1)]), start=at(10), stop=at(12))) == 1


def test_an_event_whose_end_nobody_recorded_stops_a_day_after_its_plan():
    lost = table([(0, None, 0, 1)])
    assert len(overlapping(lost, start=at(24), stop=at(30))) == 1
    assert overlapping(lost, start=at(25), stop=at(30)).empty


def test_an_instant_lies_in_the_window_it_begins():
    assert len(overlapping(table([(2, 2, 2, 2)]), start=at(2), stop=at(4))) == 1


def test_an_open_window_keeps_everything():
    assert len(overlapping(table([(0, 1, 0, 1), (5, None, 5, 6)]))) == 2


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=20), st.integers(0, 20), st.integers(1, 8))
def test_overlap_agrees_with_the_definition_row_by_row(spans, low, width):
    rows = [(s, s + d, s, s + d) for s, d in spans]
    kept = overlapping(table(rows), start=at(low), stop=at(low + width))
    assert list(kept.index) == [i for i, (s, e, _, _) in enumerate(rows) if s < low + width and e > low]


def test_an_empty_or_backward_window_is_refused():
    with pytest.raises(SchemaError, match="start before stop"):
        overlapping(table([]), start=at(2), stop=at(2))


def test_a_table_without_times_is_refused_by_name():
    with pytest.raises(SchemaError, match="planned_end"):
        overlapping(pd.DataFrame({"start": [], "end": [], "planned_start": []}))


def test_a_filter_takes_a_value_a_list_or_the_unknown():
    frame = pd.DataFrame({"origin": ["EWR", "JFK", None], "n": [1, 2, 3]})
    assert select(frame, filters={"origin": "EWR"})["n"].tolist() == [1]
    assert select(frame, filters={"origin": ["EWR", "JFK"]})["n"].tolist() == [1, 2]
    assert select(frame, filters={"origin": [None, "JFK"]})["n"].tolist() == [2, 3]


def test_an_unknown_column_shows_the_nearest_known_one():
    with pytest.raises(UnknownTermError, match="did you mean 'origin'"):
        select(pd.DataFrame({"origin": ["EWR"]}), filters={"orign": "EWR"})


def test_delays_are_actual_minus_planned_and_negative_when_early():
    late = delays(table([(2, 5, 1, 6), (None, None, 1, 6)]))
    assert late["start_delay"].iloc[0] == pd.Timedelta(hours=1)
    assert late["end_delay"].iloc[0] == pd.Timedelta(hours=-1)
    assert late.iloc[1].isna().all()


def test_every_state_of_an_event_has_its_word():
    frame = table(
        [(0, 1, 0, 1), (9, None, 9, 11), (None, None, 20, 21), (None, None, 1, 2), (None, None, 1, 2), (0, None, 0, 1)]
    )
    frame["cancelled"] = [False, False, False, True, None, False]
    assert status(frame, now=at(10)).tolist() == ["done", "running", "planned", "cancelled", "not started", "running"]
    assert status(frame, now=at(100)).tolist()[-1] == "no end"


def test_without_a_word_for_cancelled_the_fact_is_that_it_did_not_start():
    assert status(table([(None, None, 1, 2), (0, 5, 0, 5)])).tolist() == ["not started", "done"]
