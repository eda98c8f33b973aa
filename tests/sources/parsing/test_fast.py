"""Blocks that are read straight into numbers give what is read by way of texts, or aren't read so."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab import sources
from twinlab.sources import delimited
from twinlab.sources.parsing.fast import read_numbers
from twinlab.sources.parsing.numerals import PLAIN

CELLS = st.one_of(
    st.sampled_from(
        [
            "",
            "1",
            "-2",
            "3.5",
            "4,5",
            "0",
            "0.5",
            "-0.25",
            "007",
            "-01",
            "+5",
            "0x1F",
            "nan",
            "NaN",
            "inf",
            "-Inf",
            "1e5",
        ]
        + [
            "1E400",
            ".5",
            "5.",
            "1234567890123456",
            "123456789012345678901",
            "0.12345678901234567890",
            " 7",
            "8 ",
            "-",
            "x",
        ]
        + [
            "2024-01-01",
            "00:05",
            "1_000",
            "\u0663",
            "\u22125",
            "true",
            "NA",
            "2019",
            "a",
            "1e15",
            "999999999999999",
            "0b1",
        ]
    ),
    st.integers(-(10**19), 10**19).map(str),
    st.floats(allow_nan=False).map(repr),
    st.decimals(-9999, 9999, places=2).map(str),
)


def read(path: Path, block: int, **options: object) -> list[tuple[object, ...]]:
    source = replace(sources.csv(path, **options), block=block)
    return [
        (batch.rows.schema, batch.rows.to_pydict(), batch.row_numbers.tolist(), batch.problems, batch.empty_rows)
        for batch in source.batches()
    ]


@settings(max_examples=150)
@given(
    st.lists(st.lists(st.integers(0, 999).map(str), min_size=3, max_size=3), min_size=3, max_size=6),
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from([",", ";", "|"]),
    st.sampled_from([".", ","]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([["t", "a", "b"], ["t", "2019", "b"]]),
    st.integers(20, 200),
)
def test_numbers_read_at_once_equal_those_read_by_way_of_texts(
    first: list[list[str]],
    later: list[list[str]],
    delimiter: str,
    decimal: str,
    ending: str,
    header: list[str],
    block: int,
) -> None:
    rows = [header, *[[f"x{i}", *row[1:]] for i, row in enumerate(first)], *later, header]
    if delimiter == ",":
        rows = [[cell.replace(",", ";") for cell in row] for row in rows]
    options = {"delimiter": delimiter, "decimal": decimal, "header_rows": [1], "units_row": 0, "footer_rows": 0}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "x.csv"
        path.write_bytes("".join(delimiter.join(row) + ending for row in rows).encode())
        found = read(path, block, **options)
        patch.setattr(delimited, "read_numbers", lambda *_, **__: None)
        assert repr(found) == repr(read(path, block, **options))


def test_a_plain_file_is_read_straight_into_numbers_after_its_first_block(tmp_path: Path) -> None:
    taken = []
    path = tmp_path / "x.csv"
    path.write_text("time,unit,v,n\n" + "".join(f"00:{i % 60:02d},u{i % 3},{i}.5,{i}\n" for i in range(5000)))

    def noted(*given: object, **options: object) -> list[pa.Array] | None:
        taken.append(read_numbers(*given, **options))
        return taken[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "read_numbers", noted)
        batches = list(replace(sources.csv(path), block=8192).batches())
    assert len(taken) == len(batches) - 1 > 5
    assert None not in taken
    assert [value for batch in batches for value in batch.rows["n"].to_pylist()] == list(range(5000))


@pytest.mark.parametrize(
    "cell", ["007", "-01", "0x1F", "nan", "inf", "1e400", "1000000000000000", " 1", "x", '"1"', "+05"]
)
def test_a_block_with_a_cell_that_would_be_read_otherwise_is_refused(cell: str) -> None:
    options = {"delimiter": ",", "quote": '"', "numerals": PLAIN}
    kinds = {"a": "text", "b": "fraction"}
    assert read_numbers(b"007,1.5\n,2\n", ["a", "b"], kinds, **options) is not None
    assert read_numbers(b"007,1.5\n" + f"x,{cell}\n".encode(), ["a", "b"], kinds, **options) is None
