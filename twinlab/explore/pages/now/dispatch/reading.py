"""Import of an edited workbook: read, compare with the current notes, apply."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.annotations import Annotation, annotation
from twinlab.explore.pages.now.dispatch.fingerprint import (
    ACKNOWLEDGED,
    FINGERPRINT,
    KEY,
    NOTE,
    cleaned,
    fingerprint,
    with_notes,
)

__all__ = ["RefusedRow", "SheetChange", "SheetChanges", "apply_changes", "read_sheet"]

_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "oui", "✓", "✔"})
_NO = frozenset({"no", "n", "false", "0", "", "nein", "non", "-"})
_COLUMNS = (NOTE, ACKNOWLEDGED, KEY, FINGERPRINT)
_MAX_CHARACTERS = 10_000
_MAX_BYTES = 100_000_000


@dataclass(frozen=True)
class SheetChange:
    """Changes in one row of the workbook."""

    # Row number of the spreadsheet, from 1.
    row: int
    key: str
    note_before: str
    note: str
    acknowledged_before: bool
    acknowledged: bool


@dataclass(frozen=True)
class RefusedRow:
    """A row that can't be applied, and the reason."""

    row: int
    reason: str


@dataclass(frozen=True)
class SheetChanges:
    """All changes of a workbook; nothing is written before `apply_changes`."""

    author: str
    changes: tuple[SheetChange, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    # Number of rows without changes.
    unchanged: int = 0

    def table(self) -> pd.DataFrame:
        """Return the differences as a table with one row for each change."""
        names = ("row", "key", "note_before", "note", "acknowledged_before", "acknowledged")
        rows = [[getattr(one, name) for name in names] for one in self.changes]
        return pd.DataFrame(rows, columns=list(names))

    def __str__(self) -> str:
        lines = [f"{len(self.changes)} changed, {len(self.refused)} refused, {self.unchanged} as they were"]
        for one in self.changes:
            lines.append(f"  row {one.row}: {one.key}")
            if one.note != one.note_before:
                lines.append(f"    note: {one.note_before!r} -> {one.note!r}")
            if one.acknowledged != one.acknowledged_before:
                lines.append(
                    f"    acknowledged: {_yes_or_no(one.acknowledged_before)} -> {_yes_or_no(one.acknowledged)}"
                )
        return "\n".join([*lines, *(f"  row {one.row} refused: {one.reason}" for one in self.refused)])


class _WithNotes(Protocol):
    def notes(self) -> pd.DataFrame: ...

    def annotate_many(self, annotations: Sequence[Annotation]) -> None: ...


def read_sheet(
    path: str | PathLike[str] | BinaryIO | bytes,
    current: pd.DataFrame,
    *,
    author: str,
    notes: pd.DataFrame | None = None,
) -> SheetChanges:
    """Read an edited workbook of `write_sheet` and compare it with the current exceptions and notes.

    Rows may have been sorted and filtered, and columns moved and added; LibreOffice's files work too. Nothing is written.

    Parameters
    ----------
    path : path, binary file or bytes
    current : DataFrame
        The current exceptions, as `twinlab.events.exceptions` returns them.
    author : str
        Author of the changes.
    notes : DataFrame, optional
        The current notes, as ``twin.notes()`` returns them; by default the columns ``note`` and ``acknowledged`` of
        ``current``.

    Returns
    -------
    SheetChanges
        An edited row is refused if its exception has ended or changed, if somebody else has changed its note, or if a
        value is invalid. A row whose hidden key was edited, removed or copied is always refused.

    Raises
    ------
    SchemaError
        If the file isn't a workbook of `write_sheet`, or without an author.
    """
    if not author.strip():
        msg = f"expected the name of the person who typed into the sheet, got author {author!r}"
        raise SchemaError(msg)
    rows = list(_rows(path))
    state = {str(row["key"]): row for row in _records(with_notes(current, notes))}
    people = {} if notes is None else {str(row["key"]): row for row in _records(notes)}
    keys: dict[str, list[int]] = {}
    for row in rows:
        if row.key:
            keys.setdefault(row.key, []).append(row.number)
    changes: list[SheetChange] = []
    refused: list[RefusedRow] = []
    unchanged = 0
    for row in rows:
        try:
            change = _change_of(row, state, people, keys)
        except _RefusedError as refusal:
            refused.append(RefusedRow(row.number, str(refusal)))
            continue
        if change is None:
            unchanged += 1
        else:
            changes.append(change)
    return SheetChanges(author.strip(), tuple(changes), tuple(refused), unchanged)


def apply_changes(twin: _WithNotes, changes: SheetChanges, *, author: str | None = None) -> tuple[RefusedRow, ...]:
    """Write the changes of a workbook as notes of its author, all at once.

    Returns
    -------
    tuple of RefusedRow
        Rows whose notes somebody has changed since `read_sheet`; these aren't written.
    """
    now = twin.notes()
    last = {str(row["key"]): (cleaned(str(row["note"])), bool(row["acknowledged"])) for row in _records(now)}
    refused: list[RefusedRow] = []
    annotations: list[Annotation] = []
    for one in changes.changes:
        if last.get(one.key, ("", False)) != (cleaned(one.note_before), one.acknowledged_before):
            refused.append(RefusedRow(one.row, "somebody changed its note after the sheet had been compared"))
            continue
        note = one.note if one.note != cleaned(one.note_before) else None
        acknowledged = one.acknowledged if one.acknowledged != one.acknowledged_before else None
        annotations.append(annotation(one.key, note=note, acknowledged=acknowledged, author=author or changes.author))
    twin.annotate_many(annotations)
    return tuple(refused)


class _RefusedError(Exception):
    """The reason for which a row is refused."""


@dataclass(frozen=True)
class _Row:
    number: int
    key: str
    fingerprint: str
    note: object
    acknowledged: object
    # Cells with a formula or an error: header -> description.
    odd: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.key or self.fingerprint or _as_text(self.note) or _as_text(self.acknowledged) or self.odd)


