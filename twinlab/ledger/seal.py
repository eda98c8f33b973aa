"""Sealing: a full segment becomes Parquet, sorted by tag and time, and a file of the frames that aren't observations.

Observations go to Parquet. Records stay frames, copied byte by byte beside it: they have no time or tag to sort by
before they are harmonised, each frame is already compressed Arrow with its file, units and row range, and one Parquet
file per record schema would multiply files without any gain for readers.

The order of steps makes a crash harmless: write and sync both files, rename them, replace the manifest, and only then
remove the segment. The writer isn't involved: it never changes a segment once it has started the next.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from twinlab._files import open_binary, replace_file, sync_file, sync_folder
from twinlab._locks import Lock
from twinlab.ledger.format import codec
from twinlab.ledger.format.disk import corrupt, crc32c, read_at, write_all
from twinlab.ledger.format.frame import FRAME_TABLE, OBSERVATIONS_KIND, ROW_KINDS, Head, join
from twinlab.ledger.format.index import Index, read_heads
from twinlab.ledger.format.manifest import Ranges, SealedSegment, read_manifest, write_manifest
from twinlab.ledger.format.observations import decode
from twinlab.ledger.format.parquet import ORDINAL
from twinlab.ledger.format.position import read_position
from twinlab.ledger.format.segment import HEADER_SIZE, SegmentFile, numbers, path_of
from twinlab.ledger.writer import SEGMENT_FRAMES
from twinlab.model.schema import OBSERVATIONS

__all__ = ["GROUP_ROWS", "bits_of", "file_sha256", "ranges_of", "seal_source"]

#: Rows of a row group, which a reader of a sealed segment decodes at once.
GROUP_ROWS = 1 << 17
#: Frames whose rows are gathered before they are joined into one table.
_GATHERED = 256
Ints = npt.NDArray[np.int64]


def seal_source(
    folder: Path,
    source: str,
    *,
    limit: int | None = None,
    least_bytes: int = 0,
    fence: Callable[[], None] = lambda: None,
) -> list[str]:
    """Seal the full segments of a source; return the names of the new files.

    Parameters
    ----------
    folder : Path
        The source's directory.
    source : str
        The source's name, for error messages.
    limit : int, optional
        Seal at most so many segments; all by default.
    least_bytes : int
        Smaller segments stay as they are, except for those with so many frames that these alone made them full.
    fence : callable
        Called before sealed segments are listed; raises an error if this process may not write any more.

    Raises
    ------
    HistoryConflictError
        If another process is sealing the source.
    CorruptionError
        If a segment is damaged; it isn't changed.
    """
    if not folder.is_dir() or limit == 0:
        return []
    with Lock(folder / "seal.lock", what=f"the sealing of source {source!r}"):
        sealed = read_manifest(folder)
        made: list[str] = []
        active, count = read_position(folder).segment, 0
        for number in numbers(folder):
            if number >= active:
                continue
            small = number not in sealed and path_of(folder, number).stat().st_size < least_bytes
            if small and _frames_of(folder, number, sealed) < SEGMENT_FRAMES:
                continue
            if number not in sealed:
                if limit is not None and count >= limit:
                    break
                count += 1
                sealed[number] = _seal(folder, number)
                fence()
                write_manifest(folder, sealed)
                made += [n for n in (sealed[number].kept_name, sealed[number].parquet_name) if n]
            _remove(path_of(folder, number))
            sync_folder(folder)
        return made


def _frames_of(folder: Path, number: int, sealed: Mapping[int, SealedSegment]) -> int:
    """Return the number of frames of a segment that another one follows."""
    following = sealed.get(number + 1) or SegmentFile(path_of(folder, number + 1))
    frames: int = following.frames - SegmentFile(path_of(folder, number)).frames
    return frames


def _remove(path: Path) -> None:
    """Remove a sealed segment; on Windows, the next sealing does if a reader has it open now."""
    try:
        path.unlink()
    except PermissionError:
        if os.name != "nt":
            raise


def _seal(folder: Path, number: int) -> SealedSegment:
    file = SegmentFile(path_of(folder, number))
    index = Index()
    read_heads(file, index, file.size())
    table = _observations(file, index)
    name = f"{number:08d}.parquet" if table is not None else None
    ranges: Ranges = ()
    if table is not None and name is not None:
        _write_parquet(folder / name, table)
        ranges = ranges_of(folder / name)
        _compare(folder / name, table)
    kept = folder / f"{number:08d}.frames"
    _write_kept(kept, file, index)
    sync_folder(folder)
    return SealedSegment(
        segment=number,
        first=file.ordinal,
        rows=(index.ends[-1] if index.ends else file.ordinal) - file.ordinal,
        frames=file.frames,
        kept_name=kept.name,
        kept_bytes=kept.stat().st_size,
        kept_sha256=file_sha256(kept),
        parquet_name=name,
        parquet_bytes=(folder / name).stat().st_size if name else 0,
        parquet_sha256=file_sha256(folder / name) if name else "",
        ranges=ranges,
    )


def _observations(file: SegmentFile, index: Index) -> pa.Table | None:
    """Return all observations of a segment, sorted by tag, time and ordinal."""
    parts: list[pa.Table] = []
    for place in index.places:
        head = place.head
        if head.kind != OBSERVATIONS_KIND:
            continue
        if len(parts) == _GATHERED:
            # Thousands of small tables would take many times the memory of their rows.
            parts = [_joined(parts)]
        batch = decode(file.payload(place), head.rows, index.tables, None)
        some = batch.select([n for n in batch.schema.names if batch.column(n).null_count < head.rows])
        ordinals = pa.array(np.arange(head.first, head.first + head.rows, dtype=np.int64))
        parts.append(pa.Table.from_batches([some]).append_column(ORDINAL, ordinals))
    if not parts:
        return None
    table = _joined(parts)
    names = [n for n in OBSERVATIONS.names if n in table.schema.names]
    table = table.select([*names, ORDINAL])
    tags = table.column("tag").combine_chunks()
    texts = tags.dictionary.to_pylist()
    rank = np.empty(len(texts), dtype=np.int64)
    rank[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    # Rows are in order of arrival and lexsort is stable, so the ordinal is the last key.
    order = np.lexsort((table.column("source_time").to_numpy(), rank[tags.indices.to_numpy()]))
    return table.take(pa.array(order))


def _joined(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts, promote_options="default").unify_dictionaries().combine_chunks()


def _write_parquet(path: Path, table: pa.Table) -> None:
    draft = path.with_name(path.name + ".tmp")
    dictionaries = [
        n for n in table.schema.names if n not in {"source_time", ORDINAL, "sequence", "origin_row", "value"}
    ]
    deltas = [n for n in ("source_time", ORDINAL, "sequence", "origin_row") if n in table.schema.names]
    with pq.ParquetWriter(
        draft,
        table.schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=dictionaries,
        column_encoding=dict.fromkeys(deltas, "DELTA_BINARY_PACKED"),
        write_statistics=True,
    ) as writer:
        for low in range(0, table.num_rows, GROUP_ROWS):
            writer.write_table(table.slice(low, GROUP_ROWS), row_group_size=GROUP_ROWS)
    _sync_and_rename(draft, path)


def _sync_and_rename(draft: Path, path: Path) -> None:
    sync_file(draft)
    replace_file(draft, path)


def ranges_of(path: Path) -> Ranges:
    """Return the byte ranges of the row groups and of the footer, each with its checksum."""
    with pq.ParquetFile(path) as file:
        meta = file.metadata
        edges = [0]
        for n in range(meta.num_row_groups):
            columns = [meta.row_group(n).column(c) for c in range(meta.row_group(n).num_columns)]
            edges.append(max(_start(c) + c.total_compressed_size for c in columns))
    edges.append(path.stat().st_size)
    descriptor = open_binary(path, os.O_RDONLY)
    try:
        return tuple((low, high, crc32c(read_at(descriptor, high - low, low))) for low, high in pairwise(edges))
    finally:
        os.close(descriptor)


def _start(column: pq.ColumnChunkMetaData) -> int:
    first = column.data_page_offset
    return int(min(first, column.dictionary_page_offset) if column.has_dictionary_page else first)


def _compare(path: Path, table: pa.Table) -> None:
    """Read back what was written: the segment is removed only if every bit is the same."""
    with pq.ParquetFile(path) as file:
        for n in range(file.metadata.num_row_groups):
            got, want = file.read_row_group(n), table.slice(n * GROUP_ROWS, GROUP_ROWS)
            if not bits_of(got).equals(bits_of(want)):
                raise corrupt(path, 0, f"row group {n} read back differs from the segment; the segment was kept")


def bits_of(table: pa.Table) -> pa.Table:
    """Replace floats by their bits and dictionaries by their texts, so that NaN equals NaN and -0.0 differs from 0.0."""
    columns = {}
    for name in table.schema.names:
        column = table.column(name).combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        elif pa.types.is_floating(column.type):
            columns[name + "?"] = column.is_valid()
            whole = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[column.type.bit_width]
            column = column.fill_null(0.0).view(whole)
        columns[name] = column
    return pa.table(columns)


def _write_kept(path: Path, file: SegmentFile, index: Index) -> None:
    draft = path.with_name(path.name + ".tmp")
    descriptor = open_binary(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    try:
        at = write_all(descriptor, [file.raw(0, HEADER_SIZE)], 0)
        for place in index.places:
            if place.head.kind != OBSERVATIONS_KIND:
                file.payload(place)
                at += write_all(descriptor, [file.raw(place.offset, place.end - place.offset)], at)
        write_all(descriptor, _frame_table(index, file), at)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    replace_file(draft, path)


def _frame_table(index: Index, file: SegmentFile) -> list[bytes]:
    heads = [p.head for p in index.places if p.head.kind in ROW_KINDS]
    columns = [[h.first for h in heads], [h.rows for h in heads], [h.ingest_time for h in heads]]
    payload = len(heads).to_bytes(8, "little") + b"".join(
        codec.encode_ints(np.array(c, dtype=np.int64)) for c in columns
    )
    last = index.ends[-1] if index.ends else file.ordinal
    head = Head(FRAME_TABLE, file.frames + len(heads), last, 0, max(columns[2], default=0), 0, 0, 0, -1, -1, b"", b"")
    return join(head, payload)[1]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
