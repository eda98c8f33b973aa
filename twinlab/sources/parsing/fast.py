"""Read blocks of rows straight into numbers, where that provably gives what `numerals` gives; else say so.

PyArrow reads some cells as numbers that are texts here: leading zeros ("007"), hexadecimals, "nan" and "inf", and whole
numbers with too many digits for their type. A block with any of these, or with quotes or blanks around cells, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from twinlab.sources.parsing.columns import Kind
from twinlab.sources.parsing.numerals import Numerals

__all__ = ["read_numbers"]

Ints = npt.NDArray[np.int64]

_LF, _ZERO, _MINUS, _PLUS, _BLANK = 10, 48, 45, 43, 32
_PIECE = 1 << 17
#: After a leading zero: a digit, or the x of a hexadecimal.
_LED = np.zeros(256, dtype=bool)
_LED[list(b"0123456789xX")] = True
#: Whole numbers from which text is kept: digits beyond a float's, and beyond 18.
_LIMITS = {"fraction": 1e15, "whole": 10**18}


def read_numbers(
    data: bytes,
    names: Sequence[str],
    kinds: Mapping[str, Kind | None],
    *,
    delimiter: str,
    quote: str,
    numerals: Numerals,
    missing: Sequence[str] = (),
) -> list[pa.Array] | None:
    """Return the columns of rows, numbers as int64 or float64 and texts as strings, empty cells null; None if refused.

    Parameters
    ----------
    data : bytes
        UTF-8, whole rows that all have a cell for each name.
    names : sequence of str
        Names of the columns, which are unique.
    kinds : mapping of str to Kind or None
        Types of the columns; None for a column that was empty so far, and is refused unless it is empty here, too.
    delimiter, quote, numerals, missing
        As `twinlab.sources.Reading` has them.
    """
    numbers = [place for place, name in enumerate(names) if kinds.get(name) in _LIMITS]
    if not numbers or len(delimiter) != 1 or delimiter == " " or not delimiter.isascii() or numerals.thousands:
        return None
    if (quote and quote.encode() in data) or (delimiter != "\t" and b"\t" in data):
        return None
    if b"\r" in data and b"\r" in data.replace(b"\r\n", b""):
        return None
    if _odd_cells(data, delimiter, set(numbers)):
        return None
    types = {
        name: {"whole": pa.int64(), "fraction": pa.float64()}.get(str(kinds.get(name)), pa.string()) for name in names
    }
    try:
        table = pacsv.read_csv(
            pa.py_buffer(data),
            read_options=pacsv.ReadOptions(use_threads=False, block_size=len(data) + 64, column_names=list(names)),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, quote_char=False, newlines_in_values=False),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                null_values=["", *missing],
                strings_can_be_null=True,
                decimal_point=numerals.decimal,
            ),
        )
    except pa.ArrowInvalid:
        return None
    columns = [column.combine_chunks() for column in table.columns]
    if any(_loses(columns[place], str(kinds[names[place]])) for place in numbers):
        return None
    if any(kinds.get(name) is None and one.null_count < len(one) for name, one in zip(names, columns, strict=True)):
        return None
    return columns


def _loses(column: pa.Array, kind: str) -> bool:
    """Return whether a column of numbers has one that isn't finite, or too large to be exact."""
    extremes = pc.min_max(column)
    low, high = extremes["min"].as_py(), extremes["max"].as_py()
    if low is None:
        return False
    limit = _LIMITS[kind]
    # NaN doesn't take part in minimum and maximum.
    return not (-limit < low and high < limit) or (kind == "fraction" and bool(pc.any(pc.is_nan(column)).as_py()))


def _odd_cells(data: bytes, delimiter: str, numbers: set[int]) -> bool:
    """Return whether a cell begins with a blank, or one of a column of numbers with a zero before a digit.

    In pieces that fit the processor's cache: the passes over a whole block would take most of the time of reading it.
    """
    whole = np.frombuffer(b"\n" + data + b"\n", dtype=np.uint8)
    found = []
    for low in range(0, len(whole) - 1, _PIECE):
        piece = whole[low : low + _PIECE + 1]
        cuts = (piece[:-1] == ord(delimiter)) | (piece[:-1] == _LF)
        if (cuts & (piece[1:] == _BLANK)).any():
            return True
        found.append(np.flatnonzero(cuts & (piece[1:] == _ZERO)) + low + 1)
        signed = np.flatnonzero(cuts & ((piece[1:] == _MINUS) | (piece[1:] == _PLUS))) + low + 2
        found.append(signed[whole[np.minimum(signed, len(whole) - 1)] == _ZERO])
    zeros = np.concatenate(found)
    zeros = zeros[_LED[whole[zeros + 1]]]
    if not len(zeros):
        return False
    # Only cells of numbers matter: the column is the number of cuts since the row's start, which is one.
    ends = whole == _LF
    cells = np.cumsum((whole == ord(delimiter)) | ends, dtype=np.int32)
    rows, before = cells[ends], cells[zeros]
    column = before - rows[np.searchsorted(rows, before, side="right") - 1]
    return bool(np.isin(column, list(numbers)).any())
