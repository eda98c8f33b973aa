"""Offsets of a live source: where it continues after a restart. They are durable together with the rows before them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from twinlab._files import file_name, replace_file, sync_file
from twinlab.errors import SourceError
from twinlab.ledger import Ledger, Reader

__all__ = ["Offsets", "note_of", "offsets_of"]

_KEY = "offsets"


def note_of(offsets: Mapping[str, object]) -> dict[str, object] | None:
    """Return the note that is appended to the ledger with the rows before these offsets."""
    return {_KEY: dict(offsets)} if offsets else None


def offsets_of(reader: Reader, *, start: int = 0) -> dict[str, object]:
    """Return stream -> offset, of the notes with the rows from an ordinal on."""
    found: dict[str, object] = {}
    for _, note in reader.notes(start=start):
        new = note.get(_KEY)
        found |= new if isinstance(new, dict) else {}
    return found


class Offsets:
    """The offsets of one source, by stream.

    Each append to the ledger has those that it changes as a note. A file beside the ledger has all of them up to a position, so
    that only the notes after it are read at a start. Without the file all notes that the ledger still has are read.

    Parameters
    ----------
    ledger : Ledger
    source : str
    folder : Path
        Folder of the files.
    """

    def __init__(self, ledger: Ledger, source: str, folder: Path) -> None:
        self._ledger, self._path = ledger, folder / f"{file_name(source)}.offsets.json"
        reader = ledger.reader(source)
        position, found = self._stored(reader.position())
        for at, note in reader.notes(start=position):
            new = note.get(_KEY)
            found |= new if isinstance(new, dict) else {}
            position = at
        self._now, self._position = found, max(position, reader.position())
        self._written = (-1, dict[str, object]())

    @property
    def now(self) -> Mapping[str, object]:
        """Stream -> offset, of all durable rows."""
        return dict(self._now)

    def advance(self, offsets: Mapping[str, object], position: int) -> None:
        """Note offsets whose rows are durable, and the position of the source after them."""
        self._now |= offsets
        self._position = max(position, self._position)

    def write(self) -> None:
        """Write the file if something has changed.

        Raises
        ------
        HistoryConflictError
            If this process may not write any more.
        SourceError
            If the disk is full or fails.
        """
        state = (self._position, dict(self._now))
        if state == self._written:
            return
        self._ledger.fence()
        draft = self._path.with_name(f".{self._path.name}.draft")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps({"position": state[0], _KEY: state[1]}), encoding="utf-8")
            sync_file(draft)
            replace_file(draft, self._path)
        except OSError as error:
            msg = f"{self._path}: the offsets can't be written ({error}); check the disk"
            raise SourceError(msg) from error
        self._written = state

    def _stored(self, position: int) -> tuple[int, dict[str, object]]:
        """Return position and offsets of the file; nothing if it can't be read, or is of another ledger that was longer."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            at, offsets = int(found["position"]), dict(found[_KEY])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, {}
        return (at, offsets) if at <= position else (0, {})
