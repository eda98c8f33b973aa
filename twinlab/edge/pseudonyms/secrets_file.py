"""A file of secrets for pseudonyms, on the machine that replaces names: each with the time from which it is used."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import NamedTuple

from twinlab._files import replace_file, sync_folder
from twinlab.errors import SchemaError, SourceError
from twinlab.signing.subjects.ciphers import KEY_BYTES

__all__ = ["Secret", "SecretsFile", "create_secrets", "rotate_secrets"]


class Secret(NamedTuple):
    """A secret, and the time of the first rows for which it is used."""

    start: int
    """ns UTC. The first secret of a file is used for all earlier rows, too."""
    key: bytes


def create_secrets(path: Path) -> None:
    """Make a file with one secret, which only its owner can read.

    Raises
    ------
    SchemaError
        If there is such a file: with another secret all people get other pseudonyms.
    SourceError
        If it can't be written.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "names.json"
    >>> create_secrets(path)
    >>> len(SecretsFile(path).read())
    1
    """
    if path.exists():
        msg = f"{path}: expected a new file, this one exists; --rotate adds another secret to it"
        raise SchemaError(msg)
    _write(path, [Secret(0, os.urandom(KEY_BYTES))])


def rotate_secrets(path: Path, *, now: int | None = None, forget: bool = False) -> None:
    """Add another secret: rows from now on have pseudonyms that nobody can link to the earlier ones without both.

    Parameters
    ----------
    path : Path
    now : int, optional
        ns UTC; this machine's clock by default.
    forget : bool
        Remove the earlier secrets. Nobody can find out any more whom their pseudonyms belong to; rows of earlier times that come later get
        pseudonyms of the new one.

    Raises
    ------
    SchemaError
        If the file can't be read.
    SourceError
        If it can't be written.
    """
    earlier = SecretsFile(path).read()
    start = max(time.time_ns() if now is None else now, earlier[-1].start + 1)
    _write(path, [*([] if forget else earlier), Secret(start, os.urandom(KEY_BYTES))])


class SecretsFile:
    """Reads a file of secrets, again if it was changed.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._found: tuple[Secret, ...] = ()

    def read(self) -> tuple[Secret, ...]:
        """Return the secrets, the earliest first; the same object as long as the file is the same.

        Raises
        ------
        SchemaError
            If the file isn't there, others than its owner may read it, or it isn't one.
        """
        try:
            about = self._path.stat()
            stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
            if stamp == self._stamp:
                return self._found
            given = json.loads(self._path.read_bytes())["secrets"]
            found = tuple(sorted(Secret(int(one["from"]), bytes.fromhex(one["key"])) for one in given))
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = f"{self._path}: expected a file of secrets that twinlab pseudonym-key made, got: {error}; no row is stored without it"
            raise SchemaError(msg) from error
        if os.name == "posix" and about.st_mode & 0o077:
            msg = f"{self._path}: expected a file that only its owner can read, got one that others can; run: chmod 600 {self._path}"
            raise SchemaError(msg)
        if not found or any(len(one.key) != KEY_BYTES for one in found):
            msg = f"{self._path}: expected secrets of {KEY_BYTES} bytes, at least one"
            raise SchemaError(msg)
        self._stamp, self._found = stamp, found
        return found


def _write(path: Path, secrets: list[Secret]) -> None:
    text = json.dumps({"secrets": [{"from": one.start, "key": one.key.hex()} for one in secrets]}, indent=1)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        replace_file(draft, path)
        sync_folder(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        msg = f"{path}: secrets can't be written: {error.strerror}"
        raise SourceError(msg) from error
