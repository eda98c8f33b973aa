"""The baseline, noted in the twin's journal before the pilot begins, so that everybody can see whether it was changed afterwards."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from twinlab.ledger.journal import Journal

__all__ = ["KIND", "NotedBaseline", "baseline_hash", "note_baseline", "noted_baseline"]

#: Of the entry of the journal.
KIND = "pilot_baseline"


@dataclass(frozen=True)
class NotedBaseline:
    """Whether a baseline was noted, when, and whether it is still the same."""

    first: pd.Timestamp | None
    """When the baseline was first noted as it is now; naive UTC."""
    last: pd.Timestamp | None
    """When any baseline of this pilot was last noted."""

    @property
    def changed(self) -> bool:
        """Whether a baseline was noted, but not this one."""
        return self.first is None and self.last is not None


def baseline_hash(entered: pd.DataFrame, complaints: pd.DataFrame) -> str:
    """Return the SHA-256 of all rows of the time before the pilot; their order and place in the file don't matter."""
    parts = [
        sorted(_texts(table.loc[table["phase"] == "before"].drop(columns=["phase", "row"])))
        for table in (entered, complaints)
    ]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _texts(table: pd.DataFrame) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in table.itertuples(index=False)]


def note_baseline(journal: Journal, name: str, digest: str, rows: int) -> None:
    """Write that the baseline of a pilot is this one.

    Raises
    ------
    HistoryConflictError
        If another process locked the journal for too long.
    SourceError
        If the disk is full or fails.
    """
    journal.append(KIND, {"pilot": name, "sha256": digest, "rows": rows})


def noted_baseline(journal: Journal, name: str, digest: str) -> NotedBaseline:
    """Return when the baseline of a pilot was noted."""
    times: dict[str, int] = {}
    last: int | None = None
    for entry in journal.entries(KIND):
        if entry.payload["pilot"] == name:
            times.setdefault(str(entry.payload["sha256"]), entry.ingest_time)
            last = entry.ingest_time
    return NotedBaseline(
        pd.Timestamp(times[digest]) if digest in times else None, None if last is None else pd.Timestamp(last)
    )
