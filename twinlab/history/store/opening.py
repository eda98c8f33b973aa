"""Create the history's repository in a folder, or open its published state for reading."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from twinlab._files import replace_file
from twinlab.errors import CorruptionError, HistoryConflictError
from twinlab.history.layout.grid import floor_midnight
from twinlab.history.store import publish
from twinlab.history.store.byte_store import IcechunkBytes
from twinlab.history.store.catalog import Catalog
from twinlab.history.store.chunk_reader import seal_path
from twinlab.history.store.codecs import CODEC
from twinlab.history.store.view import View, open_view

__all__ = ["ORIGIN_NS", "create_history", "existing_path", "open_history", "repository_path"]

#: 2000-01-01, the model's default origin.
ORIGIN_NS = 946_684_800_000_000_000


def repository_path(root: Path) -> Path:
    """Return where the Icechunk repository of the history in ``root`` is."""
    return Path(root) / "icechunk"


def existing_path(root: Path) -> Path:
    """Return where the Icechunk repository of the history in ``root`` is.

    Raises
    ------
    CorruptionError
        If there is none.
    """
    path = repository_path(root)
    if not path.is_dir():
        msg = f"expected a history in {root}, found none; run `twinlab rebuild`"
        raise CorruptionError(msg)
    return path


def create_history(root: Path, *, origin_ns: int = ORIGIN_NS, codec: str = CODEC) -> None:
    """Create an empty history in a directory; ``origin_ns`` is the model's and is floored to UTC midnight.

    The values of its compacted cells will have the ``codec``. Readers find either no history or a complete one: it is made in
    a draft, which is moved to its place.

    Raises
    ------
    HistoryConflictError
        If the directory already has one.
    """
    final = repository_path(root)
    if final.exists() and any(final.iterdir()):
        raise _conflict(root)
    root.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=root))
    try:
        snapshot = _make(repository_path(draft), origin_ns=origin_ns, codec=codec)
        # The seal first, without which the repository doesn't open.
        seals = seal_path(final, snapshot)
        seals.parent.mkdir(exist_ok=True)
        replace_file(seal_path(repository_path(draft), snapshot), seals)
        try:
            replace_file(repository_path(draft), final)
        except OSError as error:
            if not final.is_dir():
                raise
            raise _conflict(root) from error
        publish.sync_filesystem(root)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _conflict(root: Path) -> HistoryConflictError:
    msg = f"expected no history in {root} yet, but there is one; open it, or remove the directory to rebuild"
    return HistoryConflictError(msg)


def _make(path: Path, *, origin_ns: int, codec: str) -> str:
    """Make a repository with an empty history and return its snapshot."""
    repository = publish.create(path)
    session = publish.start(repository)
    attributes = Catalog(floor_midnight(origin_ns), codec=codec).to_attributes()
    body = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    IcechunkBytes(session).put("zarr.json", json.dumps(body).encode())
    return publish.publish(repository, session, "create", path=path, metadata={}, seal={})


def open_history(root: Path, *, branch: str = publish.MAIN) -> View:
    """Return the newest published state of the history in a directory, or that of another branch; needs no lock.

    Raises
    ------
    CorruptionError
        If there is no history, or it doesn't open.
    """
    return open_view(existing_path(root), branch=branch)
