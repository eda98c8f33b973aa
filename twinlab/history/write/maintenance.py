"""Housekeeping: what the history takes on the disk, and removing what no snapshot that counts refers to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icechunk

from twinlab.errors import HistoryConflictError
from twinlab.history.store.chunk_reader import read_seal, verify_seal, write_seal
from twinlab.history.store.publish import MAIN, STAGING, sync_filesystem
from twinlab.history.store.view import View

__all__ = ["MIN_AGE", "GarbageReport", "StoreStatus", "collect", "status"]

#: Sessions last at most 12 h; collecting anything younger than twice that could take files from under one.
MIN_AGE = timedelta(hours=24)


@dataclass(frozen=True)
class StoreStatus:
    """What the history takes on the disk."""

    # All files, with old snapshots and metadata.
    bytes_on_disk: int
    # Bytes the newest snapshot refers to: by ``<type>/<cadence>`` and by "tables".
    bytes_by_group: dict[str, int]
    # Cells (time x asset x signal) ever spanned, by group.
    points_by_group: dict[str, int]
    # Metadata: snapshots, manifests, transaction logs, seals.
    metadata_bytes: int
    snapshots: int

    @property
    def bytes_per_point(self) -> float:
        """Bytes a cell in the newest snapshot, flags, rollups and checksums counted; NaN if there is none."""
        points = sum(self.points_by_group.values())
        used = sum(size for group, size in self.bytes_by_group.items() if group != "tables")
        return used / points if points else float("nan")


@dataclass(frozen=True)
class GarbageReport:
    """What a collection removed."""

    snapshots: int
    bytes_deleted: int


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def status(path: Path, view: View) -> StoreStatus:
    """Return what the repository in ``path`` takes, as its newest state ``view`` sees it."""
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
    return StoreStatus(
        bytes_on_disk=_size(path) + _size(path.parent / "seals"),
        bytes_by_group=by_group,
        points_by_group=points,
        metadata_bytes=sum(_size(path / folder) for folder in folders) + _size(path.parent / "seals"),
        snapshots=sum(1 for _ in (path / "snapshots").iterdir()),
    )


def collect(repository: icechunk.Repository, path: Path, *, older_than: timedelta) -> GarbageReport:
    """Expire snapshots older than ``older_than`` and remove what only they refer to; the caller holds the lock.

    Raises
    ------
    HistoryConflictError
        If the cut-off is nearer than `MIN_AGE`.
    """
    if older_than < MIN_AGE:
        msg = f"expected a cut-off at least {MIN_AGE} old, got {older_than}: younger snapshots may be being read; wait"
        raise HistoryConflictError(msg)
    return sweep(repository, path, cut=datetime.now(UTC) - older_than)


def sweep(repository: icechunk.Repository, path: Path, *, cut: datetime) -> GarbageReport:
    """Remove what is older than ``cut``, whatever it is: only `collect` knows whether that is safe."""
    for seal in (path.parent / "seals").iterdir():
        verify_seal(path, seal.name)
    # What a crash left on staging must not keep old snapshots alive.
    if STAGING in repository.list_branches():
        repository.reset_branch(STAGING, repository.lookup_branch(MAIN))
    expired = repository.expire_snapshots(older_than=cut)
    summary = repository.garbage_collect(cut)
    for seal in (path.parent / "seals").iterdir():
        if (path / "snapshots" / seal.name).exists():
            # Expiry writes the oldest snapshot that stays again, without its parent.
            write_seal(path, seal.name, base={k: v for k, v in read_seal(path, seal.name).items() if k != seal.name})
        else:
            seal.unlink()
    sync_filesystem(path)
    return GarbageReport(snapshots=len(expired), bytes_deleted=int(summary.bytes_deleted))
