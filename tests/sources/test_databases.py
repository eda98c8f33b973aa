"""Tables and queries of an SQLite database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from twinlab import sources
from twinlab.errors import SchemaError, SourceError
from twinlab.model.schema import TEXT_SUFFIX as T


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    path = tmp_path / "plant.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE legs (key TEXT PRIMARY KEY, "order" INTEGER, w REAL) WITHOUT ROWID;
        INSERT INTO legs VALUES ('b', 2, 1.5), ('a', 1, NULL), ('c', 3, 'heavy');
        CREATE TABLE notes (t TEXT, x, raw BLOB);
        INSERT INTO notes VALUES ('2013-01-01 05:00', 1, x'00ff'), ('later', 'y', NULL), (NULL, 2.5, NULL);
        CREATE TABLE empty (a INTEGER, b TEXT);
        CREATE VIEW heavy AS SELECT key FROM legs WHERE w > 1;
        """
    )
    connection.close()
    return path


def test_all_tables_are_read_in_the_order_of_their_keys(plant: Path) -> None:
    batches = list(sources.sql(f"sqlite:///{plant}").batches())
    assert [batch.table for batch in batches] == ["empty", "legs", "notes"]
    assert batches[0].rows.to_pydict() == {"a": [], "b": []}
    assert batches[1].rows.to_pydict() == {
        "key": ["a", "b", "c"],
        "order": [1, 2, 3],
        "w": [None, "1.5", "heavy"],
    }
    assert batches[2].rows.to_pydict() == {
        "t": ["2013-01-01 05:00", "later", None],
        "x": ["1", "y", "2.5"],
        "raw": ["00ff", None, None],
    }
    assert batches[1].row_numbers.tolist() == [1, 2, 3]
    assert {batch.file for batch in batches} == {"plant.db"}


def test_a_table_or_a_view_is_read_alone(plant: Path) -> None:
    [batch] = sources.sql(plant, tables=["heavy"]).batches()
    assert batch.rows.to_pydict() == {"key": ["b", "c"]}
    source = sources.sql(plant, tables="legs", name="depot")
    assert source.name == "depot"
    assert [batch.table for batch in source.batches()] == ["legs"]


def test_a_query_is_a_table_named_as_the_source(plant: Path) -> None:
    source = sources.sql(plant, query="SELECT key, key, 'a;b' AS z FROM legs ORDER BY key DESC;", name="q")
    [batch] = source.batches()
    assert batch.table == "q"
    assert batch.rows.to_pydict() == {"key": ["c", "b", "a"], "key__2": ["c", "b", "a"], "z": ["a;b"] * 3}


def test_long_tables_come_in_batches_of_one_type(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (n INTEGER, v)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(n, 0.5) for n in range(20_000)] + [(20_000, "bad")])
    connection.commit()
    connection.close()
    first, second = sources.sql(path).batches()
    assert first.rows.num_rows + second.rows.num_rows == 20_001
    assert second.row_numbers[-1] == 20_001
    assert second.rows.to_pydict()["v" + T][-1] == "bad"
    assert str(second.rows.schema.field("v").type) == "double"


def test_wrong_names_and_files_say_what_to_do(plant: Path, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no table 'leg'; did you mean 'legs'"):
        list(sources.sql(plant, tables=["leg"]).batches())
    with pytest.raises(SchemaError, match="no such column: zzz"):
        list(sources.sql(plant, query="SELECT zzz FROM legs").batches())
    with pytest.raises(SourceError, match="does not exist"):
        sources.sql(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(SchemaError, match="no database URL"):
        sources.sql("://plant")
    with pytest.raises(SchemaError, match="no driver for this database"):
        list(sources.sql("nonsense://plant/db").batches())
    with pytest.raises(SchemaError, match="names no file"):
        sources.sql("sqlite://")
    with pytest.raises(SchemaError, match="both tables and query"):
        sources.sql(plant, tables=["legs"], query="SELECT 1")
    (tmp_path / "x.db").write_bytes(b"no database at all, but text")
    with pytest.raises(SchemaError, match="not an SQLite database"):
        list(sources.sql(tmp_path / "x.db").batches())
