"""Events that come in any portions and order are stored as one would expect of all of them at once, in parts of bounded size."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.history.build.event_tables import named_assets, newest
from twinlab.history.store.event_parts import EventParts, ordered
from twinlab.history.write.tables import event_updates
from twinlab.history.write.tables.event_updates import EventWriter

COLUMNS = {"asset": "truck", "hub": "hub"}
HOUR = 3_600_000_000_000


class Memory:
    """The tables of a transaction, in memory; it notes what is written."""

    def __init__(self):
        self.stored, self.written = {}, []

    def tables(self, prefix=""):
        return tuple(sorted(path for path in self.stored if path.startswith(prefix)))

    def table(self, path):
        return self.stored[path][0]

    def table_attributes(self, path):
        table, about = self.stored[path]
        return {"rows": len(table), **(about or {})}

    def write_table(self, path, table, *, body=None, about=None):
        assert (body is None) == (not path.startswith("events/") or path.endswith("/recent"))
        self.written.append(path)
        self.stored[path] = (table, about)

    def drop_table(self, path):
        self.stored.pop(path, None)


@pytest.fixture(autouse=True, scope="module")
def small_parts():
    """Parts of a few events, so that a few events fill many."""
    limits = {"RECENT_ROWS": 4, "PART_ROWS": 8, "SPLIT_ROWS": 6, "_REWRITTEN": 2}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(event_updates, name, value)
        yield


def rows(drawn, ordinal=0):
    """A table of rows (id, hour of start, asset, hub, ingest time, source)."""
    start = pa.array([None if row[1] is None else row[1] * HOUR for row in drawn], pa.int64()).cast(pa.timestamp("ns"))
    nothing = pa.nulls(len(drawn), pa.timestamp("ns"))
    return pa.table(
        {
            "event_id": pa.array([f"e{row[0]}" for row in drawn], pa.string()),
            "asset": pa.array([row[2] for row in drawn], pa.string()),
            "start": start,
            "end": nothing,
            "planned_start": nothing,
            "planned_end": nothing,
            "hub": pa.array([row[3] for row in drawn], pa.string()),
            "_source": pa.array([row[5] for row in drawn], pa.string()),
            "_ordinal": pa.array([ordinal + n for n in range(len(drawn))], pa.int64()),
            "_ingest": pa.array([row[4] for row in drawn], pa.int64()),
        }
    )


words = st.sampled_from(["a", "b", "c", None])
claims = st.tuples(
    st.integers(0, 40), st.none() | st.integers(0, 30), words, words, st.integers(0, 9), st.sampled_from(["p", "q"])
)
portions = st.lists(st.lists(claims, min_size=1, max_size=12), min_size=1, max_size=8)


def check(memory, given_rows):
    """Compare all that is stored with what all rows at once give."""
    valid = ordered(newest(pa.concat_tables(given_rows), "event"))
    parts = EventParts(memory, "leg")
    assert parts.events().select(valid.column_names).to_pylist() == valid.to_pylist()
    assert len(parts) == len(valid)
    named = named_assets(valid, COLUMNS)
    listed = memory.stored.get("mentioned/leg", (pa.table({"asset_type": [], "id": []}), None))[0]
    pairs = sorted(zip(listed["asset_type"].to_pylist(), listed["id"].to_pylist(), strict=True))
    assert pairs == sorted((kind, one) for kind, ids in named.items() for one in ids)
    return parts


@given(portions=portions)
def test_any_portions_of_rows_give_the_events_of_all_rows(portions):
    memory, so_far = Memory(), []
    for number, portion in enumerate(portions):
        so_far.append(rows(portion, ordinal=100 * number))
        EventWriter(memory, "leg", COLUMNS).add(so_far[-1])
        parts = check(memory, so_far)
        assert all(part.rows <= event_updates.PART_ROWS for part in parts.parts)
        if parts.parts:
            stored = pa.concat_tables([memory.table(part.path) for part in parts.parts])
            assert ordered(stored)["event_id"].to_pylist() == stored["event_id"].to_pylist()


@given(portion=st.lists(claims, min_size=1, max_size=60), more=st.lists(claims, min_size=1, max_size=3))
def test_replacing_all_rows_leaves_nothing_of_the_stored_ones(portion, more):
    memory = Memory()
    EventWriter(memory, "leg", COLUMNS).add(rows(portion))
    EventWriter(memory, "leg", COLUMNS).add(rows(more, ordinal=100))
    EventWriter(memory, "leg", COLUMNS).replace(rows(more))
    assert check(memory, [rows(more)]).recent is None
    EventWriter(memory, "leg", COLUMNS).replace(None)
    assert memory.stored == {}


def sequence(count, first=0, ingest=0):
    return rows([(first + n, first + n, "a", "h", ingest, "p") for n in range(count)], ordinal=first)


def test_a_few_changes_write_the_recent_changes_alone_and_many_write_a_bounded_number_of_parts():
    memory, given_rows = Memory(), [sequence(60)]
    EventWriter(memory, "leg", COLUMNS).add(given_rows[0])
    first = set(memory.stored)
    for turn in range(1, 12):
        memory.written.clear()
        given_rows.append(rows([((17 * turn) % 60, (29 * turn) % 60, "a", "h", turn, "p")], ordinal=1000 + turn))
        EventWriter(memory, "leg", COLUMNS).add(given_rows[-1])
        parts = check(memory, given_rows)
        # Two parts and the neighbours of small ones.
        assert len([path for path in memory.written if not path.endswith("/recent")]) <= 5
        if turn <= 4:
            assert memory.written == ["events/leg/recent"]
            assert parts.recent.rows == turn
    assert set(memory.stored) != first


def test_a_small_table_is_one_part():
    memory = Memory()
    for turn in range(4):
        EventWriter(memory, "leg", COLUMNS).add(sequence(1, first=turn))
    assert len(memory.tables("events/")) == 1


def test_parts_that_lost_their_events_are_merged():
    memory, given_rows = Memory(), [sequence(48)]
    EventWriter(memory, "leg", COLUMNS).add(given_rows[0])
    before = len(EventParts(memory, "leg").parts)
    # All events move behind the others, so that the first parts lose theirs.
    given_rows.append(rows([(n, 100 + n, "a", "h", 1, "p") for n in range(40)], ordinal=500))
    EventWriter(memory, "leg", COLUMNS).add(given_rows[1])
    parts = check(memory, given_rows)
    assert len(parts.parts) <= before + 1
    assert all(part.rows for part in parts.parts)


def test_an_older_row_of_another_source_changes_nothing():
    memory, given_rows = Memory(), [sequence(20, ingest=5)]
    EventWriter(memory, "leg", COLUMNS).add(given_rows[0])
    given_rows.append(rows([(3, 25, "z", None, 4, "q")], ordinal=1))
    EventWriter(memory, "leg", COLUMNS).add(given_rows[1])
    assert check(memory, given_rows).recent is None
