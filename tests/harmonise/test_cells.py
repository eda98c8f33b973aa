"""Columns as cells: texts without blanks at their ends, and numbers."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.harmonise.cells import as_cells, as_texts, parse_number

WORDS = st.none() | st.sampled_from(
    ["", " ", "4.5", " 4.5", "1:30", "2024-05-01 10:00", "\u20094", "a\u00a0", "é", "x"]
)


@given(st.lists(WORDS), st.integers(0, 3))
def test_texts_are_trimmed_wherever_the_column_begins(texts, start):
    got = as_texts(pa.array(texts, pa.string()).slice(start)).to_pylist()
    trimmed = pc.utf8_trim_whitespace(pa.array(texts[start:], pa.string())).to_pylist()
    assert got == [text or None for text in trimmed]


@given(st.lists(WORDS))
def test_each_text_is_read_as_a_number_by_itself(texts):
    want = [math.nan if text is None else parse_number(text) for text in texts]
    for array in (pa.array(texts, pa.string()), pa.array(texts, pa.string()).dictionary_encode()):
        np.testing.assert_array_equal(as_cells(array).number, want)


@pytest.mark.parametrize("hidden", [b"xx", b""])
def test_what_lies_under_an_absent_text_does_not_matter(hidden):
    ends = np.cumsum([0, 1, len(hidden), 1], dtype=np.int32)
    valid = pa.py_buffer(bytes([0b101]))
    array = pa.Array.from_buffers(pa.string(), 3, [valid, pa.py_buffer(ends), pa.py_buffer(b"a" + hidden + b"b")])
    assert as_texts(array).to_pylist() == ["a", None, "b"]
    empty = pa.Array.from_buffers(
        pa.string(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(ends[[0, 0, 2]]), array.buffers()[2]]
    )
    assert as_texts(empty).to_pylist() == [None, None]
