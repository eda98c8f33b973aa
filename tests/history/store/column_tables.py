"""Writes tables as versions before 0.2 stored them: an array a column. Only tests of what such histories hold use it."""

from __future__ import annotations

import base64
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numcodecs import Zstd


def stored_columns(number, column):
    """Yield the arrays of a column: its numbers or codes, its dictionary, its mask of nulls."""
    kind = column.type
    if column.null_count:
        yield f"{number}_null", pc.is_null(column).to_numpy(zero_copy_only=False).astype("uint8")
    if pa.types.is_null(kind):
        return
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind):
        coded = column.dictionary_encode()
        yield f"{number}_code", coded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype("int32")
        texts = [text.encode() for text in coded.dictionary.to_pylist()]
        yield f"{number}_text", np.frombuffer(b"".join(texts), dtype="uint8")
        yield f"{number}_length", np.array([len(text) for text in texts], dtype="int64")
    elif pa.types.is_boolean(kind):
        yield f"{number}_value", column.fill_null(False).to_numpy(zero_copy_only=False).astype("uint8")
    elif pa.types.is_temporal(kind):
        integers = column.cast(pa.int64() if kind.bit_width == 64 else pa.int32())
        yield f"{number}_value", integers.fill_null(0).to_numpy(zero_copy_only=False)
    else:
        yield f"{number}_value", column.fill_null(0).to_numpy(zero_copy_only=False)


def write_columns(path, table, store):
    """Store a table; ``store`` has ``put(key, bytes)``."""
    parts = {}
    for number, column in enumerate(table.columns):
        parts.update(stored_columns(number, column.combine_chunks()))
    for name, data in parts.items():
        body = {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [data.size],
            "data_type": str(data.dtype),
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [max(1, data.size)]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0,
            "codecs": [
                {"name": "bytes"} if data.itemsize == 1 else {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "zstd", "configuration": {"level": 3, "checksum": True}},
            ],
            "attributes": {},
            "storage_transformers": [],
        }
        store.put(f"{path}/{name}/zarr.json", json.dumps(body).encode())
        if data.size:
            store.put(f"{path}/{name}/c/0", bytes(Zstd(level=3, checksum=True).encode(np.ascontiguousarray(data))))
    attributes = {
        "arrow_schema": base64.b64encode(table.schema.serialize().to_pybytes()).decode(),
        "rows": table.num_rows,
        "columns": table.column_names,
        "arrays": {name: [str(data.dtype), int(data.size)] for name, data in parts.items()},
    }
    store.put(
        f"{path}/zarr.json", json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}).encode()
    )
