"""Reading a sealed segment: Parquet row groups and other frames, each verified before use."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from twinlab.ledger.format import codec
from twinlab.ledger.format.archived import RecordFiles
from twinlab.ledger.format.disk import corrupt
from twinlab.ledger.format.frame import FRAME_TABLE
from twinlab.ledger.format.frames import Chosen, Frame
from twinlab.ledger.format.index import Index, Query, read_heads
from twinlab.ledger.format.manifest import SealedSegment, read_manifest
from twinlab.ledger.format.parquet import ORDINAL, ParquetParts
from twinlab.ledger.format.segment import SegmentFile
from twinlab.model.schema import OBSERVATIONS

__all__ = ["Kept", "SealedFiles"]

Ints = npt.NDArray[np.int64]
#: Decoded row groups that are kept for readers of some tags, which need the same ones again and again: some 6 MB each.
_KEPT_GROUPS = 6
#: Rows of a table of frames that take the memory of one head.
_TIMES_A_HEAD = 24


class _Bounds(NamedTuple):
    """Least and greatest values of each row group."""

    ordinal: tuple[Ints, Ints]
    time: tuple[Ints, Ints]
    # None if the file doesn't say.
    tag: list[tuple[str, str] | None]

    def has_tag(self, number: int, tags: Sequence[str]) -> bool:
        """Return whether one of some ascending tags is within the tags of a row group, whose rows are sorted by tag."""
        span = self.tag[number]
        if span is None:
            return True
        at = bisect_left(tags, span[0])
        return at < len(tags) and tags[at] <= span[1]


@dataclass(frozen=True, slots=True)
class Kept:
    """The heads of a sealed segment's frames that aren't observations, and where those of their rows are that were archived."""

    entry: SealedSegment
    index: Index
    rows: RecordFiles


def _opened(folder: Path, entry: SealedSegment) -> tuple[SegmentFile, Kept]:
    """Open the file of a segment's other frames and read its heads."""
    path, index = folder / entry.kept_name, Index()
    try:
        file = SegmentFile(path)
    except FileNotFoundError as error:
        # Since the manifest was read, archiving may have replaced it by one without the rows that were moved.
        newest = read_manifest(folder).get(entry.segment)
        if newest is None or newest.kept_name == entry.kept_name:
            raise corrupt(path, 0, "a sealed file is missing") from error
        return _opened(folder, newest)
    if file.size() != entry.kept_bytes:
        raise corrupt(path, 0, f"expected {entry.kept_bytes} bytes, found {file.size()}")
    read_heads(file, index, entry.kept_bytes, gaps=True)
    return file, Kept(entry, index, RecordFiles(folder, entry.records))


