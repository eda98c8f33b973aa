"""Appends groups of batches of one live source to the ledger: one sync a group, offsets with the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.errors import SchemaError, SourceError
from twinlab.ledger import Ledger, Records, Writer
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.sources.base import RowBatch
from twinlab.sources.live import LiveBatch
from twinlab.twin.ingest import names_folders, store
from twinlab.twin.live.offsets import Offsets, note_of
from twinlab.twin.live.unreadable.files import write_file
from twinlab.twin.live.unreadable.messages import FOLDER, MessageFiles

__all__ = ["Appended", "LiveAppender"]

#: Batches that the ledger refuses are kept as files, at most so many.
_REFUSED_FILES = 1_000
#: What a batch raises that doesn't fit the ledger; SchemaError is a ValueError.
_UNFIT = (ValueError, TypeError, KeyError, OverflowError, pa.ArrowException)


@dataclass(frozen=True)
class Appended:
    """Result of appending a group."""

    rows: int
    """Rows that are durable now."""
    position: int
    """Position of the source after them."""
    latest_ns: int
    """Latest event time of observations whose clock is UTC; 0 if there is none."""
    refused: tuple[str, ...] = ()
    """For each batch that doesn't fit the ledger's schema, and each file that can't be read as a table, why, and where it is."""
    unreadable: int = 0
    """Rows that the source couldn't read."""


class LiveAppender:
    """Appends to one source, whose ledger it locks until it is closed.

    Parameters
    ----------
    ledger : Ledger
    mapping : Mapping
        The source's mapping.
    folder : Path
        Folder of offsets and refused batches.

    Raises
    ------
    HistoryConflictError
        If another process writes to the source; names it.
    """

    def __init__(self, ledger: Ledger, mapping: SourceMapping, folder: Path) -> None:
        self._ledger, self._folder = ledger, folder
        self.source = mapping.source
        self._by_folder = names_folders(mapping)
        self._writer: Writer | None = ledger.writer(self.source)
        self.offsets = Offsets(ledger, self.source, folder)
        self._unreadable = MessageFiles(folder / FOLDER / self.source, ledger.encryption)

    def append(self, batches: list[LiveBatch]) -> Appended:
        """Append batches in order; all are durable when this returns.

        A batch that doesn't fit the ledger's schema is kept as a file in the folder ``refused``, so that it blocks nothing; that of a
        twin that states privacy is encrypted, see `twinlab.ledger.encryption.files.open_encrypted`.

        Raises
        ------
        SourceError
            If the disk is full or fails, or a file can't be read. Batches before it may be durable already: appending all of
            them again changes no value.
        """
        rows = unreadable = 0
        refused: list[str] = []
        for is_file, part in groupby(batches, key=lambda batch: batch.file is not None):
            group = list(part)
            if is_file:
                for batch in group:
                    kept, why = self._store_file(batch)
                    rows += kept
                    refused += [why] if why else []
                continue
            messages = [one for batch in group for one in batch.unreadable]
            # Before the rows, whose offsets are beyond these messages.
            self._unreadable.add(messages)
            unreadable += len(messages) + sum(
                len(p.problems) for batch in group for p in batch.parts if isinstance(p, RowBatch)
            )
            try:
                rows += self._append_group(group)
            except _UNFIT:
                for batch in group:
                    try:
                        rows += self._append_group([batch])
                    except _UNFIT as error:
                        refused.append(self._refuse(batch, error))
        latest = max((_latest(batch) for batch in batches), default=0)
        return Appended(rows, self._position(), latest, tuple(refused), unreadable)

    def reopen(self) -> None:
        """Open the writer again after an error of the disk."""
        self._close_writer()
        self._open_writer()

    def close(self) -> None:
        """Write the offsets and release the source."""
        self._close_writer()
        self.offsets.write()

    # -- inside ----------------------------------------------------------------------------------------------------
    def _append_group(self, group: list[LiveBatch]) -> int:
        """Append batches with one sync. Each frame has the offsets behind its own rows: a kill may leave the first ones of a group alone."""
        offsets = {stream: at for batch in group for stream, at in batch.offsets.items()}
        frames = list(_joined(group))
        writer, rows = self._open_writer(), 0
        with writer.group():
            for part, behind in frames:
                rows += sum(ack.rows for ack in writer.append_many([part], note=note_of(behind)))
        self.offsets.advance(offsets, self._position())
        if offsets and not frames:
            # A note becomes durable with rows: these have none, and the peer may forget what is acknowledged.
            self.offsets.write()
        return rows

    def _store_file(self, batch: LiveBatch) -> tuple[int, str]:
        """Store a file; return its rows, and why it can't be read."""
        assert batch.file is not None
        before = [_stamp(path) for path in batch.file.files()]
        rows, why = 0, ""
        # A file has a writer of its own, which withdraws its earlier reading.
        self._close_writer()
        try:
            rows = store(self._ledger, batch.file, folders=self._by_folder).rows_kept
        except SchemaError as error:
            why = " ".join(str(error).split())
        except SourceError as error:
            if before == [_stamp(path) for path in batch.file.files()]:
                raise
            # It was changed or removed meanwhile: the source yields it again.
            return 0, " ".join(str(error).split())
        finally:
            self._open_writer()
        self.offsets.advance(batch.offsets, self._position())
        return rows, why

    def _refuse(self, batch: LiveBatch, error: Exception) -> str:
        """Keep a batch as a file, durably; return why and where."""
        folder = self._folder / "refused" / self.source
        folder.mkdir(parents=True, exist_ok=True)
        if len(list(folder.iterdir())) >= _REFUSED_FILES:
            msg = (
                f"source {self.source!r}: {_REFUSED_FILES:,} batches don't fit the ledger's schema, the last because of: {error}; "
                f"correct the source, then remove the files in {folder}"
            )
            raise SourceError(msg) from error
        paths = []
        for part in batch.parts:
            rows = part.rows if isinstance(part, RowBatch) else part
            content = pa.BufferOutputStream()
            with pa.ipc.new_file(content, rows.schema) as writer:
                writer.write_batch(rows)
            paths.append(write_file(folder, content.getvalue().to_pybytes(), self._ledger.encryption).name)
        return f"{' '.join(str(error).split())} (kept in {folder / ', '.join(paths)})"

    def _position(self) -> int:
        return self._open_writer().position

    def _open_writer(self) -> Writer:
        if self._writer is None:
            self._writer = self._ledger.writer(self.source)
        return self._writer

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _rows(part: pa.RecordBatch | RowBatch) -> int:
    rows: pa.RecordBatch = part.rows if isinstance(part, RowBatch) else part
    return int(rows.num_rows)


