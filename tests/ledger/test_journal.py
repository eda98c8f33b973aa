"""The twin's own journal."""

from __future__ import annotations

from twinlab.ledger import Ledger


def test_a_long_journal_stays_quick_to_open(ledger: Ledger) -> None:
    ledger.journal.append_many([("note", {"n": n}) for n in range(1500)])
    for n in range(1500, 1503):
        ledger.journal.append("note", {"n": n})
    assert [e.payload["n"] for e in ledger.journal.entries(start=1000)] == list(range(1000, 1503))
    assert [e.payload["n"] for e in ledger.journal.entries("note")][-1] == 1502
    assert len(list((ledger.path / "_twin").glob("*.seg"))) == 2


def test_the_journal_keeps_what_was_written_when(ledger: Ledger) -> None:
    assert list(ledger.journal.entries()) == []
    first = ledger.journal.append("mapping", {"name": "früh", "list": [1, 2.5, None]})
    second, third = ledger.journal.append_many([("note", {"text": "x"}), ("mapping", {"name": "b"})])
    entries = list(ledger.journal.entries())
    assert [(e.kind, e.position) for e in entries] == [("mapping", 0), ("note", 1), ("mapping", 2)]
    assert entries[0].payload == {"name": "früh", "list": [1, 2.5, None]}
    assert [e.payload["name"] for e in ledger.journal.entries("mapping")] == ["früh", "b"]
    assert [e.position for e in ledger.journal.entries(known=first.ingest_time)] == [0]
    assert [e.position for e in ledger.journal.entries(stop=2)] == [0, 1]
    assert (second.position, third.position, ledger.journal.position()) == (2, 3, 3)
