"""The writer of a source: append, sync, publish, acknowledge."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab._locks import Lock
from twinlab.errors import SourceError
from twinlab.ledger.encryption.columns import is_encrypted
from twinlab.ledger.format import observations, records
from twinlab.ledger.format.dictionaries import Tables
from twinlab.ledger.format.disk import disk_error, sync_data, write_all
from twinlab.ledger.format.frame import (
    DICTIONARY,
    OBSERVATIONS_KIND,
    RECORDS_KIND,
    RETRACT_KIND,
    Head,
    join,
    noted,
    pack_ids,
)
from twinlab.ledger.format.position import FILE, Ack, Position, PositionFile
from twinlab.ledger.format.records import Records
from twinlab.ledger.format.segment import create
from twinlab.ledger.groups.protocol import GroupStore
from twinlab.ledger.recover import Found, Resume, TornTail, recover
from twinlab.model.schema import ENCRYPTED_VERSION, SCHEMA_VERSION

__all__ = ["MAX_FRAME_ROWS", "SEGMENT_BYTES", "SEGMENT_FRAMES", "SEGMENT_ROWS", "Ack", "TornTail", "Writer"]

#: Most rows of a frame, which a reader decodes at once.
MAX_FRAME_ROWS = 1 << 20
#: A segment with this many bytes, rows or frames is full. Frames count because who opens a writer reads the heads of one segment.
SEGMENT_BYTES = 64 << 20
SEGMENT_ROWS = 4 << 20
SEGMENT_FRAMES = 4096
#: Buffered bytes of a group beyond which they are written before the group ends.
_GROUP_BYTES = 16 << 20


class Writer:
    """Appends rows to one source; created by `Ledger.writer`, used as a context manager.

    Parameters
    ----------
    folder : Path
    source : str
    wait : float
        Seconds for another writer to close.
    resume : Resume, optional
        Where the writer before left the source, and where this one leaves it.
    fence : callable
        Called before a write and before an acknowledgement; raises an error if this process may not write any more.
    encrypt, check : callable, optional
        Returns records with personal columns encrypted; gets tags of observations and raises an error if one is personal.
    groups : GroupStore, optional
        Where groups are stored before they are acknowledged, if not in the folder, which is a copy then.

    Raises
    ------
    HistoryConflictError
        If another process or thread is writing to the source.
    CorruptionError
        If acknowledged rows are damaged.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_rows: int = SEGMENT_ROWS,
        wait: float = 0.0,
        resume: Resume | None = None,
        fence: Callable[[], None] = lambda: None,
        encrypt: Callable[[Records], Records] | None = None,
        check: Callable[[pa.Array], None] | None = None,
        groups: GroupStore | None = None,
    ) -> None:
        self._folder, self._source, self._encrypt, self._check = folder, source, encrypt, check
        self._resume, self._fence, self._groups, self.now = resume, fence, groups, time.time_ns
        self._full = (segment_bytes, segment_rows)
        self._descriptor = -1
        self._file: PositionFile | None = None
        self.torn: TornTail | None = None
        """Bytes that were cut when this writer opened, because the last one was interrupted within a write."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(folder / "lock", what=f"source {source!r}", wait=wait)
            try:
                self._open()
            except BaseException:
                self.close()
                raise
        except OSError as error:
            raise disk_error(error, folder, "opening a writer in") from error
        self._next = self._at
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._mark: dict[str, int] | None = None
        self._grouped = False
        self._broken = False

    def _open(self) -> None:
        self._fence()
        if self._groups is not None:
            self._groups.open(self._folder)
        found = self._resume.take(self._folder) if self._resume is not None else None
        if found is None:
            found = recover(self._folder)
        self.torn = found.torn
        self._tables, self._at = found.tables, found.position
        self._rows, self._frames = found.segment_rows, found.segment_frames
        self._descriptor = found.descriptor
        self._file = PositionFile(self._folder)
        if found.moved:
            self._at = replace(self._at, generation=self._at.generation + 1)
            self._file.publish(self._at)
            self._file.sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Sync the published position and release the source."""
        if self._file is not None:
            self._file.close()
            self._file = None  # `_pending` and `_broken` are set once the writer is open
            if self._resume is not None and not getattr(self, "_broken", True) and not self._pending:
                state = Found(self._at, self._tables, self._rows, self._frames, self._descriptor, None, moved=False)
                self._resume.leave(state)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._groups is not None:
            self._groups.close()
        self._lock.release()

    @property
    def position(self) -> int:
        """Number of durable rows."""
        return self._at.ordinal

    def append_observations(self, batch: pa.RecordBatch) -> Ack:
        """Append observations, columns as in ``model.schema.OBSERVATIONS``; any but tag and time may be missing.

        The rows are durable when this returns.

        Raises
        ------
        SchemaError
            If a column is unknown or has another type, or a tag or time is missing.
        SourceError
            If the disk is full or fails; no row of the batch was written.
        """
        columns = observations.conform(batch, self._check)
        with self.group():
            return self._observations(columns, batch.num_rows)

    def append_records(
        self,
        record_type: str,
        rows: pa.RecordBatch,
        *,
        row_numbers: npt.NDArray[np.int64] | None = None,
        file_id: str | None = None,
        units: Mapping[str, str] | None = None,
        keys: Sequence[str | None] | None = None,
        path: str | None = None,
    ) -> Ack:
        """Append rows of a table, with the source's own columns. They are durable when this returns.

        ``file_id`` is what `retract_file` withdraws together: a file's SHA-256, a colon and its name.

        Raises
        ------
        SchemaError
            If ``row_numbers`` or ``keys`` don't fit the rows.
        SourceError
            If the disk is full or fails; no row was written.
        """
        with self.group():
            return self._records(Records(record_type, rows, row_numbers, file_id, units, keys, path))

    def append_many(
        self, parts: Sequence[pa.RecordBatch | Records], *, note: Mapping[str, object] | None = None
    ) -> list[Ack]:
        """Append several batches of observations or `Records` with one sync: all are acknowledged, or none.

        ``note``, as JSON can represent it, becomes durable with the last of the rows or not at all; `Reader.notes` returns it.
        """
        checked = [(p, None if isinstance(p, Records) else observations.conform(p, self._check)) for p in parts]
        acks = []
        with self.group():
            for number, (part, columns) in enumerate(checked, start=1):
                noted = note if number == len(checked) else None
                if isinstance(part, Records):
                    acks.append(self._records(part, noted))
                elif columns is not None:
                    acks.append(self._observations(columns, part.num_rows, noted))
        return acks

    def retract_file(self, file_id: str) -> Ack:
        """Withdraw all rows of a file that were appended before. Durable when this returns."""
        with self.group():
            return self._frame(RETRACT_KIND, 1, b"", file_id=file_id)

    @contextmanager
    def group(self) -> Iterator[None]:
        """Append several times with one sync: the acknowledgements are valid once the ``with`` block has ended.

        If the block raises, no row of the group is written.
        """
        if self._grouped:  # a nested group ends with the outer one
            yield
            return
        self._start()
        self._grouped = True
        try:
            yield
            self._fence()
        except BaseException:
            self._undo()
            raise
        finally:
            self._grouped = False
        self._commit()

    def flush(self) -> None:
        """Do nothing, for callers that expect a file: every acknowledged row is durable."""

    def rotate(self) -> None:
        """End the current segment, so that it can be sealed."""
        if self._at.segment >= 0 and self._rows:
            self._fence()
            self._new_segment()

    def _start(self) -> None:
        closed = self._descriptor < 0 and self._file is None
        if closed or self._broken:
            why = "the writer is closed" if closed else "an earlier write failed on the disk"
            msg = f"source {self._source!r}: {why}; open another with `ledger.writer(...)`."
            raise SourceError(msg)
        self._fence()
        most_bytes, most_rows = self._full
        full = self._at.offset >= most_bytes or self._rows >= most_rows or self._frames >= SEGMENT_FRAMES
        if self._at.segment < 0 or full:
            self._new_segment()
        self._mark = self._tables.mark()
        self._next = self._at

    def _new_segment(self) -> None:
        at, number = self._at, self._at.segment + 1
        try:
            descriptor = create(self._folder, number, ordinal=at.ordinal, frames=at.frames, ingest_time=at.ingest_time)
        except OSError as error:
            raise disk_error(error, self._folder, "starting a segment in") from error
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._tables, self._rows, self._frames = Tables(), 0, 0
        start = replace(at, segment=number, offset=os.fstat(descriptor).st_size)
        if self._groups is not None:  # published with its first group
            self._at = start
            return
        self._publish(start)
        if self._file is not None:  # the new segment assumes that the one before is complete, and published
            self._file.sync()

    def _observations(self, columns: dict[str, pa.Array], rows: int, note: Mapping[str, object] | None = None) -> Ack:
        start, ack = self._next, self._empty()
        for low in range(0, rows, MAX_FRAME_ROWS):
            part = columns if rows <= MAX_FRAME_ROWS else {n: c.slice(low, MAX_FRAME_ROWS) for n, c in columns.items()}
            packed = observations.encode(part, self._tables)
            count = min(MAX_FRAME_ROWS, rows - low)
            times, ids = (packed.time_low, packed.time_high), pack_ids(packed.tags)
            meta = noted(b"", note if low + count == rows else None)
            ack = self._frame(OBSERVATIONS_KIND, count, packed.payload, tags=ids, times=times, meta=meta)
        return replace(ack, rows=rows, bytes=self._next.offset - start.offset)

    def _records(self, given: Records, note: Mapping[str, object] | None = None) -> Ack:
        start, ack = self._next, self._empty()
        rows = given.rows.num_rows
        for low in range(0, rows, MAX_FRAME_ROWS):
            part = given if rows <= MAX_FRAME_ROWS else given.slice(low, MAX_FRAME_ROWS)
            part = part if self._encrypt is None else self._encrypt(part)
            payload, meta = records.encode(part)
            done = noted(meta, note if low + part.rows.num_rows == rows else None)
            ack = self._frame(
                RECORDS_KIND, part.rows.num_rows, payload, meta=done, record_type=given.record_type,
                file_id=given.file_id, version=ENCRYPTED_VERSION if is_encrypted(part.rows) else SCHEMA_VERSION,
            )  # fmt: skip
        return replace(ack, rows=rows, bytes=self._next.offset - start.offset)

    def _empty(self) -> Ack:
        return Ack(self._next.ordinal, self._next.ingest_time, 0, 0)

    def _frame(
        self,
        kind: int,
        rows: int,
        payload: bytes,
        *,
        tags: bytes = b"",
        meta: bytes = b"",
        times: tuple[int, int] = (0, 0),
        record_type: str | None = None,
        file_id: str | None = None,
        version: int = SCHEMA_VERSION,
    ) -> Ack:
        names = [-1 if n is None else self._tables.code("name", n) for n in (record_type, file_id)]
        at = self._next
        now = max(self.now(), at.ingest_time)
        place = (at.frames, at.ordinal, rows, now, self._at.offset, *times)
        head = Head(kind, *place, names[0], names[1], tags, meta, version=version)
        size = 0
        news = self._tables.pack_new()
        if news is not None:
            empty = replace(
                head, kind=DICTIONARY, rows=0, time_low=0, time_high=0, tags=b"", meta=b"", record_type=-1, file_id=-1,
                version=SCHEMA_VERSION,
            )  # fmt: skip
            size += self._push(join(empty, news)[1])
        size += self._push(join(head, payload)[1])
        self._next = Position(at.generation, at.segment, at.offset + size, at.ordinal + rows, at.frames + 1, now)
        if self._pending_bytes > _GROUP_BYTES and self._groups is None:
            self._write()
        return Ack(at.ordinal + rows, now, rows, size)

    def _push(self, buffers: list[bytes]) -> int:
        self._pending += buffers
        size = sum(map(len, buffers))
        self._pending_bytes += size
        return size

    def _write(self) -> None:
        write_all(self._descriptor, self._pending, self._next.offset - self._pending_bytes)
        self._pending, self._pending_bytes = [], 0

    def _commit(self) -> None:
        if self._next.frames == self._at.frames:
            return
        rows = self._next.ordinal - self._at.ordinal
        self._broken = True  # until all of this is done: an interrupt may come at any line
        try:
            if self._groups is not None:
                self._groups.put(self._at, self._next, self._pending)
            self._write()
            if self._groups is None:
                sync_data(self._descriptor)
        except OSError as error:
            # After a failed sync lost pages may be marked clean: unless the disk was merely full, a new writer finds out.
            self._broken = error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
            self._undo()
            raise disk_error(error, self._folder / f"{self._at.segment:08d}.seg", "appending to") from error
        self._frames += self._next.frames - self._at.frames
        self._publish(self._next)
        self._rows += rows
        self._broken = False
        # A process that has taken over meanwhile has these rows only if they were durable before.
        self._fence()

    def _publish(self, position: Position) -> None:
        at = replace(position, generation=self._at.generation + 1)
        try:
            if self._file is not None:
                self._file.publish(at)
        except OSError as error:
            self._broken = True  # the frames are durable; the next writer repairs a position that is written in half
            raise disk_error(error, self._folder / FILE, "publishing the position in") from error
        self._at = at

    def _undo(self) -> None:
        self._pending, self._pending_bytes = [], 0
        if self._mark is not None:
            self._tables.roll_back(self._mark)
        self._next = self._at
        try:
            os.ftruncate(self._descriptor, self._at.offset)
        except OSError:
            self._broken = True  # the next writer cuts the torn tail
