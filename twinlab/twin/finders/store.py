"""States of finders in a twin's folder, a file each; and what became of their events, in the twin's journal."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab._files import file_name
from twinlab._locks import Lock
from twinlab.events.annotations import Carried
from twinlab.events.finders.state import FinderState
from twinlab.events.finders.updating import definition_hash, updated
from twinlab.history.changes.changed_windows import ChangedWindow, changed_since, state_of
from twinlab.twin.annotating.store import FOUND_EVENTS

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.ledger.journal import Journal
    from twinlab.model.finders.finder import Finder

__all__ = ["FinderStore"]

_FOLDER = "finders"
#: Seconds for which an update waits for another one.
_PATIENCE = 60.0
#: What annotations follow; a moved event keeps its id.
_CARRIED = {"split": "split", "withdrawn": "vanished", "appeared": "appeared"}


class FinderStore:
    """Reads events of finders, and stores their states.

    Parameters
    ----------
    folder : Path
        The twin's.
    journal : Journal
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder, self._journal = folder / _FOLDER, journal
        self._current: dict[str, tuple[FinderState, pd.DataFrame]] = {}
        self._lock = threading.Lock()

    def events(self, reader: HistoryReader, name: str, finder: Finder) -> pd.DataFrame:
        """Return the events of a finder at the present history; nothing is stored."""
        with self._lock:
            known = self._current.get(name)
            state = known[0] if known is not None else FinderState.read(self._path(name))
            history = state_of(reader)
            definition = definition_hash(finder, finder.condition(reader.model))
            if known is not None and (known[0].definition, known[0].history) == (definition, history):
                return known[1].copy()
            changes = None if state is None else changed_since(reader, state.history)
            now, events, _ = updated(reader, name, finder, state, changes, history)
            self._current[name] = now, events
            return events.copy()

    def update(self, reader: HistoryReader) -> dict[str, pd.DataFrame]:
        """Bring the stored states of all finders up to date; return what became of each finder's events.

        Raises
        ------
        HistoryConflictError
            If another process updates them for more than a minute.
        """
        finders = reader.model.events
        if not finders:
            return {}
        out = {}
        self._folder.mkdir(exist_ok=True)
        with Lock(self._folder / "lock", what="finders", wait=_PATIENCE), self._lock:
            history = state_of(reader)
            # Finders that were updated together share what has changed since then.
            shared: list[tuple[dict[str, object], list[ChangedWindow] | None]] = []
            for name, finder in finders.items():
                state = FinderState.read(self._path(name))
                changes = None
                if state is not None:
                    found = next((one for one in shared if one[0] == state.history), None)
                    if found is None:
                        found = state.history, changed_since(reader, state.history)
                        shared.append(found)
                    changes = found[1]
                now, events, out[name] = updated(reader, name, finder, state, changes, history)
                self._note(name, out[name])
                now.write(self._path(name))
                self._current[name] = now, events
        return out

    def _note(self, name: str, changes: pd.DataFrame) -> None:
        """Note in the journal what annotations follow."""
        rows = [
            (_CARRIED[change], now, before)
            for change, now, before in changes.astype(object).itertuples(index=False)
            if change in _CARRIED
        ]
        # The part of a split event that keeps its id keeps the annotations, too.
        rows += [("split", one, one) for one in dict.fromkeys(then for change, _, then in rows if change == "split")]
        if any(change != "appeared" for change, _, _ in rows):
            time = int(np.datetime64("now", "ns").astype(np.int64))
            carried = Carried(name, tuple(rows), "", time, cause="late data")
            self._journal.append(FOUND_EVENTS, carried.as_payload())

    def _path(self, name: str) -> Path:
        return self._folder / f"{file_name(name)}.parquet"
