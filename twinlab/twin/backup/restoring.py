"""Bring a backup into a new folder: nothing is overwritten, all is checked, and a folder that isn't complete is no twin."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from twinlab._files import write_atomically
from twinlab._locks import Lock
from twinlab.errors import CorruptionError, HistoryConflictError
from twinlab.events.reading import instant_ns
from twinlab.history.remote.repository import REPOSITORY
from twinlab.history.store.publish import sync_filesystem
from twinlab.ledger import Ledger
from twinlab.objects.bucket import Bucket
from twinlab.objects.folder_bucket import bucket_at
from twinlab.twin.backup.listing import BackupList, backups, chosen
from twinlab.twin.backup.people import KeyState, destroy_again
from twinlab.twin.backup.place import check_outside
from twinlab.twin.backup.record import Record, inventory_of, unpacked
from twinlab.twin.definitions import MODEL, RESTORING
from twinlab.twin.facade import Twin
from twinlab.twin.privacy.recording import AUDIT, PrivacyAudit
from twinlab.twin.progress import progress_bar
from twinlab.twin.remote.pull import Fetching, file_order, refer, same_content

__all__ = ["RestoreReport", "restore"]


@dataclass(frozen=True)
class RestoreReport:
    """What was restored."""

    folder: Path
    number: int
    at: datetime
    """The instant whose state the folder has, UTC."""
    rows: int
    objects: int
    """Objects that were fetched."""
    bytes: int
    verified: str
    """What the verification of the ledger says."""
    destroyed: int
    """Keys of people that had come back, and were destroyed again."""
    notes: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        lines = [
            (
                f"{self.folder}: backup {self.number} of {self.at:%Y-%m-%d %H:%M:%S} UTC, {self.rows:,} rows; {self.objects} objects, "
                f"{self.bytes / 1e6:,.2f} MB ({self.seconds:.1f} s)"
            ),
            f"  {self.verified}",
        ]
        if self.destroyed:
            lines.append(f"  {self.destroyed} keys of people who were erased had come back; they were destroyed again")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def restore(
    place: str | Path, folder: str | Path, *, at: object = None, number: int | None = None, who: str = "local"
) -> RestoreReport:
    r"""Bring a backup of a twin into a new folder; interrupted, it is continued by another call.

    Parameters
    ----------
    place : path or str
        A folder with backups, or ``s3://bucket/prefix``.
    folder : path
        One that isn't there, or is empty. Nothing is ever overwritten.
    at : instant, optional
        The newest backup that isn't later, UTC; by default the newest of all. For a state between two backups, restore the later one
        and use `Twin.as_of`.
    number : int, optional
        A backup by its number instead.
    who : str
        Who restores, for the audit.

    Returns
    -------
    RestoreReport

    Raises
    ------
    UnknownTermError
        If there is no such backup.
    HistoryConflictError
        If the folder has something else.
    CorruptionError
        If an object is damaged or missing, or the ledger doesn't verify; the folder is no twin then.
    SourceError
        If the place can't be read, or has no backup.

    Examples
    --------
    >>> import tempfile, twinlab as tl
    >>> root = Path(tempfile.mkdtemp())
    >>> _ = (root / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n")
    >>> twin = tl.create(root / "pilot", files=[root / "gauge.csv"])
    >>> _ = twin.ingest(root / "gauge.csv"), twin.backup(root / "backups")
    >>> restore(root / "backups", root / "again").rows
    1
    """
    began, bucket, root = time.perf_counter(), bucket_at(place), Path(folder)
    listed = backups(place)
    record = chosen(listed, at=_instant(at), number=number)
    check_outside(bucket, root)
    _check_folder(root, record, listed)
    root.mkdir(parents=True, exist_ok=True)
    with Lock(root / "backup.lock", what=f"restoring into {root}"), progress_bar("restore", unit="B") as show:
        _mark(root, record)
        try:
            run = Fetching(bucket, root, inventory_of(bucket, record), show)
            _fetch(run, root, record)
        except CorruptionError as error:
            msg = f"{error}. The backup is damaged and {root} isn't complete: use another one (twinlab backups {bucket.address.url} --verify)"
            raise CorruptionError(msg) from error
        found = Ledger(root / "ledger").verify()
        if not found.ok:
            msg = f"{root}: the restored ledger doesn't verify: {found}\nUse another backup (twinlab backups {bucket.address.url} --verify)"
            raise CorruptionError(msg)
        run.files({MODEL: record.head.files[MODEL]})
        sync_filesystem(root)
        destroyed, notes = _finish(root, record, _newest_people(bucket, listed), who)
        (root / RESTORING).unlink()
    return RestoreReport(
        root, record.number, record.at, record.rows, run.count, run.done, str(found), destroyed,
        tuple(notes), time.perf_counter() - began,
    )  # fmt: skip


def _fetch(run: Fetching, root: Path, record: Record) -> None:
    """Fetch all but the model: without it, a folder is no twin."""
    run.objects(name.removeprefix(f"{REPOSITORY}/") for name in run.stated)
    files = {path: pieces for path, pieces in record.head.files.items() if path != MODEL}
    run.files(
        {path: files[path] for path in sorted(files, key=file_order) if not same_content(root / path, files[path])}
    )
    if record.head.snapshot:
        refer(root, record.head.snapshot)


def _finish(root: Path, record: Record, people: KeyState, who: str) -> tuple[int, list[str]]:
    """Do what a restored twin needs before somebody opens it; return the number of destroyed keys, and notes."""
    twin, destroyed, notes = Twin(root), 0, []
    encryption = twin.ledger.encryption
    if encryption is not None:
        destroyed = destroy_again(encryption.keys, people.destroyed)
        if not encryption.keys.path.is_dir() and people.there:
            notes.append(
                f"personal columns can't be read: their keys are expected in {encryption.keys.path}, apart from the backup; bring them "
                f"there, then run `twinlab rebuild {root}`"
            )
    if not record.head.snapshot:
        twin.rebuild()
        twin.update_events()
    if encryption is not None or (root / AUDIT).is_dir():
        what = {"number": record.number, "at": record.at.isoformat(), "rows": record.rows, "keys": destroyed}
        PrivacyAudit(root).append({"kind": "restored", "who": [who], "what": what})
    notes += [f"not in the backup: {name} ({why})" for name, why in sorted(record.left_out.items())]
    return destroyed, notes


def _newest_people(bucket: Bucket, listed: BackupList) -> KeyState:
    """Return which keys the newest backup knows to be destroyed, whichever backup is restored."""
    newest = listed.records[-1]
    return KeyState.from_json(unpacked(bucket, newest.people)) if newest.people else KeyState()


def _instant(at: object) -> datetime | None:
    if at is None:
        return None
    return datetime.fromtimestamp(instant_ns(at) / 1e9, UTC)


def _mark(root: Path, record: Record) -> None:
    """Say that the folder isn't complete."""
    state = {"twin": record.head.twin, "number": record.number}
    write_atomically(root / RESTORING, lambda draft: draft.write_text(json.dumps(state), encoding="utf-8"))


def _check_folder(root: Path, record: Record, listed: BackupList) -> None:
    """Check that nothing in a folder would be lost."""
    if not root.exists() or not any(root.iterdir()):
        return
    try:
        state: Mapping[str, object] = json.loads((root / RESTORING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        state = {}
    if state.get("twin") != record.head.twin:
        msg = f"{root}: expected a folder that is empty or isn't there; nothing is overwritten: choose another folder"
        raise HistoryConflictError(msg)
    if state.get("number") != record.number:
        msg = (
            f"{root}: expected backup {state.get('number')} of {listed.place}, of which a part is there, got {record.number}; "
            "choose that one, or another folder"
        )
        raise HistoryConflictError(msg)
