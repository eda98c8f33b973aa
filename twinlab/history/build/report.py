"""Counts and notes of a build."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from twinlab.harmonise.claims import NAT, Harmonised, Problem, SharedInstants, UnknownTerm

__all__ = ["BuildReport", "SourceTally", "Tally"]

_MAX_PROBLEMS = 100


@dataclass
class Tally:
    """Counts of a build."""

    cells: int = 0
    blocks: int = 0
    # Claims that a later one of the same identity supersedes, and repeated claims.
    duplicates: int = 0
    # Cells in which two sources differ by more than the resolution.
    disagreements: int = 0
    # Cells by signal ("meter.energy") that are empty because their values don't fit the signal's storage.
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.cells += other.cells
        self.blocks += other.blocks
        self.duplicates += other.duplicates
        self.disagreements += other.disagreements
        self.lost += other.lost


@dataclass
class SourceTally:
    """Counts of one source's new rows."""

    rows: int = 0
    # Cells that became claims.
    values: int = 0
    # Claims that arrived after the source's watermark had passed their cell.
    late: int = 0
    # Repeated claims, and claims that a newer one of the same identity supersedes.
    duplicates: int = 0
    # Claims outside [origin, ingest + 1 day], which aren't built.
    out_of_span: int = 0
    # Cells that are empty or have a missing-value code.
    missing: int = 0
    events: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    unknown: dict[str, UnknownTerm] = field(default_factory=dict)
    # Rows with several values of one asset at one instant.
    shared: SharedInstants | None = None
    # Least and greatest event time, ns.
    earliest: int | None = None
    latest: int | None = None
    # File id -> counts of the rows of this file alone; without superseded claims, which are counted by source.
    files: dict[str, SourceTally] = field(default_factory=dict)

    def of_file(self, file_id: str) -> SourceTally:
        """Return the tally of one file; the first call adds it."""
        return self.files.setdefault(file_id, SourceTally())

    def add_late(self, count: int, *, file_id: str) -> None:
        """Add late claims of one file."""
        self.late += count
        if file_id:
            self.of_file(file_id).late += count

    def add_frame(self, found: Harmonised, *, rows: int, kept: int, file_id: str | None = None) -> None:
        """Add the counts of one harmonised frame; ``kept`` of its claims are within the twin's span."""
        if file_id:
            self.of_file(file_id).add_frame(found, rows=rows, kept=kept)
        self.rows += rows
        self.values += kept
        self.out_of_span += len(found.claims) - kept
        self.missing += found.missing
        self.events += sum(len(one.ordinal) for one in found.events)
        self.problem_count += found.problem_count
        if found.shared is not None:
            self.add_shared(found.shared)
        self.problems += found.problems[: _MAX_PROBLEMS - len(self.problems)]
        for term, one in found.unknown.items():
            before = self.unknown.get(term)
            self.unknown[term] = UnknownTerm(one.rows + (before.rows if before else 0), one.message)
        for event in found.events:
            begins = [event.table.column(name) for name in ("start", "planned_start")]
            undated = all(column.null_count == len(column) for column in begins)
            for name in ("end", "planned_end") if undated else ("start", "planned_start"):
                column = event.table.column(name).drop_null()
                if len(column):
                    times = column.cast("int64").to_numpy()
                    self.widen_span(int(times.min()), int(times.max()))

    def add_shared(self, shared: SharedInstants, *, file_id: str | None = None) -> None:
        """Add rows with several values of one asset at one instant."""
        if file_id:
            self.of_file(file_id).add_shared(shared)
        self.shared = shared if self.shared is None else self.shared.joined(shared)

    def widen_span(self, low: int, high: int, *, file_id: str | None = None) -> None:
        """Extend the range of event times."""
        if file_id:
            self.of_file(file_id).widen_span(low, high)
        if low == NAT:
            return
        self.earliest = low if self.earliest is None else min(low, self.earliest)
        self.latest = high if self.latest is None else max(high, self.latest)

    @property
    def start(self) -> str | None:
        """First event time, to the second, UTC."""
        return _instant(self.earliest)

    @property
    def stop(self) -> str | None:
        """Last event time, to the second, UTC."""
        return _instant(self.latest)


def _instant(time: int | None) -> str | None:
    return None if time is None else str(np.datetime64(time, "ns").astype("datetime64[s]")).replace("T", " ")


@dataclass
class BuildReport:
    """Report of a catch-up or rebuild."""

    sources: dict[str, SourceTally] = field(default_factory=dict)
    # Position vector of the history now: source -> rows.
    position: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    # Cells in which two sources of one signal differ by more than its resolution.
    disagreements: int = 0
    # Cells by signal ("meter.energy") that are empty because their values don't fit the signal's storage.
    lost: Counter[str] = field(default_factory=Counter)
    # Blocks of cells that were built.
    blocks: int = 0
    cells: int = 0
    commits: int = 0
    rebuilt: bool = False
    seconds: float = 0.0
    # Messages: the reason for a rebuild, values that don't fit, sources without a mapping.
    notes: list[str] = field(default_factory=list)

    def of(self, source: str) -> SourceTally:
        """Return the tally of a source; the first call adds it."""
        return self.sources.setdefault(source, SourceTally())

    @property
    def rows(self) -> int:
        """Ledger rows read."""
        return sum(tally.rows for tally in self.sources.values())

    @property
    def slabs(self) -> int:
        """Deprecated name of `blocks`."""
        warnings.warn("BuildReport.slabs is called blocks now", DeprecationWarning, stacklevel=2)
        return self.blocks

    @property
    def late(self) -> int:
        """Claims that arrived after the watermark had passed their cell."""
        return sum(tally.late for tally in self.sources.values())

    @property
    def out_of_span(self) -> int:
        """Claims outside the twin's span."""
        return sum(tally.out_of_span for tally in self.sources.values())
