"""Rows of a database as a batch, with the types that files have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.sources.base import RowBatch
from twinlab.sources.parsing.numerals import Numerals
from twinlab.sources.parsing.values import ValueColumns

__all__ = ["row_batch"]


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
