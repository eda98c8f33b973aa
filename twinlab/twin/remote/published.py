"""What leased writers need of the newest push: which groups it has, and its files of a source."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError
from twinlab.ledger.groups.chain import Chain
from twinlab.ledger.groups.group import group_number
from twinlab.ledger.groups.leased import GroupRule
from twinlab.ledger.groups.working_copy import WorkingCopy
from twinlab.objects.bucket import Bucket
from twinlab.objects.trying import sent_again
from twinlab.twin.remote.head import HEAD, MARKER, Head, marker_bytes, newest_push, read_head
from twinlab.twin.remote.pull import fetch_file, file_order

__all__ = ["HISTORIAN_LEASE", "NewestPush", "allow_leased_writers", "group_numbers", "source_folders", "sync_source"]

_LEDGER, _BLOBS = "ledger", "blobs"
#: Name of the lease of the historian, below the prefix.
HISTORIAN_LEASE = "historian.json"


class NewestPush:
    """The newest push of a twin, read at each call."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def head(self) -> Head:
        """Return it."""
        return read_head(self._bucket)

    def number(self, folder: str) -> int:
        """Return the number of the last group of a source in it; 0 without any."""
        return (self.head().groups or {}).get(folder, 0)

    def restore(self, folder: str, target: Path) -> int:
        """Write its files of a source; return the number of the last group in them."""
        head, start = self.head(), f"{_LEDGER}/{folder}/"
        for path in sorted(head.files, key=file_order):
            if path.startswith(start):
                fetch_file(self._bucket, target / path.removeprefix(start), head.files[path])
        return (head.groups or {}).get(folder, 0)


def allow_leased_writers(bucket: Bucket) -> Head:
    """Say in the store that leased writers write the twin from now on, so that no folder is pushed over it; return the newest push.

    Raises
    ------
    SourceError
        If there is no complete twin, or the store has no conditional writes.
    """
    return sent_again(lambda: _allowed(bucket), what=f"leased writers of {bucket.address.url}")


def _allowed(bucket: Bucket) -> Head:
    while True:
        head = read_head(bucket)
        if head.groups is not None:
            return head
        bucket.check_conditional_writes(MARKER, marker_bytes(head.twin, head.name))
        found = newest_push(bucket)
        if found is None or found[0].groups is not None:
            continue
        with suppress(HistoryConflictError):
            bucket.replace(HEAD, replace(found[0], groups={}).to_bytes(), found[1])


def source_folders(head: Head) -> set[str]:
    """Return the folders of the sources in a push."""
    parts = [path.split("/") for path in head.files]
    return {part[1] for part in parts if part[0] == _LEDGER and part[1] != _BLOBS}


def group_numbers(bucket: Bucket) -> dict[str, list[int]]:
    """Return the numbers of the groups in the store, by the source's folder."""
    found: dict[str, list[int]] = {}
    for one in bucket.list(_LEDGER):
        number = group_number(one.name)
        if number is not None:
            found.setdefault(one.name.split("/")[1], []).append(number)
    return {folder: sorted(numbers) for folder, numbers in found.items()}


def sync_source(rule: GroupRule, ledger: Path, folder: str) -> int:
    """Fetch what is new of a source into its folder; return the number of its last group.

    Raises
    ------
    HistoryConflictError
        If a writer of this process has the folder, which is up to date then.
    """
    target, source = ledger / folder, unquote(folder)
    target.mkdir(parents=True, exist_ok=True)
    with Lock(target / "lock", what=f"source {source!r}"):
        copy = WorkingCopy(target, Chain(rule.objects, folder, source), rule.published)
        copy.sync()
        return copy.number
