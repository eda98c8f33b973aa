"""Files on POSIX and on Windows: names, binary access, atomic writing, replacement, syncing."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from twinlab.errors import SourceError

__all__ = ["disk_usage", "file_name", "open_binary", "replace_file", "sync_file", "sync_folder", "write_atomically"]

_WINDOWS = os.name == "nt"
#: Seconds for which Windows is asked again to replace a file that another process has open.
_PATIENCE = 2.0
_PAUSE = 0.01
#: Names that Windows gives to devices, with any extension.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(1, 10))})


def disk_usage(folder: Path) -> tuple[int, int]:
    """Return the number of files below a folder, and their bytes; files that are removed meanwhile don't count."""
    files = total = 0
    for path in folder.rglob("*") if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.is_file():
                total += path.stat().st_size
                files += 1
    return files, total


def file_name(name: str, *, safe: str = "") -> str:
    """Return a name as one part of a path that every system accepts; `urllib.parse.unquote` gives the name back.

    Parameters
    ----------
    name : str
        Any text.
    safe : str
        Characters beside letters, digits and ``_.-~`` that needn't be escaped.

    Examples
    --------
    >>> file_name("cold room 7", safe=" "), file_name("a/b:c"), file_name("con"), file_name("v1.")
    ('cold room 7', 'a%2Fb%3Ac', '%63on', 'v1%2E')
    """
    text = quote(name, safe=safe)
    if text.startswith(".") or text.split(".")[0].rstrip(" ").casefold() in _DEVICES:
        text = f"%{ord(text[0]):02X}{text[1:]}"
    # Windows drops dots and spaces at the end of a name.
    if text.endswith((".", " ")):
        text = f"{text[:-1]}%{ord(text[-1]):02X}"
    return text or "%"


def open_binary(path: str | Path, flags: int, mode: int = 0o644) -> int:
    """Open a file as `os.open` does, without translation of line ends on Windows; child processes don't inherit it."""
    return os.open(path, flags | getattr(os, "O_BINARY", 0), mode)


def replace_file(draft: Path, target: Path) -> None:
    """Put a file (or folder) in the place of another one in one step.

    Windows refuses while another process has the target open; then it is tried again for two seconds.

    Raises
    ------
    OSError
        If the target can't be replaced.
    """
    until = time.monotonic() + (_PATIENCE if _WINDOWS else 0.0)
    while True:
        try:
            draft.replace(target)
        except PermissionError:
            if time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def write_atomically(target: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` make a temporary file or folder beside the target, then put it in the target's place.

    A full disk or an interrupt leaves no incomplete target.

    Raises
    ------
    SourceError
        If the target can't be written.
    """
    # Writers look at the suffix, but a folder of definitions is read by it: what a killed process leaves must not be one.
    ending = ".draft" if target.suffix in {".yaml", ".yml"} else target.suffix
    draft = target.with_name(f".{target.stem}-{os.getpid()}{ending}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(draft)
            replace_file(draft, target)
        finally:
            if draft.is_dir():
                shutil.rmtree(draft)
            else:
                draft.unlink(missing_ok=True)
    except OSError as error:
        msg = f"{target} can't be written: {error.strerror or error}; free some space or choose another place"
        raise SourceError(msg) from error
    return target


def sync_file(path: Path) -> None:
    """Make the content of a file durable."""
    # Windows syncs only what is open for writing.
    descriptor = open_binary(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Windows can't sync a folder; its file system journals names itself."""
    if _WINDOWS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
