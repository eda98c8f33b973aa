"""The one writer of a source: append, sync, publish, acknowledge."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab._locks import Lock
from twinlab.errors import SourceError
from twinlab.ledger.format import observations, records
from twinlab.ledger.format.dictionaries import Tables
from twinlab.ledger.format.disk import disk_error, sync_data, write_all
from twinlab.ledger.format.frame import DICTIONARY, OBSERVATIONS_KIND, RECORDS_KIND, RETRACT_KIND, Head, join, pack_ids
from twinlab.ledger.format.position import FILE, Position, PositionFile
from twinlab.ledger.format.records import Records
from twinlab.ledger.format.segment import create
from twinlab.ledger.recover import TornTail, recover

__all__ = ["MOST_ROWS", "SEGMENT_BYTES", "SEGMENT_ROWS", "Ack", "TornTail", "Writer"]

#: Rows in one frame at most: what a reader must hold at once.
MOST_ROWS = 1 << 20
#: A segment with as many bytes or rows is full; the next append starts another.
SEGMENT_BYTES = 64 << 20
SEGMENT_ROWS = 4 << 20
#: Buffered bytes of a group that are handed to the system before the group ends.
_GROUP_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Ack:
    """The ledger's word that rows are durable."""

    position: int
    """Ordinal after the rows: the source's position once they are in."""
    ingest_time: int
    """ns UTC given to the rows."""
    rows: int
    bytes: int
    """Bytes that the rows took on disk."""


