"""Security events: certificates and publishes that a mosquitto refused, by its log; outboxes that a historian refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Kind", "SecurityEvent", "SecurityLog", "note_events", "security_events"]

Kind = Literal[
    # By the broker.
    "connected", "taken over", "no certificate", "certificate refused", "no TLS", "connection refused", "publish denied",
    # By the historian.
    "older copy of an outbox", "new epoch", "earlier epoch", "no handshake", "sequence again", "unsigned", "unknown key", "revoked key",
    "key of another", "changed", "quarantine full", "traffic",
]  # fmt: skip

_LINE = re.compile(r"(?P<time>\S+): (?P<text>.*)")
_OPENED = re.compile(r"New connection from (?P<address>\S+) on port \d+\.")
_CLIENT = re.compile(
    r"New client connected from (?P<address>\S+) as (?P<client>.*) \(p\d, c\d, k\d+(?:, u'(?P<user>.*)')?\)\."
)
_DENIED = re.compile(
    r"Denied PUBLISH from (?P<client>.*) \(d\d, q\d, r\d, m\d+, '(?P<topic>.*)', \.\.\. \(\d+ bytes\)\)"
)
#: A failed handshake has one of two lines, by when it fails.
_TLS = re.compile(
    r"(?:OpenSSL Error\[\d+\]|Client connection from (?P<address>\S+) failed): error:[0-9A-F]+:[^:]*:[^:]*:(?P<reason>.*)"
)
#: Another client with the same name has connected.
_TAKEN = re.compile(r"Client (?P<client>.*) already connected, closing old connection\.")
_REFUSED = re.compile(r"Client (?P<client>.*) disconnected, not authori[sz]ed\.")
#: What OpenSSL says -> what happened.
_REASONS: tuple[tuple[str, Kind], ...] = (
    ("did not return a certificate", "no certificate"),
    ("certificate verify failed", "certificate refused"),
    ("certificate", "certificate refused"),
    ("wrong version number", "no TLS"),
    ("http request", "no TLS"),
)


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """Something that a broker or a historian refused or noticed."""

    time: str
    """As the broker wrote it."""
    kind: Kind
    address: str | None
    """Address and port of the client, if the log has them."""
    client: str | None
    user: str | None
    """Name in the client's certificate."""
    topic: str | None
    detail: str
    count: int = 1
    """How often, of several that were noticed together; of "traffic" the number of rows."""

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def security_events(lines: Iterable[str]) -> Iterator[SecurityEvent]:
    """Yield the security events in a log of mosquitto with ``log_type`` error, notice and debug.

    Examples
    --------
    >>> log = '''2026-03-01T12:00:00Z: New client connected from 127.0.0.1:45477 as truck-1 (p5, c1, k60, u'truck-1').
    ... 2026-03-01T12:00:01Z: Denied PUBLISH from truck-1 (d0, q1, r0, m1, 'command/truck-1/stop', ... (4 bytes))'''
    >>> [(event.kind, event.user, event.topic) for event in security_events(log.splitlines())]
    [('publish denied', 'truck-1', 'command/truck-1/stop')]
    """
    yield from _Reader().events(lines)


class _Reader:
    """Remembers which client is who, because a refusal names the client alone; yields connections as well if asked."""

    def __init__(self, *, connections: bool = False) -> None:
        self._connections = connections
        self._clients: dict[str, tuple[str, str | None]] = {}
        self._opened: str | None = None

    def events(self, lines: Iterable[str]) -> Iterator[SecurityEvent]:
        for line in lines:
            parts = _LINE.match(line.rstrip("\n"))
            if parts is None:
                continue
            found = self._event(parts["time"], parts["text"])
            if found is not None:
                yield found

    def _event(self, time: str, text: str) -> SecurityEvent | None:
        if opened := _OPENED.fullmatch(text):
            self._opened = opened["address"]
        elif known := _CLIENT.fullmatch(text):
            self._clients[known["client"]] = known["address"], known["user"]
            if self._connections:
                return SecurityEvent(time, "connected", known["address"], known["client"], known["user"], None, text)
        elif taken := _TAKEN.fullmatch(text):
            if self._connections:
                address, user = self._clients.get(taken["client"], (None, None))
                return SecurityEvent(time, "taken over", address, taken["client"], user, None, text)
        elif denied := _DENIED.fullmatch(text):
            address, user = self._clients.get(denied["client"], (None, None))
            return SecurityEvent(time, "publish denied", address, denied["client"], user, denied["topic"], text)
        elif refused := _REFUSED.fullmatch(text):
            return SecurityEvent(time, "connection refused", self._opened, refused["client"], None, None, text)
        elif failed := _TLS.fullmatch(text):
            for words, kind in _REASONS:
                if words in failed["reason"]:
                    # Without an address, it is that of the connection which was opened last: mosquitto has one thread.
                    address = failed["address"] or self._opened
                    return SecurityEvent(time, kind, address, None, None, None, failed["reason"])
        return None


def note_events(path: Path, events: Sequence[SecurityEvent]) -> None:
    """Add events to a file, a line of JSON each."""
    if events:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as out:
            out.writelines(f"{event.to_json()}\n" for event in events)


class SecurityLog:
    """Adds the security events of a growing broker log to a file, a line of JSON each.

    Parameters
    ----------
    broker_log : Path
        Log of mosquitto; it needn't exist yet.
    path : Path
        File of the events.
    connections : bool
        Whether accepted connections are added as well, as "connected": who connects from where is evidence, too.
    """

    def __init__(self, broker_log: Path, path: Path, *, connections: bool = False) -> None:
        self._broker_log, self.path, self._connections = broker_log, path, connections
        self._reader, self._at = _Reader(connections=connections), 0

    def update(self) -> list[SecurityEvent]:
        """Add the events of the lines that are new and complete; return them."""
        if not self._broker_log.exists():
            return []
        if self._broker_log.stat().st_size < self._at:  # another file took its place
            self._reader, self._at = _Reader(connections=self._connections), 0
        with self._broker_log.open("rb") as log:
            log.seek(self._at)
            whole = log.read().rpartition(b"\n")
        self._at += len(whole[0]) + len(whole[1])
        found = list(self._reader.events(whole[0].decode(errors="replace").splitlines()))
        note_events(self.path, found)
        return found
