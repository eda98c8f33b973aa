"""Gaps of live sources, recorded in the twin's journal."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import TYPE_CHECKING

from twinlab.ledger import Journal
from twinlab.sources.live import Gap

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RecordedGaps", "record_gaps"]

_KIND = "live_gap"
_COLUMNS = ("source", "noted", "stream", "reason", "start", "stop", "epoch", "first_sequence", "stop_sequence", "tags")


def record_gaps(journal: Journal, source: str, gaps: tuple[Gap, ...]) -> None:
    """Write gaps of a source to the journal; they are durable when this returns.

    Raises
    ------
    SourceError
        If the disk is full or fails.
    """
    journal.append_many([(_KIND, {"source": source, **asdict(gap)}) for gap in gaps])


class RecordedGaps:
    """The gaps that a journal has; each call reads only the entries that are new since the call before.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._until = 0
        # Of each source, in the order of their records.
        self._rows: dict[str, list[tuple[int, list[object]]]] = {}
        self._tables: dict[str | None, pd.DataFrame] = {}
        # Pages read in threads.
        self._lock = threading.Lock()

    def table(self, source: str | None = None) -> pd.DataFrame:
        """Return all recorded gaps, or those of one source, in the order of their records; times are UTC, NaT where unknown."""
        with self._lock:
            self._read_new()
            if source not in self._tables:
                names = self._rows if source is None else [source]
                rows = sorted((one for name in names for one in self._rows.get(name, ())), key=lambda one: one[0])
                self._tables[source] = _table([row for _, row in rows])
            return self._tables[source].copy(deep=False)

    def _read_new(self) -> None:
        end = self._journal.position()
        for entry in self._journal.entries(_KIND, start=self._until, stop=end) if end > self._until else ():
            found = entry.payload
            numbers = [found[key] for key in ("epoch", "first_sequence", "stop_sequence")]
            head = [found["source"], entry.ingest_time, found["stream"], found["reason"]]
            row = [*head, found["start_ns"], found["stop_ns"], *numbers, tuple(found["tags"])]
            self._rows.setdefault(found["source"], []).append((entry.position, row))
            for name in (None, found["source"]):
                self._tables.pop(name, None)
        self._until = max(end, self._until)


def _table(rows: list[list[object]]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  (the historian needs none)

    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    for name in ("noted", "start", "stop"):
        table[name] = pd.to_datetime(table[name].astype("Int64"), unit="ns").astype("datetime64[ns]")
    for name in ("epoch", "first_sequence", "stop_sequence"):
        table[name] = table[name].astype("Int64")
    return table
