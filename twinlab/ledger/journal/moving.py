"""Move the journal from files to a database or back: row by row, compared afterwards; an interrupted move is continued."""

from __future__ import annotations

from collections.abc import Callable

from twinlab.database.journal_rows import JournalRow, JournalRows
from twinlab.errors import CorruptionError
from twinlab.ledger.journal.file_journal import FileJournal, JournalText

__all__ = ["move_journal_to_database", "move_journal_to_files"]

_TOGETHER = 500
#: Seconds for which a move waits for who appends just now.
_PATIENCE = 30.0


def move_journal_to_database(
    files: FileJournal, rows: JournalRows, *, progress: Callable[[int, int], object] = lambda _done, _all: None
) -> int:
    """Copy all entries to a database, compare them, and then make the files a copy; return the number of entries.

    Nobody can append meanwhile.

    Raises
    ------
    CorruptionError
        If the database has other rows: of another twin, or written meanwhile.
    HistoryConflictError
        If another process appends to the files for too long.
    """
    with files.writer(wait=_PATIENCE):
        count, total = rows.count(), files.position()
        _compare(files, rows, min(count, total))
        for low in range(min(count, total), total, _TOGETHER):
            rows.copy_in([JournalRow(*one) for one in files.texts(start=low, stop=min(low + _TOGETHER, total))])
            progress(min(low + _TOGETHER, total), total)
        _compare(files, rows, total)
        # Rows may have been moved to files before.
        rows.close("")
        files.note_copy(rows.database.name)
    return total


def move_journal_to_files(
    files: FileJournal, rows: JournalRows, *, progress: Callable[[int, int], object] = lambda _done, _all: None
) -> int:
    """Refuse further rows in the database, copy all to the files, compare them, and make the files the journal again; return their number.

    Raises
    ------
    CorruptionError
        If the files have other rows.
    HistoryConflictError
        If another process copies for too long.
    """
    rows.close(
        f"the journal was moved to files in {files.folder}: remove it from storage.catalogues and open the twin again"
    )
    count = rows.count()
    _compare(files, rows, min(files.position(), count))
    while (have := files.position()) < count:
        part = rows.rows(have, min(have + _TOGETHER, count))
        files.copy_in([_text(one) for one in part], rows.database.name, wait=_PATIENCE)
        progress(files.position(), count)
    _compare(files, rows, count)
    files.note_copy(None)
    return count


def _compare(files: FileJournal, rows: JournalRows, count: int) -> None:
    """Compare the first rows of both."""
    for low in range(0, count, _TOGETHER):
        high = min(low + _TOGETHER, count)
        there = [_text(one) for one in rows.rows(low, high)]
        for here, other in zip(files.texts(start=low, stop=high), there, strict=True):
            if here != other:
                msg = (
                    f"row {here[0]} of the journal in {files.folder} ({here[1]}) isn't that in {rows.database.name} ({other[1]}): "
                    "the database is of another twin; correct storage.catalogues"
                )
                raise CorruptionError(msg)


def _text(row: JournalRow) -> JournalText:
    return row.ordinal, row.kind, row.payload, row.ingest_time
