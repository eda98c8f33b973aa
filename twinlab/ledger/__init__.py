"""KEEP: what arrived, as it arrived. Append-only, checksummed, durable.

In: batches of rows and files from sources. Out: frames in order of arrival, kept for ever.
Read in order: `store` (one folder per source), `writer`, `reader`, `recover`, `takeover`, `seal`, `sorted_rows`,
`archive_records`, `archive`, `archive_sizes`, `verify`, `blobs` (source files),
`journal` (the twin's own source), `replay` (rows again, as if they came now); `format` defines the bytes, `encryption` those of personal columns.
Never: a row changed or dropped, an acknowledgement before the bytes are on the disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.ledger.blobs import Blobs
    from twinlab.ledger.format.frames import Frame
    from twinlab.ledger.format.records import Records
    from twinlab.ledger.journal import Journal, JournalEntry
    from twinlab.ledger.reader import Reader
    from twinlab.ledger.recover import TornTail
    from twinlab.ledger.store import Ledger
    from twinlab.ledger.verify import VerifyProblem, VerifyReport
    from twinlab.ledger.writer import Ack, Writer

__all__ = [
    "Ack",
    "Blobs",
    "Frame",
    "Journal",
    "JournalEntry",
    "Ledger",
    "Reader",
    "Records",
    "TornTail",
    "VerifyProblem",
    "VerifyReport",
    "Writer",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Ack": "writer",
        "Blobs": "blobs",
        "Frame": "format.frames",
        "Journal": "journal",
        "JournalEntry": "journal",
        "Ledger": "store",
        "Reader": "reader",
        "Records": "format.records",
        "TornTail": "recover",
        "VerifyProblem": "verify",
        "VerifyReport": "verify",
        "Writer": "writer",
    },
)
