"""The twin's own journal: activated models and mappings, files read, annotations; stored like any source."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from twinlab.ledger.format.records import Records
from twinlab.ledger.groups.protocol import GroupStore
from twinlab.ledger.reader import Reader
from twinlab.ledger.recover import Resume
from twinlab.ledger.writer import Ack, Writer

__all__ = ["JOURNAL", "Journal", "JournalEntry"]

#: Name of the journal's source.
JOURNAL = "_twin"
#: Seconds for which an append waits for other writers of the journal.
_PATIENCE = 30.0
#: Each append opens the last segment again, so segments are small.
_SEGMENT_ROWS = 1000


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry of the journal."""

    kind: str
    payload: Mapping[str, Any]
    ingest_time: int
    """ns UTC."""
    position: int
    """Ordinal of the entry."""


class Journal:
    """Appends to and reads the source ``_twin``. Each append locks the source and waits up to 30 s for other writers."""

    def __init__(
        self,
        folder: Path,
        *,
        resume: Resume | None = None,
        fence: Callable[[], None] = lambda: None,
        groups: Callable[[float], GroupStore | None] = lambda _wait: None,
    ) -> None:
        self._folder, self._resume, self._fence, self._groups = folder, resume, fence, groups
        self._reader = Reader(folder)
        # (kind, source) -> hash of the model or mapping that is active, up to the position `_active_until`.
        self._active: dict[tuple[str, str], str] = {}
        self._active_until = 0

    def append(self, kind: str, payload: Mapping[str, Any]) -> Ack:
        """Write one entry, with a payload that JSON can represent. It is durable when this returns.

        Raises
        ------
        HistoryConflictError
            If another process locks the journal for more than 30 s.
        SourceError
            If the disk is full or fails.
        """
        return self.append_many([(kind, payload)])[0]

    def append_many(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Ack]:
        """Write several entries with one sync."""
        parts = [Records(kind, _rows(payload)) for kind, payload in entries]
        with Writer(
            self._folder, JOURNAL, segment_rows=_SEGMENT_ROWS, wait=_PATIENCE, resume=self._resume, fence=self._fence,
            groups=self._groups(_PATIENCE),
        ) as writer:  # fmt: skip
            return writer.append_many(parts)

    def entries(
        self,
        kind: str | Collection[str] | None = None,
        *,
        known: int | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> Iterator[JournalEntry]:
        """Yield entries in order.

        Parameters
        ----------
        kind : str or collection of str, optional
            Only entries of this kind, or of these.
        known : int, optional
            Only entries up to this ingest time, ns UTC.
        start, stop : int, optional
            Only ordinals in [start, stop).
        """
        kinds = {kind} if isinstance(kind, str) else kind
        for frame in self._reader.frames(start=start, stop=stop):
            if known is not None and frame.ingest_time > known:
                return
            if frame.record_type is None or (kinds is not None and frame.record_type not in kinds):
                continue
            for ordinal, text in zip(
                frame.ordinals().tolist(), frame.batch().column("payload").to_pylist(), strict=True
            ):
                yield JournalEntry(frame.record_type, json.loads(text), frame.ingest_time, ordinal)

    def active_hashes(self) -> dict[tuple[str, str], str]:
        """Return the hash of the active model, ``("model", "")``, and of each active mapping, ``("mapping", source)``.

        A call reads only the entries that are new since the call before.
        """
        end = self._reader.position()
        for kind in ("model", "mapping") if end > self._active_until else ():
            for entry in self.entries(kind, start=self._active_until, stop=end):
                key, found = (kind, str(entry.payload.get("source", ""))), str(entry.payload["hash"])
                if found:
                    self._active[key] = found
                else:
                    self._active.pop(key, None)  # the mapping was removed
        self._active_until = max(end, self._active_until)
        return dict(self._active)

    def position(self) -> int:
        """Return the number of durable entries."""
        return self._reader.position()


def _rows(payload: Mapping[str, Any]) -> pa.RecordBatch:
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return pa.RecordBatch.from_pydict({"payload": [text]})
