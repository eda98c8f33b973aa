"""Atomic writing of files, and checks of their suffix."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from twinlab._files import replace_file
from twinlab.errors import SchemaError, SourceError
from twinlab.model.terms import nearest

__all__ = ["check_suffix", "write_atomically"]


def check_suffix(path: Path, suffixes: tuple[str, ...], what: str) -> str:
    """Return the suffix of a path, in lower case.

    Raises
    ------
    SchemaError
        If it's none of ``suffixes``.
    """
    suffix = path.suffix.casefold()
    if suffix not in suffixes:
        known = ", ".join(suffixes[:-1]) + f" or {suffixes[-1]}" if len(suffixes) > 1 else suffixes[0]
        msg = f"expected {what} ending in {known}, got {path.name!r}{nearest(suffix, suffixes)}"
        raise SchemaError(msg)
    return suffix


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` make a temporary file in the same folder, then replace the file at ``path`` by it.

    Raises
    ------
    SourceError
        If the file can't be written.
    """
    draft = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(draft)
            replace_file(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        msg = f"{path} can't be written: {error.strerror or error}; free some space or choose another place"
        raise SourceError(msg) from error
    return path
