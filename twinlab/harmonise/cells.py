"""Columns of a frame as numbers, texts and times, whatever their Arrow type."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.harmonise.claims import NAT, Bools, Floats, FrameLike, Ints
from twinlab.harmonise.findings import Findings
from twinlab.model.basics import is_pattern
from twinlab.model.schema import TEXT_SUFFIX
from twinlab.model.terms import nearest

__all__ = ["Cells", "MissingCodes", "Rows", "encode", "parse_number", "plain_texts"]


class MissingCodes:
    """The numbers and texts that mean "no value" in a column; a text that is a number is both."""

    def __init__(self, codes: Sequence[float | str]) -> None:
        self._patterns = [re.compile(code[1:-1]) for code in codes if is_pattern(code)]
        plain = [code for code in codes if not is_pattern(code)]
        self.texts = frozenset(map(str, plain))
        self.numbers = [number for code in plain if not math.isnan(number := _as_float(code))]

    def __bool__(self) -> bool:
        """Return whether there are any codes."""
        return bool(self.texts or self._patterns)

    def among(self, terms: Sequence[str]) -> list[bool]:
        """Return for each text whether it means "no value".

        >>> MissingCodes([-9999, "n/a", "/^See /"]).among(["-9999", "n/a", "See ASN-93", "4"])
        [True, True, True, False]
        """
        return [term in self.texts or any(pattern.search(term) for pattern in self._patterns) for term in terms]


def _as_float(code: float | str) -> float:
    try:
        return float(code)
    except ValueError:
        return math.nan


@dataclass(frozen=True, slots=True)
class Cells:
    """One column: each cell is a number, a text, both (a text that is a number), a time, or empty."""

    # float64[n]; NaN where the cell isn't a number.
    number: Floats
    # string[n], or a dictionary of texts; null where the cell is a number or empty. None if all are null.
    text: pa.Array | None
    # int64[n] ns on the source's clock, NAT elsewhere; None unless the column has a date or time type.
    time: Ints | None = None

    @property
    def empty(self) -> Bools:
        """bool[n]: the cell is empty."""
        mask = np.isnan(self.number)
        if self.text is not None:
            mask &= self.text.is_null().to_numpy(zero_copy_only=False)
        return mask if self.time is None else mask & (self.time == NAT)


def parse_number(text: str) -> float:
    """Return the number that a text represents; NaN if it is no number or isn't finite.

    >>> parse_number(" 12.5 "), parse_number("12 or so")
    (12.5, nan)
    """
    try:
        number = float(text.replace("\u2212", "-"))
    except ValueError:
        return math.nan
    return number if math.isfinite(number) and "_" not in text else math.nan


def encode(texts: pa.Array) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return ``(codes, terms)``: codes int64[n], -1 where null; terms in order of first appearance.

    >>> codes, terms = encode(pa.array(["b", None, "a", "b"]))
    >>> codes.tolist(), terms
    ([0, -1, 1, 0], ['b', 'a'])
    """
    encoded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return codes, encoded.dictionary.to_pylist()


