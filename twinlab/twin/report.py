"""The result of an ingest: `IngestReport`, as text and HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twinlab._html import html
from twinlab.model.questions import Question
from twinlab.sources import Problem
from twinlab.twin.questions import checklist, count_text

__all__ = ["IngestReport", "SourceReport", "UnknownTerm", "format_bytes", "format_count"]

#: Number of unparseable rows that a report lists with their text; the others are only counted.
PROBLEMS_KEPT = 100
#: Number of empty rows that a report lists; the others are only counted.
EMPTY_SHOWN = 10
#: So many open questions are printed; `Twin.questions` has all.
SHOWN_QUESTIONS = 10

_COLUMNS = ("file", "source", "rows", "kept", "known already", "late", "unparseable", "values", "events", "span (UTC)")
_REPORT = """\
<div><b>{{ kept }} of {{ read }} rows kept</b> in {{ seconds }} s<table>\
<tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>\
{% for row in rows %}<tr><td>{{ row.name }}</td><td>{{ row.source }}</td>\
{% for count in row.counts %}<td style="text-align:right">{{ count }}</td>{% endfor %}<td>{{ row.span }}</td></tr>{% endfor %}\
</table>{% if remarks %}<details><summary>{{ remarks | length }} remarks</summary>\
<ul>{% for remark in remarks %}<li>{{ remark }}</li>{% endfor %}</ul></details>{% endif %}</div>"""


def format_count(number: float) -> str:
    """Return a count with thin thousands separators.

    >>> format_count(336776)
    '336,776'
    """
    return f"{number:,.0f}"


def format_bytes(size: float) -> str:
    """Return a size in a suitable unit.

    >>> format_bytes(1_234_567)
    '1.2 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


@dataclass(frozen=True)
class UnknownTerm:
    """A name that isn't in the mapping: its rows are in the ledger, but not in history."""

    term: str
    rows: int
    hint: str


@dataclass(frozen=True)
class SourceReport:
    """One file or source of an ingest."""

    source: str
    name: str
    rows_read: int = 0
    rows_kept: int = 0
    duplicates: int = 0
    late: int = 0
    retracted: int = 0
    unparseable: int = 0
    problems: tuple[Problem, ...] = ()
    unknown: tuple[UnknownTerm, ...] = ()
    empty_rows: int = 0
    # Numbers of the first empty rows, which are left out.
    empty: tuple[int, ...] = ()
    values: int = 0
    missing_values: int = 0
    events: int = 0
    start: str | None = None
    stop: str | None = None
    note: str = ""


def _remarks(part: SourceReport) -> list[str]:
    """Return the remarks on one file that aren't about a single row or term."""
    remarks = [part.note] if part.note else []
    if part.empty_rows:
        shown = ", ".join(map(str, part.empty)) + (", …" if part.empty_rows > len(part.empty) else "")
        remarks.append(f"{format_count(part.empty_rows)} empty rows left out: {shown}")
    return remarks


@dataclass(frozen=True)
class IngestReport:
    """Rows read, kept, duplicate, late, unknown and unparseable, with time span and rate.

    Its `str` is text for a terminal; a notebook shows a table.
    """

    parts: tuple[SourceReport, ...]
    seconds: float = field(compare=False)
    # Remarks of the history's build that aren't about one source (values that don't fit, disagreements, rebuilds).
    notes: tuple[str, ...] = ()
    # Open questions about the twin's units, zones and meanings.
    questions: tuple[Question, ...] = ()

    def _total(self, count: Callable[[SourceReport], int]) -> int:
        return sum(count(part) for part in self.parts)

    @property
    def rows_read(self) -> int:
        """Rows in the sources."""
        return self._total(lambda part: part.rows_read)

    @property
    def rows_kept(self) -> int:
        """Rows appended to the ledger."""
        return self._total(lambda part: part.rows_kept)

    @property
    def duplicates(self) -> int:
        """Rows that were known already."""
        return self._total(lambda part: part.duplicates)

    @property
    def late(self) -> int:
        """Values whose event time was before the source's watermark when they arrived."""
        return self._total(lambda part: part.late)

    @property
    def unparseable(self) -> int:
        """Rows or cells that could not be read as the mapping states; `problems` has the first hundred."""
        return self._total(lambda part: part.unparseable)

    @property
    def unknown(self) -> tuple[UnknownTerm, ...]:
        """Terms that are in no mapping."""
        return tuple(term for part in self.parts for term in part.unknown)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The first hundred unparseable rows, with row number and reason."""
        return tuple(problem for part in self.parts for problem in part.problems)[:PROBLEMS_KEPT]

    @property
    def rate(self) -> float:
        """Rows per second, from file to flagged history."""
        return self.rows_read / self.seconds if self.seconds > 0 else 0.0

    def __repr__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Return the report as lines of text."""
        counts = (
            (self.rows_read, "rows read"),
            (self.rows_kept, "kept"),
            (self.duplicates, "known already"),
            (self.late, "late"),
            (self.unparseable, "unparseable"),
        )
        lines = [", ".join(f"{format_count(number)} {word}" for number, word in counts)]
        for part in self.parts:
            span = f", {part.start} to {part.stop} UTC" if part.start else ""
            made = ", ".join(
                f"{format_count(number)} {word}"
                for number, word in ((part.values, "values"), (part.events, "events"))
                if number
            )
            lines.append(
                f"  {part.name} -> {part.source}: {format_count(part.rows_read)} rows"
                + (f" -> {made}" if made else "")
                + span
            )
            lines += [f"    {remark}" for remark in _remarks(part)]
            lines += [
                f"    unknown {term.term!r} in {format_count(term.rows)} rows: {term.hint.lstrip('; :')}"
                for term in part.unknown
            ]
            lines += [f"    row {problem.row}: {problem.reason}: {problem.text!r}" for problem in part.problems[:5]]
            if part.unparseable > 5:
                lines.append(f"    … and {format_count(part.unparseable - 5)} more unparseable")
        lines += [f"  {note}" for note in self.notes]
        if self.questions:
            lines.append(f"{count_text(len(self.questions))}; values in doubt are stored as written:")
            lines += [f"  {line}" for line in checklist(self.questions, most=SHOWN_QUESTIONS)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            {
                "name": part.name,
                "source": part.source,
                "counts": [
                    format_count(number)
                    for number in (
                        *(part.rows_read, part.rows_kept, part.duplicates, part.late, part.unparseable),
                        *(part.values, part.events),
                    )
                ],
                "span": f"{part.start} to {part.stop}" if part.start else "–",
            }
            for part in self.parts
        ]
        remarks = [f"{part.name}: {remark}" for part in self.parts for remark in _remarks(part)]
        remarks += [
            f"unknown {term.term!r} in {format_count(term.rows)} rows: {term.hint.lstrip('; :')}"
            for term in self.unknown
        ]
        remarks += [f"row {problem.row}: {problem.reason}: {problem.text!r}" for problem in self.problems]
        remarks += self.notes
        remarks += [f"open question, {one.file}, {one.path}: {one.ask} {one.evidence}" for one in self.questions]
        page = html(
            _REPORT,
            kept=format_count(self.rows_kept),
            read=format_count(self.rows_read),
            seconds=f"{self.seconds:.1f}",
            columns=_COLUMNS,
            rows=rows,
            remarks=remarks,
        )
        # A plain string: notebooks join the HTML of several objects.
        return str(page)
