"""Readings of files in a ledger: which rows a file of some name and content has there.

A reading is identified by the file's content and name. Ledgers of earlier versions know the content alone; the name of
such a reading is that in the path of its rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinlab.ledger import Ledger
from twinlab.ledger.blobs import reading_id

__all__ = ["Reading", "previous_reading", "standing_rows", "unfinished_readings"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows of a file that a source has in its ledger."""

    # SHA-256 of the file.
    content: str
    # Id of the rows in the ledger.
    file_id: str
    # Number of rows that aren't withdrawn.
    rows: int


def standing_rows(ledger: Ledger, source: str, file_id: str, *, place: str | None = None) -> int:
    """Return the number of rows of a reading that aren't withdrawn.

    ``place`` (a file's name, or folder and name) leaves out the rows of files in other places.
    """
    by_path = ledger.reader(source).rows_of_file(file_id)
    return sum(rows for path, rows in by_path.items() if place is None or path is None or _fits(path, place))


def _fits(path: str, place: str) -> bool:
    return path == place or ("/" not in place and path.rpartition("/")[2] == place)


def previous_reading(ledger: Ledger, source: str, *, name: str, place: str) -> Reading | None:
    """Return the last finished reading of a file; None if there is none, or if it has no rows (any more).

    Parameters
    ----------
    name : str
        The file's name in the ledger: ``log.csv``, or ``north/log.csv`` under a mapping that names assets by folders.
    place : str
        Folder and name. If the mapping named files in the other way before, the rows of this place are the previous ones.
    """
    current = ledger.blobs.names(source)
    for known, where in (
        (name, name),
        *((other, place) for other in (place, place.rpartition("/")[2]) if other != name),
    ):
        content = current.get(known)
        if content is None:
            continue
        for file_id in (reading_id(content, known), content):
            if rows := standing_rows(ledger, source, file_id, place=where):
                return Reading(content, file_id, rows)
    return None


def unfinished_readings(ledger: Ledger, source: str, content: str, *, name: str) -> list[str]:
    """Return the ids of rows of a file that isn't read: an interrupted ingest left them."""
    finished = content in ledger.blobs.names(source).values()
    ids = (reading_id(content, name), *(() if finished else (content,)))
    return [file_id for file_id in ids if standing_rows(ledger, source, file_id, place=name)]
