"""The journal as rows: one order, a chain of hashes, all of an append or nothing; on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinlab.database.connection import SharedDatabase
from twinlab.database.journal_rows import JournalRow, JournalRows
from twinlab.database.tables import JOURNAL
from twinlab.errors import CorruptionError, HistoryConflictError


def test_rows_of_several_servers_are_in_one_order_and_none_is_lost(database: SharedDatabase) -> None:
    errors = []

    def write(who: int) -> None:
        rows = JournalRows(database)
        try:
            for n in range(15):
                rows.append([("note", f'{{"who":{who},"n":{n}}}'), ("note", f'{{"who":{who},"half":{n}}}')])
        except Exception as error:  # noqa: BLE001  (asserted below)
            errors.append(error)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == []
    rows = JournalRows(database)
    found = rows.rows(0, rows.count())
    assert len(found) == 120
    assert [row.ordinal for row in found] == list(range(120))
    assert [row.ingest_time for row in found] == sorted(row.ingest_time for row in found)
    for who in range(4):
        own = [row.payload for row in found if f'"who":{who},"n"' in row.payload]
        assert own == [f'{{"who":{who},"n":{n}}}' for n in range(15)]
    # What was appended at once is together.
    assert all(
        a.payload.replace("n", "half", 1) and b.ordinal == a.ordinal + 1
        for a, b in zip(found[::2], found[1::2], strict=True)
    )
    assert all('"half"' in row.payload for row in found[1::2])


@pytest.mark.parametrize("column", ["payload", "kind", "ingest_time"])
def test_a_row_that_was_changed_is_found(database: SharedDatabase, column: str) -> None:
    rows = JournalRows(database)
    rows.append([("note", "{}")] * 5)
    value = 7 if column == "ingest_time" else "other"
    database.run(lambda c: c.execute(sa.update(JOURNAL).where(JOURNAL.c.ordinal == 2).values({column: value})))
    with pytest.raises(CorruptionError, match="row 2"):
        rows.rows(0, 5)
    with pytest.raises(CorruptionError, match="row 2"):
        JournalRows(database).rows(2, 3)
    assert len(JournalRows(database).rows(3, 5)) == 2


def test_a_row_that_was_removed_is_found(database: SharedDatabase) -> None:
    rows = JournalRows(database)
    rows.append([("note", "{}")] * 3)
    database.run(lambda c: c.execute(sa.delete(JOURNAL).where(JOURNAL.c.ordinal == 1)))
    with pytest.raises(CorruptionError, match="row 1"):
        rows.rows(0, 3)


def test_an_append_that_fails_in_the_middle_writes_nothing(
    database: SharedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = JournalRows(database)
    rows.append([("note", "{}")])
    whole = sa.Connection.execute

    def fail(self: sa.Connection, statement: Any, *more: Any, **options: Any) -> Any:
        if getattr(statement, "is_update", False):
            raise KeyboardInterrupt
        return whole(self, statement, *more, **options)

    with monkeypatch.context() as patched:
        patched.setattr(sa.Connection, "execute", fail)
        with pytest.raises(KeyboardInterrupt):
            rows.append([("note", '{"lost":1}')])
    assert rows.count() == 1
    assert [row.ordinal for row in rows.append([("note", "{}")])] == [1]
    assert len(rows.rows(0, 2)) == 2


def test_a_closed_journal_takes_no_more_rows(database: SharedDatabase) -> None:
    rows = JournalRows(database)
    rows.append([("note", "{}")])
    rows.close("it was moved to files")
    with pytest.raises(HistoryConflictError, match="moved to files; nothing was written"):
        rows.append([("note", "{}")])
    assert rows.count() == 1


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30), max_size=6)
)
def test_any_text_comes_back_as_it_was_written(database: SharedDatabase, texts: list[str]) -> None:
    rows = JournalRows(database)
    start = rows.count()
    copied = [JournalRow(start + n, "note", text, 10 + n) for n, text in enumerate(texts)]
    if copied:
        rows.copy_in(copied)
    assert rows.rows(start, rows.count()) == copied
