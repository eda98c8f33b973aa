"""The journal in files, stored like any source; and the copy in files of a journal that is in a database."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from twinlab._files import write_atomically
from twinlab.errors import HistoryConflictError
from twinlab.ledger.format.records import Records
from twinlab.ledger.groups.protocol import GroupStore
from twinlab.ledger.journal.journal import JOURNAL, Journal, JournalEntry, payload_text
from twinlab.ledger.reader import Reader
from twinlab.ledger.recover import Resume
from twinlab.ledger.writer import Ack, Writer

__all__ = ["COPY_NOTE", "FileJournal", "JournalText"]

#: Seconds for which an append waits for other writers of the journal.
_PATIENCE = 30.0
#: Each append opens the last segment again, so segments are small.
_SEGMENT_ROWS = 1000
#: A file beside the segments that says of which database they are a copy.
COPY_NOTE = "copy-of"
#: Ordinal, kind, JSON, ingest time in ns.
JournalText = tuple[int, str, str, int]


class FileJournal(Journal):
    """Appends to and reads the source ``_twin``. Each append locks the source and waits up to 30 s for other writers."""

    def __init__(
        self,
        folder: Path,
        *,
        resume: Resume | None = None,
        fence: Callable[[], None] = lambda: None,
        groups: Callable[[float], GroupStore | None] = lambda _wait: None,
    ) -> None:
        super().__init__()
        self.folder = folder
        self._resume, self._fence, self._groups = resume, fence, groups
        self._reader = Reader(folder)

    def append_many(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Ack]:
        """Write several entries with one sync.

        Raises
        ------
        HistoryConflictError
            If another process locks the journal for too long, or it was moved to a database.
        """
        parts = [_records(kind, payload_text(payload)) for kind, payload in entries]
        with self.writer() as writer:
            if (note := self.copied_from()) is not None:
                msg = (
                    f"the journal of {self.folder.parent.parent} is in the database {note}: open the twin again, with "
                    "storage.catalogues in twin.yaml; or run `twinlab catalogues FOLDER --move files`. Nothing was written"
                )
                raise HistoryConflictError(msg)
            return writer.append_many(parts)

    def writer(self, *, wait: float = _PATIENCE) -> Writer:
        """Open the only writer of the files."""
        return Writer(
            self.folder, JOURNAL, segment_rows=_SEGMENT_ROWS, wait=wait, resume=self._resume, fence=self._fence,
            groups=self._groups(wait),
        )  # fmt: skip

    def entries(
        self,
        kind: str | Collection[str] | None = None,
        *,
        known: int | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> Iterator[JournalEntry]:
        """Yield entries in order; see `Journal.entries`."""
        kinds = {kind} if isinstance(kind, str) else kind
        for ordinal, record_type, text, ingest_time in self.texts(kinds, known=known, start=start, stop=stop):
            yield JournalEntry(record_type, json.loads(text), ingest_time, ordinal)

    def texts(
        self, kinds: Collection[str] | None = None, *, known: int | None = None, start: int = 0, stop: int | None = None
    ) -> Iterator[JournalText]:
        """Yield entries as they are stored."""
        for frame in self._reader.frames(start=start, stop=stop):
            if known is not None and frame.ingest_time > known:
                return
            if frame.record_type is None or (kinds is not None and frame.record_type not in kinds):
                continue
            for ordinal, text in zip(
                frame.ordinals().tolist(), frame.batch().column("payload").to_pylist(), strict=True
            ):
                yield ordinal, frame.record_type, text, frame.ingest_time

    def position(self) -> int:
        """Return the number of durable entries."""
        return self._reader.position()

    # -- as the copy of a database ---------------------------------------------------------------------------------------
    def copied_from(self) -> str | None:
        """Return the name of the database of which the files are a copy; None if they are the journal itself."""
        try:
            return str(json.loads((self.folder / COPY_NOTE).read_text(encoding="utf-8"))["database"])
        except FileNotFoundError:
            return None

    def note_copy(self, database: str | None) -> None:
        """Note that the files are a copy of a database, or with None that they are the journal again."""
        note = self.folder / COPY_NOTE
        if database is None:
            note.unlink(missing_ok=True)
        else:
            text = json.dumps({"database": database})
            write_atomically(note, lambda draft: draft.write_text(text, encoding="utf-8"))

    def copy_in(self, rows: Sequence[JournalText], database: str, *, wait: float = 0.0) -> None:
        """Append rows as they are in the database: with their numbers and times. Those that are there already are left out.

        Raises
        ------
        HistoryConflictError
            If another process is at it.
        SourceError
            If nothing can be written here.
        """
        with self.writer(wait=wait) as writer:
            if self.copied_from() != database:
                self.note_copy(database)
            with writer.group():
                have = writer.position
                for ordinal, kind, text, ingest_time in rows:
                    if ordinal >= have:
                        writer.now = lambda at=ingest_time: at  # type: ignore[misc]
                        records = _records(kind, text)
                        writer.append_records(kind, records.rows)


def _records(kind: str, text: str) -> Records:
    return Records(kind, pa.RecordBatch.from_pydict({"payload": [text]}))
