"""The branch of a revision in the history's repository: create, write, read, move the published history to it, delete."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError
from twinlab.history.store import publish
from twinlab.history.store.opening import existing_path
from twinlab.history.store.view import View, open_view
from twinlab.history.write.transaction import Transaction

__all__ = ["RevisionBranch", "branches"]

_PREFIX = "revision."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


class RevisionBranch:
    """The branch of one revision.

    Parameters
    ----------
    root : Path
        The history's folder, with the repository in ``icechunk``.
    name : str
        Letters, digits, ``-`` and ``_``, at most 63.
    """

    def __init__(self, root: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            msg = f"expected a revision's name of letters, digits, '-' and '_', at most 63 of them, got {name!r}"
            raise ValueError(msg)
        self.root, self.name = Path(root), name
        self.branch = _PREFIX + name
        self.path = existing_path(self.root)
        self._repository = publish.open_repository(self.path)
        self._locked: int | None = None

    @property
    def exists(self) -> bool:
        """Whether the branch is there."""
        return self.branch in self._repository.list_branches()

    def tip(self) -> str:
        """Return the id of the branch's snapshot."""
        return str(self._repository.lookup_branch(self.branch))

    def main(self) -> str:
        """Return the id of the published snapshot."""
        return str(self._repository.lookup_branch(publish.MAIN))

    def view(self) -> View:
        """Return a view of the branch's state."""
        return open_view(self.path, self.tip())

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the branch for writing, for the duration of the block.

        Raises
        ------
        HistoryConflictError
            If another process or thread writes it; names it.
        """
        with Lock(self.root / f"{self.branch}.lock", what=f"the revision {self.name!r} of {self.root.parent}"):
            self._locked = threading.get_ident()
            try:
                yield
            finally:
                self._locked = None

    def create(self) -> None:
        """Create the branch at the published snapshot; a branch of this name is reset to it."""
        self._require_lock()
        if self.exists:
            publish.move(self._repository, self.branch, self.main(), path=self.path)
        else:
            self._repository.create_branch(self.branch, self.main())
            publish.sync_filesystem(self.path)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin a transaction on the branch; changes that aren't committed when the block ends are discarded."""
        self._require_lock()
        txn = Transaction(self._repository, self.path, self.branch)
        try:
            yield txn
        finally:
            txn.discard()

    def promote(self) -> None:
        """Move the published history to the branch's snapshot. The history must be locked.

        The state that was published stays on a branch of its own, so that garbage collection keeps it for readers.
        """
        self._require_lock()
        kept = f"{publish.REPLACED}{self.name}"
        if kept in self._repository.list_branches():
            self._repository.reset_branch(kept, self.main())
        else:
            self._repository.create_branch(kept, self.main())
        publish.move(self._repository, publish.MAIN, self.tip(), path=self.path)

    def delete(self) -> None:
        """Delete the branch if it is there; chunks that only it refers to are removed by garbage collection."""
        self._require_lock()
        for name in (publish.staging_of(self.branch), self.branch):
            if name in self._repository.list_branches():
                self._repository.delete_branch(name)
        publish.sync_filesystem(self.path)

    def _require_lock(self) -> None:
        if self._locked is None:
            msg = "expected a locked revision; write within `with branch.lock():`"
            raise HistoryConflictError(msg)


def branches(root: Path) -> list[str]:
    """Return the names of the revisions that have a branch, sorted."""
    found = publish.open_repository(existing_path(root)).list_branches()
    return sorted(name.removeprefix(_PREFIX) for name in found if name.startswith(_PREFIX))
