"""Notes on exceptions, stored durably in the twin's own journal; several processes may write."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from twinlab.events.annotations import Annotation, notes_table

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.ledger.journal import Journal

__all__ = ["NotesStore"]

_KIND = "annotation"


class NotesStore:
    """Write notes to a journal, and read them; reading again reads only what is new.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._said: list[Annotation] = []
        self._position = 0
        self._table: tuple[int, pd.DataFrame] | None = None
        self._lock = threading.Lock()

    def write(self, said: Sequence[Annotation]) -> None:
        """Store annotations with one sync to disk; durable when the function returns.

        Raises
        ------
        HistoryConflictError
            If another process locked the journal for too long.
        SourceError
            If the disk is full or fails.
        """
        if said:
            self._journal.append_many([(_KIND, asdict(one)) for one in said])

    def table(self, *, history: bool = False) -> pd.DataFrame:
        """Return the current notes, or all versions of them."""
        with self._lock:
            self._catch_up()
            if history:
                return notes_table(self._said, history=True)
            if self._table is None or self._table[0] != self._position:
                self._table = self._position, notes_table(self._said)
            return self._table[1].copy()

    def _catch_up(self) -> None:
        end = self._journal.position()
        if end > self._position:
            entries = self._journal.entries(_KIND, start=self._position, stop=end)
            self._said += [_read(entry.payload) for entry in entries]
            self._position = end


def _read(payload: Mapping[str, Any]) -> Annotation:
    return Annotation(
        str(payload["key"]), payload["note"], payload["acknowledged"], str(payload["author"]), int(payload["time"])
    )
