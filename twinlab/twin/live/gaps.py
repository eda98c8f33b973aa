"""Gaps of live sources and what became of them, recorded in the twin's journal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

from twinlab.ledger import Journal, JournalEntry
from twinlab.sources.live import Filled, Gap

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GapChange", "GapLog", "GapState", "RecordedGaps"]

_KIND, _CHANGE = _KINDS = "live_gap", "live_gap_change"
_NAMES = tuple(one.name for one in fields(Gap))
#: Seconds within which gaps of a stream and reason that a source filled by itself become one record.
_MERGED_SECONDS = 60.0
_COLUMNS = (
    "source", "noted", "stream", "reason", "start", "stop", "epoch", "first_sequence", "stop_sequence", "tags", "state", "rows",
    "changed", "note",
)  # fmt: skip

#: "open": nobody has the rows so far; "asked": the peer has been asked for them; "filled": they are durable; "lost": nobody has them.
GapState = Literal["open", "asked", "filled", "lost"]


@dataclass(frozen=True, slots=True)
class GapChange:
    """What became of a gap."""

    gap: Gap
    state: GapState
    note: str = ""
    """What had the rows, or why they can't be had."""
    rows: int | None = None
    """Number of rows that were recovered."""
    opened_ns: int | None = None
    """When the source found a gap that it filled by itself, ns UTC; None for one that was recorded."""


@dataclass(slots=True)
class _Recorded:
    """A gap as the journal has it; times are ns UTC."""

    source: str
    gap: Gap
    noted: int
    changed: int
    state: GapState = "open"
    rows: int | None = None
    note: str = ""


class GapLog:
    """Records the gaps of one source, and what becomes of them.

    Parameters
    ----------
    journal : Journal
    source : str
    now : callable
        Monotonic seconds.
    """

    def __init__(self, journal: Journal, source: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._source, self._now = journal, source, now
        # (stream, reason) -> when a gap that the source filled by itself was recorded last; and those that came since then, as one.
        self._recorded: dict[tuple[str, str], float] = {}
        self._merged: dict[tuple[str, str], Filled] = {}

    @property
    def waits(self) -> bool:
        """Whether a record of filled gaps waits for its minute to be over."""
        return bool(self._merged)

    def note(self, gaps: Sequence[Gap]) -> None:
        """Record gaps; they are durable when this returns.

        Raises
        ------
        SourceError
            If the disk is full or fails.
        """
        self._journal.append_many([(_KIND, {"source": self._source, **asdict(gap)}) for gap in gaps])

    def change(self, changes: Sequence[GapChange]) -> None:
        """Record what became of gaps; it is durable when this returns.

        Raises
        ------
        SourceError
            If the disk is full or fails.
        """
        self._journal.append_many([(_CHANGE, {"source": self._source, **asdict(change)}) for change in changes])

    def fill(self, filled: Sequence[Filled], *, ending: bool = False) -> None:
        """Record gaps whose rows are durable now.

        A source that fills many gaps by itself, such as those of a queue that overflows all the time, gets one record of a stream and reason
        a minute: it has the span from the first to the last of them, and the sum of their rows. ``ending`` records the rest.

        Raises
        ------
        SourceError
            If the disk is full or fails.
        """
        due: list[Filled] = []
        for one in filled:
            if one.opened_ns is None:
                due.append(one)
                continue
            key = one.gap.stream, one.gap.reason
            self._merged[key] = _joined(self._merged[key], one) if key in self._merged else one
        now = self._now()
        for key in list(self._merged):
            if ending or now - self._recorded.get(key, -_MERGED_SECONDS) >= _MERGED_SECONDS:
                self._recorded[key] = now
                due.append(self._merged.pop(key))
        if due:
            self.change([GapChange(one.gap, "filled", one.by, one.rows, one.opened_ns) for one in due])

    def open(self) -> list[Gap]:
        """Return the gaps that are neither filled nor known to be lost, oldest first."""
        return RecordedGaps(self._journal).open(self._source)


def _joined(one: Filled, other: Filled) -> Filled:
    """Return one record for two gaps of a stream and reason."""
    starts, stops = (
        [value for gap in (one.gap, other.gap) if (value := getattr(gap, name)) is not None]
        for name in ("start_ns", "stop_ns")
    )
    gap = replace(
        one.gap,
        start_ns=min(starts, default=None),
        stop_ns=max(stops, default=None),
        tags=tuple(dict.fromkeys((*one.gap.tags, *other.gap.tags))),
    )
    return replace(one, gap=gap, rows=one.rows + other.rows)


class RecordedGaps:
    """The gaps that a journal has, with what became of them; each call reads only the entries that are new since the call before.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._until = 0
        # In the order of their records.
        self._gaps: list[_Recorded] = []
        # (source, gap) -> its latest record.
        self._latest: dict[tuple[str, Gap], _Recorded] = {}
        self._tables: dict[str | None, pd.DataFrame] = {}
        # Pages read in threads.
        self._lock = threading.Lock()

    def table(self, source: str | None = None) -> pd.DataFrame:
        """Return all recorded gaps, or those of one source, in the order of their records; see `Twin.gaps`."""
        with self._lock:
            self._read_new()
            if source not in self._tables:
                self._tables[source] = _table([one for one in self._gaps if source in (None, one.source)])
            return self._tables[source].copy(deep=False)

    def open(self, source: str) -> list[Gap]:
        """Return the gaps of a source that are neither filled nor known to be lost, oldest first."""
        with self._lock:
            self._read_new()
            return [one.gap for one in self._gaps if one.source == source and one.state in {"open", "asked"}]

    def _read_new(self) -> None:
        end = self._journal.position()
        for entry in self._journal.entries(_KINDS, start=self._until, stop=end) if end > self._until else ():
            source = entry.payload["source"]
            self._note(source, entry)
            for name in (None, source):
                self._tables.pop(name, None)
        self._until = max(end, self._until)

    def _note(self, source: str, entry: JournalEntry) -> None:
        found = entry.payload
        given = found if entry.kind == _KIND else found["gap"]
        gap = Gap(**{name: given[name] for name in _NAMES} | {"tags": tuple(given["tags"])})
        known = self._latest.get((source, gap))
        if entry.kind == _KIND or known is None:
            noted = found.get("opened_ns") or entry.ingest_time
            known = self._latest[source, gap] = _Recorded(source, gap, noted, noted)
            self._gaps.append(known)
        if entry.kind == _CHANGE:
            known.state, known.note, known.changed = found["state"], found["note"], entry.ingest_time
            if found["rows"] is not None:
                known.rows = (known.rows or 0) + found["rows"]


def _table(gaps: Sequence[_Recorded]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  (the historian needs none)

    rows = [
        (
            one.source, one.noted, one.gap.stream, one.gap.reason, one.gap.start_ns, one.gap.stop_ns, one.gap.epoch,
            one.gap.first_sequence, one.gap.stop_sequence, one.gap.tags, one.state, one.rows, one.changed, one.note,
        )
        for one in gaps
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    for name in ("noted", "start", "stop", "changed"):
        table[name] = pd.to_datetime(table[name].astype("Int64"), unit="ns").astype("datetime64[ns]")
    for name in ("epoch", "first_sequence", "stop_sequence", "rows"):
        table[name] = table[name].astype("Int64")
    return table
