"""KPIs and scenarios that people define beside ``twin.yaml``: versions in the twin's journal, wherever that is."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from twinlab.errors import HistoryConflictError, SchemaError

if TYPE_CHECKING:
    from twinlab.ledger.journal.journal import Journal

__all__ = ["Definition", "DefinitionKind", "DefinitionStore"]

DefinitionKind = Literal["kpi", "scenario"]
_ENTRY = "definition"
#: Times that a definition is written again because another one came in between.
_TIMES = 8
#: Seconds for which definitions that were read count as the present ones.
_FRESH = 1.0


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a KPI or scenario."""

    kind: DefinitionKind
    name: str
    version: int
    """1 for the first."""
    text: str
    """YAML; "" if it was removed."""
    author: str
    reason: str
    time: int
    """ns UTC."""


class DefinitionStore:
    """Writes definitions to a journal and reads them; several processes and servers may write.

    An entry says which version it changes. It counts only if that is the newest where the entry comes in the order of the journal, so
    that of two people who change one version at once the second is refused, whichever place the journal is in.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._versions: dict[tuple[DefinitionKind, str], list[Definition]] = {}
        self._refused: set[int] = set()
        self._position, self._looked = 0, float("-inf")
        self._lock = threading.Lock()

    def define(
        self,
        kind: DefinitionKind,
        name: str,
        text: str,
        *,
        author: str,
        reason: str = "",
        after: int | None = None,
    ) -> Definition:
        """Write a version, durable when this returns; ``text`` "" removes the definition.

        Parameters
        ----------
        kind, name, text, author, reason : str
        after : int, optional
            The version that was changed, 0 for none; by default whatever is the newest.

        Raises
        ------
        HistoryConflictError
            If there is a newer version than ``after``; nothing has changed then.
        SchemaError
            If there is no author.
        """
        if not author.strip():
            msg = f"expected the author of {kind} {name!r}, got none; give author="
            raise SchemaError(msg)
        for _ in range(1 if after is not None else _TIMES):
            newest = self.newest(kind, name) if after is None else after
            payload = {"kind": kind, "name": name, "text": text, "author": author, "reason": reason, "after": newest}
            place = self._journal.append(_ENTRY, payload).position - 1
            versions = self.versions(kind, name)
            with self._lock:
                counted = place not in self._refused
            if counted:
                return versions[newest]
        found = self.versions(kind, name)[-1]
        msg = (
            f"{kind} {name!r}: expected version {after} to be the newest, {found.author} has written version {found.version} meanwhile: "
            "look at it, then change it again. Nothing was changed"
        )
        raise HistoryConflictError(msg)

    def current(self, kind: DefinitionKind) -> dict[str, Definition]:
        """Return the newest version of each definition that wasn't removed, by name."""
        self._catch_up()
        with self._lock:
            newest = {name: found[-1] for (one, name), found in sorted(self._versions.items()) if one == kind}
        return {name: one for name, one in newest.items() if one.text}

    def versions(self, kind: DefinitionKind, name: str) -> list[Definition]:
        """Return all versions of a definition, the oldest first."""
        self._catch_up()
        with self._lock:
            return list(self._versions.get((kind, name), ()))

    def names(self, kind: DefinitionKind) -> list[str]:
        """Return the names of all definitions of a kind, removed ones too."""
        self._catch_up()
        with self._lock:
            return sorted(name for one, name in self._versions if one == kind)

    def newest(self, kind: DefinitionKind, name: str) -> int:
        """Return the number of the newest version, 0 if there is none."""
        return len(self.versions(kind, name))

    def state(self) -> int:
        """Return a number that differs after each change; others' changes are seen within a second."""
        if time.monotonic() - self._looked > _FRESH:
            self._catch_up()
        with self._lock:
            return sum(map(len, self._versions.values()))

    def _catch_up(self) -> None:
        with self._lock:
            end = self._journal.position()
            if end > self._position:
                for entry in self._journal.entries(_ENTRY, start=self._position, stop=end):
                    self._take(entry.payload, place=entry.position, at=entry.ingest_time)
                self._position = end
            self._looked = time.monotonic()

    def _take(self, payload: Mapping[str, object], *, place: int, at: int) -> None:
        kind: DefinitionKind = "kpi" if payload["kind"] == "kpi" else "scenario"
        name = str(payload["name"])
        versions = self._versions.setdefault((kind, name), [])
        if payload["after"] != len(versions):
            self._refused.add(place)
            return
        facts = {key: str(payload[key]) for key in ("text", "author", "reason")}
        versions.append(Definition(kind, name, len(versions) + 1, time=at, **facts))
