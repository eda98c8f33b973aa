"""Databases that are polled: no row is missed, whatever is committed late, and none comes twice within a window."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from twinlab.errors import SchemaError, SourceError, TwinlabError
from twinlab.model.load import parse_mapping
from twinlab.sources.live import LIVE_KINDS, Filled, Gap, LiveBatch, LiveContext
from twinlab.sources.live.sql_database import Database
from twinlab.sources.live.sql_poll import SqlPoll

SQL = LIVE_KINDS.get("sql")
SHIPMENTS = {"shipment": {"updated": "updated_at", "key": ["id"]}}


def open_source(
    url: str, folder: Path = Path(), *, offsets: dict[str, object] | None = None, once: bool = False, **options: object
) -> SqlPoll:
    given = {"url": url, "tables": SHIPMENTS, "every": "1ms", **options}
    return SQL.open(SQL.parse(given), LiveContext("erp", folder, offsets=offsets or {}, once=once))


def rows_of(batch: LiveBatch) -> list[dict[str, Any]]:
    return [row for part in batch.parts for row in part.rows.to_pylist()]


class Reading:
    """A source that is read by a thread until `stop`."""

    def __init__(self, source: SqlPoll) -> None:
        self.source = source
        self.batches: list[LiveBatch] = []
        self.failed: list[BaseException] = []
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        async def read() -> None:
            async with contextlib.aclosing(self.source.batches()) as batches:
                async for batch in batches:
                    self.batches.append(batch)

        self._task = self._loop.create_task(read())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except TwinlabError as error:
            self.failed.append(error)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for batch in list(self.batches) for row in rows_of(batch)]

    def wait_for(self, done: Callable[[], object]) -> None:
        until = time.monotonic() + 20
        while not done():
            assert not self.failed, self.failed
            assert time.monotonic() < until, f"{len(self.rows)} rows, {self.source.health}"
            time.sleep(0.01)

    def fill(self, gap: Gap) -> str:
        """Ask for a gap from the loop that reads, as the historian does."""
        return asyncio.run_coroutine_threadsafe(self.source.fill(gap), self._loop).result(20)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(60)
        assert not self._thread.is_alive()
        self._loop.close()


@contextlib.contextmanager
def reading(source: SqlPoll) -> Iterator[Reading]:
    made = Reading(source)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def erp(postgres: str) -> Iterator[sa.Engine]:
    """An ERP with an empty table of shipments, written by its own user."""
    engine = sa.create_engine(postgres, pool_size=10)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS shipment"))
        connection.execute(
            sa.text(
                "CREATE TABLE shipment (id bigserial PRIMARY KEY, ref text, weight_lb numeric, "
                "updated_at timestamptz NOT NULL DEFAULT now())"
            )
        )
        connection.execute(sa.text("CREATE INDEX ON shipment (updated_at)"))
        connection.execute(
            sa.text(
                "DO $$ BEGIN CREATE ROLE twin_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; "
                "GRANT SELECT ON shipment TO twin_reader"
            )
        )
    yield engine
    engine.dispose()


@pytest.fixture
def reader_url(postgres: str) -> str:
    return postgres.replace("postgres@", "twin_reader@")


def insert(connection: sa.Connection, ref: str) -> None:
    connection.execute(sa.text("INSERT INTO shipment (ref, weight_lb) VALUES (:ref, 1.5)"), {"ref": ref})


def test_four_writers_that_commit_late_and_out_of_order_lose_no_row(erp: sa.Engine, reader_url: str) -> None:
    total = 25_000

    def write(number: int) -> None:
        chance = random.Random(number)
        with erp.connect() as connection:
            done = 0
            while done < total:
                count = min(total - done, chance.choice([1, 5, 2_000]))
                connection.execute(
                    sa.text(
                        "INSERT INTO shipment (ref, weight_lb) SELECT :w || '-' || n, n FROM generate_series(CAST(:a AS int), CAST(:b AS int)) n"
                    ),
                    {"w": str(number), "a": done, "b": done + count - 1},
                )
                # The times of these rows are before those that others commit meanwhile.
                time.sleep(chance.choice([0, 0, 0.002, 0.03]))
                connection.commit()
                done += count

    with reading(open_source(reader_url, overlap="500ms")) as got:
        writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for one in writers:
            one.start()
        for one in writers:
            one.join()
        got.wait_for(lambda: got.source.health.rows >= 4 * total)
        time.sleep(0.5)
    counts = Counter(row["ref"] for row in got.rows)
    assert set(counts) == {f"{w}-{n}" for w in range(4) for n in range(total)}
    assert set(counts.values()) == {1}
    assert got.source.health.rows == 4 * total


def test_a_transaction_that_stays_open_for_longer_than_the_window_is_not_missed(
    erp: sa.Engine, reader_url: str
) -> None:
    with reading(open_source(reader_url, overlap="250ms")) as got, erp.connect() as slow:
        insert(slow, "early")
        for number in range(20):
            with erp.begin() as other:
                insert(other, f"r{number}")
            got.wait_for(lambda least=number: len(got.rows) > least)
            time.sleep(0.04)
        slow.commit()
        got.wait_for(lambda: len(got.rows) == 21)
        assert got.rows[-1]["ref"] == "early"


def test_a_changed_row_comes_again_and_an_equal_one_does_not(erp: sa.Engine, reader_url: str) -> None:
    with reading(open_source(reader_url, overlap="1h")) as got:
        with erp.begin() as connection:
            insert(connection, "a")
            insert(connection, "b")
        got.wait_for(lambda: len(got.rows) == 2)
        with erp.begin() as connection:
            connection.execute(sa.text("UPDATE shipment SET weight_lb = 9, updated_at = now() WHERE ref = 'a'"))
        got.wait_for(lambda: len(got.rows) == 3)
        time.sleep(0.05)
    assert [(row["ref"], float(row["weight_lb"])) for row in got.rows] == [("a", 1.5), ("b", 1.5), ("a", 9.0)]


def test_after_a_restart_only_the_window_is_read_again(erp: sa.Engine, reader_url: str) -> None:
    with erp.begin() as connection:
        for number in range(100):
            connection.execute(
                sa.text("INSERT INTO shipment (ref, updated_at) VALUES (:ref, now() - make_interval(mins => :ago))"),
                {"ref": f"r{number}", "ago": 100 - number},
            )

    def read(offsets: dict[str, object]) -> tuple[list[str], dict[str, object]]:
        async def all_of_it() -> list[LiveBatch]:
            source = open_source(reader_url, offsets=offsets, once=True, overlap="10min", rows=7)
            return [batch async for batch in source.batches()]

        batches = asyncio.run(all_of_it())
        for batch in batches:
            offsets = {**offsets, **batch.offsets}
        return [row["ref"] for batch in batches for row in rows_of(batch)], offsets

    first, offsets = read({})
    assert first == [f"r{number}" for number in range(100)]
    again, offsets = read(offsets)
    assert again == first

    # PostgreSQL: what had ended by a poll is known at the next one.
    def twice() -> dict[str, object]:
        found: dict[str, object] = {}
        with reading(open_source(reader_url, overlap="10min")) as got:
            got.wait_for(lambda: any(batch.offsets.get("shipment") for batch in got.batches))
            for batch in got.batches:
                found |= batch.offsets
        return found

    third, _ = read(twice())
    assert third == [f"r{number}" for number in range(89, 100)]


def test_one_row_of_the_future_does_not_hide_the_others(erp: sa.Engine, reader_url: str) -> None:
    with erp.begin() as connection:
        connection.execute(sa.text("INSERT INTO shipment (ref, updated_at) VALUES ('odd', '2099-01-01')"))
    with reading(open_source(reader_url, overlap="1s")) as got:
        got.wait_for(lambda: len(got.rows) == 1)
        time.sleep(0.05)
        with erp.begin() as connection:
            insert(connection, "now")
        got.wait_for(lambda: len(got.rows) == 2)


def test_a_gap_is_filled_by_reading_the_table_again_from_its_beginning(erp: sa.Engine, reader_url: str) -> None:
    with erp.begin() as connection:
        insert(connection, "new")
    with reading(open_source(reader_url, overlap="1s")) as got:
        got.wait_for(lambda: any(batch.offsets.get("shipment") for batch in got.batches))
        # Written with times that the window is past.
        with erp.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO shipment (ref, updated_at) VALUES ('old', '2026-01-01'), ('older', '2025-01-01')")
            )
            connection.execute(sa.text("INSERT INTO shipment (ref, updated_at) VALUES ('later', '2026-01-02')"))
        start_ns = 1_767_225_600 * 10**9 - 10**9  # 2025-12-31T23:59:59Z
        gap = Gap("shipment", "outage", start_ns=start_ns, stop_ns=start_ns + 2 * 10**9)
        assert got.fill(gap) == ""
        assert got.fill(Gap("orders", "outage", start_ns=start_ns)) == "no table 'orders' is polled"
        got.wait_for(lambda: any(batch.filled for batch in got.batches))
        # The later row has come with it, but isn't one of the gap.
        assert {row["ref"] for row in got.rows} == {"new", "old", "later"}
        (filled,) = (one for batch in got.batches for one in batch.filled)
        assert (filled.gap, filled.by, filled.rows) == (gap, "the table, read again", 1)


def test_a_gap_that_is_asked_for_while_a_poll_begins_counts_its_rows(
    erp: sa.Engine, reader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_ns = 1_767_225_600 * 10**9
    gap = Gap("shipment", "outage", start_ns=start_ns, stop_ns=start_ns + 10**9)
    with erp.begin() as connection:
        insert(connection, "new")
    snapshot = Database.snapshot
    with reading(open_source(reader_url, overlap="1s")) as got:
        got.wait_for(lambda: any(batch.offsets.get("shipment") for batch in got.batches))
        with erp.begin() as connection:
            connection.execute(sa.text("INSERT INTO shipment (ref, updated_at) VALUES ('old', '2026-01-01Z')"))

        def asked(database: Database) -> Any:
            monkeypatch.setattr(Database, "snapshot", snapshot)
            assert got.fill(gap) == ""
            return snapshot(database)

        monkeypatch.setattr(Database, "snapshot", asked)
        got.wait_for(lambda: any(batch.filled for batch in got.batches))
        assert [one for batch in got.batches for one in batch.filled] == [Filled(gap, "the table, read again", 1)]


def test_the_reader_connects_again_after_the_server_closed_its_connections(erp: sa.Engine, reader_url: str) -> None:
    with reading(open_source(reader_url)) as got:
        with erp.begin() as connection:
            insert(connection, "before")
        got.wait_for(lambda: len(got.rows) == 1)
        with erp.begin() as connection:
            connection.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'twin_reader'")
            )
            insert(connection, "after")
        got.wait_for(lambda: len(got.rows) == 2)
    assert got.source.health.state == "connected"


def test_it_has_one_connection_which_cannot_write(erp: sa.Engine, postgres: str) -> None:
    source = open_source(postgres)  # a user who may do all
    with reading(source) as got:
        got.wait_for(lambda: source.health.state == "connected")
        with erp.connect() as connection:
            count = sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'twinlab'")
            assert connection.scalar(count) == 1
    database = source._database()
    with pytest.raises(ConnectionError, match="read-only transaction"), database._connection() as connection:
        connection.execute(sa.text("DELETE FROM shipment"))
    database.close()


def test_the_catalogue_has_the_columns(erp: sa.Engine, reader_url: str) -> None:
    found = asyncio.run(open_source(reader_url).catalogue())
    assert found.complete
    assert [(one.table, one.tag) for one in found.tags] == [
        ("shipment", name) for name in ("id", "ref", "weight_lb", "updated_at")
    ]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"shipmnt": SHIPMENTS["shipment"]}, "no table 'shipmnt' in the database; did you mean 'shipment'"),
        ({"shipment": {"updated": "updated", "key": ["id"]}}, "no column 'updated'; did you mean 'updated_at'"),
        ({"shipment": {"updated": "updated_at", "key": ["nr"]}}, "no column 'nr'"),
    ],
)
def test_what_is_not_there_ends_the_source_with_an_error(
    erp: sa.Engine, reader_url: str, tables: dict, message: str
) -> None:
    async def read() -> None:
        async for _ in open_source(reader_url, tables=tables).batches():
            pass

    with pytest.raises(SchemaError, match=message):
        asyncio.run(read())


def test_a_server_that_does_not_answer_is_asked_again_later(tmp_path: Path) -> None:
    with reading(open_source("postgresql+psycopg://a@127.0.0.1:1/erp")) as got:
        got.wait_for(lambda: got.source.health.errors >= 2)
    assert got.source.health.state == "connecting"
    assert "127.0.0.1" in got.source.health.error


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%f", "number"])
def test_sqlite_is_polled_while_it_is_written(tmp_path: Path, form: str) -> None:
    now = "CAST(strftime('%s') AS REAL)" if form == "number" else f"strftime('{form}')"
    database = sqlite3.connect(tmp_path / "erp.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE shipment (id INTEGER PRIMARY KEY, ref TEXT, updated_at TIMESTAMP)")
    with reading(open_source("sqlite:///erp.db", tmp_path, overlap="5s")) as got:
        for number in range(30):
            database.execute(f"INSERT INTO shipment (ref, updated_at) VALUES ('r{number}', {now})")
            time.sleep(0.005)
        got.wait_for(lambda: len(got.rows) >= 30)
        time.sleep(0.02)
    database.close()
    assert [row["ref"] for row in got.rows] == [f"r{number}" for number in range(30)]


def test_secrets_and_addresses_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = 'source: erp\nlive:\n  kind: sql\n  url: "{url}"\n  password: {password}\n  tables: {{a: {{updated: u, key: [i]}}}}\n'
    for url, password, message in [
        ("postgresql://me:hunter2@erp/db", "${P}", "live.url: .*an address without a password"),
        ("postgresql://me@erp/db", "hunter2", "live.password: .*expected the name of an environment variable"),
    ]:
        with pytest.raises(TwinlabError, match=message) as raised:
            parse_mapping(live.format(url=url, password=password), "erp.yaml")
        assert "hunter2" not in str(raised.value)
    with pytest.raises(SourceError, match="environment variable NOT_SET isn't set"):
        open_source("postgresql+psycopg://me@erp/db", password="${NOT_SET}")._database()
    with pytest.raises(SchemaError, match="no driver for this database"):
        open_source("oracle9://me@erp/db")._database()
    with pytest.raises(SourceError, match=r"no SQLite database at .*none\.db"):
        open_source("sqlite:///none.db", tmp_path)._database()
