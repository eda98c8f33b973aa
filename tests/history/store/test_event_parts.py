"""A window of events is read from the parts that overlap it, and equals the same window of all events."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.history.store import event_parts
from twinlab.history.store.event_parts import EventParts, merged, ordered, part_attributes, targets, within, without

HOUR = 3_600_000_000_000
times = st.none() | st.integers(0, 12)


IDS = st.integers(0, 30)


@st.composite
def event_tables(draw, ids=IDS, most=20):
    numbers = draw(st.lists(ids, unique=True, max_size=most))
    rows = [draw(st.tuples(times, times, times, times, st.sampled_from(["a", "b", None]))) for _ in numbers]
    return events([(f"e{n}", *row) for n, row in zip(numbers, rows, strict=True)])


def events(rows):
    hours = {
        name: pa.array([None if row[k] is None else row[k] * HOUR for row in rows], pa.int64()).cast(pa.timestamp("ns"))
        for k, name in enumerate(("start", "end", "planned_start", "planned_end"), start=1)
    }
    ids, assets = pa.array([row[0] for row in rows], pa.string()), pa.array([row[5] for row in rows], pa.string())
    ingest = pa.array(np.zeros(len(rows), np.int64))
    return pa.table({"event_id": ids, "asset": assets, **hours, "_ingest": ingest})


def expected(table, low, high, assets):
    """The events of a window as pandas finds them in the whole table."""
    frame = table.to_pandas()
    if assets is not None:
        frame = frame[frame["asset"].isin(assets)]
    begin = frame["start"].fillna(frame["planned_start"]).fillna(frame["end"]).fillna(frame["planned_end"])
    end = frame["end"].fillna(frame["planned_end"]).fillna(begin)
    keep = begin.notna() | (low is None and high is None)
    if high is not None:
        keep &= begin < pd.Timestamp(high)
    if low is not None:
        keep &= (end > pd.Timestamp(low)) | (begin >= pd.Timestamp(low))
    return frame[keep]["event_id"].tolist()


class Tables:
    """Stored tables in memory; it counts what is read."""

    def __init__(self, base, size, recent):
        self.read, self.stored = [], {}
        for low in range(0, len(base), size):
            piece = base.slice(low, size)
            self.stored[f"events/x/{low:03}"] = (piece, part_attributes(piece))
        if len(recent):
            known = set(base["event_id"].to_pylist())
            replaced = sum(one in known for one in recent["event_id"].to_pylist())
            self.stored["events/x/recent"] = (recent, part_attributes(recent, replaced=replaced))

    def tables(self, prefix=""):
        return tuple(sorted(path for path in self.stored if path.startswith(prefix)))

    def table(self, path):
        self.read.append(path)
        return self.stored[path][0]

    def table_attributes(self, path):
        table, about = self.stored[path]
        return {"rows": len(table), **about}


windows = st.tuples(times, times).map(lambda w: tuple(None if t is None else t * HOUR for t in w))


@given(
    base=event_tables(), recent=event_tables(most=6), size=st.integers(1, 7), window=windows,
    assets=st.none() | st.lists(st.sampled_from(["a", "b", "c"]), max_size=2),
)  # fmt: skip
def test_a_window_of_the_parts_equals_the_window_of_all_events(base, recent, size, window, assets):
    base, recent = ordered(base), ordered(recent)
    parts = EventParts(Tables(base, size, recent), "x")
    valid = ordered(pa.concat_tables([without(base, recent["event_id"]), recent]))
    assert len(parts) == len(valid)
    found = parts.events(window, assets)
    if found is None:
        assert not len(valid)
    else:
        assert found["event_id"].to_pylist() == expected(valid, *window, assets)
        assert within(valid, window, assets)["event_id"].to_pylist() == expected(valid, *window, assets)


@given(table=event_tables(), other=event_tables(st.integers(31, 60)), run=st.sampled_from([0, 2, 128]))
def test_merging_ordered_tables_gives_the_ordered_table_of_both(table, other, run):
    both = ordered(pa.concat_tables([table, other]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_parts, "_RUN_ROWS", run)
        assert merged(ordered(table), ordered(other)).equals(both)


@given(table=event_tables().filter(len), other=event_tables(st.integers(31, 60)), size=st.integers(1, 5))
def test_each_event_belongs_to_the_part_in_whose_stretch_it_is(table, other, size):
    parts = EventParts(Tables(ordered(table), size, other.slice(0, 0)), "x").parts
    for number, row in zip(targets(parts, other).tolist(), range(len(other)), strict=True):
        one = other.slice(row, 1)
        key = part_attributes(one)["events"]["first"]
        assert number == max([n for n, part in enumerate(parts) if list(part.first) <= key], default=0)


def test_only_the_parts_that_overlap_a_window_are_read():
    base = ordered(events([(f"e{n}", n, n + 1, None, None, "a") for n in range(12)]))
    store = Tables(base, 3, base.slice(0, 0))
    found = EventParts(store, "x").events((7 * HOUR, 8 * HOUR))
    assert found["event_id"].to_pylist() == ["e7"]
    assert store.read == ["events/x/006"]


@pytest.mark.parametrize("window", [(None, None), (HOUR, None)])
def test_a_type_without_stored_events_has_no_table(window):
    nothing = events([])
    assert EventParts(Tables(nothing, 1, nothing), "x").events(window) is None
