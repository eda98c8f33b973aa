"""What a build did, in figures: `BuildReport`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from twinlab.harmonise.claims import NAT, Harmonised, Problem, UnknownTerm

__all__ = ["BuildReport", "SourceTally"]

_PROBLEMS_KEPT = 100


@dataclass
class SourceTally:
    """What one source's new rows came to."""

    rows: int = 0
    # Cells that became claims.
    values: int = 0
    # Claims whose cell the source's watermark had passed before they came.
    late: int = 0
    # Claims that were known already, or that a newer claim of the same identity supersedes.
    duplicates: int = 0
    # Claims outside [origin, ingest + 1 day]: kept in the ledger, not built.
    out_of_span: int = 0
    # Cells that are empty or hold a missing-value code.
    missing: int = 0
    events: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    unknown: dict[str, UnknownTerm] = field(default_factory=dict)
    # Least and greatest event time, ns.
    earliest: int | None = None
    latest: int | None = None

    def note(self, found: Harmonised, *, rows: int, kept: int) -> None:
        """Add what harmonising one frame found; ``kept`` claims lay within the twin's span."""
        self.rows += rows
        self.values += kept
        self.out_of_span += len(found.claims) - kept
        self.missing += found.missing
        self.events += sum(len(one.ordinal) for one in found.events)
        self.problem_count += found.problem_count
        self.problems += found.problems[: _PROBLEMS_KEPT - len(self.problems)]
        for term, one in found.unknown.items():
            before = self.unknown.get(term)
            self.unknown[term] = UnknownTerm(one.rows + (before.rows if before else 0), one.message)
        for event in found.events:
            for name in ("start", "planned_start"):
                column = event.table.column(name).drop_null()
                if len(column):
                    times = column.cast("int64").to_numpy()
                    self.spans(int(times.min()), int(times.max()))

    def spans(self, low: int, high: int) -> None:
        """Widen the span of event times."""
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
    """What a catch-up or rebuild read, met and wrote."""

    sources: dict[str, SourceTally] = field(default_factory=dict)
    # Position vector that history now stands at: source -> rows.
    position: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    # Cells in which two sources of one signal differ by more than its resolution.
    disagreements: int = 0
    # Values that don't fit their signal's storage.
    lost: int = 0
    slabs: int = 0
    cells: int = 0
    commits: int = 0
    rebuilt: bool = False
    seconds: float = 0.0
    # Sentences for a person: why a rebuild, values that don't fit, sources without a mapping.
    notes: list[str] = field(default_factory=list)

    def of(self, source: str) -> SourceTally:
        """Return the tally of a source, made on first use."""
        return self.sources.setdefault(source, SourceTally())

    @property
    def rows(self) -> int:
        """Ledger rows read."""
        return sum(tally.rows for tally in self.sources.values())

    @property
    def late(self) -> int:
        """Claims whose cell had been passed by the watermark."""
        return sum(tally.late for tally in self.sources.values())

    @property
    def out_of_span(self) -> int:
        """Claims outside the twin's span."""
        return sum(tally.out_of_span for tally in self.sources.values())
