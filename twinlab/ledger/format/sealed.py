"""Reading a sealed segment: Parquet row groups and other frames, each verified before use."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twinlab._files import open_binary
from twinlab.ledger.format import codec
from twinlab.ledger.format.disk import corrupt, crc32c, read_at
from twinlab.ledger.format.frame import FRAME_TABLE
from twinlab.ledger.format.frames import Chosen, Frame
from twinlab.ledger.format.index import Index, Query, read_heads
from twinlab.ledger.format.manifest import SealedSegment
from twinlab.ledger.format.segment import SegmentFile
from twinlab.model.schema import OBSERVATIONS

__all__ = ["ORDINAL", "SealedFiles"]

#: Column of the Parquet file with each row's number in the order of arrival.
ORDINAL = "ordinal"
Ints = npt.NDArray[np.int64]


class SealedFiles:
    """The two files of a sealed segment."""

    def __init__(self, folder: Path, entry: SealedSegment) -> None:
        self.entry = entry
        self._folder = folder
        self.index = Index()
        kept = self.kept()
        if kept.size() != entry.kept_bytes:
            raise corrupt(kept.path, 0, f"expected {entry.kept_bytes} bytes, found {kept.size()}")
        read_heads(kept, self.index, entry.kept_bytes, gaps=True)
        self._times: tuple[Ints, Ints, Ints] | None = None
        self._metadata: pq.FileMetaData | None = None
        self._tags: dict[int, tuple[str, ...]] = {}

    def kept(self) -> SegmentFile:
        """Open the file of the frames that aren't observations; not cached, since there may be thousands of segments."""
        path = self._folder / self.entry.kept_name
        try:
            return SegmentFile(path)
        except FileNotFoundError as error:
            raise corrupt(path, 0, "a sealed file is missing") from error

    def frame_table(self) -> tuple[Ints, Ints, Ints]:
        """Return first ordinal, number of rows and ingest time of each frame that the segment had."""
        if self._times is None:
            place = self.index.places[-1] if self.index.places else None
            if place is None or place.head.kind != FRAME_TABLE:
                raise corrupt(self._folder / self.entry.kept_name, 0, "the table of frames is missing")
            data = memoryview(self.kept().payload(place))
            count = int.from_bytes(data[:8], "little")
            firsts, at = codec.decode_ints(data, 8, count)
            rows, at = codec.decode_ints(data, at, count)
            times, _ = codec.decode_ints(data, at, count)
            self._times = firsts, rows, times
        return self._times

    def frame_times(self) -> tuple[Ints, Ints]:
        """Return the ingest time of each frame, and the ordinal after it."""
        firsts, rows, times = self.frame_table()
        return times, firsts + rows

    @property
    def path(self) -> Path:
        """The Parquet file."""
        return self._folder / (self.entry.parquet_name or "")

    def metadata(self) -> pq.FileMetaData:
        """Return the footer, verified."""
        if self._metadata is None:
            start, stop, _ = self.entry.ranges[-1]
            if not self.path.exists():
                raise corrupt(self.path, 0, "a sealed file is missing")
            if self.path.stat().st_size != stop or stop != self.entry.parquet_bytes:
                raise corrupt(self.path, start, f"expected {stop} bytes, found {self.path.stat().st_size}")
            self._check(len(self.entry.ranges) - 1)
            with pq.ParquetFile(self.path) as file:
                self._metadata = file.metadata
        return self._metadata

    def _check(self, number: int) -> None:
        start, stop, crc = self.entry.ranges[number]
        descriptor = open_binary(self.path, os.O_RDONLY)
        try:
            data = read_at(descriptor, stop - start, start)
        finally:
            os.close(descriptor)
        if len(data) != stop - start or crc32c(data) != crc:
            raise corrupt(self.path, start, "a part of a sealed file doesn't match its checksum")

    def read_group(self, number: int, columns: Collection[str] | None) -> pa.Table:
        """Verify and read one row group; the ordinal only if it is named."""
        metadata = self.metadata()
        self._check(number)
        with pq.ParquetFile(self.path, metadata=metadata, memory_map=True) as file:
            names = file.schema_arrow.names
            wanted = [n for n in names if (n != ORDINAL if columns is None else n in columns)]
            # Callers decode frames in parallel; another thread pool would only add waiting.
            return file.read_row_group(number, columns=wanted, use_threads=False)

    def group_tags(self, number: int) -> tuple[str, ...]:
        """Return the tags of a row group; they are read once."""
        found = self._tags.get(number)
        if found is None:
            column = self.read_group(number, ("tag",)).column("tag").combine_chunks()
            found = self._tags[number] = tuple(column.unique().to_pylist())
        return found

    def frames(self, query: Query) -> Iterator[Frame]:
        """Yield the row groups with rows of the query, by ascending first ordinal."""
        if self.entry.parquet_name is None:
            return
        found = [g for n in range(self.metadata().num_row_groups) if (g := self._group(n, query))]
        yield from sorted(found, key=lambda f: f.first)

    def _group(self, number: int, query: Query) -> Frame | None:
        group = self.metadata().row_group(number)
        ranges: dict[str, tuple[int, int]] = {}
        for c in range(group.num_columns):
            column = group.column(c)
            known = column.statistics
            if known is not None and known.has_min_max:
                ranges[column.path_in_schema] = (known.min, known.max)
        low, high = ranges[ORDINAL]
        times = ranges["source_time"]
        if high < query.start or low >= query.stop or query.skips(*times):
            return None
        if query.tags is not None and "tag" in ranges and not _any_within(query.tags, ranges["tag"]):
            return None
        rows: Ints | None = None
        count = group.num_rows
        if low < query.start or high >= query.stop:
            ordinals = self.read_group(number, (ORDINAL,)).column(ORDINAL).to_numpy()
            rows = np.flatnonzero((ordinals >= query.start) & (ordinals < query.stop))
            if len(rows) == 0:
                return None
            low, high, count = int(ordinals[rows].min()), int(ordinals[rows].max()), len(rows)
        firsts, _, ingest = self.frame_table()
        latest = int(ingest[firsts.searchsorted(high, side="right") - 1])
        source = _GroupRows(self, number, rows)
        return Frame("observations", low, count, latest, self.entry.frames, None, None, {}, times, None, source)


