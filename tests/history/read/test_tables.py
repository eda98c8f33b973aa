"""Events, assets and relationships by key: the newest row is valid, rows of withdrawn files aren't, cancelled events stay."""

from __future__ import annotations

import pyarrow as pa
import pytest

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
    import numpy as np

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
