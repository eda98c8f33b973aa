"""A bounded cache of bytes on the disk, shared by processes: what was used longest ago goes first."""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path

import google_crc32c
import platformdirs

from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError, SchemaError

__all__ = ["DiskCache", "cache_folder", "cache_limit"]

#: Bytes that the cache may take, unless ``TWINLAB_OBJECT_CACHE`` says something else.
_LIMIT = 5 * 10**9
#: Share of the limit that a process may add before it looks whether something must go; and what is left then.
_UNCHECKED, _LEFT = 1 / 16, 0.9
#: Seconds after which a file that is read again counts as used again.
_FRESH = 60
_CRC_BYTES = 4
_SIZES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


def cache_folder() -> Path:
    """Return the folder of what was read from object stores: in ``$TWINLAB_CACHE``, or in the user's cache folder."""
    return Path(os.environ.get("TWINLAB_CACHE") or platformdirs.user_cache_path("twinlab")) / "objects"


def cache_limit() -> int:
    """Return the bytes that the cache may take: ``$TWINLAB_OBJECT_CACHE``, such as "20 GB", or 5 GB.

    Raises
    ------
    SchemaError
        If the variable isn't a size.
    """
    text = os.environ.get("TWINLAB_OBJECT_CACHE", "")
    if not text:
        return _LIMIT
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(MB|GB|TB)\s*", text)
    if found is None:
        msg = f"TWINLAB_OBJECT_CACHE: expected a size such as '500 MB' or '20 GB', got {text!r}"
        raise SchemaError(msg)
    return int(float(found[1]) * _SIZES[found[2]])


class DiskCache:
    """Bytes by name; the content under a name never changes.

    Parameters
    ----------
    folder : Path
        Created by the first `put`. If it can't be written, nothing is cached.
    limit : int
        Bytes that all files may take. Each process checks after it has added a sixteenth of it, so that many processes at once may be
        above it by so much each.

    Examples
    --------
    >>> import tempfile
    >>> cache = DiskCache(Path(tempfile.mkdtemp()), limit=10**6)
    >>> cache.put("chunks/7.0-3", b"abc")
    >>> cache.get("chunks/7.0-3"), cache.get("chunks/8.0-3")
    (b'abc', None)
    """

    def __init__(self, folder: Path, *, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self._added = 0

    def path(self, name: str) -> Path:
        """Return the file of a name."""
        found = hashlib.blake2b(name.encode(), digest_size=20).hexdigest()
        return self.folder / found[:2] / found[2:]

    def get(self, name: str) -> bytes | None:
        """Return the bytes of a name; None if they aren't there, or damaged."""
        path = self.path(name)
        try:
            with path.open("rb", buffering=0) as file:
                data = file.read()
                used = os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        body, crc = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
        if google_crc32c.value(body).to_bytes(_CRC_BYTES, "big") != crc:
            with suppress(OSError):
                path.unlink()
            return None
        if time.time() - used > _FRESH:
            with suppress(OSError):
                os.utime(path)
        return body

    def put(self, name: str, data: bytes) -> None:
        """Store the bytes of a name; a full disk or a folder without permission is no error."""
        path = self.path(name)
        draft = path.with_name(f".{os.getpid()}-{os.urandom(4).hex()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(data + google_crc32c.value(data).to_bytes(_CRC_BYTES, "big"))
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            return
        self._added += len(data)
        if self._added > self.limit * _UNCHECKED:
            self._added = 0
            self.trim()

    def trim(self) -> None:
        """Remove what was used longest ago if the files take more than the limit; only one process does at a time."""
        with suppress(HistoryConflictError, OSError), Lock(self.folder / "trim.lock", what="the cache", named=False):
            found = []
            for path in self.folder.glob("??/*"):
                with suppress(OSError):
                    state = path.stat()
                    found.append((state.st_mtime_ns, state.st_size, path))
            total = sum(size for _, size, _ in found)
            if total <= self.limit:
                return
            for _, size, path in sorted(found, key=lambda one: one[:2]):
                if total <= self.limit * _LEFT:
                    return
                with suppress(OSError):
                    path.unlink()
                    total -= size
