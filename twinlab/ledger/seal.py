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
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from twinlab._files import open_binary, replace_file, sync_file, sync_folder
from twinlab._locks import Lock
from twinlab.ledger.format import codec
from twinlab.ledger.format.disk import corrupt, crc32c, read_at, write_all
from twinlab.ledger.format.frame import FRAME_TABLE, OBSERVATIONS_KIND, ROW_KINDS, Head, join, noted
from twinlab.ledger.format.index import Index, read_heads
from twinlab.ledger.format.manifest import Ranges, SealedSegment, read_manifest, write_manifest
from twinlab.ledger.format.parquet import ORDINAL
from twinlab.ledger.format.position import read_position
from twinlab.ledger.format.segment import HEADER_SIZE, SegmentFile, numbers, path_of
from twinlab.ledger.pushed_segments import read_pushed
from twinlab.ledger.sorted_rows import SortedRows, digest_of
from twinlab.ledger.writer import SEGMENT_FRAMES

__all__ = ["GROUP_ROWS", "file_sha256", "ranges_of", "seal_source"]

#: Rows of a row group, which a reader of a sealed segment decodes at once.
GROUP_ROWS = 1 << 17


def seal_source(
    folder: Path,
    source: str,
    *,
    limit: int | None = None,
    least_bytes: int = 0,
    fence: Callable[[], None] = lambda: None,
) -> list[str]:
    """Seal the full segments of a source; return the names of the new files.

    A segment of which an object store has a part waits for the next push, which sends the rest; sealed, it would be sent again.

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
        waits = read_pushed(folder).growing
        for number in numbers(folder):
            if number >= active or (number == waits and number not in sealed):
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
    rows = SortedRows(file, index)
    name = f"{number:08d}.parquet" if len(rows) else None
    ranges: Ranges = ()
    if name is not None:
        digests = _write_parquet(folder / name, rows)
        ranges = ranges_of(folder / name)
        _compare(folder / name, digests)
    del rows
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


def _write_parquet(path: Path, rows: SortedRows) -> list[list[int]]:
    """Write rows; return the checksums of each row group."""
    draft = path.with_name(path.name + ".tmp")
    names = rows.schema.names
    dictionaries = [n for n in names if n not in {"source_time", ORDINAL, "sequence", "origin_row", "value"}]
    deltas = [n for n in ("source_time", ORDINAL, "sequence", "origin_row") if n in names]
    digests = []
    with pq.ParquetWriter(
        draft,
        rows.schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=dictionaries,
        column_encoding=dict.fromkeys(deltas, "DELTA_BINARY_PACKED"),
        write_statistics=True,
    ) as writer:
        for group in rows.groups(GROUP_ROWS):
            writer.write_table(group, row_group_size=GROUP_ROWS)
            digests.append(digest_of(group))
    _sync_and_rename(draft, path)
    return digests


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


def _compare(path: Path, digests: Sequence[list[int]]) -> None:
    """Read back what was written: the segment is removed only if every bit is the same."""
    with pq.ParquetFile(path) as file:
        if file.metadata.num_row_groups != len(digests):
            raise corrupt(path, 0, f"expected {len(digests)} row groups, read {file.metadata.num_row_groups} back")
        for n, digest in enumerate(digests):
            if digest_of(file.read_row_group(n)) != digest:
                raise corrupt(path, 0, f"row group {n} read back differs from the segment; the segment was kept")


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
    meta = noted(b"", _merged_notes(heads))
    head = Head(FRAME_TABLE, file.frames + len(heads), last, 0, max(columns[2], default=0), 0, 0, 0, -1, -1, b"", meta)
    return join(head, payload)[1]


def _merged_notes(heads: list[Head]) -> dict[str, object]:
    """Return the notes of frames as one: of each key the newest value, and of mappings in it the newest of each of their keys."""
    found: dict[str, object] = {}
    for head in heads:
        note = head.extra.get("note")
        for key, value in note.items() if isinstance(note, dict) else ():
            old = found.get(key)
            found[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return found


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
