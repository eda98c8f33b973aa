"""The state of a running historian, which it writes to a small file and which any process reads."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlab._files import write_atomically
from twinlab.twin.live.runner import SourceRunner

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.twin.live.publishing import Publisher

__all__ = ["FOLDER", "LiveStatus", "collect_status", "read_status", "write_status"]

#: Folder in a twin for the files of the historian.
FOLDER = "live"
_FILE = "status.json"
#: A status that is older than this is of a process that has ended or hangs.
_FRESH = 5.0

_COLUMNS = (
    "kind", "state", "stale", "rows", "rate", "age", "received_p50", "received_p99", "event_p50", "event_p99", "queued", "waiting",
    "gaps", "gaps_lost", "clock_offset", "clock_suspect", "stream_clocks", "refused", "errors", "error",
)  # fmt: skip


@dataclass(frozen=True)
class LiveStatus:
    """State of the historian and of its sources at the instant ``updated_ns``."""

    running: bool
    """Whether a historian runs: it has written its status during the last five seconds, and hasn't stopped."""
    updated_ns: int = 0
    """When this was written, ns UTC; 0 if no historian has ever run."""
    started_ns: int = 0
    pid: int = 0
    host: str = ""
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Source -> its health, latencies, counts, findings and gaps."""
    publications: Mapping[str, Any] = field(default_factory=dict)
    """Number and time of publications, and the rows that wait."""

    def table(self) -> pd.DataFrame:
        """Return a row for each source: state, rates, latencies and gaps; times are seconds."""
        import pandas as pd  # noqa: PLC0415  (the historian needs none)

        # Parquet has no empty mappings.
        found = [{**source, "stream_clocks": source.get("stream_clocks") or None} for source in self.sources.values()]
        rows = [[source.get(name) for name in _COLUMNS] for source in found]
        return pd.DataFrame(rows, index=pd.Index(list(self.sources), name="source"), columns=list(_COLUMNS))

    def __str__(self) -> str:
        if not self.updated_ns:
            return "no historian has run; start one with: twinlab run TWIN"
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.updated_ns / 1e9))
        lines = [
            f"historian {'running' if self.running else 'stopped'}, process {self.pid} on {self.host}, as of {at} UTC"
        ]
        for name, one in self.sources.items():
            age = "never" if one["age"] is None else f"{one['age']:.1f} s ago"
            slow = "" if one["received_p99"] is None else f", durable after {one['received_p99']:.2f} s (p99)"
            lines.append(
                f"  {name} ({one['kind']}): {one['state']}{', stale' if one['stale'] else ''}, {one['rows']:,} rows, "
                f"{one['rate']:,.0f}/s, last row {age}{slow}, {len(one['gaps'])} open gaps"
            )
            lines += [f"    {text}" for text in (one["error"], *one["findings"]) if text]
        return "\n".join(lines)


def collect_status(
    runners: Sequence[SourceRunner], publisher: Publisher, *, started_ns: int, stopped: bool = False
) -> dict[str, Any]:
    """Return the status of a historian as JSON can represent it."""
    now = time.time_ns()
    return {
        "running": not stopped,
        "updated_ns": now,
        "started_ns": started_ns,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "sources": {runner.name: _of_source(runner, now) for runner in runners},
        "publications": {**asdict(publisher.done), "waiting": publisher.waiting},
    }


def _of_source(runner: SourceRunner, now: int) -> dict[str, Any]:
    health, counts = runner.source.health, runner.counts
    age = (now - health.last_row_ns) / 1e9 if health.last_row_ns else None
    since = health.last_row_ns or health.since_ns
    return {
        **asdict(health),
        "kind": runner.rule.kind,
        "age": age,
        "stale": health.state != "ended" and now - since > runner.rule.stale_after_ns,
        **counts.percentiles(),
        "queued": runner.queue.rows,
        "stored": counts.stored,
        "waiting": counts.waiting,
        "acknowledged_ns": counts.acknowledged_ns,
        "appends": counts.appends,
        "refused": counts.refused,
        "unreadable": counts.unreadable,
        "restarts": counts.restarts,
        "error": counts.error or health.error,
        "findings": list(counts.findings),
    }


def write_status(folder: Path, status: Mapping[str, Any]) -> None:
    """Write a status for other processes, in one step; not synced, since it is of no use after a power cut."""
    text = json.dumps(status)
    target = folder / FOLDER / _FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, lambda draft: draft.write_text(text, encoding="utf-8"))


def read_status(folder: Path) -> LiveStatus:
    """Return the last status that a historian of a twin wrote."""
    try:
        found: dict[str, Any] = json.loads((folder / FOLDER / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return LiveStatus(running=False)
    fresh = time.time_ns() - found["updated_ns"] < _FRESH * 1e9
    return LiveStatus(**{**found, "running": found["running"] and fresh})
