"""Tables (events, assets, relationships), each stored as a group of small arrays in the same repository.

A table such as ``events/flight/2013-01`` is a Zarr group whose arrays are its columns: numbers and times unchanged, text
as codes and a dictionary, nulls as a mask. Every array is one zstd chunk with a checksum.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numcodecs import Zstd
from numpy.typing import NDArray

from twinlab.errors import CorruptionError, SchemaError, UnknownTermError
from twinlab.history.store.byte_store import ByteStore
from twinlab.history.store.codecs import corrupt

__all__ = ["array_metadata", "delete_table", "read_table", "write_table"]

_WIDTHS = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}


def array_metadata(length: int, dtype: str) -> bytes:
    """Return the ``zarr.json`` of a one-chunk array: bytes, then zstd with its checksum."""
    size = max(1, length)
    body = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [length],
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [size]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [
            {"name": "bytes"} if dtype in ("int8", "uint8", "bool") else _LITTLE,
            {"name": "zstd", "configuration": {"level": 3, "checksum": True}},
        ],
        "attributes": {},
        "storage_transformers": [],
    }
    return json.dumps(body).encode()


_LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def _pack(data: NDArray[np.generic]) -> bytes:
    return bytes(Zstd(level=3, checksum=True).encode(np.ascontiguousarray(data)))


def _columns(number: int, column: pa.Array) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Yield the arrays of a column: its numbers or codes, its dictionary, its mask of nulls."""
    kind = column.type
    if column.null_count:
        yield f"{number}_null", pc.is_null(column).to_numpy(zero_copy_only=False).astype("uint8")
    if pa.types.is_null(kind):
        return
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        coded = column.cast(pa.large_string()).dictionary_encode()
        yield f"{number}_code", coded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype("int32")
        texts = [str(text).encode() for text in coded.dictionary.to_pylist()]
        yield f"{number}_text", np.frombuffer(b"".join(texts), dtype="uint8")
        yield f"{number}_length", np.array([len(text) for text in texts], dtype="int64")
    elif pa.types.is_boolean(kind):
        yield f"{number}_value", column.fill_null(False).to_numpy(zero_copy_only=False).astype("uint8")  # noqa: FBT003
    elif pa.types.is_temporal(kind):
        width = _WIDTHS[kind.bit_width // 8]
        integers = column.cast(pa.int64() if width == "int64" else pa.int32())
        yield f"{number}_value", integers.fill_null(0).to_numpy(zero_copy_only=False)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        yield f"{number}_value", column.fill_null(0).to_numpy(zero_copy_only=False)
    else:
        msg = f"expected columns of text, number, boolean or time, got {kind}; convert the column before storing it"
        raise SchemaError(msg)


def write_table(path: str, table: pa.Table, *, store: ByteStore) -> None:
    """Store a table under a path, replacing the one that is there."""
    names = []
    parts: dict[str, NDArray[np.generic]] = {}
    for number, column in enumerate(table.columns):
        parts.update(_columns(number, column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)))
    for name, data in parts.items():
        names.append(name)
        store.put(f"{path}/{name}/zarr.json", array_metadata(data.size, str(data.dtype)))
        if data.size:
            store.put(f"{path}/{name}/c/0", _pack(data))
    schema = base64.b64encode(table.schema.serialize().to_pybytes()).decode()
    attributes = {
        "arrow_schema": schema,
        "rows": table.num_rows,
        "columns": table.column_names,
        "arrays": {name: [str(parts[name].dtype), int(parts[name].size)] for name in names},
    }
    group = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    store.put(f"{path}/zarr.json", json.dumps(group).encode())


def _attributes(path: str, store: ByteStore) -> dict[str, object]:
    (data,) = store.fetch([(f"{path}/zarr.json", None)])
    if data is None:
        msg = f"expected a table of this history, got {path!r}; `tables()` lists them"
        raise UnknownTermError(msg)
    attributes = json.loads(data)["attributes"]
    return dict(attributes)


def read_table(path: str, *, store: ByteStore) -> pa.Table:
    """Return a stored table, equal to what was written, dictionary-encoded columns included.

    Raises
    ------
    UnknownTermError
        If there is no such table.
    CorruptionError
        If stored bytes fail their checksum.
    """
    about = _attributes(path, store)
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(str(about["arrow_schema"]))))
    arrays = about["arrays"]
    if not isinstance(arrays, dict):
        raise corrupt(path, "its attributes are damaged")
    keys = [(name, dtype, size) for name, (dtype, size) in arrays.items()]
    found = store.fetch([(f"{path}/{name}/c/0", None) for name, _, size in keys if size])
    chunks = iter(found)
    parts = {name: _unpack(f"{path}/{name}", next(chunks) if size else b"", dtype, size) for name, dtype, size in keys}
    rows = int(str(about["rows"]))
    columns = [_column(number, field.type, rows, parts) for number, field in enumerate(schema)]
    return pa.table(columns, schema=schema)


def _unpack(where: str, data: bytes | None, dtype: str, size: int) -> NDArray[np.generic]:
    if not size:
        return np.empty(0, dtype=dtype)
    if data is None:
        raise corrupt(where, "they are missing")
    try:
        out = np.frombuffer(Zstd().decode(data), dtype=dtype)
    except (RuntimeError, ValueError) as error:
        raise corrupt(where, str(error)) from error
    if out.size != size:
        raise corrupt(where, f"{out.size} values instead of {size}")
    return out


def _column(number: int, kind: pa.DataType, rows: int, parts: dict[str, NDArray[np.generic]]) -> pa.Array:
    null = parts.get(f"{number}_null")
    mask = None if null is None else null.astype(bool)
    if pa.types.is_null(kind):
        return pa.nulls(rows)
    target = kind.value_type if pa.types.is_dictionary(kind) else kind
    if f"{number}_code" in parts:
        codes = pa.array(parts[f"{number}_code"], mask=mask)
        texts = _texts_of(parts[f"{number}_text"], parts[f"{number}_length"])
        dictionary = pa.DictionaryArray.from_arrays(codes, texts.cast(target))
        return dictionary.cast(kind) if pa.types.is_dictionary(kind) else dictionary.cast(target)
    values = parts[f"{number}_value"]
    if pa.types.is_boolean(kind):
        return pa.array(values.astype(bool), mask=mask)
    if pa.types.is_temporal(kind):
        return pa.array(values, mask=mask).cast(kind)
    return pa.array(values, type=kind, mask=mask)


def _texts_of(text: NDArray[np.generic], length: NDArray[np.generic]) -> pa.Array:
    """Return an array of texts from their concatenated UTF-8 and their lengths, without a Python object per text."""
    offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text))]
    texts = pa.Array.from_buffers(pa.large_string(), len(length), buffers)
    texts.validate(full=True)
    return texts


def delete_table(path: str, *, store: ByteStore) -> None:
    """Remove a table and its arrays; nothing happens if there is none."""
    try:
        arrays = _attributes(path, store)["arrays"]
    except (UnknownTermError, CorruptionError):
        return
    for name in arrays if isinstance(arrays, dict) else ():
        store.delete(f"{path}/{name}/c/0")
        store.delete(f"{path}/{name}/zarr.json")
    store.delete(f"{path}/zarr.json")