def _change_of(
    row: _Row,
    state: Mapping[str, Mapping[str, Any]],
    people: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, Sequence[int]],
) -> SheetChange | None:
    """Return the change of a row; None if the row wasn't edited."""
    _check_key(row, keys)
    note = _note(row)
    acknowledged = _acknowledged(row)
    before = row.fingerprint.split("-")
    if fingerprint({"key": row.key}, note=note, acknowledged=acknowledged).split("-")[2] == before[2]:
        return None
    if row.key not in state:
        msg = f"the exception {row.key} has ended meanwhile"
        raise _RefusedError(msg)
    now = state[row.key]
    current_note = cleaned(str(now["note"])), bool(now["acknowledged"])
    expected = fingerprint(now, note=current_note[0], acknowledged=current_note[1]).split("-")
    if expected[1] != before[1]:
        msg = f"the exception {row.key} has changed meanwhile (severity, limit or what it's about)"
        raise _RefusedError(msg)
    if expected[2] != before[2]:
        if current_note == (note, acknowledged):
            # Somebody else has written the same.
            return None
        who = people.get(row.key)
        by = f" by {who['author']} at {who['time']:%Y-%m-%d %H:%M}" if who is not None else ""
        msg = f"its note was changed meanwhile{by}: {current_note[0]!r}, acknowledged {_yes_or_no(current_note[1])}"
        raise _RefusedError(msg)
    return SheetChange(row.number, row.key, current_note[0], note, current_note[1], acknowledged)


def _check_key(row: _Row, keys: Mapping[str, Sequence[int]]) -> None:
    if not row.key:
        msg = "it has no key: the hidden column was emptied, or the row was added by hand"
        raise _RefusedError(msg)
    if len(keys[row.key]) > 1:
        others = ", ".join(str(number) for number in keys[row.key] if number != row.number)
        msg = f"its key is in row {others} too: the row was copied"
        raise _RefusedError(msg)
    parts = row.fingerprint.split("-")
    if len(parts) != 3 or fingerprint({"key": row.key}, note="", acknowledged=False).split("-")[0] != parts[0]:
        msg = "its hidden key doesn't fit the row: it was edited"
        raise _RefusedError(msg)


