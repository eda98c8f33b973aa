"""Maintenance of the history: disk usage and garbage collection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import google_crc32c
import icechunk

from twinlab._files import disk_usage
from twinlab.errors import HistoryConflictError
from twinlab.history.store.chunk_reader import read_seal, verify_seal, write_seal
from twinlab.history.store.publish import MAIN, REPLACED, STAGING, sync_filesystem
from twinlab.history.store.view import View

__all__ = ["MIN_AGE", "GarbageReport", "StoreStatus", "collect", "has_garbage", "status", "verify_states"]

#: Sessions last at most 12 h; collecting anything younger than twice that could remove files that one reads.
MIN_AGE = timedelta(hours=24)


@dataclass(frozen=True)
class StoreStatus:
    """Disk usage of a history."""

    # All files, old snapshots and metadata included.
    bytes_on_disk: int
    # Bytes that the newest snapshot refers to, by ``<type>/<cadence>`` and by "tables".
    bytes_by_group: dict[str, int]
    # Cells (time x asset x signal) within the extent of each group.
    points_by_group: dict[str, int]
    # Metadata: snapshots, manifests, transaction logs, seals.
    metadata_bytes: int
    snapshots: int

    @property
    def bytes_per_point(self) -> float:
        """Bytes per cell in the newest snapshot, with flags, rollups and checksums; NaN without cells."""
        points = sum(self.points_by_group.values())
        used = sum(size for group, size in self.bytes_by_group.items() if group != "tables")
        return used / points if points else float("nan")


@dataclass(frozen=True)
class GarbageReport:
    """Result of a garbage collection."""

    snapshots: int
    bytes_deleted: int


def status(path: Path, view: View) -> StoreStatus:
    """Return the disk usage of the repository in ``path``, whose newest state is ``view``."""
    by_group: dict[str, int] = {"tables": 0}
    points: dict[str, int] = {}
    for group in view.groups():
        by_group[group.path] = 0
        k0, k1 = view.extent(group)
        points[group.path] = (k1 - k0) * view.n_assets(group) * len(view.signals(group))
    for array, size in view.bytes().items():
        owner = next((name for name in points if array.startswith(name + "/")), "tables")
        by_group[owner] += size
    folders = ("snapshots", "manifests", "transactions", "refs")
    seals = disk_usage(path.parent / "seals")[1]
    return StoreStatus(
        bytes_on_disk=disk_usage(path)[1] + seals,
        bytes_by_group=by_group,
        points_by_group=points,
        metadata_bytes=sum(disk_usage(path / folder)[1] for folder in folders) + seals,
        snapshots=sum(1 for _ in (path / "snapshots").iterdir()),
    )


def collect(repository: icechunk.Repository, path: Path, *, older_than: timedelta) -> GarbageReport:
    """Expire snapshots older than ``older_than`` and remove what only they refer to. The store must be locked.

    Raises
    ------
    HistoryConflictError
        If the cut-off is younger than `MIN_AGE`.
    """
    if older_than < MIN_AGE:
        msg = f"expected a cut-off at least {MIN_AGE} old, got {older_than}: younger snapshots may be in use; wait"
        raise HistoryConflictError(msg)
    return sweep(repository, path, cut=cut_of(older_than))


def cut_of(age: timedelta) -> datetime:
    """Return the instant ``age`` ago, of the clock with which Icechunk and the file system date what they write."""
    return datetime.now(UTC) - age


def has_garbage(path: Path, *, older_than: timedelta) -> bool:
    """Whether a state was published so long ago that `collect` may remove it."""
    oldest = min((seal.stat().st_mtime for seal in (path.parent / "seals").glob("*")), default=math.inf)
    return oldest <= cut_of(older_than).timestamp()


def sweep(repository: icechunk.Repository, path: Path, *, cut: datetime) -> GarbageReport:
    """Remove everything older than ``cut``; `collect` checks whether that is safe."""
    # A commit that a crash left on staging must not keep old snapshots.
    if STAGING in repository.list_branches():
        repository.reset_branch(STAGING, repository.lookup_branch(MAIN))
    for name in repository.list_branches():
        reference = path / "refs" / f"branch.{name}" / "ref.json"
        if name.startswith(REPLACED) and reference.stat().st_mtime < cut.timestamp():
            repository.delete_branch(name)
    # Snapshots share manifests: each file is checked once.
    checked: dict[str, int] = {}
    for name in _sealed(repository, path):
        checked |= verify_seal(path, name, known=checked)
    expired = repository.expire_snapshots(older_than=cut)
    summary = repository.garbage_collect(cut)
    left = _sealed(repository, path)
    for seal in (path.parent / "seals").iterdir():
        # Expiry writes the oldest snapshot that is left anew, without its parent. When this one expires, too, its file is younger
        # than the cut and stays for a while, though its manifests don't: it isn't readable any more.
        if seal.name not in left:
            seal.unlink()
        elif google_crc32c.value((path / "snapshots" / seal.name).read_bytes()) != checked[seal.name]:
            write_seal(path, seal.name, base={k: v for k, v in read_seal(path, seal.name).items() if k != seal.name})
    sync_filesystem(path)
    return GarbageReport(snapshots=len(expired), bytes_deleted=int(summary.bytes_deleted))


def verify_states(path: Path) -> int:
    """Check snapshots and manifests of all states of the repository in ``path`` that can be read; return the number of states.

    Raises
    ------
    CorruptionError
        If one differs from what was written.
    """
    checked: dict[str, int] = {}
    names = sorted(seal.name for seal in (path.parent / "seals").glob("*"))
    for name in names:
        checked |= verify_seal(path, name, known=checked)
    return len(names)


def _sealed(repository: icechunk.Repository, path: Path) -> set[str]:
    """Return the snapshots of all branches that can be read: all but the empty one that Icechunk creates have a seal."""
    branches = [name for name in repository.list_branches() if not name.startswith(STAGING)]
    reachable = {one.id for name in branches for one in repository.ancestry(branch=name)}
    return reachable & {seal.name for seal in (path.parent / "seals").iterdir()}
