"""The ledger of a twin: a directory with one folder per source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pyarrow as pa

from twinlab._files import file_name
from twinlab.errors import HistoryConflictError, SchemaError
from twinlab.ledger.archive import archive_source
from twinlab.ledger.archive_records import LEAST_BYTES
from twinlab.ledger.archive_sizes import ArchiveSizes
from twinlab.ledger.blobs import Blobs
from twinlab.ledger.durable_files import DurableFile, durable_files
from twinlab.ledger.encryption.columns import decrypt_columns
from twinlab.ledger.encryption.encryption import Encryption
from twinlab.ledger.format.position import read_position
from twinlab.ledger.format.segment import SegmentFile, path_of
from twinlab.ledger.groups.protocol import GroupStore
from twinlab.ledger.journal.file_journal import FileJournal
from twinlab.ledger.journal.journal import JOURNAL, Journal
from twinlab.ledger.reader import Reader
from twinlab.ledger.recover import Resume
from twinlab.ledger.seal import seal_source
from twinlab.ledger.takeover import shut_out
from twinlab.ledger.verify import VerifyProblem, VerifyReport, verify_ledger
from twinlab.ledger.writer import SEGMENT_BYTES, SEGMENT_ROWS, Writer

if TYPE_CHECKING:
    from twinlab.database.connection import SharedDatabase

__all__ = ["Ledger", "do_nothing"]

_BLOBS = "blobs"
#: Characters that aren't escaped when a source's name becomes a folder's name.
_SAFE = " ()+,=@[]{}"


class Ledger:
    """All rows and files that arrived, as they arrived: append-only, checksummed, durable.

    Parameters
    ----------
    path : Path or str
        A directory, ``<twin>/ledger``; created by the first write.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> ledger = Ledger(tempfile.mkdtemp())
    >>> with ledger.writer("fridges") as w:
    ...     ack = w.append_observations(pa.RecordBatch.from_pydict({"tag": ["t1"], "source_time": [0], "value": [4.5]}))
    >>> ledger.reader("fridges").position()
    1
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.fence: Callable[[], None] = do_nothing
        """Called before bytes are written, and before rows are acknowledged; raises an error if this process may not write any more,
        as a historian that has lost its lease."""
        self.before_reading: Callable[[str], None] = _fetch_nothing
        """Called with a source before its segments are read: fetches them if they are in an object store."""
        self.groups: Callable[[str, float], GroupStore] | None = None
        """Makes what stores the groups of a source, with the seconds to wait for another writer; None if they are in the folder."""
        self.encryption: Encryption | None = None
        """Of personal columns; without it, encrypted columns are read as null."""
        self._resumes: dict[str, Resume] = {}
        self.journal: Journal = FileJournal(
            self._folder(JOURNAL), resume=self._resumes.setdefault(JOURNAL, Resume()), fence=self._check_fence,
            groups=partial(self._group_store, JOURNAL),
        )  # fmt: skip
        self.blobs = Blobs(self.path / _BLOBS, lambda: self.journal, encryption=lambda: self.encryption)
        self._readers: dict[str, Reader] = {}

    def _check_fence(self) -> None:
        self.fence()

    def use_database(self, database: SharedDatabase) -> None:
        """Append to and read the journal in a database from now on; the files become a copy of it."""
        from twinlab.database.journal_rows import JournalRows  # noqa: PLC0415  (a journal in files needs no database)
        from twinlab.ledger.journal.database_journal import DatabaseJournal  # noqa: PLC0415  (the same)

        copy = FileJournal(self._folder(JOURNAL), fence=self._check_fence)
        self.journal = DatabaseJournal(JournalRows(database), copy, fence=self._check_fence)

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r})"

    def _folder(self, source: str) -> Path:
        if not source or source.startswith("."):
            msg = (
                f"source {source!r}: expected a name that isn't empty and doesn't start with a dot. Rename the source."
            )
            raise SchemaError(msg)
        if source == _BLOBS:
            return self.path / "%62lobs"
        older = self.path / quote(source, safe=_SAFE)
        path = self.path / file_name(source, safe=_SAFE)
        # Earlier versions didn't escape names that only Windows refuses.
        return older if older != path and older.is_dir() else path

    def sources(self) -> list[str]:
        """Return the names of all sources, sorted; ``_twin`` (the journal) is one of them once it exists."""
        if not self.path.is_dir():
            return []
        return sorted(unquote(p.name) for p in self.path.iterdir() if p.is_dir() and p.name != _BLOBS)

    def writer(
        self,
        source: str,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_rows: int = SEGMENT_ROWS,
        wait: float = 0.0,
    ) -> Writer:
        """Open the only writer of a source (see `Writer`); close it, or use it as a context manager.

        Raises
        ------
        HistoryConflictError
            If another process or thread is writing to the source; names it.
        CorruptionError
            If acknowledged rows are damaged.
        """
        return Writer(
            self._folder(source), source, segment_bytes=segment_bytes, segment_rows=segment_rows, wait=wait,
            resume=self._resumes.setdefault(source, Resume()), fence=self._check_fence,
            encrypt=lambda given: given if self.encryption is None else self.encryption.encrypt(source, given),
            check=lambda tags: None if self.encryption is None else self.encryption.check_tags(source, tags),
            groups=self._group_store(source, wait),
        )  # fmt: skip

    def _group_store(self, source: str, wait: float) -> GroupStore | None:
        return None if self.groups is None else self.groups(source, wait)

    def reader(self, source: str) -> Reader:
        """Return the reader of a source. A source that doesn't exist yet has no rows."""
        return self._readers.setdefault(
            source,
            Reader(self._folder(source), decrypt=self._decrypt, prepare=lambda: self.before_reading(source)),
        )

    def durable_files(self, *, pushed: Mapping[str, Collection[int]] = MappingProxyType({})) -> dict[str, DurableFile]:
        """Return the files that have all durable rows, by their path in the ledger's folder; see `durable_files`."""
        return durable_files(self.path, pushed=pushed)

    def stored_reader(self, source: str) -> Reader:
        """Return a reader of a source whose encrypted columns are as they are stored."""
        return Reader(self._folder(source))

    def _decrypt(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        encryption = self.encryption
        return decrypt_columns(rows, lambda _one, _period: None) if encryption is None else encryption.decrypt(rows)

    def seal(self, source: str, *, limit: int | None = None, least_bytes: int = 0) -> list[str]:
        """Convert the full segments of a source to Parquet and return the new files' names; a writer may append meanwhile.

        At most ``limit`` segments are converted, all by default; those of less than ``least_bytes`` stay.

        Raises
        ------
        HistoryConflictError
            If another process is sealing the source.
        CorruptionError
            If a segment is damaged; it isn't changed.
        """
        return seal_source(self._folder(source), source, limit=limit, least_bytes=least_bytes, fence=self._check_fence)

    def take_over(self) -> None:
        """Shut out a writer of another process that may still run although it may not write any more, as after a lost lease.

        What it writes later is in files that nobody reads; what it had acknowledged before stays. Its locks must be broken first.

        Raises
        ------
        SourceError
            If the disk is full or fails.
        """
        for source in self.sources():
            shut_out(self._folder(source))

    def archive_sizes(self, times: Mapping[str, Mapping[int, int]] | None = None) -> ArchiveSizes:
        """Return what `archive` would move, for any instant.

        Parameters
        ----------
        times : mapping, optional
            Latest time, ns, of frames of records by source and first ordinal: a ledger doesn't know what their columns mean.
            Frames that it doesn't have aren't archived.
        """
        return ArchiveSizes({source: self._folder(source) for source in self.sources()}, times or {})

    def archive(
        self, target: str | Path, *, before_ns: int, times: Mapping[str, Mapping[int, int]] | None = None
    ) -> list[Path]:
        """Move old rows to Parquet files in another folder, each source to one of its own; return these files.

        Their rows are read from there; nothing else changes. Of sealed segments the Parquet files are moved; frames of records become
        Parquet. A segment that is being written ends if it has any of these, unless a writer is open.

        Parameters
        ----------
        target : Path or str
            Not in the ledger's own folder.
        before_ns : int
            Only segments all of whose observations have an earlier time on the source's own clock, and frames of records whose
            latest time is earlier, ns.
        times : mapping, optional
            As those of `archive_sizes`.

        Raises
        ------
        SchemaError
            If the target is in the ledger's folder.
        HistoryConflictError
            If another process is sealing a source.
        CorruptionError
            If a file is damaged; it isn't moved.
        """
        if Path(target).resolve().is_relative_to(self.path.resolve()):
            msg = f"expected an archive outside of the ledger {self.path}, got {target}; choose another folder"
            raise SchemaError(msg)
        moved: list[Path] = []
        firsts = self.archive_sizes(times).firsts_before(before_ns)
        for source in self.sources():
            folder, chosen = self._folder(source), firsts.get(source, [])
            if chosen:
                self._end_segment(source, max(chosen))
                seal_source(folder, source, least_bytes=LEAST_BYTES)
            moved += archive_source(
                folder, source, before_ns=before_ns, target=Path(target) / folder.name, firsts=chosen
            )
        return moved

    def _end_segment(self, source: str, ordinal: int) -> None:
        """End the segment that is being written if it has a row, so that it can be sealed; not while a writer is open."""
        folder = self._folder(source)
        at = read_position(folder)
        if at.segment < 0 or SegmentFile(path_of(folder, at.segment)).ordinal > ordinal:
            return
        with suppress(HistoryConflictError), self.writer(source) as writer:
            writer.rotate()

    def verify(self, *, progress: Callable[[int, int], None] | None = None) -> VerifyReport:
        """Read all files and compare them with their checksums.

        Parameters
        ----------
        progress : callable, optional
            Called repeatedly with (bytes checked, total bytes).
        """
        folders = {s: self._folder(s) for s in self.sources()}
        report = verify_ledger(folders, self.blobs, progress=progress)
        report.problems += [
            VerifyProblem(JOURNAL, what, "Restore the database from a backup.") for what in self.journal.faults()
        ]
        return report


def do_nothing() -> None:
    """Do nothing: the fence of a process that needs no lease."""


def _fetch_nothing(_source: str) -> None:
    """Do nothing: the files are here."""
