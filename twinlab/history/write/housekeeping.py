"""Housekeeping of a twin: seal the ledger's full segments, compact hot cells, remove old states of the history.

`housekeep` does what is due, in steps of bounded cost, after a publication. `compact_all` does all of it at once.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._files import disk_usage
from twinlab._memory import release_memory
from twinlab.errors import HistoryConflictError, TwinlabError
from twinlab.history.store.publish import write_errors
from twinlab.history.write.maintenance import MIN_AGE, GarbageReport, has_garbage

if TYPE_CHECKING:
    from twinlab.history.write.history_store import HistoryStore
    from twinlab.ledger import Ledger

__all__ = ["CompactReport", "Usage", "compact_all", "housekeep", "usage_of_folders"]

#: Seconds between two segments that are sealed, between two garbage collections, and before a step that failed is repeated.
_SEAL_EVERY, _COLLECT_EVERY, _AFTER_FAILURE = 60.0, 3600.0, 3600.0
#: Smaller segments stay as they are: a Parquet file of few rows is larger and not faster to read.
_SEAL_BYTES = 1 << 20


@dataclass(frozen=True)
class Usage:
    """Files and bytes of a folder."""

    files: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        size = f"{self.bytes / 1e6:,.1f} MB" if self.bytes >= 1e6 else f"{self.bytes / 1e3:,.1f} kB"
        return f"{self.files:,} files, {size}"


@dataclass
class CompactReport:
    """Result of all housekeeping at once."""

    # Ledger rows that weren't published before.
    rows_published: int = 0
    # Hot chunks of the history that were moved to the cold arrays.
    chunks_moved: int = 0
    # Segments of the ledger that were converted to Parquet.
    segments_sealed: int = 0
    # States of the history that were removed, and how many are left for readers that may still use them.
    states_removed: int = 0
    states_left: int = 0
    # Folder of the twin -> its files and bytes before and after.
    before: dict[str, Usage] = field(default_factory=dict)
    after: dict[str, Usage] = field(default_factory=dict)

    def __str__(self) -> str:
        done = (
            f"{self.rows_published:,} rows published",
            f"{self.chunks_moved:,} hot chunks compacted",
            f"{self.segments_sealed:,} segments sealed",
            f"{self.states_removed:,} old states removed",
        )
        lines = [", ".join(done)]
        for name in sorted(self.before.keys() | self.after.keys()):
            old, new = self.before.get(name, Usage()), self.after.get(name, Usage())
            lines.append(f"  {name:<8} {old!s:>26}  ->  {new}")
        if self.states_left > 1:
            lines.append(
                f"  {self.states_left - 1:,} earlier states stay for {MIN_AGE.total_seconds() / 3600:.0f} h after they were "
                "replaced, because readers may still use them; compact again then to free their space"
            )
        return "\n".join(lines)


def housekeep(root: Path, ledger: Ledger, store: HistoryStore) -> list[str]:
    """Do the next step of housekeeping if one is due; return what went wrong, which leaves everything as it was.

    At most one segment is sealed a minute, and garbage is collected at most once an hour, whichever processes write. A call
    with nothing to do costs less than a millisecond.

    Parameters
    ----------
    root : Path
        The twin's folder.
    ledger : Ledger
    store : HistoryStore
        The history; it must be locked.
    """
    now = time.time()
    due = _read_due(root)
    before = dict(due)
    notes = []
    for what, every, step in (
        ("seal", _SEAL_EVERY, lambda: _seal(ledger, limit=1)),
        ("collect", _COLLECT_EVERY, lambda: _collect(root, store)),
    ):
        # A clock that was set back mustn't stop housekeeping.
        if now < due.get(what, 0.0) < now + max(every, _AFTER_FAILURE):
            continue
        due[what] = now + every
        try:
            step()
        except HistoryConflictError:
            continue  # another process does it
        except TwinlabError as error:
            due[what] = now + _AFTER_FAILURE
            notes.append(f"housekeeping ({what}) failed and will be tried again in an hour: {error}")
    if due != before:
        _write_due(root, due)
    return notes


def compact_all(ledger: Ledger, store: HistoryStore, report: CompactReport) -> None:
    """Compact all hot chunks, seal all full segments, and remove the states that no reader can use any more.

    The store must be locked. Counts are added to ``report``.
    """
    for group in store.view().groups():
        with store.transaction() as txn:
            moved = txn.compact(group)
            if moved:
                txn.commit(f"compact {group.path}")
            report.chunks_moved += moved
    report.segments_sealed += _seal(ledger, limit=None)
    report.states_removed += store.garbage_collect(older_than=MIN_AGE).snapshots
    report.states_left = store.status().snapshots


def usage_of_folders(root: Path) -> dict[str, Usage]:
    """Return the files and bytes of the twin's folders ``ledger``, ``history`` and ``cache``."""
    return {name: Usage(*disk_usage(root / name)) for name in ("ledger", "history", "cache")}


def _seal(ledger: Ledger, *, limit: int | None) -> int:
    """Seal up to ``limit`` full segments of all sources; return their number."""
    sealed = 0
    for source in ledger.sources():
        if limit is not None and sealed >= limit:
            break
        left = None if limit is None else limit - sealed
        made = ledger.seal(source, limit=left, least_bytes=_SEAL_BYTES)
        if made:
            release_memory()
        sealed += len({name.partition(".")[0] for name in made})
    return sealed


def _collect(root: Path, store: HistoryStore) -> GarbageReport | None:
    if not has_garbage(store.path, older_than=MIN_AGE):
        return None
    with write_errors(root / "history"):
        return store.garbage_collect(older_than=MIN_AGE)


def _due_path(root: Path) -> Path:
    return root / "cache" / "housekeeping.json"


def _read_due(root: Path) -> dict[str, float]:
    try:
        found = json.loads(_due_path(root).read_text(encoding="utf-8"))
        return {str(what): float(at) for what, at in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write_due(root: Path, due: dict[str, float]) -> None:
    # Without this file the steps are done earlier than necessary.
    with suppress(OSError):
        _due_path(root).parent.mkdir(exist_ok=True)
        _due_path(root).write_text(json.dumps(due), encoding="utf-8")
