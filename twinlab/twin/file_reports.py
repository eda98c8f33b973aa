"""The report of each file of an ingest, from what was stored and what the build of the history counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twinlab.history.build.report import BuildReport, SourceTally
from twinlab.twin.ingest import StoredSource
from twinlab.twin.report import PROBLEMS_KEPT, SourceReport, UnknownTerm

__all__ = ["build_notes", "file_reports"]


def file_reports(stored: Sequence[StoredSource], build: BuildReport) -> tuple[SourceReport, ...]:
    """Return the report of each file: counts of its own rows alone."""
    several = Counter(one.source for one in stored)
    return tuple(_part(one, build, alone=several[one.source] == 1) for one in stored)


def _part(stored: StoredSource, build: BuildReport, *, alone: bool) -> SourceReport:
    tally = build.sources.get(stored.source, SourceTally())
    mine = tally.files.get(stored.file_id, SourceTally())
    return SourceReport(
        stored.source,
        stored.name,
        rows_read=stored.rows_read,
        rows_kept=stored.rows_kept,
        # Superseded claims are counted by source.
        duplicates=stored.duplicates + (tally.duplicates if alone else 0),
        late=mine.late,
        retracted=stored.retracted,
        unparseable=stored.unparseable + mine.problem_count,
        problems=(stored.problems + tuple(mine.problems))[:PROBLEMS_KEPT],
        unknown=tuple(UnknownTerm(term, one.rows, one.message) for term, one in mine.unknown.items()),
        empty_rows=stored.empty_rows,
        empty=stored.empty,
        values=mine.values,
        missing_values=mine.missing,
        events=mine.events,
        start=mine.start,
        stop=mine.stop,
        note=stored.note,
    )


def build_notes(stored: Sequence[StoredSource], build: BuildReport) -> tuple[str, ...]:
    """Return the notes of a build, and the superseded values of sources with several files."""
    several = Counter(one.source for one in stored)
    return (
        *build.notes,
        *(
            f"{name}: {tally.duplicates:,} values repeat or correct values of other rows"
            for name, tally in build.sources.items()
            if tally.duplicates and several[name] > 1
        ),
        *(f"{one.name}: {_personal(one)}" for one in stored if one.personal),
    )


def _personal(stored: StoredSource) -> str:
    columns = ", ".join(f"{name!r} ({what})" for name, what in stored.personal.items())
    return (
        f"about people, by name or values: {columns}; stored in the clear. State `purposes:` and the sensitivity of columns in twin.yaml, "
        "then make the twin again from its files, so that they are encrypted"
    )
