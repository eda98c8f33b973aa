"""States of finders in a twin's folder; and what became of their events, in the twin's journal."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab._locks import Lock
from twinlab.events.annotations import Carried
from twinlab.events.finders.changes import no_changes
from twinlab.events.finders.state import FinderState, event_table, read_states, write_states
from twinlab.events.finders.updating import (
    definition_hash,
    found_again,
    found_anew,
    found_instead,
    needs_all,
    searched,
)
from twinlab.history.changes.changed_windows import changed_since, state_of
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
        self._file, self._journal = folder / _FOLDER / "states.arrow", journal
        self._stored: tuple[object, dict[str, FinderState]] | None = None
        self._current: dict[str, FinderState] = {}
        self._lock = threading.Lock()

    def events(self, reader: HistoryReader, name: str, finder: Finder) -> pd.DataFrame:
        """Return the events of a finder at the present history; nothing is stored."""
        with self._lock:
            known = {name: self._current.get(name) or self._read().get(name)}
            (state, _) = _updated(reader, {name: finder}, known)[name]
            self._current[name] = state
            return event_table(state, name, finder)

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
        self._file.parent.mkdir(exist_ok=True)
        with Lock(self._file.with_name("lock"), what="finders", wait=_PATIENCE), self._lock:
            stored = self._read()
            found = _updated(reader, finders, {name: stored.get(name) for name in finders})
            states = {name: state for name, (state, _) in found.items()}
            self._note({name: changes for name, (_, changes) in found.items()})
            if states != stored:
                write_states(self._file, states)
                self._stored = self._seen(), states
            self._current = dict(states)
        return {name: changes for name, (_, changes) in found.items()}

    def _read(self) -> dict[str, FinderState]:
        """Return the stored states; the file is read only if it isn't the one that was read or written before."""
        seen = self._seen()
        if self._stored is None or self._stored[0] != seen:
            self._stored = seen, read_states(self._file)
        return self._stored[1]

    def _seen(self) -> object:
        try:
            about = self._file.stat()
        except FileNotFoundError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino

    def _note(self, changes: Mapping[str, pd.DataFrame]) -> None:
        """Note in the journal what annotations follow."""
        entries = []
        for name, table in changes.items():
            rows = [
                (_CARRIED[change], now, before)
                for change, now, before in zip(*(table[column].tolist() for column in table), strict=True)
                if change in _CARRIED
            ]
            # The part of a split event that keeps its id keeps the annotations, too.
            rows += [
                ("split", one, one) for one in dict.fromkeys(then for change, _, then in rows if change == "split")
            ]
            if any(change != "appeared" for change, _, _ in rows):
                time = int(np.datetime64("now", "ns").astype(np.int64))
                carried = Carried(name, tuple(rows), "", time, cause="late data")
                entries.append((FOUND_EVENTS, carried.as_payload()))
        if entries:
            self._journal.append_many(entries)


def _updated(
    reader: HistoryReader, finders: Mapping[str, Finder], states: Mapping[str, FinderState | None]
) -> dict[str, tuple[FinderState, pd.DataFrame]]:
    """Return the states of finders at the present history, with what became of the events that changed."""
    history = state_of(reader)
    conditions = {name: one.condition(reader.model) for name, one in finders.items()}
    hashes = {name: definition_hash(one, conditions[name]) for name, one in finders.items()}
    out: dict[str, tuple[FinderState, pd.DataFrame]] = {}
    # Finders of one asset type that were updated together share what has changed since then.
    groups: dict[str, list[str]] = {}
    for name, finder in finders.items():
        state = states[name]
        if state is not None and (state.definition, state.history) == (hashes[name], history):
            out[name] = state, no_changes()
        elif state is not None and state.definition == hashes[name] and not needs_all(conditions[name]):
            groups.setdefault(f"{finder.on} {sorted(state.history['position'].items())}", []).append(name)
    for names in groups.values():
        first = states[names[0]]
        changes = None if first is None else changed_since(reader, first.history)
        if changes is None:
            continue
        mine = {name: state for name in names if (state := states[name]) is not None}
        some = {name: conditions[name] for name in mine}
        found = searched(reader, finders[names[0]].on, list(some.values()), list(mine.values()), changes)
        out |= found_again({name: finders[name] for name in mine}, some, mine, found, history)
    for name, finder in finders.items():
        if name not in out:
            now = found_anew(reader, finder, conditions[name], history)
            out[name] = found_instead(name, finder, states[name], now)
    return out
