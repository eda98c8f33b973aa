"""What makes a writer of a ledger's folder the leased writer of its source in a store: each group is in the store before it is acknowledged."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twinlab.errors import CorruptionError, HistoryConflictError, SourceError
from twinlab.ledger.format.position import Position
from twinlab.ledger.format.segment import HEADER_SIZE, path_of
from twinlab.ledger.groups.chain import Chain, GroupObjects, OvertakenError
from twinlab.ledger.groups.group import Group
from twinlab.ledger.groups.working_copy import Published, WorkingCopy
from twinlab.objects.lease import LeaseObjects, StoreLease, machine_clock

__all__ = ["GROUP_PATIENCE", "LEASE_SECONDS", "GroupRule", "LeasedGroups", "lease_name"]

#: After so many seconds without a sign of life, another writer takes over a source.
LEASE_SECONDS = 5.0
#: Seconds for which a writer tries to store a group while the store doesn't answer.
GROUP_PATIENCE = 30.0
#: Key of a released lease's note: number of the last group.
_LAST = "last"


@dataclass(frozen=True)
class GroupRule:
    """Where groups are, and how long to wait for what."""

    objects: GroupObjects
    leases: LeaseObjects
    """The same store, with requests that fail soon."""
    published: Published
    lease_seconds: float = LEASE_SECONDS
    patience: float = GROUP_PATIENCE
    clock: Callable[[], float] = machine_clock
    sleep: Callable[[float], None] = time.sleep
    renewing: bool = True
    """Whether a thread renews leases."""


def lease_name(folder: str) -> str:
    """Return the name of the lease of a source's writer."""
    return f"ledger/{folder}/lease.json"


class LeasedGroups:
    """The lease of a source, and its groups; used by one `Writer` at a time.

    Parameters
    ----------
    rule : GroupRule
    source : str
    wait : float
        Seconds to wait for another writer.
    """

    def __init__(self, rule: GroupRule, source: str, *, wait: float = 0.0) -> None:
        self._rule, self._source, self._wait = rule, source, wait
        self._lease: StoreLease | None = None
        self._copy: WorkingCopy | None = None
        self._certain = False

    def open(self, folder: Path) -> None:
        """Take the lease, bring the folder up to date, and make sure that no earlier holder can write any more.

        Raises
        ------
        HistoryConflictError
            If another process writes to the source; names it.
        SourceError
            If the store can't be read or written.
        CorruptionError
            If groups are missing or damaged.
        """
        rule = self._rule
        self._chain = Chain(rule.objects, folder.name, self._source)
        # Before the lease: a standby follows the groups, so that little is left to do when it takes over.
        self._copy = copy = WorkingCopy(folder, self._chain, rule.published)
        self._lease = lease = StoreLease(
            rule.leases, lease_name(folder.name), what=f"source {self._source!r}", seconds=rule.lease_seconds, wait=self._wait,
            while_waiting=copy.fetch, clock=rule.clock, sleep=rule.sleep, renewing=rule.renewing,
        )  # fmt: skip
        previous = lease.previous
        last = previous.note.get(_LAST) if previous is not None and previous.released else None
        if previous is None and self._copy.number <= 0:
            last = 0
        if self._copy.number != last:
            self._copy.sync()
        if last is not None and self._copy.number < last:
            msg = (
                f"source {self._source!r}: expected groups up to {last}, the store has them up to {self._copy.number}; restore the objects "
                f"below ledger/{folder.name}/groups from a backup"
            )
            raise CorruptionError(msg)
        if self._copy.number != last:
            self._fence(lease, self._copy)
        self._certain = True

    def put(self, at: Position, after: Position, buffers: Sequence[bytes]) -> None:
        """Store the bytes of a group, from a position to another; it is in the store when this returns.

        Raises
        ------
        HistoryConflictError
            If another process has taken over; the group isn't stored.
        SourceError
            If it is unknown whether it is stored.
        """
        lease, copy = self._lease, self._copy
        if lease is None or copy is None or not self._certain:
            msg = (
                f"source {self._source!r}: the writer is closed, or an earlier group is uncertain; open another writer"
            )
            raise SourceError(msg)
        copy.note()
        body, offset = b"".join(buffers), at.offset
        if offset == HEADER_SIZE:
            with path_of(copy.folder, after.segment).open("rb") as file:
                body, offset = file.read(HEADER_SIZE) + body, 0
        self._append(lease, copy, offset=offset, after=after, body=body)
        if lease.lost:
            # Whoever has taken over has this group, too.
            lease.check()

    def close(self) -> None:
        """Release the lease."""
        if self._copy is not None and self._certain:
            self._copy.note()
        if self._lease is not None:
            # After an uncertain group the next writer must write a fence.
            known = self._copy is not None and self._certain
            self._lease.release({_LAST: self._copy.number} if known and self._copy is not None else None)
            self._lease = None

    # -- inside ----------------------------------------------------------------------------------------------------
    def _append(self, lease: StoreLease, copy: WorkingCopy, *, offset: int, after: Position, body: bytes) -> None:
        group = Group(
            self._source, copy.number + 1, lease.epoch, os.urandom(12).hex(), lease.holder, after.segment, offset, after, body
        )  # fmt: skip
        self._certain = False
        try:
            rule = self._rule
            self._chain.append(group, check=lease.check, patience=rule.patience, clock=rule.clock, sleep=rule.sleep)
        except OvertakenError as error:
            if not body and error.group.epoch < lease.epoch:
                raise
            raise lease.lose(error.group.holder) from error
        self._certain = True
        copy.wrote(group)

    def _fence(self, lease: StoreLease, copy: WorkingCopy) -> None:
        """Take the next number, which an earlier holder that is still alive would write next."""
        while True:
            try:
                self._append(lease, copy, offset=copy.after.offset, after=copy.after, body=b"")
            except OvertakenError:
                # The earlier holder's last group, which counts.
                copy.sync()
                continue
            break
        if self._rule.published.number(copy.folder.name) >= copy.number:
            # This number had been used and removed: somebody else took over while this process was silent.
            msg = f"source {self._source!r}: another process has taken over meanwhile; open the writer again"
            raise HistoryConflictError(msg)
        copy.note()
