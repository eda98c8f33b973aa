"""Read a source up to its published position."""

from __future__ import annotations

import heapq
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from twinlab.ledger.format import records
from twinlab.ledger.format.archived import is_archived
from twinlab.ledger.format.disk import corrupt
from twinlab.ledger.format.frame import (
    FRAME_TABLE,
    OBSERVATIONS_KIND,
    RECORDS_KIND,
    RETRACT_KIND,
    ROW_KINDS,
    unpack_ids,
)
from twinlab.ledger.format.frames import Decode, Frame, open_frame
from twinlab.ledger.format.index import Index, Query, read_heads
from twinlab.ledger.format.joined import joined
from twinlab.ledger.format.manifest import MANIFEST, SealedSegment, read_manifest
from twinlab.ledger.format.position import FILE, Position, read_position
from twinlab.ledger.format.sealed import SealedFiles
from twinlab.ledger.format.segment import Place, SegmentFile, path_of

__all__ = ["Reader"]

T = TypeVar("T")
#: Heads that a reader keeps, some 600 bytes each: those of the segments that were used last. Without a bound, the reader of a process
#: that lives for weeks would have those of all rows that arrived meanwhile.
_KEPT_HEADS = 1 << 14


class Reader:
    """Reads one source. It caches the heads of the frames that it has read last, so reuse it.

    Parameters
    ----------
    folder : Path
        The source's directory; it may not exist yet.
    decrypt : callable, optional
        Returns records with the columns that are encrypted; without it they are read as they are stored.
    prepare : callable, optional
        Called before segments are read: fetches them if they are elsewhere.
    """

    def __init__(
        self,
        folder: Path,
        *,
        decrypt: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = self._folder = folder
        self._decrypt, self._prepare = decrypt, prepare
        # The last one is that of the segment that was used last.
        self._indices: OrderedDict[int, Index] = OrderedDict()
        self._sealed: OrderedDict[int, SealedFiles] = OrderedDict()
        self._manifest: tuple[tuple[int, int], dict[int, SealedSegment]] = ((0, 0), {})
        # Number of a segment that gets no more rows -> the ordinal after its last row.
        self._ends: dict[int, int] = {}
        # File id -> path -> rows that aren't withdrawn.
        self._file_rows: dict[str, dict[str | None, int]] = {}
        self._file_rows_until = 0
        self._lock = threading.Lock()
        self._file_rows_lock = threading.Lock()

    def position(self) -> int:
        """Return the number of durable rows, which is the ordinal of the next row.

        Raises
        ------
        CorruptionError
            If the published position is damaged.
        """
        return read_position(self._folder).ordinal

    def ingest_time(self) -> int:
        """Return the ingest time of the latest row, ns UTC; 0 if there is none."""
        return read_position(self._folder).ingest_time

    def position_at(self, known_ns: int) -> int:
        """Return the number of rows with an ingest time of at most ``known_ns`` (ns UTC).

        Raises
        ------
        CorruptionError
            If stored heads are damaged.
        """
        at = read_position(self._folder)
        if known_ns >= at.ingest_time:
            return at.ordinal
        position = 0
        for part in self._parts(at):
            if isinstance(part, SealedFiles):
                times, ends = part.frame_times()
                place = int(times.searchsorted(known_ns, side="right"))
                if place < len(times):
                    return int(ends[place - 1]) if place else part.entry.first
                position = part.entry.first + part.entry.rows
                continue
            file, index = part
            places = [p for p in index.places if p.head.kind in ROW_KINDS]
            count = bisect_right(places, known_ns, key=lambda p: p.head.ingest_time)
            if count < len(places):
                return places[count].head.first
            position = places[-1].head.first + places[-1].head.rows if places else file.ordinal
        return min(position, at.ordinal)

    def frames(
        self,
        *,
        start: int = 0,
        stop: int | None = None,
        tags: Collection[str] | None = None,
        time: tuple[int, int] | None = None,
        join: bool = False,
    ) -> Iterator[Frame]:
        """Yield the frames with the rows [start, stop), by ascending first ordinal.

        Parameters
        ----------
        start, stop : int
            Ordinals; frames are cut to exactly these rows. None means the durable position at the time of the call.
        tags : collection of str, optional
            Skip observation frames in which none of them occurs. Frames may have rows of other tags too; `Frame.of_tags`
            cuts them.
        time : (int, int), optional
            Skip observation frames without a ``source_time`` in [low, high), in ns on the source's own clock: widen it
            by the zone's offset. Frames may have rows of other times too.
        join : bool
            Yield small frames of observations that follow one another as one, whose ``ingest_time`` is that of the last.

        Notes
        -----
        Records and retractions are always yielded: their times are unknown until they are harmonised.

        Raises
        ------
        CorruptionError
            If stored bytes differ from what was written; names file and offset.
        """
        at = read_position(self._folder)
        end = at.ordinal if stop is None else min(stop, at.ordinal)
        if start >= end:
            return
        query = Query(start, end, None if tags is None else frozenset(tags), time)
        for part in self._parts(at, start=start, stop=end):
            if isinstance(part, SealedFiles):
                file, kept = part.kept()
                others = _walk(file, kept.index, query, self._decode(kept.rows.decode))
                yield from heapq.merge(others, part.frames(query), key=lambda f: f.first)
            else:
                found = _walk(*part, query, self._decode(records.decode))
                yield from joined(found) if join else found

    def _decode(self, decode: Decode) -> Decode:
        decrypt = self._decrypt
        return decode if decrypt is None else lambda payload: decrypt(decode(payload))

    def tags(self, *, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Sequence[str]]]:
        """Yield the number of each segment with rows of [start, stop), and the tags of its observations.

        Tags are in the order of their first occurrence in the segment: those of new rows are added at the end.
        """
        at = read_position(self._folder)
        for part in self._parts(at, start=start, stop=at.ordinal if stop is None else min(stop, at.ordinal)):
            if isinstance(part, SealedFiles):
                yield part.entry.segment, part.index.tables.texts("tag")
            else:
                yield part[0].number, part[1].tables.texts("tag")

    def notes(self, *, start: int = 0) -> Iterator[tuple[int, Mapping[str, object]]]:
        """Yield the notes that a writer appended with rows from ordinal ``start`` on, each with the ordinal after its rows.

        Those of a sealed segment are one: of each key the newest value, and of mappings in it the newest of each of their keys.
        """
        at = read_position(self._folder)
        for part in self._parts(at, start=start, stop=at.ordinal) if start < at.ordinal else ():
            index = part.index if isinstance(part, SealedFiles) else part[1]
            heads = [place.head for place in index.places[bisect_right(index.ends, start) :]]
            # Segments that earlier versions sealed have the notes of records only.
            for head in heads[-1:] if heads and heads[-1].kind == FRAME_TABLE and heads[-1].meta else heads:
                note = head.extra.get("note") if head.first + head.rows <= at.ordinal else None
                if isinstance(note, dict):
                    yield head.first + head.rows, note

    def retracted_files(self, *, stop: int | None = None) -> dict[str, int]:
        """Return file id -> ordinal of its latest retraction; rows of the file before that ordinal are withdrawn."""
        found: dict[str, int] = {}
        at = read_position(self._folder)
        end = at.ordinal if stop is None else min(stop, at.ordinal)
        for part in self._parts(at, stop=end):
            index = part.index if isinstance(part, SealedFiles) else part[1]
            for place in index.places:
                if place.head.kind == RETRACT_KIND and place.head.first < end:
                    found[index.tables.text("name", place.head.file_id) or ""] = place.head.first
        return found

    def stored_records(self) -> Iterator[tuple[SegmentFile, Place]]:
        """Yield the frames of records whose rows aren't archived: the file of each, and its place there."""
        for part in self._parts(read_position(self._folder)):
            if isinstance(part, SealedFiles):
                file, kept = part.kept()
                index = kept.index
            else:
                file, index = part
            for place in index.places:
                if place.head.kind == RECORDS_KIND and not is_archived(place.head):
                    yield file, place

    def rows_of_file(self, file_id: str) -> dict[str | None, int]:
        """Return path -> number of the rows that were appended with this file id and not withdrawn since.

        The path is that of the file, folder and name; None for rows that were appended without one.

        The first call reads the heads of all frames, later ones only the new heads.
        """
        at = read_position(self._folder)
        with self._file_rows_lock:
            start, rows = self._file_rows_until, self._file_rows
            for part in self._parts(at, start=start, stop=at.ordinal) if start < at.ordinal else ():
                index = part.index if isinstance(part, SealedFiles) else part[1]
                for place in index.places[bisect_right(index.ends, start) :]:
                    head = place.head
                    if head.first >= at.ordinal:
                        break
                    if head.kind not in ROW_KINDS or head.file_id < 0:
                        continue
                    name = index.tables.text("name", head.file_id) or ""
                    if head.kind == RETRACT_KIND:
                        rows.pop(name, None)
                    else:
                        paths, path = rows.setdefault(name, {}), head.extra.get("path")
                        of_path = None if path is None else str(path)
                        paths[of_path] = paths.get(of_path, 0) + head.rows
            self._file_rows_until = max(start, at.ordinal)
            return dict(rows.get(file_id, {}))

    def _parts(
        self, at: Position, *, start: int = 0, stop: int | None = None
    ) -> Iterator[SealedFiles | tuple[SegmentFile, Index]]:
        """Yield the sealed and open segments that may have rows of [start, stop), in order."""
        self._prepare()
        number, first = 0, 0
        manifest: dict[int, SealedSegment] = {}
        opened: SegmentFile | None = None
        while number <= at.segment:
            if self._ends.get(number, start + 1) <= start:
                first = self._ends[number]
                number += 1
                continue
            entry = manifest.get(number)
            if entry is None:
                try:
                    opened = SegmentFile(path_of(self._folder, number))
                except FileNotFoundError:
                    # Sealing removes a segment only after its manifest entry is durable.
                    manifest = self._read_manifest()
                    if number not in manifest:
                        raise corrupt(path_of(self._folder, number), 0, "a segment is missing") from None
                    continue
            if entry is not None:
                self._check_ordinal(entry.first, first, self._folder / entry.kept_name)
                first = entry.first + entry.rows
                if first > start and (stop is None or entry.first < stop):
                    yield self._sealed_files(entry)
            elif opened is not None:
                self._check_ordinal(opened.ordinal, first, opened.path)
                end = self._end_of(number) if number < at.segment and opened.ordinal < start else None
                if end is not None and end <= start:
                    self._ends[number] = first = end
                    number += 1
                    continue
                index = self._read_heads(opened, at if number == at.segment else None)
                first = index.ends[-1] if index.ends else first
                if first > start and (stop is None or opened.ordinal < stop):
                    yield opened, index
            if number < at.segment:
                self._ends[number] = first
            if stop is not None and first >= stop:
                return
            number += 1
        # Another call with a later position may have read more heads meanwhile.
        if first < at.ordinal:
            self._check_ordinal(first, at.ordinal, self._folder / FILE)

    def _end_of(self, number: int) -> int | None:
        """Return the ordinal after a segment's last row, with which the next one begins; None if that one is sealed."""
        try:
            following: int = SegmentFile(path_of(self._folder, number + 1)).ordinal
        except FileNotFoundError:
            return None
        return following

    @staticmethod
    def _check_ordinal(got: int, want: int, path: Path) -> None:
        if got != want:
            raise corrupt(path, 0, f"expected rows up to ordinal {want} here, got {got}")

    def _read_manifest(self) -> dict[int, SealedSegment]:
        try:
            found = (self._folder / MANIFEST).stat()
        except FileNotFoundError:
            return {}
        version = (found.st_ino, found.st_mtime_ns)
        if self._manifest[0] != version:
            self._manifest = (version, read_manifest(self._folder))
        return self._manifest[1]

    def _sealed_files(self, entry: SealedSegment) -> SealedFiles:
        with self._lock:
            found = self._sealed.get(entry.segment)
            if found is None:
                found = self._sealed[entry.segment] = SealedFiles(self._folder, entry)
                self._indices.pop(entry.segment, None)
            self._sealed.move_to_end(entry.segment)
            _drop_oldest(self._sealed, lambda files: files.heads)
        return found

    def _read_heads(self, file: SegmentFile, at: Position | None) -> Index:
        with self._lock:
            index = self._indices.setdefault(file.number, Index())
            self._indices.move_to_end(file.number)
            read_heads(file, index, at.offset if at is not None else file.size())
            _drop_oldest(self._indices, lambda one: len(one.places))
        return index


def _drop_oldest(kept: OrderedDict[int, T], heads: Callable[[T], int]) -> None:
    """Drop what was used longest ago while there are too many heads, but not what was used last."""
    count = sum(map(heads, kept.values()))
    while count > _KEPT_HEADS and len(kept) > 1:
        count -= heads(kept.popitem(last=False)[1])


def _walk(file: SegmentFile, index: Index, query: Query, decode: Decode = records.decode) -> Iterator[Frame]:
    ids = None if query.tags is None else frozenset(index.tables.find("tag", query.tags))
    for number in range(bisect_right(index.ends, query.start), len(index.places)):
        place = index.places[number]
        head = place.head
        if head.first >= query.stop:
            break
        if head.kind not in ROW_KINDS:
            continue
        if head.kind == OBSERVATIONS_KIND:
            if query.skips(head.time_low, head.time_high):
                continue
            if ids is not None and ids.isdisjoint(unpack_ids(head.tags).tolist()):
                continue
        yield open_frame(file, place, index.tables, start=query.start, stop=query.stop, decode=decode)
