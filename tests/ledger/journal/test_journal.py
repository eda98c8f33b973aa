"""The twin's own journal, in files, SQLite and PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from twinlab.database.connection import SharedDatabase
from twinlab.database.journal_rows import JournalRow, JournalRows
from twinlab.database.opening import open_database
from twinlab.errors import CorruptionError, DatabaseUnreachableError, HistoryConflictError, SchemaError
from twinlab.ledger import Ledger
from twinlab.ledger.journal.moving import move_journal_to_database, move_journal_to_files
from twinlab.model.storage.catalogues import CatalogueStore

Opened = Callable[[str], Ledger]


@pytest.fixture
def opened(catalogue_url: str | None, tmp_path: Path) -> Opened:
    """Return a function that opens the ledger as a server with a folder of its own, or the same folder, does."""
    twin = f"t{uuid.uuid4().hex[:12]}"

    def open_one(folder: str = "one") -> Ledger:
        ledger = Ledger(tmp_path / folder)
        if catalogue_url is not None:
            ledger.use_database(open_database(CatalogueStore(url=catalogue_url), folder=tmp_path, twin=twin))
        return ledger

    return open_one


@pytest.fixture
def shared(database: SharedDatabase, tmp_path: Path) -> Opened:
    """Return a function that opens the ledger of a server; all share a database."""

    def open_one(folder: str) -> Ledger:
        ledger = Ledger(tmp_path / folder)
        ledger.use_database(database)
        return ledger

    return open_one


def test_a_long_journal_stays_quick_to_open(ledger: Ledger) -> None:
    ledger.journal.append_many([("note", {"n": n}) for n in range(1500)])
    for n in range(1500, 1503):
        ledger.journal.append("note", {"n": n})
    assert [e.payload["n"] for e in ledger.journal.entries(start=1000)] == list(range(1000, 1503))
    assert [e.payload["n"] for e in ledger.journal.entries("note")][-1] == 1502
    assert len(list((ledger.path / "_twin").glob("*.seg"))) == 2


def test_the_journal_keeps_what_was_written_when(opened: Opened) -> None:
    ledger = opened("one")
    assert list(ledger.journal.entries()) == []
    first = ledger.journal.append("mapping", {"name": "früh", "list": [1, 2.5, None]})
    second, third = ledger.journal.append_many([("note", {"text": "x\0"}), ("mapping", {"name": "b"})])
    for journal in (ledger.journal, opened("one").journal):
        entries = list(journal.entries())
        assert [(e.kind, e.position) for e in entries] == [("mapping", 0), ("note", 1), ("mapping", 2)]
        assert entries[0].payload == {"name": "früh", "list": [1, 2.5, None]}
        assert entries[1].payload == {"text": "x\0"}
        assert [e.payload["name"] for e in journal.entries("mapping")] == ["früh", "b"]
        assert [e.position for e in journal.entries(known=first.ingest_time)] == [0]
        assert [e.position for e in journal.entries(stop=2)] == [0, 1]
        assert [e.position for e in journal.entries({"note"}, start=1)] == [1]
        assert (second.position, third.position, journal.position()) == (2, 3, 3)
        assert entries[0].ingest_time == first.ingest_time


def test_servers_see_what_others_write_in_the_same_order(opened: Opened) -> None:
    one, two = opened("one").journal, opened("one").journal
    for n in range(4):
        (one, two)[n % 2].append("note", {"n": n})
    assert [e.payload["n"] for e in one.entries()] == [e.payload["n"] for e in two.entries()] == [0, 1, 2, 3]


def test_servers_with_folders_of_their_own_share_a_journal_in_a_database(shared: Opened, tmp_path: Path) -> None:
    one, two = shared("one"), shared("two")
    one.journal.append("note", {"n": 0})
    two.journal.append("note", {"n": 1})
    assert [e.payload["n"] for e in one.journal.entries()] == [0, 1]
    # Each folder has a copy, which is verified like any source.
    for name in ("one", "two"):
        ledger = Ledger(tmp_path / name)
        assert [e.payload["n"] for e in ledger.journal.entries()] == [0, 1][: ledger.journal.position()]
        assert ledger.verify().ok
    with pytest.raises(HistoryConflictError, match="is in the database"):
        Ledger(tmp_path / "one").journal.append("note", {})


def test_a_journal_in_a_database_is_read_while_the_database_is_away(
    shared: Opened, database: SharedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = shared("one").journal
    journal.append("note", {"n": 0})

    def away(*_args: object, **_options: object) -> None:
        raise DatabaseUnreachableError("it doesn't answer: nothing was written")

    with monkeypatch.context() as patched:
        patched.setattr(database, "run", away)
        assert [e.payload["n"] for e in journal.entries()] == [0]
        assert "doesn't answer" in journal.fault
        # One that is opened meanwhile reads the copy, too.
        assert [e.payload["n"] for e in shared("one").journal.entries()] == [0]
        with pytest.raises(DatabaseUnreachableError, match="nothing was written"):
            journal.append("note", {"n": 1})
    assert [e.payload["n"] for e in journal.entries()] == [0]
    assert journal.fault == ""
    journal.append("note", {"n": 1})
    assert journal.position() == 2


def test_a_folder_that_cannot_be_written_reads_the_journal_all_the_same(shared: Opened) -> None:
    shared("one").journal.append("note", {"n": 0})
    reading = shared("two")

    def refuse() -> None:
        raise HistoryConflictError("read only")

    reading.fence = refuse
    assert [e.payload["n"] for e in reading.journal.entries()] == [0]
    shared("one").journal.append("note", {"n": 1})
    assert [e.payload["n"] for e in reading.journal.entries()] == [0, 1]
    assert [e.payload["n"] for e in reading.journal.entries(start=1)] == [1]
    with pytest.raises(HistoryConflictError, match="read only"):
        reading.journal.append("note", {"n": 2})


def test_a_journal_moves_to_a_database_and_back_unchanged(ledger: Ledger, database: SharedDatabase) -> None:
    ledger.journal.append_many([("note", {"n": n}) for n in range(700)])
    ledger.journal.append("note", {"n": 700})
    before, rows = list(ledger.journal.entries()), JournalRows(database)
    assert move_journal_to_database(ledger.journal, rows) == 701
    with pytest.raises(HistoryConflictError, match="twinlab catalogues"):
        ledger.journal.append("note", {})
    moved = Ledger(ledger.path)
    moved.use_database(database)
    assert list(moved.journal.entries()) == before
    moved.journal.append("note", {"n": 701})
    before = list(moved.journal.entries())
    files = Ledger(ledger.path).journal
    assert move_journal_to_files(files, rows) == 702
    assert list(files.entries()) == before
    with pytest.raises(HistoryConflictError, match="moved to files"):
        moved.journal.append("note", {})
    files.append("note", {"n": 702})
    assert move_journal_to_database(files, rows) == 703
    moved.journal.append("note", {"n": 703})
    assert moved.journal.position() == 704
    assert moved.journal.faults() == []


def test_a_move_that_was_killed_is_continued(
    ledger: Ledger, database: SharedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.journal.append_many([("note", {"n": n}) for n in range(1200)])
    rows, whole = JournalRows(database), JournalRows.copy_in
    calls: list[int] = []

    def once(self: JournalRows, part: list[JournalRow]) -> None:
        calls.append(len(part))
        if len(calls) == 2:
            raise KeyboardInterrupt
        whole(self, part)

    with monkeypatch.context() as patched:
        patched.setattr(JournalRows, "copy_in", once)
        with pytest.raises(KeyboardInterrupt):
            move_journal_to_database(ledger.journal, rows)
    assert rows.count() == 500
    # Until then the files are the journal, and a twin that expects it in the database isn't opened.
    ledger.journal.append("note", {"n": 1200})
    early = Ledger(ledger.path)
    early.use_database(database)
    with pytest.raises(SchemaError, match="twinlab catalogues"):
        early.journal.append("note", {})
    assert move_journal_to_database(ledger.journal, rows) == 1201
    assert [row.payload for row in rows.rows(0, 1201)] == [f'{{"n":{n}}}' for n in range(1201)]


def test_a_journal_is_not_moved_into_that_of_another_twin(ledger: Ledger, database: SharedDatabase) -> None:
    JournalRows(database).append([("note", "{}")])
    ledger.journal.append("note", {"n": 0})
    with pytest.raises(CorruptionError, match="of another twin"):
        move_journal_to_database(ledger.journal, JournalRows(database))
    other = Ledger(ledger.path)
    other.use_database(database)
    with pytest.raises(SchemaError, match="of another twin"):
        list(other.journal.entries())
    ledger.journal.append("note", {"n": 1})
