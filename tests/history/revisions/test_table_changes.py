"""What became of events under other definitions."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from twinlab.history.revisions.table_changes import EVENT_CHANGE_COLUMNS, matched_changes

DAY = pd.Timestamp("2026-01-01")


def events(*rows) -> pd.DataFrame:
    hours = [
        (key, asset, DAY + pd.Timedelta(a, "h"), pd.NaT if b is None else DAY + pd.Timedelta(b, "h"))
        for key, asset, a, b in rows
    ]
    table = pd.DataFrame(hours, columns=["key", "asset", "since", "until"])
    return table.astype({"key": "str", "asset": "str", "since": "datetime64[ns]", "until": "datetime64[ns]"})


def changes(old: pd.DataFrame, new: pd.DataFrame) -> list[tuple]:
    found = matched_changes(old, new, key="key", times=("since", "until"))
    assert list(found.columns) == list(EVENT_CHANGE_COLUMNS)
    return sorted((one.change, str(one.key), str(one.key_before)) for one in found.itertuples())


def test_the_same_events_have_no_changes():
    table = events(("a", "x", 0, 2), ("b", "y", 1, None))
    assert changes(table, table) == []
    assert changes(events(), events()) == []


def test_an_event_of_the_same_key_with_other_times_moved():
    assert changes(events(("a", "x", 0, 2)), events(("a", "x", 0, 3))) == [("moved", "a", "a")]


def test_events_that_overlap_moved_or_were_split_and_others_appeared_or_vanished():
    old = events(("a", "x", 0, 10), ("b", "y", 0, 2), ("c", "z", 0, 1))
    new = events(("a1", "x", 1, 3), ("a2", "x", 5, 8), ("b1", "y", 1, 4), ("d", "z", 7, 9))
    assert changes(old, new) == [
        ("appeared", "d", "nan"),
        ("moved", "b1", "b"),
        ("split", "a1", "a"),
        ("split", "a2", "a"),
        ("vanished", "nan", "c"),
    ]


def test_an_event_that_keeps_its_key_and_gets_a_second_part_was_split():
    old = events(("a", "x", 0, 10), ("b", "y", 0, 4))
    # What is far from where it was isn't a part of it.
    new = events(("a", "x", 0, 3), ("c", "x", 5, 8), ("b", "y", 9, 12), ("d", "y", 1, 3))
    assert changes(old, new) == [
        ("appeared", "d", "nan"),
        ("moved", "b", "b"),
        ("split", "a", "a"),
        ("split", "c", "a"),
    ]


rows = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xy"), st.integers(0, 20), st.integers(1, 5)),
    max_size=8,
    unique_by=lambda row: row[0],
).map(lambda found: events(*((key, asset, at, at + long) for key, asset, at, long in found)))


@given(rows, rows)
def test_every_new_event_is_kept_or_listed_once_and_every_old_one_is_kept_or_listed(old, new):
    found = matched_changes(old, new, key="key", times=("since", "until"))
    kept = {
        one.key
        for one in old.merge(new, on="key").itertuples()
        if (one.since_x, one.until_x) == (one.since_y, one.until_y)
    }
    listed = found["key"].dropna().tolist()
    assert sorted(listed) == sorted(set(new["key"]) - kept)
    assert set(found["key_before"].dropna()) == set(old["key"]) - kept
    assert (found.loc[found["change"] == "vanished", "key"].isna()).all()
    both = found[found["change"].isin(["moved", "split"]) & (found["key"] != found["key_before"])]
    assert (np.maximum(both["start"], both["start_before"]) <= np.minimum(both["end"], both["end_before"])).all()
