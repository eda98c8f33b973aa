"""Who may write a twin in an object store, which rows no push has yet, and whether their groups are whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote

from twinlab.errors import CorruptionError
from twinlab.ledger import VerifyProblem, VerifyReport
from twinlab.ledger.groups.chain import Chain
from twinlab.ledger.groups.group import Group, group_name
from twinlab.ledger.groups.leased import lease_name
from twinlab.objects.bucket import Bucket
from twinlab.objects.lease import LeaseRecord, read_lease
from twinlab.twin.remote.head import Head, read_head
from twinlab.twin.remote.published import HISTORIAN_LEASE, group_numbers, source_folders

__all__ = ["SourceInStore", "StoreStatus", "read_store_status", "verify_groups"]

_RESTORE = "Restore this object from a backup of the bucket."


@dataclass(frozen=True)
class SourceInStore:
    """A source of a twin in an object store."""

    source: str
    rows: int
    """Rows in the newest push."""
    waiting: int
    """Rows in the store that no push has yet."""
    since_ns: int
    """When the oldest of them arrived, ns UTC by their writer's clock; 0 without any."""
    lease: LeaseRecord | None
    """Of the writer; None if nobody has had it."""


@dataclass(frozen=True)
class StoreStatus:
    """Who may write a twin in an object store, and what waits."""

    url: str
    push: int
    historian: LeaseRecord | None
    sources: tuple[SourceInStore, ...]

    def __str__(self) -> str:
        lines = [f"{self.url}: push {self.push}; historian: {_who(self.historian)}"]
        for one in self.sources:
            waits = "no rows wait"
            if one.waiting:
                waits = f"{one.waiting:,} rows wait, the oldest for {max(0.0, time.time() - one.since_ns / 1e9):,.0f} s"
            lines.append(f"  {one.source}: {one.rows:,} rows in the history, {waits}; writer: {_who(one.lease)}")
        return "\n".join(lines)


def _who(lease: LeaseRecord | None) -> str:
    if lease is None:
        return "none"
    if lease.released:
        return f"none (last {lease.holder})"
    return f"{lease.holder}, epoch {lease.epoch}, renewed until {lease.expires} by its clock"


def read_store_status(bucket: Bucket) -> StoreStatus:
    """Return who may write a twin, and which rows wait.

    Raises
    ------
    SourceError
        If the store can't be read.
    CorruptionError
        If a group is damaged.
    """
    head = read_head(bucket)
    groups = group_numbers(bucket)
    sources = []
    for folder in sorted(source_folders(head) | set(groups)):
        source, last = unquote(folder), (head.groups or {}).get(folder, 0)
        rows = int(head.positions.get(source, 0))
        fresh = [number for number in groups.get(folder, []) if number > last]
        chain = Chain(bucket, folder, source)
        first, newest = (chain.get(fresh[0]), chain.get(fresh[-1])) if fresh else (None, None)
        waiting = max(0, newest.after.ordinal - rows) if newest is not None else 0
        since = first.after.ingest_time if first is not None and waiting else 0
        sources.append(SourceInStore(source, rows, waiting, since, read_lease(bucket, lease_name(folder))[0]))
    return StoreStatus(bucket.address.url, head.push, read_lease(bucket, HISTORIAN_LEASE)[0], tuple(sources))


def verify_groups(bucket: Bucket, report: VerifyReport) -> VerifyReport:
    """Add to a report what is wrong with the groups that no push has yet."""
    head = read_head(bucket)
    problems: list[VerifyProblem] = []
    size = 0
    for folder, numbers in group_numbers(bucket).items():
        for found in _checked(bucket, head, folder, numbers):
            if isinstance(found, VerifyProblem):
                problems.append(found)
            else:
                size += len(found.body)
    return replace(report, problems=[*report.problems, *problems], bytes=report.bytes + size)


def _checked(bucket: Bucket, head: Head, folder: str, numbers: list[int]) -> Iterator[Group | VerifyProblem]:
    chain, last = Chain(bucket, folder, unquote(folder)), (head.groups or {}).get(folder, 0)
    fresh = [number for number in numbers if number > last]
    for number in range(last + 1, max(fresh, default=last) + 1):
        try:
            found = chain.get(number)
        except CorruptionError as error:
            yield VerifyProblem(group_name(folder, number), str(error), _RESTORE)
            continue
        if found is None:
            name = group_name(folder, number)
            yield VerifyProblem(name, f"{name} is missing", _RESTORE)
        else:
            yield found
