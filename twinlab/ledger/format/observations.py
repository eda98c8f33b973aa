"""Observation frames: the columns of ``model.schema.OBSERVATIONS``, each packed separately.

A column that is absent or all null takes no bytes, a constant one ten.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.errors import SchemaError
from twinlab.ledger.format import codec, selection
from twinlab.ledger.format.dictionaries import Tables
from twinlab.model.schema import OBSERVATIONS, TIME_BASES

__all__ = ["Packed", "conform", "decode", "encode", "rows_of_tags", "stored_columns", "take"]

_COLUMN = struct.Struct("<BBI")
_PLAIN, _WITH_NULLS, _USUAL = 0, 1, 2
_NAMES = tuple(OBSERVATIONS.names)
_DICTIONARIES = frozenset(n for n in _NAMES if pa.types.is_dictionary(OBSERVATIONS.field(n).type))
_TEXTS = frozenset(n for n in _NAMES if pa.types.is_string(OBSERVATIONS.field(n).type))


def conform(batch: pa.RecordBatch, check: Callable[[pa.Array], None] | None = None) -> dict[str, pa.Array]:
    """Check a batch against the ledger's schema and return its columns, cast where the cast is exact.

    ``check`` gets the tags and raises an error if one mustn't be stored.

    A ``source_time`` of type timestamp becomes nanoseconds; if it has a zone, it is an instant and its ``time_basis`` "utc".

    Raises
    ------
    SchemaError
        If a column is unknown or can't be cast, or ``tag`` or ``source_time`` is missing or null, or an instant has
        the basis of a local clock.
    """
    columns: dict[str, pa.Array] = {}
    for name in batch.schema.names:
        if name not in _NAMES or name in columns:
            msg = f"column {name!r}: expected each of {', '.join(_NAMES)} at most once. Rename or drop the column."
            raise SchemaError(msg)
        column, want = batch.column(name), OBSERVATIONS.field(name).type
        if column.type != want:
            try:
                column = _cast(column, want)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                msg = f"column {name!r}: expected {want}, got {batch.column(name).type} ({error}). Cast it before appending."
                raise SchemaError(msg) from error
        columns[name] = column
    _add_basis(batch, columns)
    bases = columns["time_basis"].dictionary.to_pylist() if "time_basis" in columns else ()
    unknown = sorted({b for b in bases if b is not None} - set(TIME_BASES))
    if unknown:
        msg = f"column 'time_basis': expected one of {', '.join(TIME_BASES)}, got {unknown[0]!r}. Name the clock of the times."
        raise SchemaError(msg)
    for name in ("tag", "source_time"):
        if name not in columns or columns[name].null_count:
            msg = f"column {name!r}: expected a value in every row, got none in some. Every observation has a tag and a time."
            raise SchemaError(msg)
    if check is not None:
        check(columns["tag"])
    return columns


def _cast(column: pa.Array, want: pa.DataType) -> pa.Array:
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), want)
    if pa.types.is_timestamp(kind) and pa.types.is_int64(want):
        # Of any other unit, the plain cast would keep the number.
        return column.cast(pa.timestamp("ns", kind.tz)).cast(want)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string()).cast(want)
    return column.cast(want)


def _add_basis(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> None:
    """State that times with a zone are UTC instants."""
    times = batch.column("source_time") if "source_time" in columns else None
    if times is None or not pa.types.is_timestamp(times.type) or times.type.tz is None:
        return
    want = OBSERVATIONS.field("time_basis").type
    if "time_basis" not in columns:
        columns["time_basis"] = pa.array(["utc"] * len(times)).cast(want)
    elif not set(columns["time_basis"].to_pylist()) <= {"utc", "offset"}:
        msg = "column 'time_basis': expected utc in every row, because the times have a zone. Leave the column out."
        raise SchemaError(msg)


class Packed:
    """Result of `encode`: the payload, which tag ids occur, and the time range."""

    __slots__ = ("payload", "tags", "time_high", "time_low")

    def __init__(self, payload: bytes, tags: npt.NDArray[np.bool_], times: npt.NDArray[np.int64]) -> None:
        self.payload, self.tags = payload, tags
        self.time_low, self.time_high = int(times.min()), int(times.max())


def encode(columns: dict[str, pa.Array], tables: Tables) -> Packed:
    """Pack checked columns (see `conform`), all of the same length of at least one row."""
    tags = tables.codes("tag", columns["tag"])
    if tags.min() < 0:
        msg = "column 'tag': expected a text in every row, got a null in its dictionary. Every observation has a tag."
        raise SchemaError(msg)
    parts: list[bytes] = []
    for number, name in enumerate(_NAMES):
        column = columns.get(name)
        if column is None or column.null_count == len(column):
            continue
        form, body = _encode_column(name, column, tags, tables)
        parts += (_COLUMN.pack(number, form, len(body)), body)
    present = np.zeros(tables.size("tag"), dtype=np.bool_)
    present[tags] = True
    return Packed(b"".join(parts), present, columns["source_time"].to_numpy())


def _encode_column(name: str, column: pa.Array, tags: npt.NDArray[Any], tables: Tables) -> tuple[int, bytes]:
    if name == "tag":
        return _PLAIN, codec.encode_ints(tags)
    if name in _DICTIONARIES:
        codes = tables.codes(name, column)
        if name == "unit":
            usual = tables.usual_units(tags, codes)
            where = np.flatnonzero(usual != codes)
            if len(where) * 8 <= len(codes):
                places, others = codec.encode_ints(where), codec.encode_ints(codes[where])
                return _USUAL, struct.pack("<I", len(where)) + places + others
        return _PLAIN, codec.encode_ints(codes)
    form, head = _PLAIN, b""
    if column.null_count:
        form, head = _WITH_NULLS, codec.encode_bits(column.is_valid().to_numpy(zero_copy_only=False))
        column = column.fill_null("" if name in _TEXTS else 0)
    if name in _TEXTS:
        offsets, text = _text_buffers(column)
        return form, head + codec.encode_strings(offsets, text)
    numbers = column.to_numpy()
    if name == "value":
        return form, head + codec.encode_floats(numbers)
    return form, head + codec.encode_ints(numbers)


def _text_buffers(column: pa.Array) -> tuple[npt.NDArray[np.int32], bytes]:
    _, offsets, text = column.buffers()
    edges = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    if text is None or edges[0] == edges[-1]:
        return edges, b""
    return edges, text.slice(int(edges[0]), int(edges[-1] - edges[0])).to_pybytes()


def decode(payload: bytes, rows: int, tables: Tables, columns: Collection[str] | None) -> pa.RecordBatch:
    """Unpack ``rows`` rows of the named columns (None: all). Absent columns are null."""
    wanted = _NAMES if columns is None else tuple(n for n in _NAMES if n in columns)
    decoder = _Decoder(payload, rows, tables)
    schema = pa.schema([OBSERVATIONS.field(n) for n in wanted])
    return pa.RecordBatch.from_arrays([decoder.column(n) for n in wanted], schema=schema)


def stored_columns(payload: bytes) -> set[str]:
    """Return the columns that have a value: those without one aren't stored."""
    return set(_Decoder(payload, 0, Tables()).stored)