def _kind(part: pa.RecordBatch | RowBatch) -> tuple[object, ...]:
    """Return what parts that can be joined have in common."""
    if isinstance(part, RowBatch):
        return part.table, part.rows.schema, tuple(sorted(part.units.items()))
    return (part.schema,)


def _joined(group: list[LiveBatch]) -> Iterator[tuple[pa.RecordBatch | Records, dict[str, object]]]:
    """Yield parts for the ledger, neighbours of one kind as one, since each frame costs readers a millisecond; and the offsets behind them.

    The offsets of a batch are with the last of its rows; those of a batch without rows with the rows before it, or the first ones.
    """
    numbered = [(number, part) for number, batch in enumerate(group) for part in batch.parts if _rows(part)]
    frames = [list(same) for _, same in groupby(numbered, key=lambda one: _kind(one[1]))]
    done = 0
    for number, frame in enumerate(frames):
        # Rows of its last batch that are in the next frame as well aren't all there yet.
        following = frames[number + 1][0][0] if number + 1 < len(frames) else len(group)
        behind = {stream: at for batch in group[done:following] for stream, at in batch.offsets.items()}
        done = following
        yield _frame([part for _, part in frame]), behind


def _frame(group: list[pa.RecordBatch | RowBatch]) -> pa.RecordBatch | Records:
    """Return parts of one kind as one."""
    tables = [part for part in group if isinstance(part, RowBatch)]
    rows = _concatenated([part.rows if isinstance(part, RowBatch) else part for part in group])
    if not tables:
        return rows
    numbers = np.concatenate([part.row_numbers for part in tables])
    retracts = None
    if any(part.retracts is not None for part in tables):
        parts_of = [np.zeros(part.rows.num_rows, bool) if part.retracts is None else part.retracts for part in tables]
        retracts = np.concatenate(parts_of)
    return Records(tables[0].table, rows, row_numbers=numbers, units=dict(tables[0].units), retracts=retracts)


def _concatenated(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    joined: pa.RecordBatch = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks().to_batches()[0]
    return joined


def _latest(batch: LiveBatch) -> int:
    """Return the latest time of observations whose clock is UTC, ns; 0 without any."""
    found = 0
    for part in batch.parts:
        if isinstance(part, RowBatch) or not part.num_rows or "source_time" not in part.schema.names:
            continue
        times = part.column("source_time")
        if pa.types.is_timestamp(times.type):
            times = times.cast(pa.timestamp("ns", times.type.tz)).cast(pa.int64())
        elif (
            "time_basis" not in part.schema.names
            or pc.any(pc.not_equal(part.column("time_basis").cast(pa.string()), "utc")).as_py()
        ):
            continue
        found = max(found, pc.max(times).as_py() or 0)
    return found
