"""Messages that weren't taken, as files, until a person releases or discards them.

Of each message there are ``<id>.json`` (what it is and why it is here, written by the historian), ``<id>.message`` (its bytes),
``<id>.decision`` (who decided what, written once by a person's process) and ``<id>.ingested`` (when its rows were durable). Nobody
overwrites what another process writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from twinlab._files import file_name, sync_file, sync_folder, write_atomically
from twinlab.errors import SchemaError, SourceError, UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["FOLDER", "Decision", "Quarantine", "QuarantineEntry"]

#: Folder in a twin, with a folder for each source.
FOLDER = Path("live") / "quarantine"
#: Files and bytes of a source at most, and new ones a second: whoever can reach the broker must not fill the disk.
_MOST, _MOST_BYTES, _MOST_A_SECOND = 10_000, 256 << 20, 100
#: Seconds between two writes of how often the same message has come.
_COUNTED_EVERY = 5.0

#: What an id is like, since files are named by it.
_ID = re.compile(r"[0-9a-f]{24}")
#: Nanoseconds within which two changes of a folder may have the same time.
_TICK = 2 * 10**9

State = Literal["quarantined", "released", "ingested", "discarded"]
Decision = Literal["released", "discarded"]


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """One message in quarantine. Times are ns UTC."""

    id: str
    source: str
    gateway: str
    kind: str
    """``"birth"`` or ``"rows"``."""
    reason: str
    """The reason, in a word or two: of `twinlab.edge.signatures.signed_bytes.FAULTS`, or "earlier epoch", "sequence again", …"""
    why: str
    """What was expected and what came."""
    noted: int
    """When it came first."""
    last: int
    """When it came last."""
    count: int = 1
    """How often it has come: a gateway sends again what isn't acknowledged."""
    epoch: str = ""
    """Token of the outbox, 16 hexadecimal digits; empty if it can't be read."""
    first: int = 0
    """Sequence of the first row."""
    rows: int = 0
    size: int = 0
    """Bytes."""
    key: str = ""
    """Id of the key that its header names."""
    state: State = "quarantined"
    by: str = ""
    """Who decided."""
    note: str = ""
    decided: int = 0