def _any_within(tags: frozenset[str], span: tuple[object, object]) -> bool:
    low, high = str(span[0]), str(span[1])
    return any(low <= t <= high for t in tags)


def _batch(table: pa.Table, names: Sequence[str]) -> pa.RecordBatch:
    """Return named columns of observations; absent ones are null."""
    arrays = []
    for name in names:
        kind = OBSERVATIONS.field(name).type
        if name in table.schema.names:
            column = table.column(name).combine_chunks()
            arrays.append(column if column.type == kind else column.cast(kind))
        else:
            arrays.append(pa.nulls(table.num_rows, kind))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([OBSERVATIONS.field(n) for n in names]))


class _GroupRows:
    """Rows of one row group: all, or those at ``rows``."""

    __slots__ = ("_files", "_number", "_rows")

    def __init__(self, files: SealedFiles, number: int, rows: Ints | None) -> None:
        self._files, self._number, self._rows = files, number, rows

    def batch(self, columns: Collection[str] | None) -> pa.RecordBatch:
        wanted = [n for n in OBSERVATIONS.names if columns is None or n in columns]
        return _batch(self._read(wanted), wanted)

    def ordinals(self) -> Ints:
        found: Ints = self._read([ORDINAL]).column(ORDINAL).to_numpy()
        return found

    def ingest_times(self) -> Ints:
        return self._arrived(self.ordinals())

    def _arrived(self, ordinals: Ints) -> Ints:
        firsts, _, times = self._files.frame_table()
        found: Ints = times[firsts.searchsorted(ordinals, side="right") - 1]
        return found

    def tags(self) -> tuple[str, ...]:
        column = self._read(["tag"]).column("tag").combine_chunks()
        return tuple(column.unique().to_pylist())

    def of_tags(self, wanted: Callable[[str], bool]) -> Chosen | None:
        tags = [tag for tag in self._files.group_tags(self._number) if wanted(tag)]
        if not tags:
            return None
        table = self._read([*OBSERVATIONS.names, ORDINAL])
        table = table.filter(pc.is_in(table.column("tag").cast(pa.string()), pa.array(tags, pa.string())))
        if not table.num_rows:
            return None
        ordinals = table.column(ORDINAL).to_numpy()
        return Chosen(_batch(table, OBSERVATIONS.names), ordinals, self._arrived(ordinals))

    def _read(self, columns: Collection[str]) -> pa.Table:
        table = self._files.read_group(self._number, columns)
        return table if self._rows is None else table.take(pa.array(self._rows))
