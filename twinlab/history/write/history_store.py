"""The history's files for writing: create, open, lock, transactions, compaction, garbage collection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError
from twinlab.history.layout.grid import Group
from twinlab.history.store import publish
from twinlab.history.store.codecs import CODEC
from twinlab.history.store.opening import ORIGIN_NS, create_history, existing_path, repository_path
from twinlab.history.store.view import View, open_view
from twinlab.history.write.maintenance import MIN_AGE, GarbageReport, StoreStatus, collect, status
from twinlab.history.write.transaction import Transaction

__all__ = ["HistoryStore"]


class HistoryStore:
    """The history of one twin: a directory with an Icechunk repository and a lock."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.path = repository_path(self.root)
        self._repository = publish.open_repository(self.path)
        self._locked = False
        self._newest: tuple[object, View] | None = None

    @classmethod
    def create(cls, root: Path, *, origin_ns: int = ORIGIN_NS, codec: str = CODEC) -> HistoryStore:
        """Create an empty history in a directory; ``origin_ns`` is the model's and is floored to UTC midnight.

        The values of its compacted cells will have the ``codec``.

        Raises
        ------
        HistoryConflictError
            If the directory already has one.
        """
        create_history(root, origin_ns=origin_ns, codec=codec)
        return cls(Path(root))

    @classmethod
    def open(cls, root: Path) -> HistoryStore:
        """Open the history in a directory.

        Raises
        ------
        CorruptionError
            If there is none, or it doesn't open.
        """
        existing_path(root)
        return cls(Path(root))

    @contextmanager
    def lock(self) -> Iterator[HistoryStore]:
        """Lock the history for writing, for the duration of the block.

        Raises
        ------
        HistoryConflictError
            If another process or thread has the lock; names it.
        """
        with Lock(self.root / "writer.lock", what=f"the history in {self.root}"):
            self._locked = True
            try:
                yield self
            finally:
                self._locked = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin a transaction; changes that aren't committed when the block ends are discarded.

        Raises
        ------
        HistoryConflictError
            If this store isn't locked.
        """
        self._require_lock()
        txn = Transaction(self._repository, self.path)
        try:
            yield txn
        finally:
            txn.discard()

    def view(self, snapshot: str | None = None) -> View:
        """Return a view of a snapshot, by default of the newest published state."""
        return open_view(self.path, snapshot)

    def newest(self) -> View:
        """Return a view of the newest published state, the same object until another one is published."""
        signature = publish.published(self.path)
        if self._newest is None or self._newest[0] != signature:
            self._newest = (signature, self.view())
        return self._newest[1]

    def published_at(self) -> float:
        """Return when the newest state was published, in seconds since 1970; 0 if nothing was."""
        found = publish.published(self.path)
        return found[0] / 1e9 if found is not None else 0.0

    def compact(self, group: Group, *, before: int | None = None) -> str | None:
        """Move hot cells of a group to the cold arrays and publish; None if there was nothing to move.

        Raises
        ------
        HistoryConflictError
            If this store isn't locked.
        """
        with self.transaction() as txn:
            if not txn.compact(group, before=before):
                return None
            return txn.commit(f"compact {group.path}")

    def status(self) -> StoreStatus:
        """Return the disk usage of the history."""
        return status(self.path, self.view())

    def garbage_collect(self, *, older_than: timedelta = MIN_AGE) -> GarbageReport:
        """Remove snapshots older than ``older_than`` (at least 24 h) and what only they refer to.

        Raises
        ------
        HistoryConflictError
            If this store isn't locked, or the cut-off is less than 24 h ago: sessions last up to 12 h, and collecting
            what an open session reads destroyed ``main`` in tests.
        """
        self._require_lock()
        return collect(self._repository, self.path, older_than=older_than)

    def _require_lock(self) -> None:
        if not self._locked:
            msg = "expected a locked history; write within `with store.lock():`"
            raise HistoryConflictError(msg)
