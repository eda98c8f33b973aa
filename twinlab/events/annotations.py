"""Notes that people write on exceptions: who wrote what and when, and the current notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.reading import instant_ns

__all__ = ["NOTE_COLUMNS", "Annotation", "annotation", "notes_table"]

#: Columns of a table of notes and their types.
NOTE_COLUMNS: dict[str, str] = {
    "key": "str",
    "note": "str",
    "acknowledged": "bool",
    "author": "str",
    "time": "datetime64[ns]",
}
_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Annotation:
    """One person's note on an exception; None leaves the field as it was."""

    key: str
    note: str | None
    acknowledged: bool | None
    author: str
    # Nanoseconds since 1970, UTC.
    time: int


def annotation(key: object, *, note: object, acknowledged: object, author: object, time: object = None) -> Annotation:
    """Return a validated annotation.

    Raises
    ------
    SchemaError
        If it has no key or author, neither note nor acknowledgement, or the note is longer than 10,000 characters.
    """
    if not isinstance(key, str) or not key:
        msg = f"expected the key of an exception (column `key` of its table), got {key!r}"
        raise SchemaError(msg)
    if not isinstance(author, str) or not author.strip():
        msg = f"expected who writes the note, got author {author!r}"
        raise SchemaError(msg)
    if note is None and acknowledged is None:
        msg = "expected a note, or whether the exception is acknowledged, got neither"
        raise SchemaError(msg)
    if note is not None and (not isinstance(note, str) or len(note) > _LONGEST):
        msg = f"expected a note of at most {_LONGEST:,} characters, got {len(note) if isinstance(note, str) else repr(note)}"
        raise SchemaError(msg)
    if acknowledged is not None and not isinstance(acknowledged, (bool, np.bool_)):
        msg = f"expected acknowledged to be True, False or None, got {acknowledged!r}"
        raise SchemaError(msg)
    when = pd.Timestamp.now("UTC") if time is None else time
    said = None if note is None else note.strip()
    return Annotation(key, said, None if acknowledged is None else bool(acknowledged), author.strip(), instant_ns(when))


def notes_table(said: Iterable[Annotation], *, history: bool = False) -> pd.DataFrame:
    """Return notes as a table, in the order in which they were written.

    Parameters
    ----------
    said : iterable of Annotation
        In the order in which they were written.
    history : bool
        Every version of each note; by default only the last.

    Returns
    -------
    DataFrame
        ``key, note, acknowledged, author, time``: note and acknowledgement after ``author`` had written at
        ``time``.

    >>> first = annotation("a", note="seen", acknowledged=None, author="ann", time="2026-01-01")
    >>> then = annotation("a", note=None, acknowledged=True, author="bob", time="2026-01-02")
    >>> notes_table([first, then])[["note", "acknowledged", "author"]].values.tolist()
    [['seen', True, 'bob']]
    """
    rows: list[tuple[str, str, bool, str, int]] = []
    last: dict[str, tuple[str, bool]] = {}
    place: dict[str, int] = {}
    for one in said:
        note, acknowledged = last.get(one.key, ("", False))
        note = note if one.note is None else one.note
        acknowledged = acknowledged if one.acknowledged is None else one.acknowledged
        last[one.key] = note, acknowledged
        place[one.key] = len(rows)
        rows.append((one.key, note, acknowledged, one.author, one.time))
    if not history:
        rows = [rows[k] for k in sorted(place.values())]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(NOTE_COLUMNS)
    frame = pd.DataFrame({name: list(part) for name, part in zip(NOTE_COLUMNS, columns, strict=True)})
    frame["time"] = frame["time"].astype("int64").to_numpy().view("datetime64[ns]") if rows else frame["time"]
    return frame.astype(NOTE_COLUMNS)
