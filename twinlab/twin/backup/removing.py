"""Remove backups that a schedule doesn't keep, then the objects that no backup has any more."""

from __future__ import annotations

import json

from twinlab.history.remote.repository import REPOSITORY
from twinlab.objects.bucket import Bucket
from twinlab.twin.backup.record import backup_name, inventory_of, records
from twinlab.twin.backup.schedule import Schedule
from twinlab.twin.remote.head import LISTS, list_name

__all__ = ["remove_old"]

#: Names of objects in one list.
_LISTED = 2000


def remove_old(bucket: Bucket, schedule: Schedule, at_ns: int) -> tuple[int, ...]:
    """Remove backups; return their numbers. Who calls is the only one who writes to the place.

    An interruption leaves objects that no backup has, which the next call removes, and never a backup without an object.

    Parameters
    ----------
    bucket : Bucket
    schedule : Schedule
    at_ns : int
        Time of the newest backup, which stays.
    """
    every = records(bucket)
    stay = {*schedule.kept([one.at_ns for one in every]), at_ns}
    gone = [one for one in every if one.at_ns not in stay]
    if not gone:
        return ()
    for one in gone:
        bucket.delete(backup_name(one.number))
    needed: dict[str, tuple[int, str]] = {}
    for one in every:
        if one.at_ns in stay:
            needed |= one.pieces | inventory_of(bucket, one)
    _list_anew(bucket, needed)
    for prefix in ("files", REPOSITORY):
        for found in list(bucket.list(prefix)):
            if found.name not in needed:
                bucket.delete(found.name)
    return tuple(one.number for one in gone)


def _list_anew(bucket: Bucket, needed: dict[str, tuple[int, str]]) -> None:
    """Replace the lists of what is there, before something isn't there any more."""
    names, old = sorted(needed), {one.name for one in bucket.list(LISTS)}
    for first in range(0, len(names), _LISTED):
        data = json.dumps(
            {name: needed[name] for name in names[first : first + _LISTED]}, separators=(",", ":")
        ).encode()
        bucket.put(list_name(data), data)
        old.discard(list_name(data))
    for name in sorted(old):
        bucket.delete(name)