class SealedFiles:
    """The files of a sealed segment."""

    def __init__(self, folder: Path, entry: SealedSegment) -> None:
        self._folder = folder
        self._kept = _opened(folder, entry)[1]
        self._times: tuple[Ints, Ints, Ints] | None = None
        self._parquet = ParquetParts(lambda: self.path, folder, entry.parquet_bytes, entry.ranges)

    @property
    def entry(self) -> SealedSegment:
        """What the manifest says of the segment."""
        return self._kept.entry

    @property
    def index(self) -> Index:
        """The heads of the frames that aren't observations."""
        return self._kept.index

    @property
    def heads(self) -> int:
        """Number of heads whose memory these files take: of the other frames, and what is known of those of the observations."""
        return len(self.index.places) + (0 if self._times is None else len(self._times[0]) // _TIMES_A_HEAD)

    def kept(self) -> tuple[SegmentFile, Kept]:
        """Open the file of the frames that aren't observations; not cached, since there may be thousands of segments."""
        kept = self._kept
        try:
            return SegmentFile(self._folder / kept.entry.kept_name), kept
        except FileNotFoundError:
            _, self._kept = opened = _opened(self._folder, kept.entry)
            return opened

    def frame_table(self) -> tuple[Ints, Ints, Ints]:
        """Return first ordinal, number of rows and ingest time of each frame that the segment had."""
        if self._times is None:
            file, kept = self.kept()
            place = kept.index.places[-1] if kept.index.places else None
            if place is None or place.head.kind != FRAME_TABLE:
                raise corrupt(file.path, 0, "the table of frames is missing")
            data = memoryview(file.payload(place))
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
        path = self.entry.parquet_path(self._folder)
        if not path.exists():
            # It may have been archived since the manifest was read.
            newest = read_manifest(self._folder).get(self.entry.segment)
            path = path if newest is None else newest.parquet_path(self._folder)
        return path

    def metadata(self) -> pq.FileMetaData:
        """Return the footer of the Parquet file, verified."""
        return self._parquet.metadata()

    def read_group(self, number: int, columns: Collection[str] | None) -> pa.Table:
        """Verify and read one row group; the ordinal only if it is named."""
        return self._parquet.read_group(number, columns, without=ORDINAL)

    @cached_property
    def _bounds(self) -> _Bounds:
        metadata = self.metadata()
        places = {metadata.schema.column(n).path: n for n in range(metadata.num_columns)}
        groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]

        def edges(name: str) -> tuple[Ints, Ints]:
            known = [group.column(places[name]).statistics for group in groups]
            return np.array([one.min for one in known], dtype=np.int64), np.array([one.max for one in known], np.int64)

        tags = [group.column(places["tag"]).statistics for group in groups]
        spans = [(str(one.min), str(one.max)) if one is not None and one.has_min_max else None for one in tags]
        return _Bounds(edges(ORDINAL), edges("source_time"), spans)

    def latest_time(self) -> int:
        """Return the latest time of the observations, ns on the source's own clock."""
        return int(self._bounds.time[1].max())

    def frames(self, query: Query) -> Iterator[Frame]:
        """Yield the row groups with rows of the query, by ascending first ordinal."""
        if self.entry.parquet_name is None:
            return
        (first, last), (earliest, latest), _ = bounds = self._bounds
        near = (last >= query.start) & (first < query.stop)
        if query.time is not None:
            near &= (latest >= query.time[0]) & (earliest < query.time[1])
        numbers: list[int] = np.flatnonzero(near).tolist()
        if query.tags is not None and numbers:
            # The dictionary has all tags of the segment, so that no row is read to find the groups with some of them.
            tables = self.index.tables
            tags = sorted(tables.text("tag", n) or "" for n in tables.find("tag", query.tags))
            numbers = [n for n in numbers if bounds.has_tag(n, tags)]
        found = [g for n in numbers if (g := self._group(n, query))]
        yield from sorted(found, key=lambda f: f.first)

    def _group(self, number: int, query: Query) -> Frame | None:
        bounds = self._bounds
        low, high = (int(edge[number]) for edge in bounds.ordinal)
        times = int(bounds.time[0][number]), int(bounds.time[1][number])
        rows: Ints | None = None
        count = whole = self.metadata().row_group(number).num_rows
        if low < query.start or high >= query.stop:
            # The rows of some tags are read next.
            if query.tags is None:
                ordinals = self.read_group(number, (ORDINAL,)).column(ORDINAL).to_numpy()
            else:
                ordinals = _decoded(self, number).ordinals
            rows = np.flatnonzero((ordinals >= query.start) & (ordinals < query.stop))
            if len(rows) == 0:
                return None
            low, high, count = int(ordinals[rows].min()), int(ordinals[rows].max()), len(rows)
        firsts, _, ingest = self.frame_table()
        latest = int(ingest[firsts.searchsorted(high, side="right") - 1])
        source = _GroupRows(self, number, rows)
        return Frame(
            "observations", low, count, latest, self.entry.frames, None, None, {}, times, None, source, group_rows=whole
        )


class _Decoded(NamedTuple):
    """All columns of a row group."""

    table: pa.Table
    ordinals: Ints
    # Number in ``tags`` of each row's tag.
    codes: npt.NDArray[np.int32]
    tags: tuple[str, ...]


@lru_cache(maxsize=_KEPT_GROUPS)
def _decoded(files: SealedFiles, number: int) -> _Decoded:
    """Decode a row group; the last few are kept."""
    table = files.read_group(number, (*OBSERVATIONS.names, ORDINAL))
    tags = table.column("tag").combine_chunks()
    codes = tags.indices.to_numpy().astype(np.int32, copy=False)
    return _Decoded(table, table.column(ORDINAL).to_numpy(), codes, tuple(tags.dictionary.to_pylist()))


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
        table, ordinals, codes, tags = _decoded(self._files, self._number)
        chosen = np.array([wanted(tag) for tag in tags], dtype=np.bool_)
        rows = np.flatnonzero(chosen[codes]) if self._rows is None else self._rows[chosen[codes[self._rows]]]
        if not len(rows):
            return None
        table, ordinals = table.take(pa.array(rows)), ordinals[rows]
        return Chosen(_batch(table, OBSERVATIONS.names), ordinals, self._arrived(ordinals))

    def _read(self, columns: Collection[str]) -> pa.Table:
        table = self._files.read_group(self._number, columns)
        return table if self._rows is None else table.take(pa.array(self._rows))
