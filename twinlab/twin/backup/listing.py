"""List the backups at a place, and read every byte of them again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from twinlab.errors import CorruptionError, SourceError, UnknownTermError
from twinlab.objects.bucket import Bucket, Missing
from twinlab.objects.folder_bucket import bucket_at
from twinlab.twin.backup.place import owner
from twinlab.twin.backup.record import Record, inventory_of, records
from twinlab.twin.progress import progress_bar

__all__ = ["BackupList", "Faults", "backups", "check_backups", "chosen"]

_TOGETHER = 8


@dataclass(frozen=True)
class BackupList:
    """The backups of a twin at a place."""

    place: str
    name: str
    """The twin's."""
    records: tuple[Record, ...]

    def __str__(self) -> str:
        lines = [f"{self.place}: {len(self.records)} backups of twin {self.name!r}"]
        lines += [
            f"  {one.number:>5}  {one.at:%Y-%m-%d %H:%M:%S} UTC  {one.rows:>14,} rows  twinlab {one.made_by}"
            f"{'' if one.head.snapshot else '  (history is made again)'}"
            for one in self.records
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Faults:
    """What reading all backups again has found."""

    place: str
    objects: int
    bytes: int
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all is as it was written."""
        return not self.faults

    def __str__(self) -> str:
        read = f"{self.place}: {self.objects:,} objects, {self.bytes / 1e6:,.2f} MB read"
        if self.ok:
            return f"{read}; no damage found"
        todo = (
            "restore a backup that isn't named here; remove the objects that are, and the next backup sends them again"
        )
        return "\n".join([f"{read}; DAMAGED:", *(f"  {one}" for one in self.faults), f"  {todo}"])


def backups(place: str | Path) -> BackupList:
    """Return the backups at a place, the oldest first.

    Parameters
    ----------
    place : path or str
        A folder, or ``s3://bucket/prefix``.

    Raises
    ------
    SourceError
        If there are none, or the place can't be read.
    """
    return _backups(bucket_at(place))


def _backups(bucket: Bucket) -> BackupList:
    found, where = owner(bucket), bucket.address.place
    if found is None:
        msg = f"expected backups in {where}, there are none; make one with `twinlab backup TWIN {bucket.address.url}`"
        raise SourceError(msg)
    every = tuple(records(bucket))
    if not every:
        msg = f"{where}: the first backup of twin {found[1]!r} isn't complete: it is under way, or was interrupted; make it again, which continues it"
        raise SourceError(msg)
    return BackupList(where, found[1], every)


def chosen(listed: BackupList, *, at: datetime | None, number: int | None) -> Record:
    """Return a backup: the newest that isn't later than an instant, the one with a number, or the newest.

    Raises
    ------
    UnknownTermError
        If there is none.
    """
    if number is not None:
        found = [one for one in listed.records if one.number == number]
    else:
        found = [one for one in listed.records if at is None or one.at <= at]
    if not found:
        first = listed.records[0]
        asked = (
            f"backup {number}" if number is not None else f"a backup that isn't later than {at:%Y-%m-%d %H:%M:%S} UTC"
        )
        msg = f"{listed.place}: expected {asked}, there is none; the oldest is backup {first.number} of {first.at:%Y-%m-%d %H:%M:%S} UTC"
        raise UnknownTermError(msg)
    return found[-1]


def check_backups(place: str | Path) -> Faults:
    """Read every object of all backups and compare it with its SHA-256; damage is reported, not raised."""
    bucket = bucket_at(place)
    listed = _backups(bucket)
    wanted: dict[str, tuple[int, str]] = {}
    of: dict[str, list[int]] = {}
    faults = []
    for one in listed.records:
        try:
            objects = one.pieces | inventory_of(bucket, one)
        except CorruptionError as error:
            faults.append(str(error))
            objects = one.pieces
        wanted |= objects
        for name in objects:
            of.setdefault(name, []).append(one.number)
    total = sum(size for size, _ in wanted.values())
    done = 0
    with progress_bar("check", unit="B") as show, ThreadPoolExecutor(_TOGETHER, thread_name_prefix="check") as threads:
        for name, fault in zip(wanted, threads.map(_checker(bucket), wanted.items()), strict=True):
            done += wanted[name][0]
            show(done, total)
            if fault:
                faults.append(f"backup {', '.join(map(str, of[name]))}: object {name} {fault}")
    return Faults(listed.place, len(wanted), total, tuple(faults))


def _checker(bucket: Bucket) -> Callable[[tuple[str, tuple[int, str]]], str]:
    def check(wanted: tuple[str, tuple[int, str]]) -> str:
        name, (size, sha) = wanted
        try:
            data, _ = bucket.get(name)
        except Missing:
            return "is missing"
        same = len(data) == size and hashlib.sha256(data).hexdigest() == sha
        return "" if same else f"differs from what was written (expected {size} bytes, got {len(data)})"

    return check