class Writer:
    """Append to one source; use as a context manager, through `Ledger.writer`.

    Parameters
    ----------
    folder : Path
        The source's directory.
    source : str
        Its name, for messages.
    segment_bytes, segment_rows : int
        When a segment is full.
    wait : float
        Seconds to wait for another writer to let go.

    Raises
    ------
    HistoryConflictError
        If somebody else is writing to the source.
    CorruptionError
        If what was acknowledged is damaged.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_rows: int = SEGMENT_ROWS,
        wait: float = 0.0,
    ) -> None:
        self._folder, self._source = folder, source
        self._full = (segment_bytes, segment_rows)
        self._descriptor = -1
        self._file: PositionFile | None = None
        self.torn: TornTail | None = None
        """What was cut when this writer opened, if the last one ended within a write."""
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
        found = recover(self._folder)
        self.torn = found.torn
        self._tables, self._at, self._rows = found.tables, found.position, found.segment_rows
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
        """Sync the published position and let the source go."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._lock.release()

    @property
    def position(self) -> int:
        """Durable rows so far."""
        return self._at.ordinal

    def append_observations(self, batch: pa.RecordBatch) -> Ack:
        """Append rows of ``model.schema.OBSERVATIONS``; columns may be missing. Durable when it returns.

        Raises
        ------
        SchemaError
            If a column is unknown or of another kind, or a tag or time is missing.
        SourceError
            If the disk is full or fails; nothing of the batch was kept.
        """
        columns = observations.conform(batch)
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
    ) -> Ack:
        """Append rows of a table as its source names them. Durable when it returns.

        Raises
        ------
        SchemaError
            If ``row_numbers`` or ``keys`` don't fit the rows.
        SourceError
            If the disk is full or fails; nothing of the rows was kept.
        """
        with self.group():
            return self._records(Records(record_type, rows, row_numbers, file_id, units, keys))

    def append_many(self, parts: Sequence[pa.RecordBatch | Records]) -> list[Ack]:
        """Append several batches of observations or `Records` under one sync: all or nothing is acknowledged."""
        checked = [(p, None if isinstance(p, Records) else observations.conform(p)) for p in parts]
        acks = []
        with self.group():
            for part, columns in checked:
                if isinstance(part, Records):
                    acks.append(self._records(part))
                elif columns is not None:
                    acks.append(self._observations(columns, part.num_rows))
        return acks

    def retract_file(self, file_id: str) -> Ack:
        """Withdraw all rows of that file which the ledger holds before this. Durable when it returns."""
        with self.group():
            return self._frame(RETRACT_KIND, 1, b"", file_id=file_id)

    @contextmanager
    def group(self) -> Iterator[None]:
        """Append several times under one sync: the acknowledgements hold once the ``with`` block has ended.

        If the block raises, nothing of the group is kept.
        """
        if self._grouped:  # a group within a group ends with the outer one
            yield
            return
        self._start()
        self._grouped = True
        try:
            yield
        except BaseException:
            self._undo()
            raise
        finally:
            self._grouped = False
        self._commit()

    def flush(self) -> None:
        """Do nothing: every acknowledged row is durable already. Here for callers that expect it."""

    def rotate(self) -> None:
        """End the current segment, so that it can be sealed."""
        if self._at.segment >= 0 and self._rows:
            self._new_segment()

    def _start(self) -> None:
        if self._descriptor < 0 and self._file is None:
            msg = f"source {self._source!r}: the writer is closed. Open another with `ledger.writer(...)`."
            raise SourceError(msg)
        if self._broken:
            msg = f"source {self._source!r}: an earlier write failed in the disk. Close this writer and open another."
            raise SourceError(msg)
        most_bytes, most_rows = self._full
        if self._at.segment < 0 or self._at.offset >= most_bytes or self._rows >= most_rows:
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
        self._tables, self._rows = Tables(), 0
        self._publish(replace(at, segment=number, offset=os.fstat(descriptor).st_size))
        # From here on the next segment counts on this one being whole: the position mustn't lag behind.
        if self._file is not None:
            self._file.sync()

    def _observations(self, columns: dict[str, pa.Array], rows: int) -> Ack:
        start, ack = self._next, self._empty()
        for low in range(0, rows, MOST_ROWS):
            part = columns if rows <= MOST_ROWS else {n: c.slice(low, MOST_ROWS) for n, c in columns.items()}
            packed = observations.encode(part, self._tables)
            count = min(MOST_ROWS, rows - low)
            times = (packed.time_low, packed.time_high)
            ack = self._frame(OBSERVATIONS_KIND, count, packed.payload, tags=pack_ids(packed.tags), times=times)
        return replace(ack, rows=rows, bytes=self._next.offset - start.offset)

    def _records(self, given: Records) -> Ack:
        start, ack = self._next, self._empty()
        rows = given.rows.num_rows
        for low in range(0, rows, MOST_ROWS):
            part = given if rows <= MOST_ROWS else _slice(given, low, MOST_ROWS)
            payload, meta = records.encode(part)
            ack = self._frame(
                RECORDS_KIND,
                part.rows.num_rows,
                payload,
                meta=meta,
                record_type=given.record_type,
                file_id=given.file_id,
            )
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
    ) -> Ack:
        names = [-1 if n is None else self._tables.code("name", n) for n in (record_type, file_id)]
        at = self._next
        now = max(time.time_ns(), at.ingest_time)
        head = Head(kind, at.frames, at.ordinal, rows, now, self._at.offset, *times, names[0], names[1], tags, meta)
        size = 0
        news = self._tables.news()
        if news is not None:
            empty = replace(
                head, kind=DICTIONARY, rows=0, time_low=0, time_high=0, tags=b"", meta=b"", record_type=-1, file_id=-1
            )
            size += self._push(join(empty, news)[1])
        size += self._push(join(head, payload)[1])
        self._next = Position(at.generation, at.segment, at.offset + size, at.ordinal + rows, at.frames + 1, now)
        if self._pending_bytes > _GROUP_BYTES:
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
        self._broken = True  # until this is through: an interrupt may strike at any line
        try:
            self._write()
            sync_data(self._descriptor)
        except OSError as error:
            # After a failed sync the system may call lost pages clean: unless the disk was merely full, only a new
            # open tells what is there.
            self._broken = error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
            self._undo()
            raise disk_error(error, self._folder / f"{self._at.segment:08d}.seg", "appending to") from error
        self._publish(self._next)
        self._rows += rows
        self._broken = False

    def _publish(self, position: Position) -> None:
        at = replace(position, generation=self._at.generation + 1)
        try:
            if self._file is not None:
                self._file.publish(at)
        except OSError as error:
            # The frames are durable, but half a position may be written: the next open sorts it out.
            self._broken = True
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
            self._broken = True  # the next open cuts it as a torn tail


def _slice(given: Records, low: int, count: int) -> Records:
    return replace(
        given,
        rows=given.rows.slice(low, count),
        row_numbers=None if given.row_numbers is None else given.row_numbers[low : low + count],
        keys=None if given.keys is None else given.keys[low : low + count],
    )
