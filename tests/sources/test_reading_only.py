"""Sources only read: nothing is written to, locked in, or left beside where the data came from."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from filelock import lock_descriptor

from twinlab import sources
from twinlab.errors import SchemaError, SourceError


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with a file of each format, in which nobody may write."""
    here = tmp_path / "plant"
    here.mkdir()
    (here / "a.csv").write_bytes(b"a,b\n1,1.5\n2,2.5\n")
    (here / "b.dat").write_bytes(b"aa   bb\n 1  1.5\n 2  2.5\n")
    (here / "c.jsonl").write_bytes(b'{"a": 1, "b": 1.5}\n{"a": 2, "b": 2.5}\n')
    pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5]}).to_parquet(here / "d.parquet")
    book = openpyxl.Workbook()
    for row in (["a", "b"], [1, 1.5], [2, 2.5]):
        book.active.append(row)
    book.save(here / "e.xlsx")
    database(here / "f.db", journal="delete")
    database(here / "g.db", journal="wal")
    here.chmod(0o555)
    yield here
    here.chmod(0o755)


def database(path: Path, *, journal: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("CREATE TABLE t (a INTEGER, b REAL)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, 1.5), (2, 2.5)])
    connection.commit()
    connection.close()


def marks(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()}


def test_every_format_is_read_from_a_folder_that_stays_as_it_is(folder: Path) -> None:
    before = marks(folder)
    folder_time = folder.stat().st_mtime_ns
    for path in sorted(folder.iterdir()):
        [batch] = sources.open_source(path).batches()
        assert list(batch.rows.to_pydict().values()) == [[1, 2], [1.5, 2.5]], path.name
    assert marks(folder) == before
    assert folder.stat().st_mtime_ns == folder_time


def test_files_are_opened_for_reading_alone_and_a_lock_on_them_is_respected(folder: Path) -> None:
    opened: list[tuple[str, int]] = []
    watching = True

    def watch(event: str, args: tuple[object, ...]) -> None:
        if watching and event == "open" and isinstance(args[0], str) and args[0].startswith(str(folder)):
            opened.append((Path(args[0]).name, int(str(args[2]))))

    sys.addaudithook(watch)  # it can't be taken away again, only told to sleep
    for path in sorted(folder.iterdir()):
        # Whoever holds the file locked doesn't keep us from reading, and we don't ask for the lock.
        with path.open("rb") as held:
            assert lock_descriptor(held.fileno(), blocking=False)
            list(sources.open_source(path).batches())
    watching = False
    assert {name for name, _ in opened} == {path.name for path in folder.iterdir()}
    assert not [name for name, flags in opened if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)]


def test_a_writer_may_write_while_a_database_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database(path, journal="delete")
    batches = sources.sql(path).batches()
    next(batches)
    with sqlite3.connect(path, timeout=0) as writer:
        writer.execute("CREATE TABLE u (z)")
        writer.execute("INSERT INTO u VALUES (1)")
    writer.close()


def test_a_database_that_changes_under_the_reader_is_a_source_error(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database(path, journal="delete")
    connection = sqlite3.connect(path)
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(n, 0.0) for n in range(40_000)])
    connection.commit()
    batches = sources.sql(path).batches()
    next(batches)
    connection.execute("DELETE FROM t")
    connection.commit()
    connection.close()
    with pytest.raises(SourceError, match="changed while it was read"):
        list(batches)


def test_a_database_with_a_live_journal_is_read_whole_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database(path, journal="wal")
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.execute("INSERT INTO t VALUES (3, 3.5)")
    writer.commit()
    before = marks(tmp_path)
    assert (tmp_path / "x.db-wal").stat().st_size > 0
    [batch] = sources.sql(path).batches()
    assert batch.rows.to_pydict() == {"a": [1, 2, 3], "b": [1.5, 2.5, 3.5]}
    assert marks(tmp_path) == before
    writer.close()


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM t",
        "SELECT 1; DROP TABLE t",
        "-- SELECT\nUPDATE t SET a = 1",
        "PRAGMA journal_mode = wal",
        "WITH x AS (SELECT 1) DELETE FROM t",
        "ATTACH 'y.db' AS y",
        "",
        "INSERT INTO t VALUES (1, 2) RETURNING a",
    ],
)
def test_only_one_select_is_let_through(query: str, folder: Path) -> None:
    with pytest.raises(SchemaError, match="not one SELECT"):
        sources.sql(folder / "f.db", query=query)
