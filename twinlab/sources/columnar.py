"""Parquet files, and conversion of Arrow columns to the types of a RowBatch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twinlab.errors import SchemaError
from twinlab.sources.base import BATCH_ROWS, FileSource, RowBatch, file_path, file_stem, unique_names
from twinlab.sources.opening import kind_of, unreadable
from twinlab.sources.parsing.values import value_text
from twinlab.sources.reading import reading_from

__all__ = ["ParquetSource", "parquet", "plain_batch"]


def parquet(
    path: str | Path,
    *,
    mapping: str | Path | None = None,
    name: str | None = None,
    missing: Iterable[str] = (),
    text_columns: Iterable[str] = (),
) -> ParquetSource:
    """Return a source that reads a Parquet file, row group by row group.

    Parameters
    ----------
    path, mapping, name, missing, text_columns
        See `csv`.

    Raises
    ------
    SourceError
        If the file doesn't exist; while reading also if it is damaged.
    SchemaError
        While reading, if it is no Parquet file.
    """
    found = file_path(path)
    where = Path(mapping) if mapping is not None else None
    reading = reading_from(where, missing=missing, text_columns=text_columns)
    return ParquetSource(found, name or file_stem(found), where, reading)


class ParquetSource(FileSource):
    """A Parquet file; its rows are counted from 1."""

    def batches(self) -> Iterator[RowBatch]:
        """Yield the rows in batches of at most 65,536."""
        kind = kind_of(self.path)
        if kind != "parquet":
            msg = f"{self.path.name}: not a Parquet file but {kind}; expected the magic bytes PAR1: use open_source"
            raise SchemaError(msg)
        first = 1
        try:
            with self.path.open("rb") as stream, pq.ParquetFile(stream) as file:
                schema = file.schema_arrow
                for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                    yield self._batch(batch, first)
                    first += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise unreadable(self.path, error) from error
        if first == 1:
            yield self._batch(pa.RecordBatch.from_pylist([], schema=schema), first)

    def _batch(self, batch: pa.RecordBatch, first: int) -> RowBatch:
        rows, units = plain_batch(batch, text_columns=self.reading.text_columns, missing=self.reading.missing)
        numbers = np.arange(first, first + rows.num_rows, dtype=np.int64)
        return RowBatch(self.table, rows, numbers, units, (), self.path.name)


def plain_batch(
    batch: pa.RecordBatch, *, text_columns: Iterable[str] = (), missing: Iterable[str] = ()
) -> tuple[pa.RecordBatch, dict[str, str]]:
    """Convert a batch's columns to string, int64, float64, bool or timestamp[us]; structs are flattened with dots.

    Returns
    -------
    rows : RecordBatch
    units : dict
        Units given by the types (of durations).
    """
    names, arrays = [], []
    for name, array in _flat(batch):
        names.append(name)
        arrays.append(array)
    names = unique_names(names)
    units: dict[str, str] = {}
    out = []
    for name, array in zip(names, arrays, strict=True):
        if pa.types.is_duration(array.type):
            units[name] = array.type.unit
        plain = _plain(array)
        if missing and pa.types.is_string(plain.type):
            plain = pc.if_else(
                pc.is_in(plain, pa.array(list(missing), pa.string())), pa.scalar(None, pa.string()), plain
            )
        if name in text_columns and not pa.types.is_string(plain.type):
            plain = _texts(plain)
        out.append(plain)
    schema = pa.schema([pa.field(name, array.type) for name, array in zip(names, out, strict=True)])
    if not out:
        return pa.RecordBatch.from_arrays([], schema=schema), units
    return pa.RecordBatch.from_arrays(out, schema=schema), units


def _flat(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Array]]:
    pending = list(zip(batch.schema.names, batch.columns, strict=True))
    while pending:
        name, array = pending.pop(0)
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        if pa.types.is_struct(array.type) and array.type.num_fields:
            inner = [(f"{name}.{field.name}", part) for field, part in zip(array.type, array.flatten(), strict=True)]
            pending = inner + pending
        else:
            yield name, array


def _plain(array: pa.Array) -> pa.Array:
    """Return one column in a type of RowBatch, without losing digits; other types become text."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain(array.dictionary_decode())
    if pa.types.is_string(kind) or pa.types.is_boolean(kind):
        return array
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_integer(kind) or pa.types.is_duration(kind):
        return _cast(array, pa.int64())
    if pa.types.is_floating(kind):
        return array.cast(pa.float64())
    if pa.types.is_decimal(kind):
        return _decimals(array)
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        return _cast(array, pa.timestamp("us"))
    return _texts(array)


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    try:
        return array.cast(kind)
    except pa.ArrowInvalid:  # a number beyond int64, a time finer than a microsecond
        return _texts(array)


def _decimals(array: pa.Array) -> pa.Array:
    """Return decimals as float64: each the float nearest to it, as from text."""
    return pa.array([None if value is None else float(value) for value in array.to_pylist()], pa.float64())


def _texts(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            return pc.replace_substring(array.cast(pa.string()), " ", "T")
        # As an instant with its offset: the zone's name alone would be ambiguous in the repeated hour.
        return pc.strftime(array.cast(pa.timestamp(kind.unit, "UTC")), format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_integer(kind) or pa.types.is_time(kind) or pa.types.is_floating(kind):
        return array.cast(pa.string())
    return pa.array([None if value is None else value_text(value) for value in array.to_pylist()], pa.string())
