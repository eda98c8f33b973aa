"""Whether a twin is well, from the files in its folder; quick, and without opening it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from twinlab.errors import TwinlabError
from twinlab.twin.definitions import MODEL, RESTORING, read_definitions
from twinlab.twin.live.status import LiveStatus, read_status

__all__ = ["BACKUP_NOTE", "Check", "Health", "backup_times", "live_checks", "twin_health"]

#: In the twin's folder: place of backups -> number and time of the newest one.
BACKUP_NOTE = "backup.json"
#: Shares of a disk that is free, below which it is said, and below which rows may soon not fit.
_LITTLE, _TOO_LITTLE = 0.10, 0.02

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    text: str


@dataclass(frozen=True)
class Health:
    """What was looked at of one twin."""

    twin: str
    checks: tuple[Check, ...]

    def ok(self, *, strict: bool = False) -> bool:
        """Whether nothing failed; with ``strict``, whether there is no warning either."""
        return all(one.state == "ok" or (one.state == "warning" and not strict) for one in self.checks)

    def __str__(self) -> str:
        lines = [f"{self.twin}: {'well' if self.ok() else 'NOT well'}"]
        return "\n".join([*lines, *(f"  {one.state:<8} {one.name}: {one.text}" for one in self.checks)])

    def to_json(self) -> str:
        """Return the checks as JSON."""
        checks = [{"name": one.name, "state": one.state, "text": one.text} for one in self.checks]
        return json.dumps({"twin": self.twin, "ok": self.ok(), "checks": checks}, indent=1)


def twin_health(
    folder: str | Path, *, historian: bool = False, backup_within: float | None = None, now: float | None = None
) -> Health:
    """Return whether a twin is well.

    Parameters
    ----------
    folder : path
    historian : bool
        Whether a historian (``twinlab run``) has to run.
    backup_within : float, optional
        Seconds that the newest backup may be old.
    now : float, optional
        Seconds since 1970; the present time by default.

    Returns
    -------
    Health
        A check each of the definitions, the historian, its sources, the publication of the history, the disk and the newest backup.
    """
    root, instant = Path(folder), time.time() if now is None else now
    checks = [_definitions(root)]
    if checks[0].state == "ok":
        checks += _historian(read_status(root), required=historian)
        checks += [_disk(root), *_backup(root, backup_within, instant)]
    return Health(root.resolve().name, tuple(checks))


def _definitions(root: Path) -> Check:
    if (root / RESTORING).exists():
        return Check("twin", "failed", "it is being restored, or that was interrupted; run `twinlab restore` again")
    if not (root / MODEL).exists():
        return Check("twin", "failed", f"expected a twin in {root}, but there is no {MODEL}")
    try:
        model, mappings = read_definitions(root)
    except (TwinlabError, OSError) as error:
        return Check("twin", "failed", str(error))
    return Check("twin", "ok", f"{model.twin}, {len(mappings)} mapping{'' if len(mappings) == 1 else 's'}")


def _historian(status: LiveStatus, *, required: bool) -> Iterator[Check]:
    """Yield what its status says; an ended one says nothing about now."""
    bad: State = "failed" if required else "warning"
    if not status.updated_ns:
        yield Check("historian", "failed" if required else "ok", "none has run; start one with `twinlab run`")
        return
    at = datetime.fromtimestamp(status.updated_ns / 1e9, UTC)
    who = f"process {status.pid} on {status.host}"
    if not status.running:
        yield Check("historian", bad, f"{who} doesn't run; its last sign of life was at {at:%Y-%m-%d %H:%M:%S} UTC")
        return
    yield Check("historian", "ok", f"{who} runs")
    yield from live_checks({"sources": status.sources, "publications": status.publications})


def live_checks(status: Mapping[str, Any]) -> Iterator[Check]:
    """Yield a check of each source, and of the publication, of a historian that runs."""
    for name, one in status["sources"].items():
        age = "no row yet" if one["age"] is None else f"last row {one['age']:.0f} s ago"
        why = f": {one['error']}" if one["error"] else ""
        if one["state"] not in ("connected", "ended"):
            yield Check(f"source {name}", "failed", f"{one['state']}, {age}{why}")
        elif one["stale"]:
            yield Check(f"source {name}", "warning", f"stale, {age}{why}")
        elif one["refused"] or one["gaps_lost"]:
            lost = f"{one['refused']} batches refused, {one['gaps_lost']} gaps lost"
            yield Check(f"source {name}", "warning", f"{one['state']}, {age}; {lost}")
        else:
            yield Check(f"source {name}", "ok", f"{one['state']}, {age}, {one['rate']:,.0f} rows/s")
    done = status["publications"]
    if done["error"]:
        yield Check("history", "failed", f"its publication failed: {done['error']}; {done['waiting']:,} rows wait")
    else:
        yield Check("history", "ok", f"{done['count']} publications, {done['waiting']:,} rows wait")


def _disk(root: Path) -> Check:
    found = shutil.disk_usage(root)
    share = found.free / found.total if found.total else 0.0
    state: State = "failed" if share < _TOO_LITTLE else "warning" if share < _LITTLE else "ok"
    return Check("disk", state, f"{found.free / 1e9:,.1f} GB free ({share:.0%})")


def backup_times(root: Path) -> dict[str, tuple[int, float]]:
    """Return the number and the time, seconds since 1970, of the newest backup at each place."""
    try:
        found = json.loads((root / BACKUP_NOTE).read_text(encoding="utf-8"))
        return {
            place: (int(one["number"]), datetime.fromisoformat(one["at"]).timestamp()) for place, one in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _backup(root: Path, within: float | None, now: float) -> Iterator[Check]:
    times = backup_times(root)
    if not times:
        if within is not None:
            yield Check("backup", "failed", "none was made; make one with `twinlab backup`")
        return
    place, (number, at) = max(times.items(), key=lambda one: one[1][1])
    late = within is not None and now - at > within
    text = f"backup {number} of {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC in {place}"
    yield Check("backup", "failed" if late else "ok", text)
