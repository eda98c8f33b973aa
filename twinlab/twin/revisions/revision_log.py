"""What the twin's journal says about revisions: which there are, what they change, and which were promoted or discarded."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from twinlab.history.build.mapping_context import content_hash

if TYPE_CHECKING:
    from twinlab.events.annotations import Carried
    from twinlab.ledger.journal import Journal, JournalEntry
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel

__all__ = ["LOG_COLUMNS", "Definition", "RevisionLog", "RevisionRecord", "model_definition", "of_mapping"]

State = Literal["open", "promoting", "promoted", "discarded"]
#: Columns of `RevisionLog.table` and their types.
LOG_COLUMNS: dict[str, str] = {
    "revision": "str",
    "state": "str",
    "changes": "str",
    "created": "datetime64[ns]",
    "author": "str",
    "reason": "str",
    "decided": "datetime64[ns]",
    "decided_by": "str",
    "decision_reason": "str",
}
_KINDS = ("revision", "promotion", "promoted", "discarded")


@dataclass(frozen=True)
class Definition:
    """A model or a mapping: as its file is written, and as it is stored by hash."""

    kind: Literal["model", "mapping"]
    # Empty for the model.
    source: str
    hash: str
    # JSON, from which the same hash is computed.
    text: str
    # As the file says it, with its comments; empty if only the JSON is known.
    yaml: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Kind and source."""
        return self.kind, self.source

    @property
    def name(self) -> str:
        """Name for people."""
        return "the model" if self.kind == "model" else f"the mapping of {self.source!r}"


def of_mapping(mapping: SourceMapping, yaml: str = "") -> Definition:
    """Return a mapping as a `Definition`."""
    return Definition("mapping", mapping.source, content_hash(mapping), mapping.model_dump_json(by_alias=True), yaml)


def model_definition(model: TwinModel, yaml: str = "") -> Definition:
    """Return a model as a `Definition`."""
    return Definition("model", "", content_hash(model), model.model_dump_json(by_alias=True), yaml)


@dataclass(frozen=True)
class RevisionRecord:
    """One revision, as the journal has it."""

    id: str
    definitions: tuple[Definition, ...]
    author: str
    reason: str
    # Nanoseconds since 1970, UTC.
    created: int
    state: State = "open"
    # The definitions that the promotion replaced.
    before: tuple[Definition, ...] = ()
    decided: int | None = None
    decided_by: str = ""
    decision_reason: str = ""
    # The revision that this one takes back, for a rollback.
    takes_back: str = ""

    @property
    def changes(self) -> str:
        """What it changes, in words."""
        return " and ".join(one.name for one in self.definitions)


@dataclass
class RevisionLog:
    """Reads revisions from a journal, and writes what happens to them; a further read costs only the new entries."""

    journal: Journal
    _records: dict[str, RevisionRecord] = field(default_factory=dict)
    _position: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def records(self) -> list[RevisionRecord]:
        """Return all revisions, in the order in which they were made."""
        with self._lock:
            end = self.journal.position()
            if end > self._position:
                entries = [e for kind in _KINDS for e in self.journal.entries(kind, start=self._position, stop=end)]
                for entry in sorted(entries, key=lambda one: one.position):
                    self._add(entry)
                self._position = end
            return list(self._records.values())

    def record(self, name: str) -> RevisionRecord | None:
        """Return a revision by its id, None if there is none."""
        return next((one for one in self.records() if one.id == name), None)

    def promoting(self) -> list[RevisionRecord]:
        """Return the revisions whose promotion has begun and isn't complete."""
        return [one for one in self.records() if one.state == "promoting"]

    def promoted(self) -> list[RevisionRecord]:
        """Return the promoted revisions, the last one last."""
        done = [one for one in self.records() if one.state == "promoted"]
        return sorted(done, key=lambda one: one.decided or 0)

    def table(self) -> pd.DataFrame:
        """Return the revisions as a table, columns as `LOG_COLUMNS`."""
        rows = [
            (one.id, one.state, one.changes, np.datetime64(one.created, "ns"), one.author, one.reason,
             np.datetime64("NaT") if one.decided is None else np.datetime64(one.decided, "ns"), one.decided_by,
             one.decision_reason)
            for one in self.records()
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(LOG_COLUMNS)).astype(LOG_COLUMNS)

    # -- entries
    def begin(self, record: RevisionRecord) -> None:
        """Note a new revision."""
        payload = {
            "id": record.id,
            "definitions": [asdict(one) for one in record.definitions],
            "author": record.author,
            "reason": record.reason,
            "takes_back": record.takes_back,
        }
        self.journal.append("revision", payload)

    def promote(
        self,
        record: RevisionRecord,
        before: Sequence[Definition],
        *,
        carried: Sequence[Carried] = (),
        author: str,
        reason: str,
    ) -> None:
        """Note that a revision is promoted from now on: an interruption after this is continued, not undone.

        ``carried`` is what it does to annotations.
        """
        payload: dict[str, object] = {
            "id": record.id,
            "before": [asdict(one) for one in before],
            "author": author,
            "reason": reason,
        }
        if carried:
            payload["carried"] = [one.as_payload() for one in carried]
        self.journal.append("promotion", payload)

    def complete(self, record: RevisionRecord) -> None:
        """Note that a promotion is complete, with the definitions that are active now."""
        entries: list[tuple[str, Mapping[str, Any]]] = []
        active = self.journal.active_hashes()
        for one in record.definitions:
            if active.get(one.key) != one.hash:
                payload = {"hash": one.hash, "text": one.text}
                entries.append((one.kind, payload if one.kind == "model" else {"source": one.source, **payload}))
        self.journal.append_many([*entries, ("promoted", {"id": record.id})])

    def discard(self, record: RevisionRecord, *, author: str, reason: str) -> None:
        """Note that a revision is discarded."""
        self.journal.append("discarded", {"id": record.id, "author": author, "reason": reason})

    def _add(self, entry: JournalEntry) -> None:
        payload = entry.payload
        name = str(payload["id"])
        if entry.kind == "revision":
            self._records[name] = RevisionRecord(
                name,
                _definitions(payload["definitions"]),
                str(payload["author"]),
                str(payload["reason"]),
                entry.ingest_time,
                takes_back=str(payload.get("takes_back", "")),
            )
        elif name in self._records:
            record = self._records[name]
            if entry.kind == "promoted":
                self._records[name] = replace(record, state="promoted", decided=entry.ingest_time)
                return
            self._records[name] = replace(
                record,
                state="promoting" if entry.kind == "promotion" else "discarded",
                before=_definitions(payload.get("before", ())),
                decided=entry.ingest_time,
                decided_by=str(payload["author"]),
                decision_reason=str(payload["reason"]),
            )


def _definitions(parts: Sequence[Mapping[str, Any]]) -> tuple[Definition, ...]:
    return tuple(Definition(**{str(key): value for key, value in part.items()}) for part in parts)
