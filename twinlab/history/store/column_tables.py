"""Read tables that an earlier version stored: an array a column.

Numbers and times are unchanged, texts are codes with a dictionary, nulls are a mask. Every array is one zstd chunk with a
checksum. Such tables are only read; the next change of a table writes it as `twinlab.history.store.tables` says.
"""

from __future__ import annotations

import base64

import numpy as np
import pyarrow as pa
from numcodecs import Zstd
from numpy.typing import NDArray

from twinlab.history.store.byte_store import ByteStore
from twinlab.history.store.codecs import corrupt

__all__ = ["read_columns", "unpack"]


def read_columns(path: str, about: dict[str, object], *, store: ByteStore) -> pa.Table:
    """Return a table, equal to what was written, dictionary-encoded columns included.

    Parameters
    ----------
    about : dict
        The attributes of the table's group.

    Raises
    ------
    CorruptionError
        If stored bytes fail their checksum.
    """
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(str(about["arrow_schema"]))))
    arrays = about["arrays"]
    if not isinstance(arrays, dict):
        raise corrupt(path, "its attributes are damaged")
    keys = [(name, dtype, size) for name, (dtype, size) in arrays.items()]
    found = store.fetch([(f"{path}/{name}/c/0", None) for name, _, size in keys if size])
    chunks = iter(found)
    parts = {name: unpack(f"{path}/{name}", next(chunks) if size else b"", dtype, size) for name, dtype, size in keys}
    rows = int(str(about["rows"]))
    columns = [_column(number, field.type, rows, parts) for number, field in enumerate(schema)]
    return pa.table(columns, schema=schema)


def unpack(where: str, data: bytes | None, dtype: str, size: int) -> NDArray[np.generic]:
    """Return the values of a one-chunk array from its bytes; ``where`` names it in errors."""
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
