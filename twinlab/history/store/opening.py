"""Create the history's repository in a folder, or open its published state for reading."""

from __future__ import annotations

import json
from pathlib import Path

from twinlab.errors import CorruptionError, HistoryConflictError
from twinlab.history.layout.grid import floor_midnight
from twinlab.history.store import publish
from twinlab.history.store.byte_store import IcechunkBytes
from twinlab.history.store.catalog import Catalog
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

    The values of its compacted cells will have the ``codec``.

    Raises
    ------
    HistoryConflictError
        If the directory already has one.
    """
    path = repository_path(root)
    if path.exists() and any(path.iterdir()):
        msg = f"expected no history in {root} yet, but there is one; open it, or remove the directory to rebuild"
        raise HistoryConflictError(msg)
    repository = publish.create(path)
    session = publish.start(repository)
    attributes = Catalog(floor_midnight(origin_ns), codec=codec).to_attributes()
    body = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    IcechunkBytes(session).put("zarr.json", json.dumps(body).encode())
    publish.publish(repository, session, "create", path=path, metadata={}, seal={})


def open_history(root: Path, *, branch: str = publish.MAIN) -> View:
    """Return the newest published state of the history in a directory, or that of another branch; needs no lock.

    Raises
    ------
    CorruptionError
        If there is no history, or it doesn't open.
    """
    return open_view(existing_path(root), branch=branch)
