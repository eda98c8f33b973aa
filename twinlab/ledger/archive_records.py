"""Archiving rows of tables: old frames of a sealed segment become Parquet files in another folder, one per set of columns.

Of each frame the head stays in the ledger, so that files, units and row numbers are known without the archive; its payload says
where the rows are. Frames that Parquet doesn't give back bit for bit stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from twinlab._files import open_binary, replace_file, sync_file, sync_folder
from twinlab.ledger.format import records
from twinlab.ledger.format.archived import RECORD_ORDINAL, ArchivedAt, RecordFiles, is_archived, pack_place
from twinlab.ledger.format.disk import write_all
from twinlab.ledger.format.frame import RECORDS_KIND, join
from twinlab.ledger.format.manifest import ArchivedRecords, SealedSegment
from twinlab.ledger.format.sealed import SealedFiles
from twinlab.ledger.format.segment import HEADER_SIZE, Place, SegmentFile
from twinlab.ledger.seal import file_sha256, ranges_of
from twinlab.ledger.sorted_rows import bits_of

__all__ = ["GROUP_ROWS", "LEAST_BYTES", "archive_records", "plain_columns", "write_options"]

#: Rows of a row group, which a reader of one of its frames decodes at once; a frame is in one group.
GROUP_ROWS = 1 << 15
#: Fewer bytes of frames with the same columns stay: a Parquet file of few rows is larger than they are.
LEAST_BYTES = 1 << 16


@dataclass
class _Columns:
    """The old frames of a segment that have the same columns."""

    places: list[Place] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(place.head.payload_length for place in self.places)

    def groups(self) -> Iterator[list[Place]]:
        """Yield the frames of each row group."""
        group: list[Place] = []
        for place in self.places:
            group.append(place)
            if sum(one.head.rows for one in group) >= GROUP_ROWS:
                yield group
                group = []
        if group:
            yield group


def archive_records(
    folder: Path, entry: SealedSegment, *, target: Path, reference: str, firsts: Collection[int]
) -> SealedSegment:
    """Copy frames of records of a sealed segment to Parquet files, and return its entry in the manifest with them.

    Nothing that is in use changes: the caller replaces the manifest, then removes the old file of frames.

    Parameters
    ----------
    folder : Path
        The source's directory.
    entry : SealedSegment
    target : Path
        Folder of the archive; it exists.
    reference : str
        How the manifest names it.
    firsts : collection of int
        First ordinals of the frames.

    Raises
    ------
    CorruptionError
        If a frame is damaged.
    """
    file, kept = SealedFiles(folder, entry).kept()
    moved: dict[int, ArchivedAt] = {}
    made: list[ArchivedRecords] = []
    for columns in _by_columns(file, kept.index.places, firsts):
        if columns.bytes < LEAST_BYTES:
            continue
        number = len(entry.records) + len(made)
        path = target / f"{entry.segment:08d}.{number}.parquet"
        places = _write(path, file, columns, number)
        if not places:
            continue
        rows = sum(at.rows for at in places.values())
        one = ArchivedRecords(path.name, reference, rows, path.stat().st_size, file_sha256(path), ranges_of(path))
        if not _same(RecordFiles(folder, [*entry.records, *made, one]), file, columns, places):
            path.unlink()
            continue
        made.append(one)
        moved |= places
    if not moved:
        return entry
    name = f"{entry.segment:08d}.{len(entry.records) + len(made)}.frames"
    _write_heads(folder / name, file, kept.index.places, moved)
    return replace(
        entry,
        kept_name=name,
        kept_bytes=(folder / name).stat().st_size,
        kept_sha256=file_sha256(folder / name),
        records=(*entry.records, *made),
    )


def _by_columns(file: SegmentFile, places: Iterable[Place], firsts: Collection[int]) -> list[_Columns]:
    found: dict[bytes, _Columns] = {}
    for place in places:
        head = place.head
        if head.kind == RECORDS_KIND and head.first in firsts and not is_archived(head):
            schema = plain_columns(file.payload(place)).schema
            if len(set(schema.names)) < len(schema.names):
                continue
            found.setdefault(schema.serialize().to_pybytes(), _Columns()).places.append(place)
    return list(found.values())


def plain_columns(payload: bytes) -> pa.Table:
    """Return the columns of a frame of records; texts that are stored as codes are texts."""
    batch = records.decode(payload)
    arrays = [array.dictionary_decode() if pa.types.is_dictionary(array.type) else array for array in batch.columns]
    fields = [field.with_type(array.type) for field, array in zip(batch.schema, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=batch.schema.metadata))


def write_options(schema: pa.Schema) -> dict[str, object]:
    """Return how Parquet files of some columns are written."""
    whole = [one.name for one in schema if pa.types.is_integer(one.type) and one.type.bit_width >= 32]
    texts = [one.name for one in schema if pa.types.is_string(one.type)]
    return {
        "compression": "zstd", "compression_level": 9, "use_dictionary": texts,
        "column_encoding": dict.fromkeys(whole, "DELTA_BINARY_PACKED"), "write_statistics": True,
    }  # fmt: skip


def _write(path: Path, file: SegmentFile, columns: _Columns, number: int) -> dict[int, ArchivedAt]:
    """Write frames to a file, and return where the rows of each are, by its first ordinal; none if Parquet can't have them."""
    draft, out = path.with_name(path.name + ".tmp"), {}
    schema = plain_columns(file.payload(columns.places[0])).schema.append(pa.field(RECORD_ORDINAL, pa.int64()))
    try:
        with pq.ParquetWriter(draft, schema, **write_options(schema)) as writer:
            for group, places in enumerate(columns.groups()):
                row, parts = 0, []
                for place in places:
                    head = place.head
                    parts.append(plain_columns(file.payload(place)))
                    out[head.first] = ArchivedAt(number, group, row, head.rows)
                    row += head.rows
                ordinals = chain.from_iterable(range(p.head.first, p.head.first + p.head.rows) for p in places)
                joined = pa.concat_tables(parts).append_column(
                    RECORD_ORDINAL, pa.array(np.fromiter(ordinals, np.int64, row))
                )
                writer.write_table(joined, row_group_size=row)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        draft.unlink(missing_ok=True)
        return {}
    sync_file(draft)
    replace_file(draft, path)
    sync_folder(path.parent)
    return out


def _same(files: RecordFiles, file: SegmentFile, columns: _Columns, places: dict[int, ArchivedAt]) -> bool:
    """Read back what was written: the frames' own rows are removed only if every bit is the same."""
    for place in columns.places:
        got = files.decode(pack_place(places[place.head.first]))
        want = records.decode(file.payload(place))
        try:
            both = [bits_of(pa.Table.from_batches([one])) for one in (got, want)]
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            return False
        if got.schema.metadata != want.schema.metadata or not both[0].equals(both[1]):
            return False
    return True


def _write_heads(path: Path, file: SegmentFile, places: Iterable[Place], moved: dict[int, ArchivedAt]) -> None:
    """Write the file of frames again; of those that were moved only the head, with the place of the rows as payload."""
    draft = path.with_name(path.name + ".tmp")
    descriptor = open_binary(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    try:
        at = write_all(descriptor, [file.raw(0, HEADER_SIZE)], 0)
        for place in places:
            there = moved.get(place.head.first) if place.head.kind == RECORDS_KIND else None
            if there is None:
                file.payload(place)
                part = [file.raw(place.offset, place.end - place.offset)]
            else:
                part = join(place.head, pack_place(there))[1]
            at += write_all(descriptor, part, at)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    replace_file(draft, path)
    sync_folder(path.parent)
