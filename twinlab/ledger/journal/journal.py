"""What journals in files and in a database have in common."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinlab.ledger.writer import Ack

__all__ = ["JOURNAL", "Journal", "JournalEntry", "payload_text"]

#: Name of the journal's source.
JOURNAL = "_twin"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry of the journal."""

    kind: str
    payload: Mapping[str, Any]
    ingest_time: int
    """ns UTC."""
    position: int
    """Ordinal of the entry."""


class Journal(ABC):
    """Entries in one order, whichever process appends them."""

    def __init__(self) -> None:
        # (kind, source) -> hash of the model or mapping that is active, up to the position `_active_until`.
        self._active: dict[tuple[str, str], str] = {}
        self._active_until = 0

    def append(self, kind: str, payload: Mapping[str, Any]) -> Ack:
        """Write one entry, with a payload that JSON can represent. It is durable when this returns.

        Raises
        ------
        HistoryConflictError
            If another process locks the journal for more than 30 s.
        SourceError
            If the disk is full or fails, or the database doesn't answer.
        """
        return self.append_many([(kind, payload)])[0]

    @abstractmethod
    def append_many(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Ack]:
        """Write several entries with one sync: all of them, or none."""

    @abstractmethod
    def entries(
        self,
        kind: str | Collection[str] | None = None,
        *,
        known: int | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> Iterator[JournalEntry]:
        """Yield entries in order.

        Parameters
        ----------
        kind : str or collection of str, optional
            Only entries of this kind, or of these.
        known : int, optional
            Only entries up to this ingest time, ns UTC.
        start, stop : int, optional
            Only ordinals in [start, stop).
        """

    @abstractmethod
    def position(self) -> int:
        """Return the number of durable entries."""

    @property
    def fault(self) -> str:
        """Why nothing can be written now, and entries of other servers may lack; "" if all is well."""
        return ""

    def faults(self) -> list[str]:
        """Return what is wrong with entries that aren't in files; those are verified like any source."""
        return []

    def active_hashes(self) -> dict[tuple[str, str], str]:
        """Return the hash of the active model, ``("model", "")``, and of each active mapping, ``("mapping", source)``.

        A call reads only the entries that are new since the call before.
        """
        end = self.position()
        for kind in ("model", "mapping") if end > self._active_until else ():
            for entry in self.entries(kind, start=self._active_until, stop=end):
                key, found = (kind, str(entry.payload.get("source", ""))), str(entry.payload["hash"])
                if found:
                    self._active[key] = found
                else:
                    self._active.pop(key, None)  # the mapping was removed
        self._active_until = max(end, self._active_until)
        return dict(self._active)


def payload_text(payload: Mapping[str, Any]) -> str:
    """Return plain data as JSON."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
