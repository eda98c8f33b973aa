"""Files that only their owner may read: written in one step, their permissions checked before reading."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from twinlab._files import replace_file, sync_folder
from twinlab.errors import SourceError

__all__ = ["check_private", "write_private"]


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step by one that only its owner can read; it is durable when this returns.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    text : str
        Written as UTF-8.
    """
    # mkstemp gives mode 0600.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        replace_file(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def check_private(path: Path) -> None:
    """Check that only a file's owner may read or write it.

    Raises
    ------
    SourceError
        If there is no such file, or its mode lets other users read or write it.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}"
        raise SourceError(msg) from error
    # Windows has no such modes: there, the folder's access list decides.
    if os.name != "nt" and mode & 0o077:
        msg = f"expected a file that only its owner can read, but {path} has mode {mode & 0o777:04o}; run: chmod 600 {path}"
        raise SourceError(msg)
