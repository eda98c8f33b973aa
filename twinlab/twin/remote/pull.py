"""Bring a pushed twin into a folder: what is there already isn't fetched again, all is checked by SHA-256, the model comes last."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from twinlab._files import replace_file, write_atomically
from twinlab._locks import Lock
from twinlab.errors import CorruptionError, HistoryConflictError
from twinlab.history.remote.repository import REPOSITORY
from twinlab.history.store.publish import sync_filesystem
from twinlab.objects.address import Address
from twinlab.objects.bucket import Bucket, Missing
from twinlab.twin.definitions import MODEL
from twinlab.twin.progress import progress_bar
from twinlab.twin.remote.contents import chunk_names, snapshot_names
from twinlab.twin.remote.derived import DERIVED, FOLDERS, list_name, listed_files
from twinlab.twin.remote.head import Head, Pieces, pushed_objects, read_head
from twinlab.twin.remote.push import list_cache

__all__ = ["Fetching", "PullReport", "fetch_file", "fetch_piece", "file_order", "pull", "refer", "same_content"]

_TOGETHER = 8
#: Beside the twin while it is incomplete, and afterwards: which push the folder has.
_STATE = ".pulled.json"


@dataclass(frozen=True)
class PullReport:
    """What a pull did."""

    folder: Path
    push: int
    """Number of the push that the folder has now."""
    objects: int
    """Objects that were fetched."""
    bytes: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.folder}: push {self.push}: {self.objects} objects, {self.bytes / 1e6:,.2f} MB ({self.seconds:.1f} s)"


def pull(url: str | Address, folder: str | Path) -> PullReport:
    """Bring a twin from an object store into a folder; interrupted, it is continued by another call.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``.
    folder : path
        A new folder, or one that was pulled before and not written to since.

    Raises
    ------
    SourceError
        If there is no complete twin, or the store can't be read.
    HistoryConflictError
        If the folder has a twin that wasn't pulled from there, or was changed since.
    CorruptionError
        If an object differs from what was pushed; nothing of it is in the folder.
    """
    began = time.perf_counter()
    address, root = url if isinstance(url, Address) else Address.parse(url), Path(folder)
    bucket = Bucket(address)
    head = read_head(bucket)
    _check_folder(root, head, address)
    root.mkdir(parents=True, exist_ok=True)
    with Lock(root / "push.lock", what=f"pulling into {root}"), progress_bar("pull", unit="B") as show:
        before = _derived_before(root)
        _note(root, head, address, complete=False, derived=sorted(before))
        run = Fetching(bucket, root, pushed_objects(bucket, list_cache()), show)
        files = {path: pieces for path, pieces in head.files.items() if not same_content(root / path, pieces)}
        seal = f"history/seals/{head.snapshot}"
        run.files({path: pieces for path, pieces in files.items() if path == seal})
        run.objects(snapshot_names(root / REPOSITORY, head.snapshot))
        run.objects(chunk_names(root / REPOSITORY, head.snapshot))
        run.files({path: files[path] for path in sorted(files, key=file_order) if path.startswith("ledger/")})
        refer(root, head.snapshot)
        sync_filesystem(root)
        derived = _derived_files(bucket, head)
        run.files_in_any_order({path: one for path, one in derived.items() if not same_content(root / path, one)})
        for path in before - set(derived):
            (root / path).unlink(missing_ok=True)
        run.files(
            {
                path: files[path]
                for path in sorted(files, key=file_order)
                if not path.startswith(("ledger/", "history/", DERIVED))
            }
        )
        _note(root, head, address, complete=True, derived=sorted(derived))
    return PullReport(root, head.push, run.count, run.done, time.perf_counter() - began)


@dataclass
class Fetching:
    """What one pull, or the restoring of a backup, has fetched."""

    bucket: Bucket
    root: Path
    stated: Mapping[str, tuple[int, str]]
    show: Callable[[int, int], None]
    count: int = 0
    done: int = 0
    total: int = 0

    def objects(self, names: Iterable[str]) -> None:
        """Fetch those objects of the repository that aren't there, in parallel."""
        wanted = {}
        for name in names:
            key = f"{REPOSITORY}/{name}"
            stated = self.stated.get(key)
            if stated is None:
                msg = f"{self.bucket.address.place}: no push states object {key}; push the twin again from its folder"
                raise CorruptionError(msg)
            if not _is_there(self.root / key, stated[0]):
                wanted[key] = stated
        self.total += sum(size for size, _ in wanted.values())
        with ThreadPoolExecutor(_TOGETHER, thread_name_prefix="pull") as threads:
            for size in threads.map(lambda one: _fetch_object(self.bucket, self.root / one[0], *one), wanted.items()):
                self._count(size)

    def files(self, wanted: Mapping[str, Pieces]) -> None:
        """Fetch files, in their order."""
        self.total += sum(size for pieces in wanted.values() for size, _ in pieces)
        for path, pieces in wanted.items():
            self._count(fetch_file(self.bucket, self.root / path, pieces))

    def files_in_any_order(self, wanted: Mapping[str, Pieces]) -> None:
        """Fetch files in parallel."""
        self.total += sum(size for pieces in wanted.values() for size, _ in pieces)
        with ThreadPoolExecutor(_TOGETHER, thread_name_prefix="pull") as threads:
            for size in threads.map(lambda one: fetch_file(self.bucket, self.root / one[0], one[1]), wanted.items()):
                self._count(size)

    def _count(self, size: int) -> None:
        self.count += 1
        self.done += size
        self.show(self.done, self.total)