def rows_of_tags(payload: bytes, rows: int, tables: Tables, tags: Collection[int]) -> npt.NDArray[np.int64]:
    """Return the rows whose tag has one of some numbers, ascending."""
    return _Decoder(payload, rows, tables).rows_of_tags(tags)


def take(payload: bytes, rows: int, tables: Tables, at: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """Unpack all columns of some of ``rows`` rows: those of `decode`, without unpacking all rows of each."""
    decoder = _Decoder(payload, rows, tables)
    arrays = [decoder.taken(name, at) for name in _NAMES]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([OBSERVATIONS.field(n) for n in _NAMES]))


class _Decoder:
    """The columns of one payload."""

    def __init__(self, payload: bytes, rows: int, tables: Tables) -> None:
        self._data, self._rows, self._tables = memoryview(payload), rows, tables
        self._found: dict[str, tuple[int, int]] = {}
        self._tags: npt.NDArray[np.int64] | None = None
        at = 0
        while at < len(payload):
            number, form, size = _COLUMN.unpack_from(payload, at)
            self._found[_NAMES[number]] = (form, at + _COLUMN.size)
            at += _COLUMN.size + size

    @property
    def stored(self) -> Collection[str]:
        """Names of the columns that the payload has."""
        return self._found.keys()

    def column(self, name: str) -> pa.Array:
        want = OBSERVATIONS.field(name).type
        if name not in self._found:
            return pa.nulls(self._rows, want)
        form, at = self._found[name]
        if name in _DICTIONARIES:
            codes = self._tag_codes() if name == "tag" else self._codes(form, at)
            narrow = codes.astype(want.index_type.to_pandas_dtype(), copy=False)
            gaps = name != "tag" and codes.min() < 0
            indices = pa.array(narrow, mask=codes < 0) if gaps else pa.array(narrow)
            return pa.DictionaryArray.from_arrays(indices, self._tables.array(name))
        bitmap: pa.Buffer | None = None
        if form == _WITH_NULLS:
            bits, at = codec.decode_bits(self._data, at)
            bitmap = pa.py_buffer(bits)
        if name in _TEXTS:
            offsets, text, _ = codec.decode_strings(self._data, at, self._rows)
            return pa.Array.from_buffers(want, self._rows, [bitmap, pa.py_buffer(offsets), pa.py_buffer(text)])
        unpack = codec.decode_floats if name == "value" else codec.decode_ints
        numbers = unpack(self._data, at, self._rows)[0].astype(want.to_pandas_dtype(), copy=False)
        return pa.Array.from_buffers(want, self._rows, [bitmap, pa.py_buffer(numbers)])

    def rows_of_tags(self, tags: Collection[int]) -> npt.NDArray[np.int64]:
        """Return the rows with one of some tags."""
        return selection.find_ints(self._data, self._found["tag"][1], self._rows, tags)

    def taken(self, name: str, at: npt.NDArray[np.int64]) -> pa.Array:
        """Return some rows of a column."""
        want = OBSERVATIONS.field(name).type
        if name not in self._found:
            return pa.nulls(len(at), want)
        form, place = self._found[name]
        if form != _PLAIN or name in _TEXTS:
            return self.column(name).take(pa.array(at))
        unpack = selection.take_floats if name == "value" else selection.take_ints
        numbers = unpack(self._data, place, self._rows, at)
        if name not in _DICTIONARIES:
            return pa.array(numbers.astype(want.to_pandas_dtype(), copy=False), want)
        indices = pa.array(numbers.astype(want.index_type.to_pandas_dtype()), mask=numbers < 0)
        return pa.DictionaryArray.from_arrays(indices, self._tables.array(name))

    def _tag_codes(self) -> npt.NDArray[np.int64]:
        if self._tags is None:
            self._tags = codec.decode_ints(self._data, self._found["tag"][1], self._rows)[0]
        return self._tags

    def _codes(self, form: int, at: int) -> npt.NDArray[Any]:
        if form != _USUAL:
            return codec.decode_ints(self._data, at, self._rows)[0]
        count = struct.unpack_from("<I", self._data, at)[0]
        where, at = codec.decode_ints(self._data, at + 4, count)
        others, _ = codec.decode_ints(self._data, at, count)
        codes: npt.NDArray[Any] = self._tables.usual.take(self._tag_codes())
        codes[where] = others
        return codes
