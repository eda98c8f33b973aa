"""Record frames: rows of a table with the source's own columns, as Arrow IPC compressed by zstd."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.errors import SchemaError

__all__ = ["KEY", "RETRACTS", "ROW", "Records", "decode", "encode", "repeated", "without_dictionaries"]

#: Columns added to the source's own within a frame; their first character occurs in no other name.
ROW, KEY, RETRACTS = "\u241frow", "\u241fkey", "\u241fretracts"
#: A column of texts is stored as codes if at most this share of its texts is different, in its first rows and in all.
_MOST_DISTINCT, _SAMPLE = 0.25, 256


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of one table with their origin: the arguments of `Writer.append_records`."""

    record_type: str
    rows: pa.RecordBatch
    row_numbers: npt.NDArray[np.int64] | None = None
    """Row numbers in the file, counted from 1, shape (n,)."""
    file_id: str | None = None
    units: Mapping[str, str] | None = None
    keys: Sequence[str | None] | None = None
    path: str | None = None
    """Folder and name of the file, with a slash between them."""
    retracts: npt.NDArray[np.bool_] | None = None
    """Rows that withdraw an earlier row of the same identity, shape (n,); None if no row does."""

    def slice(self, low: int, count: int) -> Records:
        """Return ``count`` of the rows from ``low`` on."""
        numbers, keys, retracts = self.row_numbers, self.keys, self.retracts
        return replace(
            self,
            rows=self.rows.slice(low, count),
            row_numbers=None if numbers is None else numbers[low : low + count],
            keys=None if keys is None else keys[low : low + count],
            retracts=None if retracts is None else retracts[low : low + count],
        )


def encode(records: Records) -> tuple[bytes, bytes]:
    """Return the payload and the meta of a frame.

    Raises
    ------
    SchemaError
        If lengths differ, or a column has a reserved name.
    """
    rows = records.rows
    meta: dict[str, object] = {"units": dict(records.units)} if records.units else {}
    if records.path is not None:
        meta["path"] = records.path
    arrays, fields = list(rows.columns), list(rows.schema)
    for taken in (ROW, KEY, RETRACTS):
        if taken in rows.schema.names:
            msg = f"column {taken!r}: expected a name without the reserved mark. Rename the column."
            raise SchemaError(msg)
    if records.row_numbers is not None:
        numbers = np.asarray(records.row_numbers, dtype=np.int64)
        _same_length("row_numbers", len(numbers), rows.num_rows)
        if np.array_equal(numbers, np.arange(numbers[0], numbers[0] + len(numbers))):
            meta["rows_from"] = int(numbers[0])
        else:
            meta["row_range"] = [int(numbers.min()), int(numbers.max())]
            arrays.append(pa.array(numbers))
            fields.append(pa.field(ROW, pa.int64()))
    if records.keys is not None:
        _same_length("keys", len(records.keys), rows.num_rows)
        arrays.append(pa.array([None if k is None else str(k) for k in records.keys], pa.string()))
        fields.append(pa.field(KEY, pa.string()))
    if records.retracts is not None and records.retracts.any():
        _same_length("retracts", len(records.retracts), rows.num_rows)
        arrays.append(pa.array(records.retracts))
        fields.append(pa.field(RETRACTS, pa.bool_()))
    arrays = [repeated(array) for array in arrays]
    fields = [field.with_type(array.type) for field, array in zip(fields, arrays, strict=True)]
    schema = pa.schema(fields, metadata=rows.schema.metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    packed = json.dumps(meta, ensure_ascii=False, separators=(",", ":")).encode() if meta else b""
    return sink.getvalue().to_pybytes(), packed


def repeated(array: pa.Array) -> pa.Array:
    """Return a column of texts that repeat, such as ids and times of several assets, as codes and distinct texts."""
    if not pa.types.is_string(array.type) or len(array) < _SAMPLE:
        return array
    sample = pc.count_distinct(array.slice(0, _SAMPLE), mode="all").as_py()
    if sample > _MOST_DISTINCT * _SAMPLE:
        return array
    encoded = array.dictionary_encode()
    if len(encoded.dictionary) > _MOST_DISTINCT * len(array):
        return array
    codes = next(
        kind for kind in (pa.int8(), pa.int16(), pa.int32()) if len(encoded.dictionary) < 2 ** (kind.bit_width - 1)
    )
    return pa.DictionaryArray.from_arrays(encoded.indices.cast(codes), encoded.dictionary)


def without_dictionaries(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows as they were appended: texts that are stored as codes are texts again."""
    arrays = [array.dictionary_decode() if pa.types.is_dictionary(array.type) else array for array in rows.columns]
    return pa.RecordBatch.from_arrays(arrays, names=rows.schema.names)


def _same_length(name: str, got: int, want: int) -> None:
    if got != want:
        msg = f"{name}: expected one for each of the {want} rows, got {got}. Pass as many as there are rows."
        raise SchemaError(msg)


def decode(payload: bytes) -> pa.RecordBatch:
    """Unpack all columns of a frame, with `ROW`, `KEY` and `RETRACTS` if they were stored; texts that repeat are dictionaries."""
    # Callers decode frames in parallel; another thread pool would only add waiting.
    options = pa.ipc.IpcReadOptions(use_threads=False)
    with pa.ipc.open_stream(pa.py_buffer(payload), options=options) as stream:
        return stream.read_next_batch()
