"""The changes of alerts in the twin's journal; several processes may write."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinlab.events.alerts.records import AlertChange, AlertRecord, folded

if TYPE_CHECKING:
    from twinlab.ledger.journal import Journal

__all__ = ["AlertStore"]

_KIND = "alert"
#: An entry that says until when alerts have been looked for.
_LOOKED = "alerts_looked"


class AlertStore:
    """Write changes of alerts to a journal, and read alerts; reading again reads only what is new.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._records: dict[str, AlertRecord] = {}
        self._looked: int | None = None
        self._position = 0
        self._lock = threading.Lock()

    def write(self, changes: Sequence[AlertChange], *, looked: int | None = None) -> None:
        """Store changes, and until when alerts were looked for, with one sync to disk.

        Raises
        ------
        HistoryConflictError
            If another process locked the journal for too long.
        SourceError
            If the disk is full or fails.
        """
        entries = [(_KIND, one.as_payload()) for one in changes]
        if looked is not None:
            entries.append((_LOOKED, {"until": looked}))
        if entries:
            self._journal.append_many(entries)

    def records(self) -> dict[str, AlertRecord]:
        """Return all alerts by id."""
        with self._lock:
            self._catch_up()
            return dict(self._records)

    def looked(self) -> int | None:
        """Return until when alerts have been looked for, nanoseconds since 1970; None if they never were."""
        with self._lock:
            self._catch_up()
            return self._looked

    def _catch_up(self) -> None:
        end = self._journal.position()
        if end <= self._position:
            return
        changes = []
        for entry in self._journal.entries(start=self._position, stop=end):
            if entry.kind == _KIND:
                changes.append(AlertChange.from_payload(entry.payload))
            elif entry.kind == _LOOKED:
                self._looked = int(entry.payload["until"])
        self._records = folded(changes, self._records)
        self._position = end