class Quarantine:
    """The quarantine of one source of a twin.

    Parameters
    ----------
    folder : Path
        The twin's.
    source : str
    clock : callable
        Nanoseconds UTC.
    """

    def __init__(self, folder: Path, source: str, *, clock: Callable[[], int] = time.time_ns) -> None:
        self.source, self._clock = source, clock
        self._folder = folder / FOLDER / file_name(source)
        self._known: dict[str, QuarantineEntry] | None = None
        self._counted: dict[str, int] = {}
        self._bytes = 0
        self._second = (0, 0)
        self._changed, self._seen = 0, set[str]()
        self.refused = 0
        """Messages that weren't stored because the quarantine was full or came too fast; their gateways have them."""

    def __len__(self) -> int:
        """Number of messages that nobody has decided on."""
        return sum(one.state == "quarantined" for one in self._entries().values())

    # -- the historian ---------------------------------------------------------------------------------------------
    def add(self, entry: QuarantineEntry, message: bytes, *, same: bytes) -> bool:
        """Store a message; return whether it is stored now, or was already.

        Parameters
        ----------
        entry : QuarantineEntry
            Its ``id`` is made here.
        message : bytes
        same : bytes
            What two copies of the message have in common; they differ in the time of sending.
        """
        name = hashlib.sha256(b"\0".join((entry.gateway.encode(), entry.kind.encode(), same))).hexdigest()[:24]
        known, now = self._entries(), self._clock()
        if name in known:
            known[name] = replace(known[name], count=known[name].count + 1, last=now)
            if now - self._counted.get(name, 0) > _COUNTED_EVERY * 1e9:
                self._counted[name] = now
                self._write(known[name])
            return True
        second, count = self._second
        self._second = (now // 10**9, 1 if now // 10**9 != second else count + 1)
        if len(known) >= _MOST or self._bytes + len(message) > _MOST_BYTES or self._second[1] > _MOST_A_SECOND:
            self.refused += 1
            return False
        found = replace(entry, id=name, noted=now, last=now, size=len(message))
        write_atomically(self._path(name, "message"), lambda draft: draft.write_bytes(message))
        self._write(found)
        known[name] = found
        self._bytes += len(message)
        return True

    def released(self) -> list[tuple[QuarantineEntry, bytes]]:
        """Return the messages that a person has released and whose rows aren't durable yet, in order of sequence."""
        known = self._entries()
        for name in self._new_decisions() & known.keys():
            known[name] = self._decided(known[name])
            if known[name].state == "discarded":
                self._drop_bytes(known[name])
        found = []
        for name, entry in known.items():
            if entry.state == "released":
                with suppress(FileNotFoundError):
                    found.append((entry, self._path(name, "message").read_bytes()))
        return sorted(found, key=lambda one: (one[0].gateway, one[0].kind != "birth", one[0].epoch, one[0].first))

    def ingested(self, entry: QuarantineEntry) -> None:
        """Note that the rows of a released message are durable in the ledger."""
        self._path(entry.id, "ingested").write_text(str(self._clock()), encoding="utf-8")
        self._entries()[entry.id] = replace(entry, state="ingested")
        self._drop_bytes(entry)

    # -- people ----------------------------------------------------------------------------------------------------
    def entries(self) -> list[QuarantineEntry]:
        """Return all messages as the files have them now, the newest first."""
        return sorted(self._read().values(), key=lambda one: -one.noted)

    def entry(self, id: str) -> QuarantineEntry | None:  # noqa: A002
        """Return one message as its files have it now; None if there is no such message."""
        return self._read_one(self._path(id, "json")) if _ID.fullmatch(id) else None

    def decide(self, id: str, decision: Decision, *, by: str, note: str = "") -> QuarantineEntry:  # noqa: A002
        """Release or discard a message, once; the decision is durable when this returns.

        Raises
        ------
        UnknownTermError
            If there is no such message.
        SchemaError
            If nobody is named, or somebody has decided already.
        """
        known = self.check(id, by=by)
        text = json.dumps({"decision": decision, "by": by.strip(), "note": note, "time": self._clock()})
        path = self._path(id, "decision")
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as out:
                out.write(text)
            sync_file(path)
            sync_folder(path.parent)
        except FileExistsError as error:
            raise self._settled(self._decided(known)) from error
        except OSError as error:
            msg = f"message {id}: the decision can't be written ({error}); free some space"
            raise SourceError(msg) from error
        found = self._decided(known)
        if decision == "discarded":
            self._path(id, "message").unlink(missing_ok=True)
        return found

    def check(self, id: str, *, by: str) -> QuarantineEntry:  # noqa: A002
        """Return a message that this person may decide on; errors as of `decide`."""
        found = self.entry(id)
        if found is None:
            known = [path.stem for path in self._files()]
            msg = f"unknown message {id!r} in the quarantine of source {self.source!r}{nearest(id, known)}"
            raise UnknownTermError(msg)
        if not by.strip():
            msg = f"expected who decides on message {id}, got by={by!r}"
            raise SchemaError(msg)
        if found.decided:
            raise self._settled(found)
        return found

    @staticmethod
    def _settled(entry: QuarantineEntry) -> SchemaError:
        done = "discarded" if entry.state == "discarded" else "released"
        return SchemaError(
            f"message {entry.id}: expected one that nobody has decided on, got one that {entry.by!r} has {done}"
        )

    # -- inside ----------------------------------------------------------------------------------------------------
    def _entries(self) -> dict[str, QuarantineEntry]:
        """Return what this process knows: it is the only one that adds."""
        if self._known is None:
            self._known = self._read()
            self._bytes = sum(one.size for one in self._known.values() if one.state in ("quarantined", "released"))
        return self._known

    def _new_decisions(self) -> set[str]:
        """Return the ids of messages that somebody has decided on since this was called last."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return set()
        # Two changes within a tick of the file system's clock have the same time.
        if changed == self._changed and self._clock() - changed > _TICK:
            return set()
        self._changed = changed
        found = {path.stem for path in self._folder.glob("*.decision")} - self._seen
        self._seen |= found
        return found

    def _read(self) -> dict[str, QuarantineEntry]:
        read = (self._read_one(path) for path in self._files())
        return {entry.id: entry for entry in read if entry is not None}

    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*.json") if _ID.fullmatch(path.stem))

    def _read_one(self, path: Path) -> QuarantineEntry | None:
        try:
            return self._decided(QuarantineEntry(**json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, TypeError, OSError):  # there is none, or it is written at this moment
            return None

    def _decided(self, entry: QuarantineEntry) -> QuarantineEntry:
        try:
            found = json.loads(self._path(entry.id, "decision").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return entry
        done = found["decision"] == "released" and self._path(entry.id, "ingested").exists()
        state: State = "ingested" if done else found["decision"]
        return replace(entry, state=state, by=found["by"], note=found["note"], decided=found["time"])

    def _write(self, entry: QuarantineEntry) -> None:
        text = json.dumps(asdict(replace(entry, state="quarantined", by="", note="", decided=0)))
        write_atomically(self._path(entry.id, "json"), lambda draft: draft.write_text(text, encoding="utf-8"))

    def _drop_bytes(self, entry: QuarantineEntry) -> None:
        self._bytes = max(0, self._bytes - entry.size)
        self._path(entry.id, "message").unlink(missing_ok=True)

    def _path(self, name: str, ending: str) -> Path:
        return self._folder / f"{name}.{ending}"
