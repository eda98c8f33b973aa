"""Rows of a log by kind, person, time and text; the newest first where only some are wanted."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from twinlab.control.audit.chain import BrokenChainError, Chain, TakenRow, take_rows
from twinlab.control.audit.rows import AuditRow, read_row
from twinlab.control.audit.segments import Segment, list_segments, start_of
from twinlab.errors import CorruptionError, SchemaError

__all__ = ["RowFilter", "find_rows", "newest_rows", "rows_as_csv", "rows_as_lines", "rows_since"]

#: Rows that are read at once before all are.
_FEW = 5_000


@dataclass(frozen=True)
class RowFilter:
    """Which rows are wanted."""

    kinds: Collection[str] = ()
    """Kinds; all if empty."""
    who: Collection[str] = ()
    """Names, any of which a row has; all rows if empty."""
    since: datetime | None = None
    """First instant."""
    until: datetime | None = None
    """End, not included."""
    text: str = ""
    """Text that a row has anywhere, in any case of letters."""

    def __post_init__(self) -> None:
        for name, instant in (("since", self.since), ("until", self.until)):
            if instant is not None and instant.tzinfo is None:
                msg = f"{name}: expected an instant with a zone, got {instant.isoformat()}"
                raise SchemaError(msg)

    def matches(self, row: AuditRow) -> bool:
        """Return whether a row is wanted."""
        if self.kinds and row.kind not in self.kinds:
            return False
        if self.who and not set(self.who) & set(row.who):
            return False
        if self.since is not None or self.until is not None:
            at = datetime.fromisoformat(row.at)
            if (self.since is not None and at < self.since) or (self.until is not None and at >= self.until):
                return False
        return not self.text or self.text.casefold() in json.dumps(asdict(row), ensure_ascii=False).casefold()


def find_rows(folder: Path | str, which: RowFilter | None = None) -> Iterator[AuditRow]:
    """Yield rows of a log from the first on.

    Parameters
    ----------
    folder : Path or str
        Folder of the log.
    which : RowFilter, optional
        All rows by default.

    Raises
    ------
    CorruptionError
        At a row that doesn't follow the one before it.
    """
    for segment in list_segments(Path(folder)):
        yield from _matching(segment, which or RowFilter())


def rows_since(folder: Path | str, first: int) -> list[AuditRow]:
    """Return the rows from a number on, in order; none without a log. Few new ones are read quickly, however long the log is.

    Raises
    ------
    CorruptionError
        At a row that doesn't follow the one before it.
    """
    folder = Path(folder)
    if not folder.is_dir() or not list_segments(folder):
        return []
    few = newest_rows(folder, _FEW)
    if few and few[-1].n > first:
        few = newest_rows(folder, few[0].n + 1)
    return [row for row in reversed(few) if row.n >= first]


def newest_rows(folder: Path | str, count: int, which: RowFilter | None = None) -> list[AuditRow]:
    """Return the newest rows, the newest first; only the files that have them are read.

    Raises
    ------
    CorruptionError
        At a row that doesn't follow the one before it.
    """
    found: list[AuditRow] = []
    for segment in reversed(list_segments(Path(folder))):
        found += reversed(list(_matching(segment, which or RowFilter())))
        if len(found) >= count:
            break
    return found[:count]


def rows_as_lines(rows: Iterable[AuditRow]) -> Iterator[str]:
    """Yield rows as JSON, a line each."""
    for row in rows:
        yield json.dumps(asdict(row), ensure_ascii=False)


def rows_as_csv(rows: Iterable[AuditRow]) -> Iterator[str]:
    """Yield rows as lines of CSV, with a head; ``what`` is one column of JSON.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    yield _csv_line(["n", "at", "kind", "who", "what", "previous"])
    for row in rows:
        what = json.dumps(row.what, ensure_ascii=False)
        yield _csv_line([str(row.n), row.at, row.kind, ", ".join(row.who), what, row.previous])


def _csv_line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([f"'{one}" if one[:1] in set("=+-@\t\r") else one for one in cells])
    return text.getvalue()


def _matching(segment: Segment, which: RowFilter) -> Iterator[AuditRow]:
    begun = start_of(segment)
    chain = begun[0] if begun is not None else Chain()
    if chain.count != segment.first:
        msg = f"{segment.path} doesn't begin with a row of the kind segment; run: twinlab audit verify"
        raise CorruptionError(msg)
    try:
        for found in take_rows(chain, segment.path.read_bytes()):
            if isinstance(found, TakenRow):
                row = read_row(found.line)
                if which.matches(row):
                    yield row
    except BrokenChainError as error:
        msg = f"{segment.path}: {error}; run: twinlab audit verify"
        raise CorruptionError(msg) from error


def instant(text: str) -> datetime:
    """Return the instant of a text; UTC if it has no zone.

    Raises
    ------
    SchemaError
        If the text is no instant.

    >>> instant("2026-03-01T12:00").isoformat()
    '2026-03-01T12:00:00+00:00'
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"expected a time such as 2026-03-01T12:00, got {text!r}"
        raise SchemaError(msg) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
