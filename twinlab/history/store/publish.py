"""Open a repository, and publish commits such that a power cut leaves either the old or the new state.

Icechunk doesn't sync local files. A commit therefore goes to the branch ``staging`` and is flushed with syncfs; then
``main`` is moved to it and flushed, too. The branch of a revision is published in the same way, through a staging branch of its
own.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import icechunk

from twinlab.errors import CorruptionError, SourceError
from twinlab.history.remote.repository import address_of, icechunk_storage
from twinlab.history.store.chunk_reader import write_seal

__all__ = [
    "MAIN",
    "REPLACED",
    "STAGING",
    "create",
    "move",
    "open_repository",
    "publish",
    "published",
    "staging_of",
    "start",
    "sync_filesystem",
    "tip",
    "write_errors",
]

MAIN = "main"
STAGING = "staging"
#: Branches that keep a published state for the readers that still use it after a revision was promoted.
REPLACED = "replaced."

# Icechunk logs to stdout, which belongs to the program's output; errors are raised anyway.
icechunk.set_logs_filter("off")


@cache
def _c_library() -> ctypes.CDLL:
    # Found once: the search starts a process.
    return ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)


def sync_filesystem(path: Path) -> None:
    """Flush the file system of ``path`` (syncfs; sync where the C library has none).

    Windows has neither: after a power cut there, the history may not open and is then rebuilt from the ledger, which
    syncs its own files.

    Raises
    ------
    OSError
        If the device reports a failed write.
    """
    if os.name == "nt":
        return
    library = _c_library()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if not hasattr(library, "syncfs"):
            os.sync()
        elif library.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)


def published(path: Path, branch: str = MAIN) -> tuple[int, int, int] | None:
    """Return a value that changes whenever something is published, first the time in ns; None if nothing was."""
    try:
        found = (path / "refs" / f"branch.{branch}" / "ref.json").stat()
    except FileNotFoundError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size)


def create(path: Path) -> icechunk.Repository:
    """Create an empty repository in a directory that has none."""
    path.mkdir(parents=True, exist_ok=True)
    return icechunk.Repository.create(icechunk.local_filesystem_storage(str(path)))


def open_repository(path: Path) -> icechunk.Repository:
    """Open the repository in a directory.

    Raises
    ------
    CorruptionError
        If there is none, or it doesn't open.
    """
    address = address_of(path)
    storage = icechunk.local_filesystem_storage(str(path)) if address is None else icechunk_storage(address)
    try:
        return icechunk.Repository.open(storage)
    except icechunk.IcechunkError as error:
        msg = (
            f"expected a history in {path}, but it doesn't open ({_first_line(error)}); "
            "run `twinlab rebuild`, which builds it from the ledger"
        )
        raise CorruptionError(msg) from error


def tip(path: Path, branch: str) -> str:
    """Return the newest snapshot of a branch; raises as Icechunk and `open_repository` do.

    A repository in an object store is read as the local references say, which were fetched with all that belongs to them.
    """
    if address_of(path) is None:
        return open_repository(path).lookup_branch(branch)
    try:
        text = (path / "refs" / f"branch.{branch}" / "ref.json").read_text(encoding="utf-8")
        return str(json.loads(text)["snapshot"])
    except (OSError, ValueError, KeyError) as error:
        msg = (
            f"expected the branch {branch!r} in {path}, it can't be read ({error}); open the twin again by its address"
        )
        raise CorruptionError(msg) from error


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn errors of Icechunk and of the disk during writing into an error that says what to do.

    Raises
    ------
    SourceError
        If the disk is full or can't be written. What is published stays unchanged, and the ledger has every
        acknowledged row.
    """
    try:
        yield
    except (icechunk.IcechunkError, OSError) as error:
        full = "No space left" in str(error) or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full (no space left on device)" if full else f"it can't be written ({_first_line(error)})"
        msg = (
            f"history in {path}: {what}. The ledger has every acknowledged row, and the published history is unchanged; "
            "make space, then ingest again or call rebuild"
        )
        raise SourceError(msg) from error


def staging_of(branch: str) -> str:
    """Return the name of the branch that the commits of a branch go to before they are published.

    >>> staging_of("main")
    'staging'
    """
    return STAGING if branch == MAIN else f"{STAGING}.{branch}"


def start(repository: icechunk.Repository, branch: str = MAIN) -> icechunk.Session:
    """Return a writable session on a branch's staging branch, reset to it: commits that a crash left there are dropped."""
    tip, staging = repository.lookup_branch(branch), staging_of(branch)
    if staging in repository.list_branches():
        repository.reset_branch(staging, tip)
    else:
        repository.create_branch(staging, tip)
    return repository.writable_session(staging)


def publish(
    repository: icechunk.Repository,
    session: icechunk.Session,
    message: str,
    *,
    path: Path,
    metadata: dict[str, object],
    seal: dict[str, int],
    branch: str = MAIN,
) -> str:
    """Commit a session of `start`, seal it and move its branch to it; return the snapshot's id once all is on the disk.

    ``seal`` has the checksums of the snapshot that the session started from.
    """
    snapshot = session.commit(message, metadata=metadata)
    write_seal(path, snapshot, base=seal)
    sync_filesystem(path)
    move(repository, branch, snapshot, path=path)
    return snapshot


def move(repository: icechunk.Repository, branch: str, snapshot: str, *, path: Path) -> None:
    """Move a branch to a snapshot whose files are on the disk; returns once the branch is, too."""
    repository.reset_branch(branch, snapshot)
    sync_filesystem(path)
