"""Whose a place for backups is, and who writes to it now."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twinlab.errors import HistoryConflictError, SchemaError, SourceError
from twinlab.objects.bucket import Bucket, Missing
from twinlab.objects.folder_bucket import FolderBucket
from twinlab.twin.backup.record import COMMAND
from twinlab.twin.remote.head import MARKER as PUSHED
from twinlab.twin.remote.head import unwrapped, wrapped

__all__ = ["busy", "check_outside", "claim", "owner"]

_MARKER, _BUSY = "backup.json", "busy.json"
#: Seconds without a sign of life after which another machine's backup counts as ended; a sign comes with each list of objects.
_SILENT = 3600.0


def check_outside(bucket: Bucket, folder: Path) -> None:
    """Check that a place isn't in the twin's folder.

    Raises
    ------
    SchemaError
        If it is.
    """
    if not isinstance(bucket, FolderBucket):
        return
    place, root = bucket.address.folder.resolve(), folder.resolve()
    if place.is_relative_to(root) or root.is_relative_to(place):
        msg = f"expected a place for backups outside of the twin {folder}, got {bucket.address.place}; choose another folder, best on another disk"
        raise SchemaError(msg)


def owner(bucket: Bucket) -> tuple[str, str] | None:
    """Return identity and name of the twin whose backups are at a place; None if it has none.

    Raises
    ------
    SchemaError
        If another program's object has the marker's name.
    """
    try:
        data, _ = bucket.get(_MARKER)
    except Missing:
        return None
    body = unwrapped(data, f"{bucket.address.url}/{_MARKER}", by=COMMAND)
    return str(body["twin"]), str(body["name"])


def claim(bucket: Bucket, twin: str, name: str) -> None:
    """Make sure that a place is for this twin's backups.

    Raises
    ------
    SchemaError
        If it has something else, or another twin's backups.
    SourceError
        If an object store has no conditional writes.
    """
    data, place = wrapped({"twin": twin, "name": name}), bucket.address.place
    found = owner(bucket)
    if found is None:
        other = next(iter(bucket.list()), None)
        if other is not None:
            what = (
                "a published twin (`twinlab push`)" if other.name == PUSHED else f"other files, such as {other.name!r}"
            )
            msg = f"{place}: expected an empty place, or one with this twin's backups, got {what}; choose another place"
            raise SchemaError(msg)
        bucket.create(_MARKER, data)
    elif found[0] != twin:
        msg = f"{place}: expected backups of this twin {name!r}, got those of another one, {found[1]!r}; choose another place"
        raise SchemaError(msg)
    bucket.check_conditional_writes(_MARKER, data)


@contextmanager
def busy(bucket: Bucket, folder: Path) -> Iterator[Callable[[], None]]:
    """Be the only process that writes to a place; yields a function that gives a sign of life.

    Who calls has the lock of the twin's folder. A backup of the same folder on this machine that left its mark was killed, therefore.

    Raises
    ------
    HistoryConflictError
        If another machine, or another copy of the twin, writes to it.
    """
    mine = {"host": socket.gethostname(), "folder": str(folder.resolve()), "pid": os.getpid()}
    version = _take(bucket, mine)

    def sign() -> None:
        nonlocal version
        bucket.replace(_BUSY, _note(mine), version)
        version = bucket.get(_BUSY)[1]

    try:
        yield sign
    except HistoryConflictError:
        # The mark may be another process's now.
        raise
    except BaseException:
        with suppress(SourceError):
            bucket.delete(_BUSY)
        raise
    else:
        # A store that can't be reached keeps the mark, which the next backup of this folder takes over.
        with suppress(SourceError):
            bucket.delete(_BUSY)


def _take(bucket: Bucket, mine: dict[str, object]) -> str | None:
    try:
        data, version = bucket.get(_BUSY)
    except Missing:
        bucket.create(_BUSY, _note(mine))
        return bucket.get(_BUSY)[1]
    try:
        other = json.loads(data)
        ours = (other["host"], other["folder"]) == (mine["host"], mine["folder"])
        silent = time.time() - float(other["seen"])
        who = f"process {other['pid']} on {other['host']}, of {other['folder']}"
    except (ValueError, TypeError, KeyError):
        ours, silent, who = False, 0.0, "an unknown process"
    if not ours and silent < _SILENT:
        msg = (
            f"{bucket.address.place}: {who} makes a backup there; wait until it has ended. If it was killed, its mark counts for "
            f"{_SILENT / 60:.0f} minutes, or remove {_BUSY} there"
        )
        raise HistoryConflictError(msg)
    bucket.replace(_BUSY, _note(mine), version)
    return bucket.get(_BUSY)[1]


def _note(mine: dict[str, object]) -> bytes:
    return json.dumps({**mine, "seen": time.time()}).encode()
