"""Rows of a database as a batch, with the types that files have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.model.schema import TEXT_SUFFIX
from twinlab.sources.base import RowBatch
from twinlab.sources.parsing.numerals import Numerals
from twinlab.sources.parsing.values import ValueColumns, value_text

__all__ = ["row_batch", "row_digests"]


def row_batch(
    table: str, names: Sequence[str], rows: Sequence[Sequence[Any]], *, retracts: npt.NDArray[np.bool_] | None = None
) -> RowBatch:
    """Return rows, as a driver of databases has them, as a batch of a table.

    >>> from datetime import date
    >>> row_batch("shipment", ["id", "day"], [(1, date(2026, 3, 1)), (2, None)]).rows.to_pylist()
    [{'id': 1, 'day': datetime.datetime(2026, 3, 1, 0, 0)}, {'id': 2, 'day': None}]
    """
    columns = ValueColumns(Numerals(), frozenset(), frozenset())
    found, arrays = columns.convert({name: [row[at] for row in rows] for at, name in enumerate(names)})
    schema = pa.schema([pa.field(name, array.type) for name, array in zip(found, arrays, strict=True)])
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
    return RowBatch(table, batch, np.arange(1, len(rows) + 1, dtype=np.int64), retracts=retracts)


def row_digests(rows: pa.RecordBatch, key: Sequence[str]) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Yield the key of each row as texts, and a digest that equal rows have in common, whatever the types of their columns.

    A column of texts that are numbers, or of empty cells, may have another type in another batch.

    >>> one, two = (row_batch("t", ["id", "x"], [(1, value)]).rows for value in ("7", 7))
    >>> list(row_digests(one, ["id"])) == list(row_digests(two, ["id"]))
    True
    """
    columns = rows.to_pydict()
    names = sorted(name for name in columns if not name.endswith(TEXT_SUFFIX))
    for at in range(rows.num_rows):
        cells = {}
        for name in names:
            value = columns[name][at]
            if value is None and (rest := columns.get(name + TEXT_SUFFIX)) is not None:
                value = rest[at]
            if value is not None:
                cells[name] = value_text(value)
        digest = hashlib.blake2b(repr(cells).encode(), digest_size=8).digest()
        yield tuple(cells.get(name, "") for name in key), digest
