"""Record frames: the rows of a table as their source names them, self-contained Arrow IPC, compressed by zstd."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.errors import SchemaError

__all__ = ["KEY", "ROW", "Records", "decode", "encode"]

#: Columns that stand beside the source's own within a frame; the unit separator keeps them apart from any name.
ROW, KEY = "\u241frow", "\u241fkey"


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of one table, ready to be appended: what `append_records` takes."""

    record_type: str
    rows: pa.RecordBatch
    row_numbers: npt.NDArray[np.int64] | None = None
    """Row in the file as a person counts them, shape (n,)."""
    file_id: str | None = None
    units: Mapping[str, str] | None = None
    keys: Sequence[str | None] | None = None


def encode(records: Records) -> tuple[bytes, bytes]:
    """Return payload and meta of a frame.

    Raises
    ------
    SchemaError
        If lengths differ, or a column has a reserved name.
    """
    rows = records.rows
    meta: dict[str, object] = {"units": dict(records.units)} if records.units else {}
    arrays, fields = list(rows.columns), list(rows.schema)
    for taken in (ROW, KEY):
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
    schema = pa.schema(fields, metadata=rows.schema.metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    packed = json.dumps(meta, ensure_ascii=False, separators=(",", ":")).encode() if meta else b""
    return sink.getvalue().to_pybytes(), packed


def _same_length(name: str, got: int, want: int) -> None:
    if got != want:
        msg = f"{name}: expected one for each of the {want} rows, got {got}. Pass as many as there are rows."
        raise SchemaError(msg)


def decode(payload: bytes) -> pa.RecordBatch:
    """Unpack all columns of a frame, `ROW` and `KEY` among them if they were stored."""
    # Callers run in parallel by frame; a pool within a pool only waits.
    options = pa.ipc.IpcReadOptions(use_threads=False)
    with pa.ipc.open_stream(pa.py_buffer(payload), options=options) as stream:
        return stream.read_next_batch()
