"""The ERP in PostgreSQL, as a reader sees it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from twinlab.plant import write_files
from twinlab.plant.files.erp import TABLES
from twinlab.plant.steps.simulate import simulate_network


@pytest.fixture(scope="module")
def reader(running: Any) -> Iterator[psycopg.Connection]:
    address = running.peer("erp").address
    password = Path(address["password_file"]).read_text()
    keys = {"host": address["host"], "port": address["port"], "dbname": address["database"], "user": address["user"]}
    with psycopg.connect(**keys, password=password, autocommit=True) as found:
        yield found


def test_the_reader_may_read_and_nothing_else(running: Any, reader: psycopg.Connection) -> None:
    assert reader.execute("SELECT count(*) FROM trucks").fetchone() == (running.plant.size.trucks,)
    for wrong in ("DELETE FROM trucks", "UPDATE trucks SET maker = 'x'", "CREATE TABLE x (a int)", "DROP TABLE legs"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(wrong)
    address = running.peer("erp").address
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=address["port"], dbname="postgres", user="twin_reader", password="wrong")


def test_rows_appear_after_ones_that_were_updated_later(running: Any, reader: psycopg.Connection) -> None:
    seen: dict[tuple[Any, ...], Any] = {}
    newest, late = None, 0
    for _ in range(12):
        running.advance(4 * 3600)
        for _ in range(4):
            rows = reader.execute("SELECT parcel_no, leg_no, updated_at FROM legs").fetchall()
            fresh = [row for row in rows if seen.get(row[:2]) != row[2]]
            late += sum(newest is not None and row[2] < newest for row in fresh)
            seen |= {row[:2]: row[2] for row in fresh}
            newest = max((row[2] for row in rows), default=newest)
            time.sleep(0.05)
    assert late > 0


def test_at_the_end_the_tables_are_those_of_the_file(running: Any, reader: psycopg.Connection, tmp_path: Path) -> None:
    running.advance(running.plant.size.span[1] - running.plant.time)
    running.do(running.peer("erp").settle())
    write_files(simulate_network(running.plant.size), tmp_path)
    with closing(sqlite3.connect(tmp_path / "files" / "erp.sqlite")) as file:
        for table in TABLES:
            expected = file.execute(f"SELECT * FROM {table}").fetchall()
            names = [one[1] for one in file.execute(f"PRAGMA table_info({table})")]
            found = reader.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()
            shown = [tuple(str(cell) if hasattr(cell, "year") else cell for cell in row) for row in found]
            assert sorted(shown, key=repr) == sorted(expected, key=repr), table
