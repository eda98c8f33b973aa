"""Notes and acknowledgements of exceptions: read from the twin, and written so that nobody's words are lost."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import pandas as pd

from twinlab.explore.kit.exception_text import time_text

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Session

__all__ = ["Note", "author_of", "can_note", "read_notes", "write_notes"]


class _Noting(Protocol):
    """A twin that keeps notes."""

    def annotate(self, key: str, *, note: str | None, acknowledged: bool | None, author: str) -> None: ...

    def notes(self, *, history: bool) -> pd.DataFrame: ...


@dataclass(frozen=True)
class Note:
    """What people have written about one exception."""

    text: str = ""
    #: Who wrote last, and when.
    author: str = ""
    time: pd.Timestamp | None = None
    #: Who has acknowledged it, and when; "" if nobody has.
    acknowledged_by: str = ""
    acknowledged_at: pd.Timestamp | None = None

    @property
    def acknowledgement(self) -> str:
        """``✓ ada, 2026-01-31 14:02``; "" if nobody has acknowledged it."""
        if not self.acknowledged_by:
            return ""
        return f"✓ {self.acknowledged_by}, {time_text(self.acknowledged_at)}"


def can_note(twin: object) -> bool:
    """Return whether notes can be written to a twin: not to a view of its past."""
    return hasattr(twin, "annotate") and hasattr(twin, "notes")


def author_of(session: Session) -> str:
    """Return who writes: the reader who logged in, else the user of this computer."""
    if session.user:
        return session.user
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number without a name.
        return "somebody"


def read_notes(twin: object) -> dict[str, Note]:
    """Return the notes of a twin by the key of the exception they are about."""
    if not can_note(twin):
        return {}
    out: dict[str, Note] = {}
    for row in cast("_Noting", twin).notes(history=True).to_dict("records"):
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
    """Write a note or an acknowledgement to exceptions, but not over what the reader hasn't seen.

    Parameters
    ----------
    twin : Twin
    keys : sequence of str
    seen : mapping of key to Note
        The notes as the reader saw them.
    author : str
    text : str, optional
        The note from now on.
    acknowledged : bool, optional

    Returns
    -------
    list of str
        A sentence for each exception to which somebody else has written meanwhile; those weren't written.

    Raises
    ------
    TwinlabError
        If the twin can't keep it.
    """
    standing, told = read_notes(twin), []
    for key in keys:
        now, before = standing.get(key, Note()), seen.get(key, Note())
        if text is not None and now.text != before.text:
            told.append(
                f"{now.author} wrote “{now.text}” at {time_text(now.time)} UTC meanwhile; “{text}” was not written. "
                "Look at it, then write again"
            )
        elif acknowledged and now.acknowledged_by:
            told.append(f"{now.acknowledged_by} has acknowledged it at {time_text(now.acknowledged_at)} UTC already")
        elif (text is not None and text.strip() != now.text) or acknowledged is not None:
            cast("Any", twin).annotate(key, note=text, acknowledged=acknowledged, author=author)
    return told