def file_order(path: str) -> tuple[int, str]:
    """Sort files such that what refers to others comes after them, and the model last: a folder without it isn't a twin."""
    name = path.rpartition("/")[2]
    return {"manifest.json": 1, "position": 2, MODEL: 3}.get(name, 0), path


def fetch_piece(bucket: Bucket, size: int, sha: str) -> bytes:
    """Return a piece of a file.

    Raises
    ------
    CorruptionError
        If it isn't there, or differs from what was pushed.
    """
    return _checked(bucket, f"files/{sha}", size, sha)


def fetch_file(bucket: Bucket, path: Path, pieces: Pieces) -> int:
    """Write a file of the twin's folder, in one step; return its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    size = 0
    try:
        with draft.open("wb") as file:
            for length, sha in pieces:
                size += file.write(fetch_piece(bucket, length, sha))
        replace_file(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return size


def _fetch_object(bucket: Bucket, path: Path, name: str, stated: tuple[int, str]) -> int:
    data = _checked(bucket, name, *stated)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda draft: draft.write_bytes(data))
    return len(data)


def _checked(bucket: Bucket, name: str, size: int, sha: str) -> bytes:
    try:
        data, _ = bucket.get(name)
    except Missing as error:
        msg = f"{bucket.address.place}: object {name} is missing; push the twin again from its folder"
        raise CorruptionError(msg) from error
    if len(data) != size or hashlib.sha256(data).hexdigest() != sha:
        msg = (
            f"{bucket.address.place}: object {name} differs from what was pushed (expected {size} bytes with the SHA-256 {sha[:16]}…, got "
            f"{len(data)} bytes); remove it and push the twin again from its folder"
        )
        raise CorruptionError(msg)
    return data


def _is_there(path: Path, size: int) -> bool:
    # Names are random ids, and files are moved to their place when they are whole.
    return path.is_file() and path.stat().st_size == size


def same_content(path: Path, pieces: Pieces) -> bool:
    """Whether a file has the content of its pieces."""
    if not _is_there(path, sum(size for size, _ in pieces)):
        return False
    with path.open("rb") as file:
        return all(hashlib.sha256(file.read(size)).hexdigest() == sha for size, sha in pieces)


def refer(root: Path, snapshot: str) -> None:
    """Let the branches of the repository name the pushed snapshot."""
    text = json.dumps({"snapshot": snapshot}, separators=(",", ":"))
    for branch in ("main", "staging"):
        path = root / REPOSITORY / "refs" / f"branch.{branch}" / "ref.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def _derived_files(bucket: Bucket, head: Head) -> dict[str, Pieces]:
    """Return models, predictions and scenarios of a push: path in the twin's folder -> pieces."""
    found: dict[str, Pieces] = {}
    for folder in FOLDERS:
        pieces = head.files.get(list_name(folder))
        if pieces is not None:
            data = b"".join(fetch_piece(bucket, size, sha) for size, sha in pieces)
            found |= listed_files(data, folder, bucket.address.url)
    return found


def _derived_before(root: Path) -> set[str]:
    """Return those of the pull before, of which some may have been replaced since."""
    found = _state(root).get("derived")
    return {str(path) for path in found} if isinstance(found, list) else set()


def _state(root: Path) -> Mapping[str, object]:
    try:
        found: Mapping[str, object] = json.loads((root / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _note(root: Path, head: Head, address: Address, *, complete: bool, derived: Sequence[str]) -> None:
    state = {
        "twin": head.twin, "url": address.url, "push": head.push, "snapshot": head.snapshot, "complete": complete, "derived": derived,
    }  # fmt: skip
    write_atomically(root / _STATE, lambda draft: draft.write_text(json.dumps(state), encoding="utf-8"))


def _check_folder(root: Path, head: Head, address: Address) -> None:
    """Check that nothing in a folder would be lost."""
    if not root.exists() or not any(root.iterdir()):
        return
    state = _state(root)
    if state.get("twin") != head.twin:
        msg = f"{root}: expected a new folder, or one that twin {head.name!r} was pulled into; choose another folder"
        raise HistoryConflictError(msg)
    if not state.get("complete"):
        return
    from twinlab.ledger import Ledger  # noqa: PLC0415

    ledger = Ledger(root / "ledger")
    ahead = [name for name in ledger.sources() if ledger.reader(name).position() > head.positions.get(name, 0)]
    if ahead:
        msg = f"{root}: source {ahead[0]!r} has rows here that {address.url} doesn't have; push them, or pull into another folder"
        raise HistoryConflictError(msg)