class Rows:
    """The rows of one frame of records."""

    def __init__(self, frame: FrameLike) -> None:
        # Texts that repeat may be dictionaries, as the ledger stores them.
        encoded = getattr(frame, "encoded_batch", None)
        self.batch = encoded() if callable(encoded) else frame.batch()
        self.table = frame.record_type or ""
        # Folder and name of the file, "north/log.csv"; None for rows that aren't from a file.
        self.path: str | None = getattr(frame, "path", None)
        self.count = self.batch.num_rows
        self.ordinals = np.asarray(frame.ordinals(), dtype=np.int64)
        numbers = getattr(frame, "row_numbers", None)
        numbers = numbers() if callable(numbers) else numbers
        self.row_numbers = None if numbers is None else np.asarray(numbers, dtype=np.int64)
        keys = getattr(frame, "keys", None)
        keys = keys() if callable(keys) else None
        # object[n]: identities given by the source, or None.
        self.keys = None if keys is None else np.array(keys.to_pylist(), dtype=object)
        gone = getattr(frame, "retracts", None)
        # bool[n]: rows that withdraw an earlier one; None if none does.
        self.retracts: Bools | None = gone() if callable(gone) else None
        self.findings = Findings(self.ordinals if self.row_numbers is None else self.row_numbers)
        self.names = [name for name in self.batch.schema.names if not name.endswith(TEXT_SUFFIX)]
        self._known = set(self.batch.schema.names)
        self._cells: dict[str, Cells] = {}
        self._texts: dict[str, pa.Array] = {}

    def select(self, mask: Bools) -> Rows:
        """Return the rows of ``mask`` (bool[n]), with findings of their own."""
        part = copy.copy(self)
        part.batch = self.batch.filter(pa.array(mask))
        part.count = part.batch.num_rows
        part.ordinals = self.ordinals[mask]
        part.row_numbers = None if self.row_numbers is None else self.row_numbers[mask]
        part.keys = None if self.keys is None else self.keys[mask]
        part.retracts = None if self.retracts is None else self.retracts[mask]
        part.findings = self.findings.select(mask)
        part._cells, part._texts = {}, {}  # noqa: SLF001  (a copy of itself)
        return part

    def has(self, name: str) -> bool:
        """Whether the table has this column; if not, it is reported with the nearest column."""
        if name in self._known:
            return True
        message = f"the mapping names the column {name!r}, which the table {self.table!r} doesn't have" + nearest(
            name, self.names
        )
        self.findings.unknown_term(f"column {name!r}", self.count, message)
        return False

    def array(self, name: str) -> pa.Array:
        """Return the column with its original type, or as a dictionary of texts; nulls if there is none."""
        return self.batch.column(name) if self.has(name) else pa.nulls(self.count, pa.string())

    def cells(self, name: str) -> Cells:
        """Return a column's cells as numbers, texts and times."""
        if name not in self._cells:
            cells = as_cells(self.array(name))
            extra = name + TEXT_SUFFIX
            if extra in self._known:
                cells = _with_texts(cells, as_cells(self.array(extra)))
            self._cells[name] = cells
        return self._cells[name]

    def without_codes(self, name: str, codes: Sequence[float | str]) -> Cells:
        """Return a column's cells; those equal to one of ``codes`` are empty."""
        cells = self.cells(name)
        if not codes:
            return cells
        none = MissingCodes(codes)
        is_code = np.isin(cells.number, [number for number in none.numbers if math.isfinite(number)])
        if cells.text is not None:
            where, terms = encode(cells.text)
            is_code |= np.array([*none.among(terms), False])[where]
        null = pa.scalar(None, pa.string())
        text = None if cells.text is None else pc.if_else(pa.array(is_code), null, plain_texts(cells.text))
        return Cells(np.where(is_code, np.nan, cells.number), text, cells.time)

    def texts(self, name: str) -> pa.Array:
        """Return a column's cells as text: trimmed, whole numbers without a decimal point, null where empty.

        string[n], or a dictionary of texts: `encode` reads both.
        """
        if name not in self._texts:
            texts = as_texts(self.array(name))
            extra = name + TEXT_SUFFIX
            if extra in self._known:
                texts = pc.coalesce(plain_texts(texts), plain_texts(as_texts(self.array(extra))))
            self._texts[name] = texts
        return self._texts[name]

    def joined(self, names: Sequence[str]) -> pa.Array:
        """Return the texts of several columns joined by " | ", for reports of problems."""
        texts = [pc.fill_null(plain_texts(self.texts(name)), "") for name in names]
        return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, " | ")


def plain_texts(array: pa.Array) -> pa.Array:
    """Return a column without a dictionary.

    >>> str(plain_texts(pa.array(["a", "a"]).dictionary_encode()).type)
    'string'
    """
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _with_texts(cells: Cells, extra: Cells) -> Cells:
    number = np.where(np.isnan(cells.number), extra.number, cells.number)
    text = (
        extra.text
        if cells.text is None
        else (cells.text if extra.text is None else pc.coalesce(plain_texts(cells.text), plain_texts(extra.text)))
    )
    return Cells(number, text, cells.time)


def as_cells(array: pa.Array) -> Cells:
    """Return an Arrow column as cells; all types that sources produce are supported.

    >>> as_cells(pa.array(["4.5", "off"])).number.tolist()
    [4.5, nan]
    """
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Cells(np.full(len(array), np.nan), None, to_nanoseconds(array))
    if pa.types.is_boolean(kind):
        return Cells(_floats(pc.cast(array, pa.int8())), as_texts(array))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Cells(_floats(array), None)
    text = as_texts(array)
    return Cells(_numbers(text), None if text.null_count == len(text) else text)


