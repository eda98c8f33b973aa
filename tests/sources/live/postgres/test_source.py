"""Logical decoding with a real PostgreSQL: every change once, deletes withdraw, nothing is forgotten before it is durable."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from twinlab.errors import SchemaError, SourceError, TwinlabError
from twinlab.sources.live import LIVE_KINDS, LiveBatch, LiveContext, LiveSource
from twinlab.sources.live.postgres.place import lsn_value
from twinlab.sources.live.postgres.source import PostgresSource
from twinlab.testing import check_live_source

KIND = LIVE_KINDS.get("postgres")
NUMBERS = itertools.count(1)
Enough = Callable[[list[LiveBatch]], bool]


@dataclass
class Erp:
    """A database with published tables and a slot of its own, written by its owner."""

    url: str
    number: int = field(default_factory=lambda: next(NUMBERS))

    def __post_init__(self) -> None:
        self.reader = self.url.replace("postgres@", "decoder@")
        self.slot, self.table, self.publication = (f"{what}_{self.number}" for what in ("slot", "shipment", "pub"))
        self.run("DO $$ BEGIN CREATE ROLE decoder LOGIN REPLICATION; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        self.run(
            f"CREATE TABLE {self.table} (id int PRIMARY KEY, kg numeric, at timestamptz NOT NULL DEFAULT now(), note text)"
        )
        self.run(f"GRANT SELECT ON {self.table} TO decoder")
        self.run(f"ALTER TABLE {self.table} REPLICA IDENTITY FULL")
        self.run(f"CREATE PUBLICATION {self.publication} FOR TABLE {self.table}")
        self.make_slot()

    def make_slot(self) -> None:
        self.run("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", self.slot)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=autocommit)

    def run(self, *statements: Any) -> list[tuple[Any, ...]]:
        query, *given = statements
        with self.connect() as connection:
            cursor = connection.execute(query, given or None)
            return cursor.fetchall() if cursor.description else []

    def insert(self, low: int, count: int, kg: float = 1.5) -> None:
        self.run(
            f"INSERT INTO {self.table} (id, kg) SELECT n, %s FROM generate_series(%s::int, %s::int) n",
            kg,
            low,
            low + count - 1,
        )

    def confirmed(self) -> int:
        return lsn_value(
            self.run("SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = %s", self.slot)[0][0]
        )

    def given(self, **options: object) -> dict[str, object]:
        own = {"url": self.reader, "slot": self.slot, "publication": self.publication, "every": "20ms"}
        return {**own, **options}

    def open(
        self, offsets: dict[str, object] | None = None, *, once: bool = False, **options: object
    ) -> PostgresSource:
        given = self.given(**options)
        source = KIND.open(KIND.parse(given), LiveContext("erp", offsets=offsets or {}, once=once))
        assert isinstance(source, PostgresSource)
        return source

    def close(self) -> None:
        self.run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", self.slot)
        self.run(f"DROP TABLE {self.table}")
        self.run(f"DROP PUBLICATION {self.publication}")


@pytest.fixture
def erp(postgres: str) -> Iterator[Erp]:
    made = Erp(postgres.replace("+psycopg", ""))
    yield made
    made.close()


def read(source: LiveSource, enough: Enough = lambda found: False, *, acknowledge: bool = True) -> list[LiveBatch]:
    """Read until it is enough, or the source ends."""

    async def run() -> list[LiveBatch]:
        found = []
        async with asyncio.timeout(60), aclosing(source.batches()) as batches:  # type: ignore[type-var]
            async for batch in batches:
                found.append(batch)
                if acknowledge:
                    await source.acknowledge(batch)
                if enough(found):
                    break
        return found

    return asyncio.run(run())


def rows(batches: list[LiveBatch]) -> list[tuple[int, float | None, bool]]:
    """Return id, weight, and whether the row was withdrawn."""
    found = []
    for batch in batches:
        for part in batch.parts:
            gone = [False] * part.rows.num_rows if part.retracts is None else part.retracts.tolist()  # type: ignore[union-attr]
            for row, retracts in zip(part.rows.to_pylist(), gone, strict=True):
                found.append((row["id"], row["kg"], retracts))
    return found


def offsets_of(batches: list[LiveBatch], before: dict[str, object] | None = None) -> dict[str, object]:
    found = dict(before or {})
    for batch in batches:
        found |= batch.offsets
    return found


def test_changes_come_in_the_order_of_their_commits_and_old_rows_are_withdrawn(erp: Erp) -> None:
    erp.insert(1, 3)
    erp.run(f"UPDATE {erp.table} SET kg = 9 WHERE id = 2")
    erp.run(f"UPDATE {erp.table} SET kg = kg WHERE id = 3")  # nothing changes
    erp.run(f"DELETE FROM {erp.table} WHERE id = 1")
    found = read(erp.open(once=True, copy_tables=False))
    assert rows(found) == [
        (1, 1.5, False), (2, 1.5, False), (3, 1.5, False), (2, 1.5, True), (2, 9.0, False), (1, 1.5, True),
    ]  # fmt: skip
    (part,) = (part for batch in found for part in batch.parts)
    assert part.table == erp.table
    assert rows(read(erp.open(offsets_of(found), once=True, copy_tables=False))) == []


def test_values_of_changes_are_those_of_a_query(erp: Erp) -> None:
    erp.run(
        f"ALTER TABLE {erp.table} ADD COLUMN left_at timestamp, ADD COLUMN day date, ADD COLUMN ok bool, ADD COLUMN big bigint, "
        "ADD COLUMN x float8"
    )
    erp.run(
        f"INSERT INTO {erp.table} VALUES (1, 2.50, '2026-03-01 12:00:00.25+05', E'tab\\tü ''x', '2026-03-01 12:00', "
        "'2026-03-02', true, 9007199254740993, 'NaN'), (2, NULL, '2026-03-01', NULL, NULL, NULL, NULL, NULL, 1e300)"
    )
    weird = Erp(erp.url)
    weird.run(f"INSERT INTO {weird.table} (id, at) VALUES (1, 'infinity'), (2, '2026-03-01')")
    one, two = (part.rows.to_pylist() for batch in read(weird.open(once=True)) for part in batch.parts)  # type: ignore[union-attr]
    assert str(one) == str(two)
    assert one[0]["at"] == "infinity"
    weird.close()
    copied, changed = (part.rows for batch in read(erp.open(once=True)) for part in batch.parts)  # type: ignore[union-attr]
    assert changed.schema.equals(copied.schema)
    assert str(changed.to_pylist()) == str(copied.to_pylist())
    # A table that is polled has them, too.
    url = erp.reader.replace("postgresql:", "postgresql+psycopg:")
    given = {"url": url, "tables": {erp.table: {"updated": "at", "key": ["id"]}}}
    kind = LIVE_KINDS.get("sql")
    polled = kind.open(kind.parse(given), LiveContext("erp", once=True))
    (same,) = (part.rows for batch in read(polled) for part in batch.parts)  # type: ignore[union-attr]
    assert same.schema.equals(copied.schema)
    assert sorted(map(str, same.to_pylist())) == sorted(map(str, copied.to_pylist()))


def test_rows_of_before_are_copied_once(erp: Erp) -> None:
    erp.insert(1, 7)
    first = read(erp.open(once=True, rows=3))
    # Those that were written after the slot was made come once more, as changes.
    assert [row[0] for row in rows(first)] == [*range(1, 8), *range(1, 8)]
    assert max(batch.rows for batch in first) <= 3
    offsets = offsets_of(first)
    assert offsets["copied"] == [f"public.{erp.table}"]
    erp.insert(8, 2)
    assert [row[0] for row in rows(read(erp.open(offsets, once=True)))] == [8, 9]


def test_nothing_is_forgotten_before_it_is_durable_and_nothing_comes_twice(erp: Erp) -> None:
    before = erp.confirmed()
    erp.insert(1, 10)
    # Killed before the rows were stored: they come again.
    lost = read(erp.open(copy_tables=False), lambda found: bool(rows(found)), acknowledge=False)
    assert erp.confirmed() == before
    # Killed between the ledger's sync and the acknowledgement.
    stored = read(erp.open(copy_tables=False), lambda found: bool(rows(found)), acknowledge=False)
    assert rows(stored) == rows(lost)
    assert erp.confirmed() == before
    offsets = offsets_of(stored)
    erp.insert(11, 5)
    more = read(erp.open(offsets, once=True, copy_tables=False))
    assert [row[0] for row in rows(more)] == list(range(11, 16))
    assert erp.confirmed() > before
    assert [batch.gaps for batch in more if batch.gaps] == []


def test_a_transaction_of_which_a_part_is_durable_is_continued(erp: Erp) -> None:
    erp.insert(1, 100)
    first = read(erp.open(copy_tables=False, rows=30), lambda found: len(rows(found)) >= 60, acknowledge=False)
    assert [row[0] for row in rows(first)] == list(range(1, 61))
    rest = read(erp.open(offsets_of(first), once=True, copy_tables=False, rows=30))
    assert [row[0] for row in rows(rest)] == list(range(61, 101))


def test_four_writers_that_commit_late_update_and_delete_give_the_table_as_it_is(erp: Erp) -> None:
    def write(number: int) -> None:
        chance = random.Random(number)
        with erp.connect(autocommit=False) as connection:
            for step in range(60):
                low = number * 100_000 + step * 100
                connection.execute(
                    f"INSERT INTO {erp.table} (id, kg) SELECT n, n FROM generate_series(%s::int, %s::int) n",
                    (low, low + 19),
                )
                connection.execute(f"UPDATE {erp.table} SET kg = -kg WHERE id BETWEEN %s AND %s", (low - 100, low - 95))
                connection.execute(f"DELETE FROM {erp.table} WHERE id = %s", (low - 90,))
                if chance.random() < 0.7:
                    connection.commit()
            connection.rollback() if number == 3 else connection.commit()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for one in writers:
        one.start()
    table: dict[int, float | None] = {}

    def enough(found: list[LiveBatch]) -> bool:
        for number, kg, gone in rows(found[-1:]):
            if gone:
                assert table.pop(number) == kg
            else:
                assert number not in table
                table[number] = kg
        if any(one.is_alive() for one in writers):
            return False
        return table == {number: float(kg) for number, kg in erp.run(f"SELECT id, kg FROM {erp.table}")}

    read(erp.open(copy_tables=False), enough)
    assert len(table) > 3_000


def test_the_server_forgets_the_log_of_other_tables_as_well(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    from twinlab.sources.live.postgres import source as module

    monkeypatch.setattr(module, "_IDLE", 0.0)
    before = erp.confirmed()
    erp.run("CREATE TABLE IF NOT EXISTS other (n int)")
    erp.run("INSERT INTO other SELECT generate_series(1, 1000)")
    source = erp.open(copy_tables=False)
    found = read(source, lambda found: erp.confirmed() > before)
    assert rows(found) == []
    assert source.health.load["slot_kept_bytes"] > 0


def test_a_slot_that_is_behind_is_reported(erp: Erp, caplog: pytest.LogCaptureFixture) -> None:
    erp.run("CREATE TABLE IF NOT EXISTS bulk (t text)")
    erp.run("INSERT INTO bulk SELECT repeat('x', 1000) FROM generate_series(1, 3000)")
    source = erp.open(once=True, copy_tables=False, warn_mib=1)
    read(source)
    (line,) = (one for one in caplog.records if one.getMessage() == "the slot is behind")
    assert f"MiB of its log for the slot '{erp.slot}'" in line.error  # type: ignore[attr-defined]
    assert source.health.errors >= 1


def test_a_slot_that_was_made_anew_is_a_gap_and_tables_are_copied_again(erp: Erp) -> None:
    erp.insert(1, 3)
    first = read(erp.open(once=True))
    erp.run("SELECT pg_drop_replication_slot(%s)", erp.slot)
    erp.insert(4, 2)  # nobody sees it
    erp.make_slot()
    found = read(erp.open(offsets_of(first), once=True))
    (gap,) = (gap for batch in found for gap in batch.gaps)
    assert "slot was made anew" in gap.reason
    assert gap.start_ns is not None
    (filled,) = (one for batch in found for one in batch.filled)
    assert (filled.gap, filled.rows) == (gap, 5)
    assert sorted(row[0] for row in rows(found)) == [1, 2, 3, 4, 5]
    source = erp.open()
    assert asyncio.run(source.fill(gap)) == ""
    assert asyncio.run(erp.open(copy_tables=False).fill(gap)) == "the server keeps a change until it is acknowledged"
    again = read(erp.open(offsets_of(found, offsets_of(first)), once=True))
    assert [batch for batch in again if batch.gaps or batch.rows] == []


def test_truncate_is_a_gap(erp: Erp) -> None:
    erp.insert(1, 3)
    erp.run(f"TRUNCATE {erp.table}")
    found = read(erp.open(once=True, copy_tables=False))
    (gap,) = (gap for batch in found for gap in batch.gaps)
    assert (gap.stream, gap.reason) == (erp.table, "TRUNCATE: the rows of the table aren't withdrawn")


def test_a_column_that_is_added_comes_with_the_rows_after_it(erp: Erp) -> None:
    erp.insert(1, 1)
    erp.run(f"ALTER TABLE {erp.table} ADD COLUMN colour text DEFAULT 'red'")
    erp.insert(2, 1)
    found = read(erp.open(once=True, copy_tables=False))
    parts = [part for batch in found for part in batch.parts]
    assert [part.rows.schema.names[4:] for part in parts] == [[], ["colour"]]


def test_the_reader_connects_again_and_cannot_write(erp: Erp) -> None:
    erp.insert(1, 1)
    source = erp.open(copy_tables=False)
    seen: list[int] = []

    def enough(found: list[LiveBatch]) -> bool:
        if rows(found) and not seen:
            seen.append(1)
            erp.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'decoder'")
            erp.insert(2, 1)
        return len(rows(found)) > 1

    assert [row[0] for row in rows(read(source, enough))] == [1, 2]
    assert source.health.connections == 2
    server = source._server()
    with pytest.raises(SchemaError, match="read-only transaction"):
        server._one(f"DELETE FROM {erp.table}")
    server.close()


def refused(erp: Erp, **options: object) -> str:
    with pytest.raises(TwinlabError) as raised:
        read(erp.open(once=True, **options))
    return str(raised.value)


def test_what_the_server_lacks_is_named_with_the_command_that_makes_it(erp: Erp) -> None:
    assert "there is no replication slot 'slotx'" in refused(erp, slot="slotx")
    assert "pg_create_logical_replication_slot('slotx', 'pgoutput')" in refused(erp, slot="slotx")
    assert "there is no publication 'pubb'" in refused(erp, publication="pubb")
    erp.run(f"ALTER TABLE {erp.table} REPLICA IDENTITY DEFAULT")
    assert f'ALTER TABLE "public"."{erp.table}" REPLICA IDENTITY FULL' in refused(erp)
    erp.run(f"ALTER PUBLICATION {erp.publication} SET (publish = 'insert')")
    assert "expected one of inserts, updates and deletes" in refused(erp)
    erp.run("SELECT pg_drop_replication_slot(%s)", erp.slot)
    erp.run("SELECT pg_create_logical_replication_slot(%s, 'test_decoding')", erp.slot)
    assert "has the plugin 'test_decoding'" in refused(erp)


def test_secrets_are_named_and_another_reader_is_waited_for(erp: Erp) -> None:
    with pytest.raises(SourceError, match="environment variable NOT_SET isn't set"):
        erp.open(password="${NOT_SET}")._server()
    source = erp.open(url="postgresql://decoder@127.0.0.1:1/postgres")
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(anext(source.batches()), 1.0))  # type: ignore[arg-type]
    assert source.health.state == "connecting"
    assert source.health.errors


def test_the_catalogue_has_the_published_columns(erp: Erp) -> None:
    found = asyncio.run(erp.open().catalogue())
    assert found.complete
    assert [(one.table, one.tag) for one in found.tags] == [(erp.table, name) for name in ("id", "kg", "at", "note")]


def test_the_source_conforms(erp: Erp) -> None:
    erp.insert(1, 40)
    check_live_source("postgres", erp.given(copy_tables=False), rows=40)


def test_the_source_conforms_with_a_copy(erp: Erp) -> None:
    erp.insert(1, 40)
    check_live_source("postgres", erp.given(), rows=40)
