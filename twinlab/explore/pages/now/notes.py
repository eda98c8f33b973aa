"""Notes and acknowledgements of exceptions, read from and written to the twin; a note that is unread is not overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import pandas as pd

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.exception_text import time_text
from twinlab.languages import tr

__all__ = ["Note", "NoteWriter", "can_note", "read_notes", "write_notes"]


class _WithNotes(Protocol):
    """A twin with notes."""

    def annotate(self, key: str, *, note: str | None, acknowledged: bool | None, author: str) -> None: ...

    def notes(self, *, history: bool) -> pd.DataFrame: ...


@dataclass(frozen=True)
class Note:
    """Latest note and acknowledgement of one exception."""

    text: str = ""
    #: Author and time of the latest note.
    author: str = ""
    time: pd.Timestamp | None = None
    #: Author and time of the acknowledgement; "" and None without one.
    acknowledged_by: str = ""
    acknowledged_at: pd.Timestamp | None = None

    @property
    def acknowledgement(self) -> str:
        """``✓ ada, 2026-01-31 14:02``; "" if the exception isn't acknowledged."""
        if not self.acknowledged_by:
            return ""
        return f"✓ {self.acknowledged_by}, {time_text(self.acknowledged_at)}"


def can_note(twin: object) -> bool:
    """Return whether a twin accepts notes; a read-only view of its past doesn't."""
    return hasattr(twin, "annotate") and hasattr(twin, "notes")


def read_notes(twin: object) -> dict[str, Note]:
    """Return the notes of a twin by the key of their exception."""
    if not can_note(twin):
        return {}
    out: dict[str, Note] = {}
    for row in cast("_WithNotes", twin).notes(history=True).to_dict("records"):
        key, before = str(row["key"]), out.get(str(row["key"]), Note())
        by, at = before.acknowledged_by, before.acknowledged_at
        if not row["acknowledged"]:
            by, at = "", None
        elif not by:
            by, at = str(row["author"]), row["time"]
        out[key] = Note(str(row["note"]), str(row["author"]), row["time"], by, at)
    return out


def write_notes(
    twin: object,
    keys: Sequence[str],
    *,
    seen: Mapping[str, Note],
    author: str,
    text: str | None = None,
    acknowledged: bool | None = None,
) -> list[str]:
    """Write a note or an acknowledgement to exceptions, unless somebody else has changed the note since it was shown.

    Parameters
    ----------
    twin : Twin
    keys : sequence of str
    seen : mapping of key to Note
        The notes as they were shown to the reader.
    author : str
    text : str, optional
        The new note; by default the note is unchanged.
    acknowledged : bool, optional

    Returns
    -------
    list of str
        A sentence for each exception that wasn't written, because somebody else has changed it.

    Raises
    ------
    TwinlabError
        If the note can't be saved.
    """
    current, messages = read_notes(twin), []
    for key in keys:
        now, before = current.get(key, Note()), seen.get(key, Note())
        if text is not None and now.text != before.text:
            messages.append(
                tr(
                    "{author} wrote “{text}” at {time} UTC meanwhile; “{text2}” was not written. Read it, then write again",
                    author=now.author,
                    text=now.text,
                    time=time_text(now.time),
                    text2=text,
                )
            )
        elif acknowledged and now.acknowledged_by:
            messages.append(
                tr(
                    "{acknowledged_by} has acknowledged it at {acknowledged_at} UTC already",
                    acknowledged_by=now.acknowledged_by,
                    acknowledged_at=time_text(now.acknowledged_at),
                )
            )
        elif (text is not None and text.strip() != now.text) or acknowledged is not None:
            cast("Any", twin).annotate(key, note=text, acknowledged=acknowledged, author=author)
    return messages


class NoteWriter:
    """Notes of one reader: as shown to them, and written to the twin.

    Parameters
    ----------
    twin : Twin
    author : str
    on_written : callable
        Called after each writing with its messages, such as of a note that somebody else changed meanwhile; "" for none.
    """

    def __init__(self, twin: object, *, author: str, on_written: Callable[[str], object]) -> None:
        self._twin, self._author, self._on_written = twin, author, on_written
        self._seen: dict[str, Note] = {}

    def read(self) -> Mapping[str, Note]:
        """Return the notes of the twin, which the reader sees from now on."""
        self._seen = read_notes(self._twin)
        return self._seen

    def write(self, keys: Sequence[str], *, text: str | None = None, acknowledged: bool | None = None) -> None:
        """Write a text or an acknowledgement to exceptions."""
        try:
            messages = write_notes(
                self._twin, keys, seen=self._seen, author=self._author, text=text, acknowledged=acknowledged
            )
        except READING_ERRORS as error:
            messages = [tr("The note can't be saved: {error}", error=error)]
        self._on_written(" · ".join(messages))
