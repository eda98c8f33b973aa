"""The history's files: create, open, lock, write in transactions, read pinned views."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from twinlab.errors import CorruptionError, HistoryConflictError
from twinlab.history.layout.grid import Group, floor_midnight
from twinlab.history.store import lock, publish
from twinlab.history.store.catalog import Catalog
from twinlab.history.store.tiles import IcechunkBytes
from twinlab.history.store.view import View, open_view
from twinlab.history.write.compact import MIN_AGE, GarbageReport, StoreStatus, collect, status
from twinlab.history.write.transaction import Transaction

__all__ = ["HistoryStore"]

#: 2000-01-01, the model's default origin.
_ORIGIN_NS = 946_684_800_000_000_000


class HistoryStore:
    """The history of one twin: a directory with an Icechunk repository and a lock beside it."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.path = self.root / "icechunk"
        self._repository = publish.open_repository(self.path)
        self._locked = False

    @classmethod
    def create(cls, root: Path, *, origin_ns: int = _ORIGIN_NS) -> HistoryStore:
        """Create an empty history in a directory; ``origin_ns`` is the model's and is floored to UTC midnight.

        Raises
        ------
        HistoryConflictError
            If the directory already holds one.
        """
        path = Path(root) / "icechunk"
        if path.exists() and any(path.iterdir()):
            msg = f"expected no history in {root} yet, but there is one; open it, or remove the directory to rebuild"
            raise HistoryConflictError(msg)
        repository = publish.create(path)
        session = publish.start(repository)
        attributes = Catalog(origin_ns=floor_midnight(origin_ns)).to_attributes()
        body = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        IcechunkBytes(session).put("zarr.json", json.dumps(body).encode())
        publish.publish(repository, session, "create", path=path, metadata={}, seal={})
        return cls(Path(root))

    @classmethod
    def open(cls, root: Path) -> HistoryStore:
        """Open the history in a directory.

        Raises
        ------
        CorruptionError
            If there is none or it doesn't open: rebuild it from the ledger.
        """
        if not (Path(root) / "icechunk").is_dir():
            msg = f"expected a history in {root}, found none; run `twinlab rebuild`"
            raise CorruptionError(msg)
        return cls(Path(root))

    @contextmanager
    def lock(self) -> Iterator[HistoryStore]:
        """Be the only writer for the time of the block.

        Raises
        ------
        HistoryConflictError
            If another process or thread is; the message names pid, host and since when.
        """
        with lock.hold(self.root / "writer.lock"):
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
