"""Tables (parts of events, assets, relationships): each is one array of bytes in a group of the same repository.

The bytes are an Arrow stream whose texts are dictionary-encoded where they repeat, compressed by zstd with a checksum: one
file a table, whatever the number of its columns. The group's attributes state rows, columns and what the caller adds.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numcodecs import Zstd

from twinlab.errors import CorruptionError, SchemaError, UnknownTermError
from twinlab.history.store.byte_store import ByteStore
from twinlab.history.store.codecs import corrupt
from twinlab.history.store.column_tables import read_columns, unpack

__all__ = ["content_name", "delete_table", "encode_table", "read_table", "table_attributes", "write_table"]

_ARROW = "arrow"
_ZSTD = Zstd(level=3, checksum=True)


def _array_metadata(length: int) -> bytes:
    """Return the ``zarr.json`` of an array of bytes in one chunk: zstd with its checksum."""
    body = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [length],
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [length]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 3, "checksum": True}}],
        "attributes": {},
        "storage_transformers": [],
    }
    return json.dumps(body).encode()


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a column is of texts of which most occur more than once."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    distinct: int = pc.count_distinct(column, mode="all").as_py()
    return 2 * distinct <= len(column)


def encode_table(table: pa.Table) -> bytes:
    """Return a table as an Arrow stream; texts that repeat are dictionary-encoded, as the schema's metadata states.

    Raises
    ------
    SchemaError
        If a column isn't of text, number, boolean or time.
    """
    columns, texts = [], []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            msg = (
                f"expected columns of text, number, boolean or time, got {name!r} of {column.type}; convert the column "
                "before storing it"
            )
            raise SchemaError(msg)
        if _repeats(column):
            texts.append(name)
            column = column.combine_chunks().dictionary_encode()  # noqa: PLW2901
        columns.append(column)
    schema = pa.schema(
        [pa.field(name, column.type) for name, column in zip(table.column_names, columns, strict=True)],
        metadata={"texts": json.dumps(texts)},
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(unify_dictionaries=True)) as writer:
        writer.write_table(pa.table(columns, schema=schema).combine_chunks())
    return bytes(sink.getvalue().to_pybytes())


def _decode_table(body: pa.Buffer) -> pa.Table:
    stored = pa.ipc.open_stream(body).read_all()
    texts = set(json.loads((stored.schema.metadata or {})[b"texts"]))
    columns = [
        column.cast(column.type.value_type) if name in texts else column
        for name, column in zip(stored.column_names, stored.columns, strict=True)
    ]
    return pa.table(dict(zip(stored.column_names, columns, strict=True)))


def content_name(body: bytes) -> str:
    """Return the name of a table after its bytes: two tables of one name are equal."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def write_table(
    path: str, table: pa.Table, *, store: ByteStore, body: bytes | None = None, about: dict[str, object] | None = None
) -> None:
    """Store a table under a path where there is none.

    Parameters
    ----------
    body : bytes, optional
        The table as `encode_table` returns it, if it is encoded already.
    about : dict, optional
        Further attributes, as JSON; `table_attributes` returns them.
    """
    body = encode_table(table) if body is None else body
    store.put(f"{path}/stream/zarr.json", _array_metadata(len(body)))
    store.put(f"{path}/stream/c/0", bytes(_ZSTD.encode(np.frombuffer(body, dtype=np.uint8))))
    attributes = {
        "encoding": _ARROW,
        "rows": table.num_rows,
        "columns": table.column_names,
        "arrays": {"stream": ["uint8", len(body)]},
        **(about or {}),
    }
    store.put(
        f"{path}/zarr.json", json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}).encode()
    )


def table_attributes(path: str, *, store: ByteStore) -> dict[str, object]:
    """Return what is stated of a table: rows, columns and what was added when it was written.

    Raises
    ------
    UnknownTermError
        If there is no such table.
    """
    (data,) = store.fetch([(f"{path}/zarr.json", None)])
    if data is None:
        msg = f"expected a table of this history, got {path!r}; `tables()` lists them"
        raise UnknownTermError(msg)
    return dict(json.loads(data)["attributes"])


def read_table(path: str, *, store: ByteStore) -> pa.Table:
    """Return a stored table, equal to what was written, dictionary-encoded columns included.

    Raises
    ------
    UnknownTermError
        If there is no such table.
    CorruptionError
        If stored bytes fail their checksum.
    """
    about = table_attributes(path, store=store)
    arrays = about["arrays"]
    if not isinstance(arrays, dict):
        raise corrupt(path, "its attributes are damaged")
    if about.get("encoding") != _ARROW:
        return read_columns(path, about, store=store)
    (data,) = store.fetch([(f"{path}/stream/c/0", None)])
    return _decode_table(pa.py_buffer(unpack(f"{path}/stream", data, *arrays["stream"])))


def delete_table(path: str, *, store: ByteStore) -> None:
    """Remove a table and its arrays; nothing happens if there is none."""
    try:
        arrays = table_attributes(path, store=store)["arrays"]
    except (UnknownTermError, CorruptionError):
        return
    for name in arrays if isinstance(arrays, dict) else ():
        store.delete(f"{path}/{name}/c/0")
        store.delete(f"{path}/{name}/zarr.json")
    store.delete(f"{path}/zarr.json")