def _floats(array: pa.Array) -> Floats:
    # Infinity isn't replaced: such a cell isn't empty, and it isn't a valid value either.
    floats: Floats = pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return floats


#: Between these are the visible characters of ASCII.
_BLANK, _DELETE = 32, 127
#: In a date or a clock time, never in a number.
_NO_NUMBER = r"[:/]|[0-9]-[0-9]"


def _numbers(text: pa.Array) -> Floats:
    # Times that don't repeat: to encode them would take longer than to read them.
    if not pa.types.is_dictionary(text.type) and pc.all(pc.match_substring(text, ":")).as_py():
        return np.full(len(text), math.nan)
    codes, terms = encode(text)
    no_number = pc.match_substring_regex(pa.array(terms, pa.string()), _NO_NUMBER).to_pylist()
    numbers = [math.nan if no else parse_number(term) for term, no in zip(terms, no_number, strict=True)]
    return np.array([*numbers, math.nan])[codes]


def as_texts(array: pa.Array) -> pa.Array:
    """Return a column of any type as trimmed text; null where empty.

    >>> as_texts(pa.array([7.0, 0.25])).to_pylist(), as_texts(pa.array([" a ", ""])).to_pylist()
    (['7', '0.25'], ['a', None])
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _encoded_texts(array)
    if pa.types.is_floating(kind):
        return _float_texts(array)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return pc.cast(array, pa.string())
    if _is_trimmed(array):
        return array
    text = pc.utf8_trim_whitespace(pc.cast(array, pa.string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _is_trimmed(array: pa.Array) -> bool:
    """Return whether it is quickly seen that no text is empty, or begins or ends with something else than visible ASCII."""
    if not pa.types.is_string(array.type) or not len(array):
        return False
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    first, last = ends[:-1], ends[1:] - 1
    if array.null_count:
        valid = array.is_valid().to_numpy(zero_copy_only=False)
        first, last = first[valid], last[valid]
    if not len(first) or (last < first).any():
        return False
    characters = np.frombuffer(data, dtype=np.uint8)
    edges = characters[np.concatenate([first, last])]
    return bool((edges > _BLANK).all() and (edges < _DELETE).all())


def _encoded_texts(array: pa.DictionaryArray) -> pa.Array:
    """Return a dictionary of texts with trimmed texts, each once."""
    terms = as_texts(array.dictionary)
    if terms.null_count or len(terms) != pc.count_distinct(terms).as_py():
        return as_texts(array.dictionary_decode()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(array.indices, terms)


def _float_texts(array: pa.Array) -> pa.Array:
    floats = array.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    none = np.isnan(floats)
    with np.errstate(invalid="ignore"):
        whole = none | ((floats == np.floor(floats)) & (np.abs(floats) < 2**53))
    if whole.all():
        return pc.cast(pa.array(np.where(none, 0, floats).astype(np.int64), mask=none), pa.string())
    # Each distinct number once: a sensor repeats its values.
    encoded = pa.array(floats, mask=none).dictionary_encode()
    texts = [
        (str(int(x)) if x == math.floor(x) and abs(x) < 2**53 else repr(x)) if math.isfinite(x) else str(x)
        for x in encoded.dictionary.to_pylist()
    ]
    return pa.array(texts, pa.string()).take(encoded.indices)


_UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def to_nanoseconds(array: pa.Array) -> Ints:
    """Return dates or timestamps as int64 ns; NAT where null or outside the range of int64 ns (1677 to 2262).

    >>> to_nanoseconds(pa.array([86400], pa.timestamp("s"))).tolist()
    [86400000000000]
    """
    if pa.types.is_date(array.type):
        array = pc.cast(array, pa.timestamp("ms"))
    factor = _UNITS[array.type.unit]
    raw = pc.cast(array, pa.int64()).fill_null(NAT).to_numpy(zero_copy_only=False)
    reach = np.iinfo(np.int64).max // factor
    fits = (raw >= -reach) & (raw <= reach)
    return np.where(fits, np.where(fits, raw, 0) * factor, NAT)
