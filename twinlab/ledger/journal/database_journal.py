"""The journal in a database that several servers share, with a copy in files that is read while the database doesn't answer."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from twinlab.database.journal_rows import JournalRow, JournalRows
from twinlab.errors import CorruptionError, DatabaseUnreachableError, HistoryConflictError, SchemaError, SourceError
from twinlab.ledger.journal.file_journal import FileJournal, JournalText
from twinlab.ledger.journal.journal import Journal, JournalEntry, payload_text
from twinlab.ledger.writer import Ack

__all__ = ["DatabaseJournal"]

_LOG = logging.getLogger(__name__)


class DatabaseJournal(Journal):
    """Appends to a table and reads it; what is new is copied to files, from which all else is read.

    Each call of `position` asks the database for one number. If it doesn't answer, entries are those that are known here, and `fault`
    says why; nothing can be appended then.

    Parameters
    ----------
    rows : JournalRows
    copy : FileJournal
    """

    def __init__(self, rows: JournalRows, copy: FileJournal, *, fence: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._rows, self._copy = rows, copy
        # Called before rows are written, and before they are acknowledged; raises an error if this process may not write any more.
        self._fence = fence
        # Entries that aren't in the copy, because nothing can be written there now.
        self._tail: list[JournalText] = []
        self._fault, self._checked = "", False
        self._lock = threading.RLock()

    @property
    def fault(self) -> str:
        """Why the database didn't answer when it was last asked; "" if it did."""
        return self._fault

    def append_many(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Ack]:
        """Write several entries in one transaction.

        Raises
        ------
        DatabaseUnreachableError
            If the database doesn't answer.
        HistoryConflictError
            If the journal was moved to files.
        """
        if not entries:
            return []
        texts = [(kind, payload_text(payload)) for kind, payload in entries]
        self._fence()
        self._check_same()
        written = self._rows.append(texts)
        self.position()
        self._fence()
        return [Ack(row.ordinal + 1, row.ingest_time, 1, len(row.payload)) for row in written]

    def position(self) -> int:
        """Return the number of entries, after those of other servers were copied."""
        with self._lock:
            try:
                self._check_same()
                count, known = self._rows.count(), self._known()
                if count > known:
                    self._take(self._rows.rows(known, count))
                self._fault = ""
            except DatabaseUnreachableError as error:
                if not self._fault:
                    _LOG.warning("the journal is read from its copy: %s", error)
                self._fault = str(error)
            return self._known()

    def _known(self) -> int:
        return max(self._copy.position(), self._tail[-1][0] + 1 if self._tail else 0)

    def _take(self, rows: Sequence[JournalRow]) -> None:
        new = [(row.ordinal, row.kind, row.payload, row.ingest_time) for row in rows]
        waiting = [*self._tail, *new]
        try:
            self._copy.copy_in(waiting, self._rows.database.name)
            self._tail = []
        except (HistoryConflictError, SourceError, OSError):
            # Another process copies the same rows, or the folder can't be written: the copy is complete later.
            self._tail = waiting

    def _check_same(self) -> None:
        """Check once that files and database are of one journal, and that nothing in the files lacks in the database.

        Raises
        ------
        SchemaError
            If they aren't; says what to do.
        """
        with self._lock:
            if self._checked:
                return
            have, count = self._copy.position(), self._rows.count()
            shared = min(have, count)
            places = sorted({0, shared - 1}) if shared else []
            for place in places:
                [there] = self._rows.rows(place, place + 1)
                here = next(self._copy.texts(start=place, stop=place + 1))
                if here != (there.ordinal, there.kind, there.payload, there.ingest_time):
                    msg = (
                        f"the journal in {self._rows.database.name} is of another twin than {self._copy.folder} (row {place}): "
                        "correct storage.catalogues in twin.yaml; every twin has a name or a database of its own"
                    )
                    raise SchemaError(msg)
            if have > count:
                msg = (
                    f"expected the journal in {self._rows.database.name}, as storage.catalogues says, but it has {count:,} entries "
                    f"and {self._copy.folder} has {have:,}: run `twinlab catalogues {self._copy.folder.parent.parent} --move database`"
                )
                raise SchemaError(msg)
            self._checked = True

    def entries(
        self,
        kind: str | Collection[str] | None = None,
        *,
        known: int | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> Iterator[JournalEntry]:
        """Yield entries in order; see `Journal.entries`. Without ``stop``, those of other servers are there, too."""
        kinds = {kind} if isinstance(kind, str) else kind
        if stop is None:
            stop = self.position()
        with self._lock:
            copied, tail = self._copy.position(), list(self._tail)
        first = self._copy.texts(kinds, known=known, start=start, stop=min(stop, copied)) if start < copied else ()
        rest = (
            one
            for one in tail
            if one[0] >= max(start, copied)
            and one[0] < stop
            and (kinds is None or one[1] in kinds)
            and (known is None or one[3] <= known)
        )
        for ordinal, found, text, ingest_time in chain(first, rest):
            yield JournalEntry(found, json.loads(text), ingest_time, ordinal)

    def faults(self) -> list[str]:
        """Read all rows of the database, check the chain of their hashes, and compare them with the copy; return what differs."""
        try:
            count = self._rows.count()
            rows = self._rows.rows(0, count)
        except (CorruptionError, DatabaseUnreachableError) as error:
            return [str(error)]
        there = [(row.ordinal, row.kind, row.payload, row.ingest_time) for row in rows]
        for here in self._copy.texts():
            if here[0] >= len(there) or here != there[here[0]]:
                return [f"{self._copy.folder}: row {here[0]} differs from that in {self._rows.database.name}"]
        return []
