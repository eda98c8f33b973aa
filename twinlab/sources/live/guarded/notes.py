"""What the guard noticed, in the twin's security log: many of a kind in a short time are one line with their number."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from twinlab.edge.security_log import Kind, SecurityEvent, note_events

__all__ = ["SECURITY_LOG", "Notes"]

#: File in the twin's folder for what was refused or noticed.
SECURITY_LOG = Path("live") / "security.jsonl"
#: Seconds between two lines about the same kind and gateway, and between two lines about a gateway's traffic.
_EVERY, _TRAFFIC_EVERY = 10.0, 60.0


class Notes:
    """Adds lines to the security log of a twin.

    Parameters
    ----------
    folder : Path
        The twin's.
    clock : callable
        Nanoseconds UTC.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._path, self._clock = folder / SECURITY_LOG, clock
        # (kind, gateway) -> when the last line was written, what came since then, and how often.
        self._since: dict[tuple[Kind, str], tuple[int, str, int]] = {}
        self._traffic: dict[str, list[int]] = {}
        self._traffic_at = clock()

    def add(self, kind: Kind, gateway: str, why: str) -> None:
        """Note something of a gateway."""
        now = self._clock()
        at, _, count = self._since.get((kind, gateway), (0, "", 0))
        self._since[kind, gateway] = (at, why, count + 1)
        if now - at >= _EVERY * 1e9:
            self._write([(kind, gateway)])

    def count(self, gateway: str, rows: int) -> None:
        """Note rows that a gateway sent, for its rate."""
        entry = self._traffic.setdefault(gateway, [0, 0])
        entry[0] += 1
        entry[1] += rows

    def flush(self) -> None:
        """Write what is due: counts of what came since the last lines, and once a minute the traffic."""
        now = self._clock()
        due = [key for key, (at, _, count) in self._since.items() if count and now - at >= _EVERY * 1e9]
        if due:
            self._write(due)
        if now - self._traffic_at >= _TRAFFIC_EVERY * 1e9:
            at = _text(now)
            seconds = round((now - self._traffic_at) / 1e9)
            lines = [
                SecurityEvent(at, "traffic", None, gateway, gateway, None, f"{messages} messages in {seconds} s", rows)
                for gateway, (messages, rows) in sorted(self._traffic.items())
            ]
            self._traffic, self._traffic_at = {}, now
            note_events(self._path, lines)

    def _write(self, keys: list[tuple[Kind, str]]) -> None:
        now, lines = self._clock(), []
        for key in keys:
            _, why, count = self._since[key]
            lines.append(SecurityEvent(_text(now), key[0], None, key[1], key[1], None, why, count))
            self._since[key] = (now, "", 0)
        note_events(self._path, lines)


def _text(now: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now / 1e9))
