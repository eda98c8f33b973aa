"""Objects that are files of a folder, with the requests of a `Bucket`: a disk, or a share of the network."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from twinlab._files import replace_file, sync_file, sync_folder
from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError, SourceError
from twinlab.objects.address import Address, is_address
from twinlab.objects.bucket import Bucket, Listed, Missing

__all__ = ["FolderAddress", "FolderBucket", "bucket_at"]

_DRAFT = ".draft-"
#: Seconds that a replacement waits for another one.
_PATIENCE = 10.0


@dataclass(frozen=True)
class FolderAddress(Address):
    """A folder as an address."""

    folder: Path = Path()

    @property
    def url(self) -> str:
        """The folder's path."""
        return str(self.folder)

    @property
    def place(self) -> str:
        """The folder's path, for messages."""
        return str(self.folder)


class FolderBucket(Bucket):
    """Files below a folder, by the names that objects have. What is written is on the disk when a method returns.

    Parameters
    ----------
    folder : Path
        Made by the first write.

    Examples
    --------
    >>> import tempfile
    >>> bucket = FolderBucket(Path(tempfile.mkdtemp()))
    >>> version = bucket.create("files/a", b"abcdef")
    >>> bucket.part("files/a", 1, 3), [one.name for one in bucket.list("files")]
    (b'bc', ['files/a'])
    """

    def __init__(self, folder: Path) -> None:
        self.address: FolderAddress = FolderAddress("", folder=Path(folder))

    def __reduce__(self) -> tuple[type[FolderBucket], tuple[Path]]:  # type: ignore[override]
        """Pickle as the folder."""
        return FolderBucket, (self.address.folder,)

    def get(self, name: str) -> tuple[bytes, str | None]:
        """Return a file's bytes and its version; raises as `Bucket.get`."""
        with self._explaining("read", name):
            data = self._path(name).read_bytes()
        return data, hashlib.sha256(data).hexdigest()

    def part(self, name: str, first: int, end: int) -> bytes:
        """Return the bytes ``first .. end - 1`` of a file; raises as `Bucket.get`."""
        with self._explaining("read", name), self._path(name).open("rb") as file:
            file.seek(first)
            return file.read(end - first)

    def put(self, name: str, data: bytes | Path) -> None:
        """Write a file in one step; raises as `Bucket.put`."""
        with self._explaining("write", name), self._draft(name, data) as draft:
            replace_file(draft, self._path(name))
            sync_folder(self._path(name).parent)

    def create(self, name: str, data: bytes) -> str | None:
        """Write a file that isn't there yet; raises as `Bucket.create`."""
        with self._explaining("write", name), self._draft(name, data) as draft:
            try:
                os.link(draft, self._path(name))
            except FileExistsError as error:
                raise self._conflict(name) from error
            except OSError:
                # A file system without hard links.
                with self._locked():
                    if self._path(name).exists():
                        raise self._conflict(name) from None
                    replace_file(draft, self._path(name))
            sync_folder(self._path(name).parent)
        return hashlib.sha256(data).hexdigest()

    def replace(self, name: str, data: bytes, version: str | None) -> str | None:
        """Replace the version of a file that `get` returned; raises as `Bucket.replace`."""
        with self._locked():
            try:
                found = self.get(name)[1]
            except Missing:
                found = None
            if found != version:
                raise self._conflict(name)
            self.put(name, data)
        return hashlib.sha256(data).hexdigest()

    def delete(self, *names: str) -> None:
        """Remove files that are there."""
        for name in names:
            with self._explaining("write", name), suppress(FileNotFoundError):
                self._path(name).unlink()

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """Yield the files below a folder, without drafts that a killed process left."""
        root = self.address.folder
        with self._explaining("list", prefix or "its files"):
            for path in sorted((root / prefix).rglob("*")):
                if path.is_file() and not path.name.startswith("."):
                    yield Listed(path.relative_to(root).as_posix(), path.stat().st_size)

    def check_conditional_writes(self, name: str, data: bytes) -> None:
        """Do nothing: a file is created, or replaced under a lock, by one process at a time."""

    # -- inside ----------------------------------------------------------------------------------------------------
    def _path(self, name: str) -> Path:
        return self.address.folder / name

    def _locked(self) -> Lock:
        self.address.folder.mkdir(parents=True, exist_ok=True)
        return Lock(self.address.folder / ".lock", what=str(self.address.folder), wait=_PATIENCE, named=False)

    @contextmanager
    def _draft(self, name: str, data: bytes | Path) -> Iterator[Path]:
        """Yield a file with the data beside the one that is to be, on the disk."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{_DRAFT}{path.name}-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            if isinstance(data, Path):
                shutil.copyfile(data, draft)
            else:
                draft.write_bytes(data)
            sync_file(draft)
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _conflict(self, name: str) -> HistoryConflictError:
        msg = f"{self.address.place}: another process has written {name} meanwhile; nothing was replaced, call again"
        return HistoryConflictError(msg)

    @contextmanager
    def _explaining(self, what: str, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            if what == "read":
                raise Missing(name) from error
            msg = f"{self.address.place}: can't {what} {name}: {error.strerror}; check that the disk is mounted"
            raise SourceError(msg) from error
        except OSError as error:
            msg = f"{self.address.place}: can't {what} {name}: {error.strerror}; check disk, space and permissions, then call again"
            raise SourceError(msg) from error


def bucket_at(place: str | Path) -> Bucket:
    """Return what reads and writes objects at a place: an address such as ``s3://bucket/prefix``, or a folder.

    Raises
    ------
    SchemaError
        If an address isn't valid.
    ImportError
        If obstore isn't installed for an address; names the extra.
    """
    return Bucket(Address.parse(str(place))) if is_address(place) else FolderBucket(Path(place).absolute())
