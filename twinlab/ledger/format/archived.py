"""Rows of tables in an archive: a frame's payload says where they are, and a reader has the same rows as before."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from twinlab.ledger.format import records
from twinlab.ledger.format.frame import RECORDS_KIND, Head
from twinlab.ledger.format.manifest import ArchivedRecords
from twinlab.ledger.format.parquet import ParquetParts

__all__ = ["RECORD_ORDINAL", "ArchivedAt", "RecordFiles", "is_archived", "pack_place", "unpack_place"]

#: Column of these files with each row's number in the order of arrival; its first character occurs in no column of a source.
RECORD_ORDINAL = "\u241fordinal"
#: Arrow's streams begin with other bytes, and are longer.
_MARK = b"TLA1"
_PLACE = struct.Struct("<4sIIII")
#: Decoded row groups that are kept: the frames of one are read one after another.
_KEPT_GROUPS = 4


class ArchivedAt(NamedTuple):
    """Where the rows of a frame are."""

    file: int
    """Number of the file in the manifest's list of the segment."""
    group: int
    row: int
    """First row within the row group."""
    rows: int


def pack_place(at: ArchivedAt) -> bytes:
    """Return the payload of a frame whose rows are archived.

    >>> unpack_place(pack_place(ArchivedAt(0, 2, 100, 50)))
    ArchivedAt(file=0, group=2, row=100, rows=50)
    """
    return _PLACE.pack(_MARK, *at)


def unpack_place(payload: bytes) -> ArchivedAt | None:
    """Return where the rows of a frame of records are; None if the payload has them itself."""
    if len(payload) != _PLACE.size or payload[:4] != _MARK:
        return None
    return ArchivedAt(*_PLACE.unpack(payload)[1:])


def is_archived(head: Head) -> bool:
    """Return whether a head is that of a frame of records whose rows are archived."""
    return head.kind == RECORDS_KIND and head.payload_length == _PLACE.size


class RecordFiles:
    """The archived rows of tables of one sealed segment."""

    def __init__(self, folder: Path, entries: Sequence[ArchivedRecords]) -> None:
        self.parts = [_parts(folder, one) for one in entries]

    def decode(self, payload: bytes) -> pa.RecordBatch:
        """Return the columns of a frame of records, wherever its rows are, as `records.decode` does."""
        at = unpack_place(payload)
        if at is None:
            return records.decode(payload)
        table = _group(self, at.file, at.group).slice(at.row, at.rows)
        # Stored as texts, since the dictionary of a row group would have texts of other frames.
        arrays = [records.repeated(column.combine_chunks()) for column in table.columns]
        fields = [field.with_type(array.type) for field, array in zip(table.schema, arrays, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields, metadata=table.schema.metadata))


def _parts(folder: Path, entry: ArchivedRecords) -> ParquetParts:
    return ParquetParts(lambda: entry.path(folder), folder, entry.bytes, entry.ranges)


@lru_cache(maxsize=_KEPT_GROUPS)
def _group(files: RecordFiles, file: int, group: int) -> pa.Table:
    return files.parts[file].read_group(group, without=RECORD_ORDINAL)
