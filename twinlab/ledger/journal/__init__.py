"""The twin's own journal: activated models and mappings, files read, annotations, in files or in a database.

In: kinds with plain data. Out: entries in one order.
Read in order: `journal` (what both have in common), `file_journal`, `database_journal` (with a copy in files), `moving` (from one to the other).
Never: an entry changed or removed; SQLAlchemy loaded for a journal in files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.ledger.journal.file_journal import FileJournal
    from twinlab.ledger.journal.journal import JOURNAL, Journal, JournalEntry

__all__ = ["JOURNAL", "FileJournal", "Journal", "JournalEntry"]

__getattr__, __dir__ = attach(
    __name__, {"FileJournal": "file_journal", "JOURNAL": "journal", "Journal": "journal", "JournalEntry": "journal"}
)
