"""Make a backup: what isn't at the place yet is sent, the backup's own object last; an interrupted one is continued by the next."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import twinlab
from twinlab._files import write_atomically
from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError, SourceError
from twinlab.objects.bucket import Bucket
from twinlab.objects.folder_bucket import FolderBucket, bucket_at
from twinlab.twin.backup.contents import BackedUp, BackupContents, backup_contents
from twinlab.twin.backup.people import KeyState
from twinlab.twin.backup.place import busy, check_outside, claim
from twinlab.twin.backup.record import Record, backup_name, newest, unpacked
from twinlab.twin.backup.removing import remove_old
from twinlab.twin.backup.schedule import Schedule
from twinlab.twin.health.checks import BACKUP_NOTE
from twinlab.twin.remote.contents import identity
from twinlab.twin.remote.head import Head, pushed_objects
from twinlab.twin.remote.push import list_cache, send

if TYPE_CHECKING:
    from twinlab.twin.remote.push import Progress

__all__ = ["BackupReport", "make_backup"]

_TRIES = 5


@dataclass(frozen=True)
class BackupReport:
    """What a backup did."""

    place: str
    number: int
    at: datetime
    """The instant whose state it has, UTC."""
    rows: int
    """Rows of all sources that it has."""
    objects: int
    """New objects."""
    bytes: int
    """Bytes of new objects."""
    total_bytes: int
    """Bytes of all objects of this backup."""
    removed: tuple[int, ...]
    """Backups that were removed, by the schedule."""
    left_out: dict[str, str]
    """Files that aren't in it -> why."""
    notes: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        lines = [
            (
                f"{self.place}: backup {self.number} of {self.at:%Y-%m-%d %H:%M:%S} UTC: {self.rows:,} rows; {self.objects} new objects, "
                f"{self.bytes / 1e6:,.2f} MB of {self.total_bytes / 1e6:,.2f} MB ({self.seconds:.1f} s)"
            )
        ]
        lines += [f"  not included: {name} ({why})" for name, why in sorted(self.left_out.items())]
        if self.removed:
            lines.append(f"  removed by the schedule: backup {', '.join(map(str, self.removed))}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def make_backup(
    twin: BackedUp,
    place: str | Path,
    *,
    schedule: Schedule | None,
    also: Sequence[Path],
    with_keys: bool,
    show: Progress,
) -> BackupReport:
    """Make a backup of a twin; see `Twin.backup`."""
    began, bucket = time.perf_counter(), bucket_at(place)
    check_outside(bucket, twin.folder)
    with Lock(twin.folder / "backup.lock", what=f"the backup of {twin.folder}"):
        claim(bucket, identity(twin), twin.model.twin)
        with suppress(HistoryConflictError):
            # A historian that runs publishes by itself.
            twin._catch_up()  # noqa: SLF001  (the twin's own)
        with busy(bucket, twin.folder) as sign:
            before = newest(bucket)
            keys = (
                KeyState.from_json(unpacked(bucket, before.people))
                if before is not None and before.people
                else KeyState()
            )
            made, objects, sent = _send(
                twin, bucket, before, keys, also, with_keys=with_keys, show=_signing(show, sign)
            )
            record = _record(made, 1 if before is None else before.number + 1)
            data = record.to_bytes()
            bucket.create(backup_name(record.number), data)
            removed = () if schedule is None else remove_old(bucket, schedule, record.at_ns)
    _note(twin.folder, bucket, record)
    total = sum(size for size, _ in record.pieces.values()) + sum(
        payload.size for name, payload in made.state.objects.items() if not name.startswith("files/")
    )
    return BackupReport(
        bucket.address.place, record.number, record.at, record.rows, objects, sent + len(data), total, removed,
        dict(record.left_out), _warnings(bucket, twin.folder), time.perf_counter() - began,
    )  # fmt: skip


def _send(
    twin: BackedUp,
    bucket: Bucket,
    before: Record | None,
    keys: KeyState,
    also: Sequence[Path],
    *,
    with_keys: bool,
    show: Progress,
) -> tuple[BackupContents, int, int]:
    """Send what isn't there yet of the twin as it is now; what changes while it is sent is looked at again."""
    count = size = 0
    for left in reversed(range(_TRIES)):
        there = pushed_objects(bucket, list_cache())
        made = backup_contents(
            twin, None if before is None else before.head, keys=keys, erasures=0 if before is None else before.erasures,
            also=also, with_keys=with_keys, known=there.get,
        )  # fmt: skip
        new = {name: payload for name, payload in made.state.objects.items() if name not in there}
        try:
            size += send(bucket, new, show)
        except FileNotFoundError as error:
            if not left:
                msg = f"{error.filename} was moved while it was sent; call again"
                raise SourceError(msg) from error
            continue
        return made, count + len(new), size
    raise AssertionError


def _record(made: BackupContents, number: int) -> Record:
    state = made.state
    head = Head(state.twin, state.name, number, state.snapshot, state.positions, state.files)
    return Record(
        head, made.at_ns, made.inventory, made.people, made.erasures, dict(made.left_out), twinlab.__version__
    )


def _signing(show: Progress, sign: Callable[[], None]) -> Progress:
    """Return a progress that gives a sign of life each minute."""
    last = time.monotonic()

    def both(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 60.0:
            sign()
            last = time.monotonic()
        show(done, total)

    return both


def _note(folder: Path, bucket: Bucket, record: Record) -> None:
    """Say in the twin's folder when its newest backup was made, for `twinlab health`."""
    target = folder / BACKUP_NOTE
    try:
        found = json.loads(target.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    found[bucket.address.url] = {
        "number": record.number,
        "at": datetime.fromtimestamp(record.at_ns / 1e9, UTC).isoformat(),
    }
    write_atomically(target, lambda draft: draft.write_text(json.dumps(found, indent=1), encoding="utf-8"))


def _warnings(bucket: Bucket, folder: Path) -> tuple[str, ...]:
    if isinstance(bucket, FolderBucket) and bucket.address.folder.stat().st_dev == folder.stat().st_dev:
        return ("it is on the same disk as the twin: if that breaks, both are gone",)
    return ()