def _note(row: _Row) -> str:
    if NOTE in row.odd:
        msg = f"its note is {row.odd[NOTE]}; type text"
        raise _RefusedError(msg)
    note = cleaned(_as_text(row.note))
    if len(note) > _MAX_CHARACTERS:
        msg = f"its note has {len(note):,} characters; at most {_MAX_CHARACTERS:,} are allowed"
        raise _RefusedError(msg)
    return note


def _acknowledged(row: _Row) -> bool:
    typed = row.odd.get(ACKNOWLEDGED) or _as_text(row.acknowledged)
    answer = typed.strip().casefold()
    if ACKNOWLEDGED not in row.odd and answer in _YES | _NO:
        return answer in _YES
    msg = f"expected yes or no in {ACKNOWLEDGED}, got {typed!r}"
    raise _RefusedError(msg)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _rows(path: str | PathLike[str] | BinaryIO | bytes) -> Iterator[_Row]:
    sheet, header, places = _find(_open(path))
    for number, cells in enumerate(sheet, start=1):
        if number == header:
            continue
        found = [cells[places[name]] if places[name] < len(cells) else None for name in _COLUMNS]
        values = [None if cell is None else cell.value for cell in found]
        odd = {
            name: "a formula" if cell.data_type == "f" else f"the error {cell.value}"
            for name, cell in zip(_COLUMNS, found, strict=True)
            if cell is not None and cell.data_type in {"f", "e"}
        }
        row = _Row(number, _as_text(values[2]).strip(), _as_text(values[3]).strip(), values[0], values[1], odd)
        # Rows above the header are titles that people have added.
        if not row.empty and (number > header or row.key):
            yield row


def _open(path: str | PathLike[str] | BinaryIO | bytes) -> Any:
    import openpyxl  # noqa: PLC0415  (imported only when a workbook is read)
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    name = "the file" if isinstance(path, bytes) or hasattr(path, "read") else str(path)
    try:
        content = path if isinstance(path, bytes) else _content(path)
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > _MAX_BYTES:
            msg = f"expected a dispatcher's sheet, got {name} of {size:,} bytes unpacked"
            raise SchemaError(msg)
        return openpyxl.load_workbook(io.BytesIO(content))
    except (OSError, zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, SyntaxError) as error:
        if isinstance(error, SchemaError):
            raise
        msg = f"expected an Excel workbook (.xlsx) that twinlab wrote; {name} can't be read: {error}"
        raise SchemaError(msg) from error


def _content(path: str | PathLike[str] | BinaryIO) -> bytes:
    return Path(path).read_bytes() if isinstance(path, (str, PathLike)) else path.read()


def _find(book: Any) -> tuple[list[Any], int, dict[str, int]]:
    """Return the rows of the sheet, the row number of its header, and the position of each column."""
    best: list[str] = list(_COLUMNS)
    for sheet in book.worksheets:
        rows = [tuple(row) for row in sheet.iter_rows()]
        for number, cells in enumerate(rows, start=1):
            named: dict[str, list[int]] = {}
            for place, cell in enumerate(cells):
                if isinstance(cell.value, str):
                    named.setdefault(cell.value.strip().casefold(), []).append(place)
            missing = [name for name in _COLUMNS if name.casefold() not in named]
            if not missing:
                return rows, number, {name: _only(named[name.casefold()], name, number) for name in _COLUMNS}
            if len(missing) < len(best):
                best = missing
    if len(best) == len(_COLUMNS):
        msg = "expected a dispatcher's sheet that twinlab wrote: no sheet of this workbook has its columns"
    else:
        msg = f"this dispatcher's sheet lacks the column {' and '.join(best)}: it was removed or renamed; export the sheet again"
    raise SchemaError(msg)


def _only(places: Sequence[int], name: str, number: int) -> int:
    if len(places) > 1:
        msg = f"row {number} has {len(places)} columns called {name}; leave the sheet's own and rename the others"
        raise SchemaError(msg)
    return places[0]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")  # type: ignore[return-value]  # columns are named by text


def _yes_or_no(yes: bool) -> str:  # noqa: FBT001
    return "yes" if yes else "no"
