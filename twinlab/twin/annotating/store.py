"""Annotations, stored durably in the twin's own journal; several processes may write."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinlab.events.annotations import Annotation, Carried, annotations_table, notes_table
from twinlab.events.annotations.records import as_payload, from_payload

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.ledger.journal import Journal

__all__ = ["FOUND_EVENTS", "AnnotationStore"]

_KIND = "annotation"
#: The decision to promote a revision, with what it does to annotations: one entry, so that neither is there without the other.
_PROMOTION = "promotion"
#: What became of events of finders that were split, withdrawn or appeared again.
FOUND_EVENTS = "found_events"


class AnnotationStore:
    """Write annotations to a journal, and read them; reading again reads only what is new.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._said: list[Annotation | Carried] = []
        self._position = 0
        self._tables: dict[str, tuple[int, pd.DataFrame]] = {}
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
            self._journal.append_many([(_KIND, as_payload(one)) for one in said])

    def notes(self, *, history: bool = False) -> pd.DataFrame:
        """Return the current notes on exceptions, or all versions of them."""
        with self._lock:
            self._catch_up()
            if history:
                return notes_table(self._said, history=True)
            return self._cached("notes").copy()

    def annotations(self, *, history: bool = False) -> pd.DataFrame:
        """Return all annotations as they are now, or all versions of them."""
        with self._lock:
            self._catch_up()
            if history:
                return annotations_table(self._said, history=True)
            return self._cached("annotations").copy()

    def _cached(self, what: str) -> pd.DataFrame:
        if what not in self._tables or self._tables[what][0] != self._position:
            make = {"notes": notes_table, "annotations": annotations_table}[what]
            self._tables[what] = self._position, make(self._said)
        return self._tables[what][1]

    def _catch_up(self) -> None:
        end = self._journal.position()
        if end > self._position:
            for entry in self._journal.entries(start=self._position, stop=end):
                if entry.kind == _KIND:
                    self._said.append(from_payload(entry.payload))
                elif entry.kind == FOUND_EVENTS:
                    self._said.append(Carried.from_payload(entry.payload))
                elif entry.kind == _PROMOTION:
                    self._said += [Carried.from_payload(one) for one in entry.payload.get("carried", ())]
            self._position = end
