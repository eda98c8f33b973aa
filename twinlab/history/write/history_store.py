"""The history's files: create, open, lock, write in transactions, read pinned views."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError
from twinlab.history.layout.grid import Group
from twinlab.history.store import publish
from twinlab.history.store.opening import ORIGIN_NS, create_history, existing_path, repository_path
from twinlab.history.store.view import View, open_view
from twinlab.history.write.maintenance import MIN_AGE, GarbageReport, StoreStatus, collect, status
from twinlab.history.write.transaction import Transaction

__all__ = ["HistoryStore"]


class HistoryStore:
    """The history of one twin: a directory with an Icechunk repository and a lock beside it."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.path = repository_path(self.root)
        self._repository = publish.open_repository(self.path)
        self._locked = False

    @classmethod
    def create(cls, root: Path, *, origin_ns: int = ORIGIN_NS) -> HistoryStore:
        """Create an empty history in a directory; ``origin_ns`` is the model's and is floored to UTC midnight.

        Raises
        ------
        HistoryConflictError
            If the directory already holds one.
        """
        create_history(root, origin_ns=origin_ns)
        return cls(Path(root))

    @classmethod
    def open(cls, root: Path) -> HistoryStore:
        """Open the history in a directory.

        Raises
        ------
        CorruptionError
            If there is none or it doesn't open: rebuild it from the ledger.
        """
        existing_path(root)
        return cls(Path(root))

    @contextmanager
    def lock(self) -> Iterator[HistoryStore]:
        """Be the only writer for the time of the block.

        Raises
        ------
        HistoryConflictError
            If another process or thread is; the message names pid, host and since when.
        """
        with Lock(self.root / "writer.lock", what=f"the history in {self.root}"):
            self._locked = True
            try:
                yield self
            finally:
                self._locked = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin a transaction; what isn't committed when the block ends is forgotten.

        Raises
        ------
        HistoryConflictError
            If this store's lock isn't held.
        """
        self._require_lock()
        txn = Transaction(self._repository, self.path)
        try:
            yield txn
        finally:
            txn.discard()

    def view(self, snapshot: str | None = None) -> View:
        """Return a pinned view: of a snapshot, or of the newest published state."""
        return open_view(self.path, snapshot)

    def compact(self, group: Group, *, before: int | None = None) -> str | None:
        """Move hot cells of a group to the cold arrays and publish; None if there was nothing to move.

        Raises
        ------
        HistoryConflictError
            If this store's lock isn't held.
        """
        with self.transaction() as txn:
            if not txn.compact(group, before=before):
                return None
            return txn.commit(f"compact {group.path}")

    def status(self) -> StoreStatus:
        """Return what the history takes on the disk."""
        return status(self.path, self.view())

    def garbage_collect(self, *, older_than: timedelta = MIN_AGE) -> GarbageReport:
        """Remove snapshots older than ``older_than`` (at least 24 h) and what only they refer to.

        Raises
        ------
        HistoryConflictError
            If this store's lock isn't held, or the cut-off is nearer than 24 h: sessions read for up to 12 h, and
            collecting what an open one reads destroyed ``main`` in our tests.
        """
        self._require_lock()
        return collect(self._repository, self.path, older_than=older_than)

    def _require_lock(self) -> None:
        if not self._locked:
            msg = "expected the history's lock to be held; write within `with store.lock():`"
            raise HistoryConflictError(msg)
