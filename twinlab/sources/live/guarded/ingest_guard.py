"""Decides on each message of a gateway before it is read as rows: verified, of the right epoch, new; otherwise into quarantine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from twinlab.edge.handshake import Birth
from twinlab.edge.messages import Message, parse
from twinlab.edge.security_log import Kind
from twinlab.edge.signatures.device_keys import DeviceKeys
from twinlab.edge.signatures.signed_bytes import FAULTS, Opened, open_message, open_messages, unsigned
from twinlab.errors import SchemaError, SourceError
from twinlab.signing.keys.ring import KeyRing
from twinlab.signing.keys.ring_file import KeyRingFile
from twinlab.sources.live.acceptance import Accepted
from twinlab.sources.live.guarded.epochs import Epochs
from twinlab.sources.live.guarded.notes import Notes
from twinlab.sources.live.guarded.quarantine import Quarantine, QuarantineEntry

__all__ = ["IngestGuard", "StreamKey"]

#: Seconds for which a key ring that was read counts.
_RING_SECONDS = 1.0
#: Gateways that are remembered.
_MOST_STREAMS = 10_000
_WORDS: dict[str, Kind] = {
    **{fault: fault for fault in FAULTS}, "earlier epoch": "earlier epoch", "no handshake": "no handshake", "sequence again": "sequence again",
}  # fmt: skip


@dataclass(slots=True)
class StreamKey:
    """What is known of a gateway's messages since the historian started."""

    signed: bool = False
    """Whether its latest message that was taken is signed by a key of its own."""
    key: str = ""
    """Id of that key."""
    last_ns: int = 0
    """When that message came, ns UTC; 0 if none was taken."""
    epoch: str = ""
    sequence: int = 0
    """Latest sequence that was taken."""
    quarantined: int = 0
    """Messages that weren't taken since the start, repetitions included."""
    reason: str = ""
    """Why the latest of them wasn't."""


@dataclass(frozen=True, slots=True)
class Released:
    """A message that a person has released."""

    gateway: str
    kind: str
    message: bytes


