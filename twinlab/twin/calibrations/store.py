"""``calibration.yaml`` of a twin: read when it changes, written atomically, each version in the twin's journal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab._files import sync_file, sync_folder, write_atomically
from twinlab._locks import Lock
from twinlab.errors import TwinlabError
from twinlab.model.calibration import (
    Calibration,
    Calibrations,
    calibration_fault,
    check_calibrations,
    dump_calibrations,
    parse_calibrations,
    with_calibration,
    without_calibrations,
)
from twinlab.model.yamltext import read_text

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.ledger.journal import Journal, JournalEntry
    from twinlab.model.twinmodel import TwinModel

__all__ = ["FILE", "CalibrationStore"]

#: The file's name in a twin's folder.
FILE = "calibration.yaml"
_KIND = "calibration"
#: Seconds for which a change waits for another one.
_PATIENCE = 30.0
#: The author of a version that was written by hand and found later.
_BY_HAND = "edited by hand"

Assets = Callable[[str], Collection[str]]


class CalibrationStore:
    """Read and change the calibrations of a twin.

    Parameters
    ----------
    folder : Path
        The twin's folder.
    journal : Journal
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder, self._journal = folder, journal
        self._found: tuple[object, Calibrations] | None = None
        self._entries: list[JournalEntry] = []
        self._position = 0
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """The file."""
        return self._folder / FILE

    def current(self, model: TwinModel, assets: Assets) -> Calibrations:
        """Return the calibrations of the file, none if there is no file.

        Raises
        ------
        SchemaError
            If the file breaks its schema, or names what the twin doesn't have; each fault with its line.
        """
        try:
            about = self.path.stat()
        except FileNotFoundError:
            return Calibrations()
        seen = about.st_mtime_ns, about.st_size, about.st_ino, id(model)
        if self._found is None or self._found[0] != seen:
            found = parse_calibrations(read_text(self.path), FILE)
            check_calibrations(found, model, assets, FILE)
            self._found = seen, found
        return self._found[1]

    def add(self, one: Calibration, *, replace: bool, model: TwinModel, assets: Assets) -> None:
        """Write one more calibration into the file and the journal; both are durable when this returns.

        Raises
        ------
        SchemaError
            If it overlaps another calibration of the sensor and ``replace`` is False; the file is broken; or the signal isn't
            a gauge.
        UnknownTermError
            If the twin doesn't have the asset or the signal; shows the nearest.
        HistoryConflictError
            If another process changes the calibrations for more than 30 s.
        """
        fault = calibration_fault(one, model, assets)
        if fault is not None:
            key, error, text = fault
            msg = f"{key}: {text}"
            raise error(msg)
        with self._locked():
            text = read_text(self.path) if self.path.exists() else ""
            changed = with_calibration(text, one, replace=replace, name=FILE)
            check_calibrations(parse_calibrations(changed, FILE), model, assets, FILE)
            self._write(text, changed, author=one.author or "", reason=one.reason, about=one)

    def remove(self, wanted: Callable[[Calibration], bool], *, author: str, reason: str) -> int:
        """Remove calibrations from the file, and note it in the journal; return their number.

        Raises
        ------
        SchemaError
            If the file is broken.
        HistoryConflictError
            If another process changes the calibrations for more than 30 s.
        """
        with self._locked():
            text = read_text(self.path) if self.path.exists() else ""
            given = parse_calibrations(text, FILE).calibrations
            removed = [one for one in given if wanted(one)]
            if removed:
                changed = without_calibrations(text, removed, name=FILE)
                self._write(text, changed, author=author, reason=reason, about=removed[0])
            return len(removed)

    def _locked(self) -> Lock:
        return Lock(self._folder / "calibration.lock", what=f"{FILE} of {self._folder}", wait=_PATIENCE)

    def _write(self, text: str, changed: str, *, author: str, reason: str, about: Calibration) -> None:
        """Write the file and the journal; what was edited by hand before is a version of its own."""
        before, after = parse_calibrations(text, FILE) if text.strip() else None, parse_calibrations(changed, FILE)
        entries = []
        if before is not None and before != self.recorded():
            entries.append(_payload(before, author=_BY_HAND, reason="", changed=None))
        entries.append(_payload(after, author=author, reason=reason, changed=about))
        write_atomically(self.path, lambda draft: _write_durably(draft, changed))
        sync_folder(self._folder)
        self._journal.append_many([(_KIND, entry) for entry in entries])

    def record(self, *, author: str, reason: str, model: TwinModel, assets: Assets) -> bool:
        """Write the file as it is into the journal; return False if the journal has it already."""
        with self._locked():
            now = self.current(model, assets)
            if now == self.recorded():
                return False
            self._journal.append(_KIND, _payload(now, author=author, reason=reason, changed=None))
            return True

    def recorded(self, *, known: int | None = None) -> Calibrations:
        """Return the last calibrations in the journal, or the last ones up to an ingest time in ns since 1970."""
        self._catch_up()
        for entry in reversed(self._entries):
            if known is None or entry.ingest_time <= known:
                return parse_calibrations(entry.payload["text"], FILE)
        return Calibrations()

    def versions(self) -> pd.DataFrame:
        """Return a row for each version in the journal: ``time, author, reason, asset, signal, calibrations``."""
        import pandas as pd  # noqa: PLC0415  (writing needs none)

        self._catch_up()
        rows = [
            {
                "time": np.datetime64(entry.ingest_time, "ns"),
                **{name: str(entry.payload[name]) for name in ("author", "reason", "asset", "signal")},
                "calibrations": len(parse_calibrations(entry.payload["text"], FILE).calibrations),
            }
            for entry in self._entries
        ]
        types = {"time": "datetime64[ns]", **dict.fromkeys(("author", "reason", "asset", "signal"), "str")}
        types["calibrations"] = "int64"
        return pd.DataFrame(rows, columns=list(types)).astype(types)

    def summary(self, model: TwinModel, assets: Assets) -> tuple[list[str], list[str]]:
        """Return sentences for the summary of a twin: how many there are; edits that aren't recorded, or can't be used."""
        try:
            now = self.current(model, assets)
        except TwinlabError as error:
            return [], [f"calibrations can't be used: {str(error).splitlines()[0]}"]
        told = [f"{_count(len(now.calibrations))}: twin.calibrations() lists them"] if now.calibrations else []
        if now == self.recorded():
            return told, []
        edit = f"{FILE} was edited by hand: twin.record_calibrations(author=…, reason=…) notes who and why"
        return told, [edit]

    def _catch_up(self) -> None:
        with self._lock:
            end = self._journal.position()
            if end > self._position:
                self._entries += self._journal.entries(_KIND, start=self._position, stop=end)
                self._position = end


def _count(number: int) -> str:
    return f"{number} calibration{'' if number == 1 else 's'}"


def _payload(found: Calibrations, *, author: str, reason: str, changed: Calibration | None) -> dict[str, Any]:
    what = {"asset": "" if changed is None else changed.asset, "signal": "" if changed is None else changed.signal}
    return {"author": author, "reason": reason, **what, "text": dump_calibrations(found)}


def _write_durably(draft: Path, text: str) -> None:
    draft.write_text(text, encoding="utf-8", newline="\n")
    sync_file(draft)
