"""Nothing is lost between a writer and us: Hypothesis writes files, the standard library is the oracle."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinlab import sources
from twinlab.model.schema import TEXT_SUFFIX as T
from twinlab.sources.parsing.numerals import Numerals, parse_numbers
from twinlab.sources.parsing.records import cut, split_cells

ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "latin-1"]
LETTERS = st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs", "Cc", "Cn"])
NARROW = st.sampled_from("aäöüßé,;|\t\"' \n.-0123xyz")
CELLS = st.text(NARROW, max_size=8) | st.text(LETTERS, max_size=5)


def write(rows: list[list[str]], delimiter: str, line_end: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows(rows)
    return out.getvalue()


def merge(batches: Any) -> tuple[dict[str, list[Any]], list[int], list[Any]]:
    columns: dict[str, list[Any]] = {}
    rows: list[int] = []
    problems: list[Any] = []
    for batch in batches:
        for name, values in batch.rows.to_pydict().items():
            columns.setdefault(name, [None] * len(rows)).extend(values)
        rows += batch.row_numbers.tolist()
        for values in columns.values():
            values += [None] * (len(rows) - len(values))
        problems += batch.problems
    return columns, rows, problems


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;|\t"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(ENCODINGS),
    block=st.sampled_from([7, 64, 1 << 20]),
)
def test_cells_of_text_come_back_as_they_were_written(
    data: list[list[str]], delimiter: str, line_end: str, encoding: str, block: int
) -> None:
    data = [["x" + row[0], *row[1:]] for row in data]  # no row is blank, or all numbers
    text = write([["a", "b", "c"], *data], delimiter, line_end)
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(content)
        source = sources.csv(
            path,
            encoding=encoding,
            delimiter=delimiter,
            header_rows=[1],
            units_row=0,
            footer_rows=0,
            text_columns=["a", "b", "c"],
        )
        columns, rows, problems = merge(replace(source, block=block).batches())
    assert not [problem for problem in problems if "declared" not in problem.reason]
    assert [list(row) for row in zip(*columns.values(), strict=True)] == [
        [cell or None for cell in row] for row in data
    ]
    lines = 1 + len([1 for cell in ["a", "b", "c"] for _ in cell.splitlines()[1:]])
    expected = []
    for row in data:
        expected.append(lines + 1)
        lines += 1 + sum(cell.count("\n") for cell in row)
    assert rows == expected


NUMBERS = (
    st.integers(-(10**15) + 1, 10**15 - 1).map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.decimals(-9999, 9999, places=2).map(str)
)


@given(
    st.lists(NUMBERS, min_size=1, max_size=20),
    st.sampled_from([Numerals(), Numerals(","), Numerals(",", "."), Numerals(".", ","), Numerals(".", "'")]),
    st.sampled_from(["", " ", "\t"]),
)
def test_numbers_equal_floats_of_their_normalised_text(cells: list[str], numerals: Numerals, blank: str) -> None:
    spelt = [blank + cell.replace(".", numerals.decimal) + blank for cell in cells]
    found = parse_numbers(pa.array(spelt), numerals)
    assert found.text.null_count == len(cells)
    assert [float(value) for value in found.values.to_pylist()] == [float(cell) for cell in cells]


@given(st.integers(0, 10**14), st.sampled_from([".", ",", " ", "'"]), st.integers(0, 999))
def test_grouped_numbers_equal_the_number_without_its_groups(whole: int, mark: str, places: int) -> None:
    decimal = "," if mark == "." else "."
    text = f"{whole:,}".replace(",", mark) + f"{decimal}{places:03d}"
    found = parse_numbers(pa.array([text]), Numerals(decimal, mark))
    assert found.values.to_pylist() == [float(f"{whole}.{places:03d}")]


@given(st.lists(st.text(st.sampled_from("0123456789+-.,eE xXnNaAiIfF'_\u0663"), max_size=9), min_size=1, max_size=30))
def test_a_cell_is_either_a_number_or_its_text(cells: list[str]) -> None:
    filled = [cell or None for cell in cells]
    found = parse_numbers(pa.array(filled, pa.string()), Numerals())
    for cell, number, text in zip(filled, found.values.to_pylist(), found.text.to_pylist(), strict=True):
        if cell is None:
            assert number is None
            assert text is None
        elif number is None:
            assert text == cell
        else:
            assert text is None
            assert float(cell) == number


@given(
    st.lists(
        st.one_of(NUMBERS, st.sampled_from(["", "5-3", "1.2.3", "-", "+7", "1e400", "n/a"])), min_size=1, max_size=9
    ),
    st.integers(0, 3),
)
def test_whole_columns_and_single_cells_are_read_alike(cells: list[str], skipped: int) -> None:
    column = pa.array([cell or None for cell in cells], pa.string())[skipped:]
    found = parse_numbers(column, Numerals())
    one_by_one = [parse_numbers(pa.array([cell], pa.string()), Numerals()) for cell in column.to_pylist()]
    assert found.values.to_pylist() == [one.values[0].as_py() for one in one_by_one]
    assert found.text.to_pylist() == [one.text[0].as_py() for one in one_by_one]


@given(
    st.text(st.sampled_from('ab,"\n\r é'), max_size=40),
    st.sampled_from([",", ";"]),
    st.integers(1, 30),
)
def test_cutting_in_pieces_finds_the_records_of_cutting_at_once(text: str, delimiter: str, at: int) -> None:
    def records(pieces: list[bytes]) -> tuple[list[tuple[int, list[str]]], list[tuple[int, str]]]:
        rest, line, found, problems = b"", 1, [], []
        for place, piece in enumerate(pieces):
            rest += piece
            part = cut(rest, delimiter=delimiter, quote='"', line=line, final=place == len(pieces) - 1)
            for index in range(len(part.starts)):
                cells = split_cells(part.text(index), delimiter=delimiter, quote='"')
                assert len(cells) == part.cells[index]
                found.append((int(part.lines[index]), cells))
            problems += [(problem.row, problem.text) for problem in part.problems]
            rest, line = rest[part.used :], part.next_line
        return found, problems

    assert records([text[:at].encode(), text[at:].encode()]) == records([text.encode()])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300) | st.text(st.sampled_from('ab1,;\t"\n\r .'), max_size=200).map(str.encode))
def test_any_bytes_give_rows_or_problems_or_a_clear_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(content)
        try:
            batches = list(sources.csv(path).batches())
        except sources_errors() as error:
            assert "x.csv" in str(error)
            return
    for batch in batches:
        assert batch.rows.num_rows == len(batch.row_numbers)
        assert len(set(batch.rows.schema.names)) == batch.rows.num_columns
        assert np.all(np.diff(batch.row_numbers) > 0)


def sources_errors() -> tuple[type[Exception], ...]:
    from twinlab.errors import SchemaError, SourceError

    return (SchemaError, SourceError)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(LETTERS, max_size=6)
)
OBJECTS = st.dictionaries(st.text(st.sampled_from("abc.é "), min_size=1, max_size=3), SCALARS, max_size=4)


@settings(deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=12))
def test_json_values_come_back_as_they_were_written(records: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        columns, rows, problems = merge(sources.json_lines(path).batches())
    assert not problems
    assert rows == list(range(1, len(records) + 1))
    for index, record in enumerate(records):
        for name, value in record.items():
            found = columns[name][index]
            text = columns.get(name + T, [None] * len(rows))[index]
            if value is None or value == "":
                assert found is None
                assert text is None
            elif found is None:
                assert text == spelt(value)
            elif isinstance(found, str):
                assert found == spelt(value)
            elif isinstance(value, str):
                assert found == float(value)
            else:
                assert found == value


def spelt(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
