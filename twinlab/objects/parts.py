"""Read parts of immutable objects by name: from the files of a folder, or from a bucket in parallel, through a cache on the disk.

Both have the same methods, so that what reads chunks has one path of code.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import NamedTuple, Protocol

from twinlab._files import open_binary
from twinlab.objects.bucket import Bucket, Missing
from twinlab.objects.disk_cache import DiskCache
from twinlab.objects.waiting import side_by_side

__all__ = ["FileParts", "MissingPartError", "ObjectParts", "Part", "PartReader"]

#: Requests of this process that are under way at the same time: one takes 20 ms or more, of which nearly all is waiting.
_TOGETHER = BoundedSemaphore(32)
#: Objects of at most so many bytes are fetched whole: one request instead of one for the index and one for each run of tiles.
_SMALL = 16 * 2**10


class Part(NamedTuple):
    """Bytes ``first .. end - 1`` of an object of ``size`` bytes; a size of 0 isn't known."""

    name: str
    first: int
    end: int
    size: int = 0


class MissingPartError(Exception):
    """An object isn't there, or is too short; ``number`` is that of the part that was asked for."""

    def __init__(self, reason: str, number: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.number = reason, number


class PartReader(Protocol):
    """Reads objects whose bytes never change."""

    @property
    def far(self) -> bool:
        """Whether a read mostly waits, so that several at the same time take as long as one."""

    def whole(self, name: str) -> bytes:
        """Return all bytes of an object; raises MissingPartError."""

    def parts(self, wanted: Sequence[Part]) -> list[bytes]:
        """Return parts of objects, in their order; raises MissingPartError."""


class FileParts:
    """Objects that are files of a folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a").write_bytes(b"abcdef")
    >>> FileParts(folder).parts([Part("a", 1, 3), Part("a", 4, 6)])
    [b'bc', b'ef']
    """

    far = False

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}/"

    def whole(self, name: str) -> bytes:
        """Return all bytes of a file."""
        try:
            return Path(self._folder + name).read_bytes()
        except OSError as error:
            msg = f"they can't be read ({error.strerror})"
            raise MissingPartError(msg) from error

    def parts(self, wanted: Sequence[Part]) -> list[bytes]:
        """Return parts of files, one after the other: the disk is near."""
        return [self._one(number, part) for number, part in enumerate(wanted)]

    def _one(self, number: int, part: Part) -> bytes:
        try:
            descriptor = open_binary(self._folder + part.name, os.O_RDONLY)
        except OSError as error:
            msg = f"they can't be read ({error.strerror})"
            raise MissingPartError(msg, number) from error
        try:
            os.lseek(descriptor, part.first, os.SEEK_SET)
            data = os.read(descriptor, part.end - part.first)
        finally:
            os.close(descriptor)
        if len(data) != part.end - part.first:
            msg = "the file is too short"
            raise MissingPartError(msg, number)
        return data


class ObjectParts:
    """Objects below a prefix of a bucket; parts are fetched in parallel, and kept in a cache.

    Parameters
    ----------
    bucket : Bucket
    prefix : str
        Of the objects' names, without a slash at the end.
    cache : DiskCache
    fetched : callable, optional
        Returns objects that were fetched before, by name.
    """

    far = True

    def __init__(
        self,
        bucket: Bucket,
        prefix: str,
        cache: DiskCache,
        *,
        fetched: Callable[[], Mapping[str, bytes]] | None = None,
    ) -> None:
        self._bucket, self._prefix, self._cache = bucket, prefix, cache
        self._read_fetched = fetched
        self._lock = Lock()
        # By key: what another thread asks for at this moment.
        self._under_way: dict[str, Future[bytes]] = {}

    @cached_property
    def _fetched(self) -> Mapping[str, bytes]:
        return {} if self._read_fetched is None else self._read_fetched()

    def whole(self, name: str) -> bytes:
        """Return all bytes of an object."""
        found = self._fetched.get(name)
        return self._get(Part(name, 0, 0)) if found is None else found

    def parts(self, wanted: Sequence[Part]) -> list[bytes]:
        """Return parts of objects; what isn't in the cache is asked for at the same time."""
        fetched = [
            part if part.size > _SMALL or not part.size else Part(part.name, 0, part.size, part.size) for part in wanted
        ]
        found: dict[Part, bytes] = {}
        for part in dict.fromkeys(fetched):
            cached = self._cache.get(self._key(part)) if part.end > part.first else b""
            if cached is not None:
                found[part] = cached
        missing = [part for part in dict.fromkeys(fetched) if part not in found]
        found |= dict(zip(missing, side_by_side(self._fetch, missing), strict=True))
        out = []
        for number, (part, source) in enumerate(zip(wanted, fetched, strict=True)):
            data = found[source]
            data = data if part == source else data[part.first : part.end]
            if len(data) != part.end - part.first:
                msg = "the object is too short"
                raise MissingPartError(msg, number)
            out.append(data)
        return out

    def _key(self, part: Part) -> str:
        # By content: an object's name has its hash or a random id, and never another content.
        return f"{part.name} {part.first} {part.end}"

    def _get(self, part: Part) -> bytes:
        found = self._cache.get(self._key(part))
        return self._fetch(part) if found is None else found

    def _fetch(self, part: Part) -> bytes:
        """Return a part that isn't in the cache; one that another thread asks for at this moment isn't asked for again."""
        key = self._key(part)
        with self._lock:
            other = self._under_way.get(key)
            mine = self._under_way[key] = Future() if other is None else other
        if other is not None:
            return other.result()
        try:
            data = self._request(part)
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(data)
            return data
        finally:
            del self._under_way[key]

    def _request(self, part: Part) -> bytes:
        name = f"{self._prefix}/{part.name}"
        try:
            with _TOGETHER:
                if part.end and (part.first, part.end) != (0, part.size):
                    data = self._bucket.part(name, part.first, part.end)
                else:
                    data, _ = self._bucket.get(name)
        except Missing as error:
            msg = f"the object isn't in {self._bucket.address.place}"
            raise MissingPartError(msg) from error
        self._cache.put(self._key(part), data)
        return data