class IngestGuard:
    """Guards the messages of one source.

    Parameters
    ----------
    source : str
    folder : Path
        The twin's.
    keys : Path, optional
        File of the key ring. With it each message must be signed by a key of its gateway; without it signatures aren't verified.
    unsigned : sequence of str
        Patterns of gateways that may send unsigned messages all the same.
    clock : callable
        Seconds, never decreasing.
    wall : callable
        Nanoseconds UTC.
    """

    def __init__(
        self,
        source: str,
        folder: Path,
        *,
        keys: Path | None = None,
        unsigned: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._source, self._unsigned, self._clock, self._wall = source, tuple(unsigned), clock, wall
        self._ring = None if keys is None else KeyRingFile(keys)
        self._read_at = -1e9
        self._keys_of: tuple[KeyRing, DeviceKeys] | None = None
        self._epochs = Epochs()
        self._released: dict[str, QuarantineEntry] = {}
        self.quarantine = Quarantine(folder, source, clock=wall)
        self.notes = Notes(folder, clock=wall)
        self.streams: dict[str, StreamKey] = {}
        if self._ring is not None:
            self._keys()  # what is wrong with the file is said at once

    def restore(self, offsets: Iterable[tuple[str, int, int, int]]) -> None:
        """Note the outboxes that the ledger knows: gateway, token, epoch and last sequence of each."""
        found: dict[str, list[tuple[int, int, int]]] = {}
        for gateway, token, epoch, last in offsets:
            found.setdefault(gateway, []).append((epoch, token, last))
        for gateway, outboxes in found.items():
            outboxes.sort()
            tokens = [token for _, token, _ in outboxes]
            self._epochs.restore(gateway, tokens, outboxes[-1][2], now=self._clock())

    def birth(self, gateway: str, payload: bytes) -> Birth | None:
        """Return the handshake in a payload if it may be taken; otherwise it is in quarantine.

        Raises
        ------
        SchemaError
            If a verified payload isn't a handshake, or the key ring can't be read: nothing is taken then.
        """
        opened = self._open("birth", gateway, payload)
        if opened is None:
            return None
        birth = Birth.from_json(opened.message)
        if self._ring is not None and (fault := self._epochs.fault_of_birth(gateway, birth)) is not None:
            self._refuse(gateway, "birth", payload, opened, fault)
            return None
        self._taken(gateway, opened)
        if birth.online:
            self._begin(gateway, birth)
        return birth

    def rows(self, gateway: str, payload: bytes) -> Message | None:
        """Return the rows in a payload if they may be taken; otherwise they are in quarantine.

        Raises
        ------
        SchemaError
            As `birth`.
        """
        return self.checked_rows(gateway, payload, self.opened_rows(gateway, [payload])[0])

    def opened_rows(self, gateway: str, payloads: Sequence[bytes]) -> list[Opened]:
        """Return payloads of one gateway that came together, in their order, opened: for `checked_rows`, one by one.

        Raises
        ------
        SchemaError
            If the key ring can't be read.
        """
        if self._ring is None:
            return [Opened(unsigned(payload), None) for payload in payloads]
        return open_messages(payloads, kind="rows", gateway=gateway, keys=self._keys())

    def checked_rows(self, gateway: str, payload: bytes, opened: Opened) -> Message | None:
        """Return the rows of an opened payload if they may be taken; otherwise they are in quarantine.

        Raises
        ------
        SchemaError
            If a verified payload has no rows that can be read.
        """
        if not self._believed("rows", gateway, payload, opened):
            return None
        message = parse(opened.message)
        last = message.first + message.rows - 1
        if self._ring is not None:
            fault = self._epochs.fault_of_rows(gateway, message.token, last, now=self._clock())
            if fault is not None:
                self._refuse(gateway, "rows", payload, opened, fault)
                return None
        self.notes.count(gateway, message.rows)
        stream = self._taken(gateway, opened)
        stream.epoch, stream.sequence = f"{message.token:016x}", max(last, stream.sequence)
        return message

    def copied(self, gateway: str, why: str) -> None:
        """Note that a gateway's outbox is an older copy, of which no row is taken."""
        self.notes.add("older copy of an outbox", gateway, why)

    def acknowledged(self, parts: Iterable[Accepted]) -> None:
        """Note that rows are durable."""
        for part in parts:
            self._epochs.acknowledge(part.gateway, part.token, part.last, now=self._clock())
            for name, entry in list(self._released.items()):
                if entry.gateway == part.gateway and entry.epoch == f"{part.token:016x}" and _last(entry) <= part.last:
                    self.quarantine.ingested(self._released.pop(name))

    def look(self) -> list[Released]:
        """Write what is due into the security log, and return what people have released since; called once a second."""
        self.notes.flush()
        found = []
        for entry, payload in self.quarantine.released():
            if entry.id in self._released:
                continue
            self._released[entry.id] = entry
            found.append(Released(entry.gateway, entry.kind, unsigned(payload)))
        return found

    def taken_released(self, gateway: str, birth: Birth) -> None:
        """Note a released handshake: its epoch is the gateway's now."""
        self._begin(gateway, birth)
        for name, entry in list(self._released.items()):
            if entry.gateway == gateway and entry.kind == "birth":
                self.quarantine.ingested(self._released.pop(name))

    # -- inside ----------------------------------------------------------------------------------------------------
    def _open(self, kind: str, gateway: str, payload: bytes) -> Opened | None:
        """Return a message that is verified, or needn't be; otherwise it is in quarantine."""
        if self._ring is None:
            return Opened(unsigned(payload), None)
        opened = open_message(payload, kind=kind, gateway=gateway, keys=self._keys())
        return opened if self._believed(kind, gateway, payload, opened) else None

    def _believed(self, kind: str, gateway: str, payload: bytes, opened: Opened) -> bool:
        """Return whether a message is verified, or needn't be; otherwise it is in quarantine afterwards."""
        if opened.fault is None:
            return True
        if opened.fault == "unsigned" and any(fnmatchcase(gateway, one) for one in self._unsigned):
            return True
        self._refuse(gateway, kind, payload, opened, (opened.fault, opened.why))
        return False

    def _keys(self) -> DeviceKeys:
        assert self._ring is not None
        now = self._clock()
        if self._keys_of is None or now - self._read_at >= _RING_SECONDS:
            try:
                ring = self._ring.read()
            except SchemaError as error:
                self._keys_of = None
                msg = f"source {self._source!r} takes no message of a gateway: {error}"
                raise SchemaError(msg) from error
            self._read_at = now
            if self._keys_of is None or self._keys_of[0] is not ring:
                self._keys_of = ring, DeviceKeys.of(ring.devices)
        return self._keys_of[1]

    def _begin(self, gateway: str, birth: Birth) -> None:
        new = self._epochs.begin(gateway, birth, now=self._clock())
        if new:
            self.notes.add("new epoch", gateway, new)

    def _stream(self, gateway: str) -> StreamKey:
        if len(self.streams) >= _MOST_STREAMS and gateway not in self.streams:
            return StreamKey()
        return self.streams.setdefault(gateway, StreamKey())

    def _taken(self, gateway: str, opened: Opened) -> StreamKey:
        stream = self._stream(gateway)
        signed = opened.fault is None and bool(opened.key_id)
        stream.signed, stream.key, stream.last_ns = signed, opened.key_id if signed else "", self._wall()
        return stream

    def _refuse(self, gateway: str, kind: str, payload: bytes, opened: Opened, fault: tuple[str, str]) -> None:
        """Put a message into quarantine, and note it."""
        reason, why = fault
        same = opened.message
        try:
            if kind == "rows":
                message = parse(opened.message)
                # Copies differ in the time of sending, and in the header's checksum.
                same = opened.message[:32] + opened.message[40:44] + opened.message[48:]
                found = {"epoch": f"{message.token:016x}", "first": message.first, "rows": message.rows}
            else:
                birth = Birth.from_json(opened.message)
                same = repr((birth.token, birth.runs)).encode()
                found = {"epoch": f"{birth.token:016x}", "first": birth.first}
        except SchemaError:
            found = {}
        entry = QuarantineEntry("", self._source, gateway, kind, reason, why, 0, 0, key=opened.key_id, **found)  # type: ignore[arg-type]
        try:
            kept = self.quarantine.add(entry, payload, same=reason.encode() + b"\0" + same)
        except SourceError:
            kept = False  # a full disk: the gateway has the message, which isn't acknowledged
        stream = self._stream(gateway)
        stream.quarantined += 1
        stream.reason = reason
        self.notes.add(_WORDS[reason], gateway, why)
        if not kept:
            self.notes.add("quarantine full", gateway, f"{self.quarantine.refused} messages weren't kept; {why}")


def _last(entry: QuarantineEntry) -> int:
    return entry.first + entry.rows - 1
