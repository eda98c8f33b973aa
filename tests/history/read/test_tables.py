"""Events, assets and relationships by key: the newest row is valid, rows of withdrawn files aren't, cancelled events stay."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from twinlab.errors import SchemaError
from twinlab.history.store.opening import open_history

MAPPING = {
    "source": "desk",
    "tables": [
        {
            "table": "visits",
            "events": [
                {
                    "type": "visit",
                    "key": ["number"],
                    "asset": {"type": "room", "column": "room"},
                    "start": {"column": "came", "zone": "UTC"},
                    "end": {"column": "left", "zone": "UTC"},
                    "planned_start": {"column": "booked", "zone": "UTC"},
                    "links": {"other": "next"},
                    "properties": {"guests": "guests"},
                }
            ],
        },
        {
            "table": "rooms",
            "assets": [{"type": "room", "id": "room", "properties": {"floor": "floor"}}],
            "relationships": [{"type": "next_to", "from": "room", "to": "beside"}],
        },
    ],
}


@pytest.fixture
def desk(site, make_site):
    return make_site(site.root, {"desk": MAPPING})


def visits(made, rows: list[tuple], file_id: str | None = None) -> None:
    names = ("number", "room", "came", "left", "booked", "next", "guests")
    columns = {
        name: pa.array([row[i] for row in rows], pa.int64() if name == "guests" else pa.string())
        for i, name in enumerate(names)
    }
    with made.ledger.writer("desk") as writer:
        writer.append_records("visits", pa.RecordBatch.from_pydict(columns), file_id=file_id)


FIRST = ("1", "a", "2024-01-05 10:00", "2024-01-05 11:00", "2024-01-05 10:00", "b", 2)
CANCELLED = ("2", "a", None, None, "2024-02-01 09:00", None, 0)


def test_cancelled_events_stay_and_a_newer_row_of_a_key_replaces_the_older_even_in_another_month(desk):
    visits(desk, [FIRST, CANCELLED])
    desk.historian().catch_up()
    moved = ("1", "a", "2024-03-05 10:00", "2024-03-05 11:00", "2024-03-05 10:00", "b", 3)
    visits(desk, [moved])
    tail = desk.reader().events("visit")
    assert desk.historian().catch_up().rows == 1
    found = desk.reader().events("visit")
    assert found.equals(tail)
    assert found["event_id"].tolist() == ["2", "1"]
    assert found["guests"].tolist() == [0, 3]
    assert found["start"].isna().tolist() == [True, False]
    assert len(desk.reader().events("visit", start="2024-03-01", stop="2024-04-01")) == 1
    desk.historian().rebuild()
    assert desk.reader().events("visit").equals(found)
    assert desk.reader().assets("room").index.tolist() == ["a", "b"]


def test_a_withdrawn_file_takes_its_events_along_and_as_of_still_shows_them(desk):
    visits(desk, [FIRST, CANCELLED], file_id="f" * 64)
    desk.historian().catch_up()
    then = desk.ledger.reader("desk").ingest_time()
    with desk.ledger.writer("desk") as writer:
        writer.retract_file("f" * 64)
    visits(desk, [CANCELLED], file_id="e" * 64)
    tail = desk.reader().events("visit")
    desk.historian().catch_up()
    assert desk.reader().events("visit").equals(tail)
    assert tail["event_id"].tolist() == ["2"]
    assert len(desk.reader().as_of(np.datetime64(then, "ns"), mapping="current").events("visit")) == 2


def test_assets_are_listed_in_natural_order_with_properties_and_links(desk):
    rows = {"room": ["r10", "r9"], "floor": pa.array([1, 2]), "beside": ["r9", "r10"]}
    with desk.ledger.writer("desk") as writer:
        writer.append_records("rooms", pa.RecordBatch.from_pydict(rows))
    visits(desk, [FIRST])
    desk.historian().catch_up()
    found = desk.reader().assets("room")
    assert found.index.tolist() == ["a", "b", "r9", "r10"]
    assert found.loc["r9", "floor"] == 2
    assert desk.reader().relationships("next_to")["target"].tolist() == ["r9", "r10"]


def as_months(made) -> None:
    """Store the events as an earlier version did: a table a month, an array a column."""
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
    from column_tables import write_columns

    from twinlab.history.store.event_parts import EventParts
    from twinlab.history.write.history_store import HistoryStore

    store = HistoryStore.open(made.root / "history")
    with store.lock(), store.transaction() as txn:
        events = EventParts(txn, "visit").events()
        start = pc.coalesce(events["start"], events["planned_start"])
        months = pc.strftime(start, format="%Y-%m")
        for path in txn.tables("events/"):
            txn.drop_table(path)
        for month in sorted(set(months.to_pylist())):
            path = f"events/visit/{month}"
            txn._ensure_parents(path)
            write_columns(path, events.filter(pc.equal(months, month)), txn._bytes)
            txn.catalog.tables.add(path)
        txn.commit("as an earlier version")


def test_events_that_an_earlier_version_stored_by_month_are_read_and_get_parts_with_the_next_change(desk):
    visits(desk, [FIRST, CANCELLED])
    desk.historian().catch_up()
    found = desk.reader().events("visit")
    as_months(desk)
    assert desk.reader().events("visit").equals(found)
    assert desk.reader().event_count("visit") == 2
    february = desk.reader().events("visit", start="2024-02-01", stop="2024-03-01", assets=["a"])
    assert february["event_id"].tolist() == ["2"]
    visits(desk, [("3", "b", "2024-01-20 10:00", None, None, None, 1)])
    tail = desk.reader().events("visit")
    assert tail["event_id"].tolist() == ["1", "3", "2"]
    assert desk.historian().catch_up().rows == 1
    assert desk.reader().events("visit").equals(tail)
    assert len(open_history(desk.root / "history").tables("events/visit/")) == 1


def test_a_window_and_assets_are_the_same_from_the_tail_the_published_state_and_as_of(desk):
    came = [f"2024-01-{1 + n % 28:02} {n % 24:02}:00" for n in range(200)]
    stay = [f"2024-01-{1 + n % 28:02} {n % 24:02}:30" if n % 3 else None for n in range(200)]
    rows = [(str(n), "ab"[n % 2], came[n], stay[n], None, None, n) for n in range(200)]
    windows = [("2024-01-03", "2024-01-05T05:00"), (None, "2024-01-02"), ("2024-01-27", None)]

    def asked(reader):
        frames = [reader.events("visit", start=low, stop=high, assets=["b"]) for low, high in windows]
        return [frame.to_dict("list") for frame in frames]

    visits(desk, rows[:150])
    desk.historian().catch_up()
    visits(desk, [*rows[150:], ("4", "b", "2024-01-28 09:00", None, None, None, 0)])
    tail = asked(desk.reader())
    whole = desk.reader().events("visit")
    assert [len(frame["event_id"]) for frame in tail] == [
        sum(overlaps(row, low, high) for row in whole.to_dict("records")) for low, high in windows
    ]
    desk.historian().catch_up()
    assert asked(desk.reader()) == tail
    desk.historian().rebuild()
    assert asked(desk.reader()) == tail
    now = np.datetime64(desk.ledger.reader("desk").ingest_time(), "ns")
    assert asked(desk.reader().as_of(now, mapping="current")) == tail


def overlaps(row, low, high) -> bool:
    end = row["start"] if pd.isna(row["end"]) else row["end"]
    before = high is None or row["start"] < pd.Timestamp(high)
    after = low is None or end > pd.Timestamp(low) or row["start"] >= pd.Timestamp(low)
    return bool(row["asset"] == "b" and before and after)


def test_assets_given_as_one_text_are_refused(desk):
    with pytest.raises(SchemaError, match="assets"):
        desk.reader().events("visit", assets="a")
