"""Text to numbers, whole columns at once, without changing a digit; other cells stay text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["NOT_AVAILABLE", "PLAIN", "Numerals", "Parsed", "parse_numbers"]

#: Texts that mean "no value" in a column of numbers. They stay text (the mapping defines their meaning), but don't count
#: when the type of the column is determined.
_NOT_AVAILABLE_TEXT = (
    "na|n/a|#n/a|nan|null|none|nil|-|--|---|missing|m|mm|?|.|*|#ref!|#div/0!|#value!|#name?|#num!|#null!|#getting_data"
    "|#n/a n/a|1.#qnan|-1.#ind|1.#inf|inf|-inf|+inf|err|error|bad|offline|(null)|<na>|k.a.|k. a."
)
NOT_AVAILABLE = frozenset(_NOT_AVAILABLE_TEXT.split("|"))

_DIGIT_STARTS = np.zeros(256, dtype=bool)
_DIGIT_STARTS[list(b"0123456789+-.")] = True


@dataclass(frozen=True)
class Numerals:
    """Format of numbers."""

    decimal: str = "."
    thousands: str = ""

    @property
    def plain(self) -> bool:
        """Whether numbers have Python's format."""
        return self.decimal == "." and not self.thousands


#: Python's format.
PLAIN = Numerals()


@dataclass(frozen=True)
class Parsed:
    """A column of text read as numbers."""

    values: pa.Array
    """int64 or float64; null where the cell is empty or isn't a number."""
    text: pa.Array
    """Text of cells that aren't numbers; null elsewhere."""

    @property
    def whole(self) -> bool:
        """Whether all numbers are whole."""
        return bool(pa.types.is_int64(self.values.type))


def parse_numbers(cells: pa.Array, numerals: Numerals) -> Parsed:
    """Read a string array as numbers.

    A cell is a number if it has the format ``numerals``, no leading zero ("007" is text), and is finite; blanks around
    it are ignored. Whole numbers of more than 18 digits (15 among fractions) stay text, because digits would be lost.
    The values equal Python's ``float`` of the normalised text.
    """
    if numerals.plain:
        likely, odd = _likely(cells)
        if not odd:
            fast = _cast(likely)
            if fast is not None:
                rest = pc.if_else(pc.is_valid(fast), pa.scalar(None, pa.string()), cells)
                return Parsed(fast, rest)
    return _careful(cells, numerals)


def _likely(cells: pa.Array) -> tuple[pa.Array, bool]:
    """Return the cells with null where they don't start like a number, and whether one has a leading zero."""
    size = len(cells)
    if cells.null_count == size:
        return cells, False
    buffers = cells.buffers()
    offsets = np.frombuffer(buffers[1], dtype=np.int32, count=size + 1 + cells.offset)[cells.offset :]
    bytes_ = np.frombuffer(buffers[2], dtype=np.uint8) if buffers[2] is not None else np.zeros(0, np.uint8)
    if not len(bytes_):
        return cells, False
    last = len(bytes_) - 1
    start, lengths = offsets[:-1], np.diff(offsets)
    first = bytes_[np.minimum(start, last)]
    signed = (first == 43) | (first == 45)
    lead = np.where(signed, bytes_[np.minimum(start + 1, last)], first)
    follow = bytes_[np.minimum(start + 1 + signed, last)]
    zero = (lead == 48) & (lengths > 1 + signed) & (follow != 46) & (lengths > 0)
    blank = (first == 32) | (first > 127) | (first < 32) | (first == 43)
    if bool((zero | (blank & (lengths > 0))).any()) or (bool((lengths > 15).any()) and _long_whole(cells)):
        return cells, True
    keep = _DIGIT_STARTS[first] & (lengths > 0)
    if keep.all():
        return cells, False
    return pc.if_else(pa.array(keep), cells, pa.scalar(None, pa.string())), False


def _long_whole(cells: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring_regex(cells, r"^[+-]?\d{16,}$")).as_py())


def _cast(cells: pa.Array) -> pa.Array | None:
    """Return the cells as int64 or float64; None if another text is among them.

    The characters show which cast can succeed. A cast that fails takes half a microsecond for each cell.
    """
    others = _text_bytes(cells).translate(None, b"0123456789")
    if others.translate(None, b"+-.eE"):
        return None
    for kind in (pa.float64(),) if others.translate(None, b"+-") else (pa.int64(), pa.float64()):
        try:
            values = cells.cast(kind)
        except pa.ArrowInvalid:
            continue
        if pa.types.is_float64(kind) and bool(pc.any(pc.invert(pc.is_finite(values))).as_py()):
            return None
        return values
    return None


def _text_bytes(cells: pa.Array) -> bytes:
    """Return the bytes of all cells that aren't null, one after another."""
    cells = cells.drop_null() if cells.null_count else cells
    _, offsets, data = cells.buffers()
    if data is None or not len(cells):
        return b""
    ends = np.frombuffer(offsets, dtype=np.int32, count=len(cells) + 1 + cells.offset)
    return bytes(memoryview(data)[int(ends[cells.offset]) : int(ends[-1])])


@cache
def _pattern(numerals: Numerals) -> str:
    whole = r"\d+"
    if numerals.thousands:
        # There are several characters for a space between groups, and two for an apostrophe.
        group = {" ": "[ \u00a0\u202f\u2009]", "'": "['\u2019]"}.get(numerals.thousands, re.escape(numerals.thousands))
        whole = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)"
    point = re.escape(numerals.decimal)
    return rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"


def _careful(cells: pa.Array, numerals: Numerals) -> Parsed:
    null = pa.scalar(None, pa.string())
    trimmed = pc.utf8_trim_whitespace(cells)
    good = pc.and_(
        pc.match_substring_regex(trimmed, _pattern(numerals)),
        pc.invert(pc.match_substring_regex(trimmed, r"^[+-]?0\d")),
    )
    digits = pc.if_else(good, trimmed, null)
    if numerals.thousands:
        digits = pc.replace_substring_regex(
            digits, "[ \u00a0\u202f\u2009'\u2019" + re.escape(numerals.thousands) + "]", ""
        )
    if numerals.decimal != ".":
        digits = pc.replace_substring(digits, numerals.decimal, ".")
    digits = pc.replace_substring_regex(digits, r"^\+", "")
    # numpy's bool mask: too long a whole number would lose digits
    fraction = pc.any(pc.match_substring_regex(digits, "[.eE]")).as_py()
    exact = pc.invert(pc.match_substring_regex(digits, r"^-?\d{16,}$" if fraction else r"^-?\d{19,}$"))
    digits = pc.if_else(exact, digits, null)
    values = digits.cast(pa.float64() if fraction else pa.int64())
    if fraction:
        values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))
    lost = pc.and_(pc.is_null(values), pc.is_valid(cells))
    return Parsed(values, pc.if_else(lost, cells, null))


def float_column(parsed: Parsed) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Return the values as float64, and which whole numbers are too long to be exact in it."""
    if not parsed.whole:
        return parsed.values, np.zeros(len(parsed.values), dtype=bool)
    values = parsed.values
    long = pc.greater(pc.abs(values), pa.scalar(10**15 - 1, pa.int64())).fill_null(fill_value=False)
    mask = long.to_numpy(zero_copy_only=False)
    if mask.any():
        values = pc.if_else(long, pa.scalar(None, pa.int64()), values)
    return values.cast(pa.float64()), mask


def number_test(numerals: Numerals) -> Callable[[str], bool]:
    """Return a function that returns whether a cell is a number (leading zeros included)."""
    matcher = re.compile(_pattern(numerals))
    return lambda cell: matcher.match(cell.strip()) is not None
