"""Promote a revision: lock the history, and move the published history to the revision's state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError
from twinlab.history.build.mapping_context import Sources
from twinlab.history.revisions.branch import RevisionBranch
from twinlab.history.revisions.revise import built_with, is_current
from twinlab.history.store.chunk_reader import verify_seal
from twinlab.history.store.view import open_view
from twinlab.history.write.history_store import HistoryStore

__all__ = ["locked_history", "move_history"]


@contextmanager
def locked_history(root: Path, *, wait: float | None = 0.0) -> Iterator[None]:
    """Lock the history of the twin in ``root`` against all writers, for the duration of the block.

    Raises
    ------
    HistoryConflictError
        If another process is writing it for longer than ``wait`` seconds; names it.
    """
    with (
        Lock(root / "history.lock", what=f"the history of {root}", wait=wait),
        HistoryStore.open(root / "history").lock(),
    ):
        yield


def move_history(branch: RevisionBranch, new: Sources) -> bool:
    """Move the published history to a revision's state; both must be locked. Return whether it is there now.

    Nothing is moved if the published history has these definitions already, as after an interrupted promotion.

    Raises
    ------
    HistoryConflictError
        If the revision isn't at the position of the published history, or was built with other definitions.
    CorruptionError
        If the revision's files are damaged.
    """
    if built_with(dict(open_view(branch.path, branch.main()).meta), new):
        return True
    if not branch.exists:
        return False
    if not is_current(branch, new):
        msg = f"expected the revision {branch.name!r} at the position of the published history; promote it again"
        raise HistoryConflictError(msg)
    verify_seal(branch.path, branch.tip())
    branch.promote()
    return True
