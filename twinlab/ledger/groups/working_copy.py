"""The folder of a source on one machine, with the bytes of its groups: what any reader of a ledger reads."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

from twinlab._files import open_binary, write_atomically
from twinlab.ledger.format.disk import corrupt, write_all
from twinlab.ledger.format.position import FILE, START, Position, PositionFile, read_position
from twinlab.ledger.format.segment import numbers, path_of
from twinlab.ledger.groups.chain import Chain
from twinlab.ledger.groups.group import Group

__all__ = ["Published", "WorkingCopy", "noted_number", "same_place"]

_STATE = "groups.json"
#: Files that aren't rows.
_KEPT = frozenset({"lock", "seal.lock"})


def noted_number(folder: Path) -> int:
    """Return up to which group the folder of a source has bytes, at least; 0 if it has none."""
    state = _state(folder)
    return 0 if state is None else state[0]


def _state(folder: Path) -> tuple[int, Position] | None:
    try:
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        found = int(state["number"]), Position(**state["after"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if state.get("start") == _start_of_machine() else None


class Published(Protocol):
    """What the newest push of the twin has of sources."""

    def number(self, folder: str) -> int:
        """Return the number of the last group whose rows are in the newest push, as it is now; 0 without any."""

    def restore(self, folder: str, target: Path) -> int:
        """Write the files that the newest push has of a source; return the number of the last group in them."""


def same_place(one: Position, other: Position) -> bool:
    """Return whether two positions are the same but for the number of their publication."""
    return replace(one, generation=0) == replace(other, generation=0)


def _start_of_machine() -> str:
    """Return what is different after a power cut, which may take bytes that weren't synced; "" where nothing says so."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


class WorkingCopy:
    """A source's folder, brought up to date with its groups in a store. The folder must be locked.

    Parameters
    ----------
    folder : Path
    chain : Chain
    published : Published
    """

    def __init__(self, folder: Path, chain: Chain, published: Published) -> None:
        self.folder, self._chain, self._published = folder, chain, published
        self.number = -1
        """Number of the last group whose bytes are here."""
        self.after = START
        """Position after it."""
        self._noted = (-1, START)
        folder.mkdir(parents=True, exist_ok=True)
        if not self._reopen():
            self._restore()

    def sync(self) -> None:
        """Fetch the groups that other writers have written.

        Raises
        ------
        CorruptionError
            If a group is damaged, or doesn't continue the one before.
        SourceError
            If the store can't be read.
        """
        while True:
            self.fetch()
            # Groups that a push has were removed perhaps: then the next number is missing although it isn't the end.
            if self._published.number(self._chain.folder) <= self.number:
                break
            self._restore()

    def fetch(self) -> None:
        """Fetch the groups after the last one here, up to the first that isn't in the store."""
        file: PositionFile | None = None
        try:
            for group in self._chain.after(self.number):
                if not group.is_fence and group.after.frames > self.after.frames:
                    file = file or PositionFile(self.folder)
                    self._write(group)
                    file.publish(replace(group.after, generation=read_position(self.folder).generation + 1))
                    self.after = group.after
                self.number = group.number
        finally:
            if file is not None:
                file.close()
        self.note()

    def wrote(self, group: Group) -> None:
        """Note a group that the writer of this folder has written to the store; it writes the same bytes here."""
        self.number = group.number
        if not group.is_fence:
            self.after = group.after

    def note(self) -> None:
        """Write down up to which group the folder has bytes, for the next process that opens it."""
        state = (self.number, self.after)
        if state == self._noted:
            return
        text = json.dumps({"number": self.number, "after": asdict(self.after), "start": _start_of_machine()})
        write_atomically(self.folder / _STATE, lambda draft: draft.write_text(text, encoding="utf-8"))
        self._noted = state

    # -- inside ----------------------------------------------------------------------------------------------------
    def _reopen(self) -> bool:
        """Go on with what an earlier process left; return whether that is possible."""
        state = _state(self.folder)
        if state is None:
            return False
        number, after = state
        # Bytes beyond the last group that was noted are fetched again: a writer may have been killed before its group was stored.
        for one in numbers(self.folder):
            if one > after.segment:
                path_of(self.folder, one).unlink()
        if after.segment >= 0:
            path = path_of(self.folder, after.segment)
            if not path.exists() or path.stat().st_size < after.offset:
                return False
            os.truncate(path, after.offset)
        here = read_position(self.folder) if (self.folder / FILE).exists() else START
        if not same_place(here, after):
            self._publish(replace(after, generation=here.generation + 1))
        self.number, self.after = number, after
        self._noted = (number, after)
        return True

    def _restore(self) -> None:
        """Begin with the files of the newest push."""
        for path in self.folder.iterdir():
            if path.is_file() and path.name not in _KEPT:
                path.unlink()
        self.number = self._published.restore(self._chain.folder, self.folder)
        self.after = read_position(self.folder)
        self.note()

    def _publish(self, position: Position) -> None:
        file = PositionFile(self.folder)
        try:
            file.publish(position)
        finally:
            file.close()

    def _write(self, group: Group) -> None:
        at = self.after
        fresh = group.offset == 0
        expected = (at.segment + 1, 0) if fresh else (at.segment, at.offset)
        path = path_of(self.folder, group.segment)
        if (group.segment, group.offset) != expected:
            what = f"expected a group from byte {expected[1]} of segment {expected[0]} on, group {group.number} has other bytes"
            raise corrupt(path, group.offset, what)
        flags = os.O_WRONLY | (os.O_CREAT | os.O_TRUNC if fresh else 0)
        descriptor = open_binary(path, flags, 0o644)
        try:
            write_all(descriptor, [group.body], group.offset)
        finally:
            os.close(descriptor)
