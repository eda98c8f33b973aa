"""A file appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from twinlab.errors import SchemaError, SourceError
from twinlab.model.terms import nearest

__all__ = ["check_suffix", "write_atomically"]


def check_suffix(path: Path, endings: tuple[str, ...], what: str) -> str:
    """Return the path's ending.

    Raises
    ------
    SchemaError
        If it's none of ``endings``.
    """
    ending = path.suffix.casefold()
    if ending not in endings:
        known = ", ".join(endings[:-1]) + f" or {endings[-1]}" if len(endings) > 1 else endings[0]
        msg = f"expected {what} ending in {known}, got {path.name!r}{nearest(ending, endings)}"
        raise SchemaError(msg)
    return ending


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` make the file beside its place and move it there; what stood there is replaced.

    Raises
    ------
    SourceError
        If the disk refuses.
    """
    draft = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        msg = f"{path} can't be written: {error.strerror or error}; free some space or choose another place"
        raise SourceError(msg) from error
    return path
