"""Watch: the files of a folder, new ones and those that change, once they are complete."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from fnmatch import fnmatch
from pathlib import Path

from twinlab.errors import TwinlabError
from twinlab.model.basics import Duration, parse_duration
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.model.extensions.options import Options
from twinlab.sources.base import Source
from twinlab.sources.detect import open_source
from twinlab.sources.live.base import SourceBase
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.protocol import Catalogue, LiveBatch, LiveContext

__all__ = ["WATCH", "WatchOptions", "WatchedFolder"]

#: Time and size of a file.
Stamp = tuple[int, int]


class WatchOptions(Options):
    """Options of a folder that is watched."""

    folder: str
    """The folder; a relative path begins in the twin's folder. It may be a mounted share."""
    files: list[str] | None = None
    """Patterns of file names; those of the mapping's ``files`` by default, and all files if it has none."""
    every: Duration = "1s"
    """Time from one check of the folder to the next."""
    stable: Duration = "2s"
    """A file is read once its time and size haven't changed for so long: whoever writes it has finished."""
    recursive: bool = False
    """Whether to watch the folders in it, too."""


class WatchedFolder(SourceBase):
    """A live source whose batches are whole files. A changed file replaces its earlier reading, as with ``twin.ingest``.

    Files that begin with a dot or end in ``.tmp``, ``.part`` or ``.partial`` are left alone until they are renamed.

    Parameters
    ----------
    options : WatchOptions
    context : LiveContext
    """

    not_kept = "all files that are in the folder are read anyway"

    def __init__(self, options: WatchOptions, context: LiveContext) -> None:
        self.name = context.name
        self._context = context
        self._folder = context.folder / options.folder
        self._every, self._stable = (parse_duration(text) / 1e9 for text in (options.every, options.stable))
        self._pattern = "**/*" if options.recursive else "*"
        mapping = context.mapping
        self._names = options.files or (mapping.files if mapping is not None else []) or ["*"]
        self._meter = HealthMeter()
        self._meter.load = {"looks_per_second": 1.0 / self._every}
        # Path in the folder -> stamp of the file that was yielded.
        self._read = {path: _stamp_of(found) for path, found in context.offsets.items()}
        # Path -> (stamp, since when it is so).
        self._seen: dict[str, tuple[Stamp, float]] = {}

    async def catalogue(self) -> Catalogue:
        """Return nothing: files declare their units when they are read."""
        return Catalogue()

    async def batches(self) -> AsyncIterator[LiveBatch]:
        """Yield each complete file that is new or has changed, in the order of their times; check the folder repeatedly, or once."""
        while True:
            try:
                found = await asyncio.to_thread(self._look)
            except OSError as error:
                # Such as a share that isn't mounted at the moment.
                self._meter.disconnected(f"the folder {self._folder} can't be read: {error.strerror or error}")
                found = {}
            else:
                if self._meter.health().state != "connected":
                    self._meter.connected()
            for path in self._complete(found):
                stamp = found[path]
                try:
                    source = await asyncio.to_thread(self._open, path)
                except TwinlabError as error:
                    self._meter.failed_once(f"{path}: {error}")
                    yield LiveBatch(offsets={path: list(stamp)})
                else:
                    yield LiveBatch(file=source, offsets={path: list(stamp)})
                    self._meter.received(0)  # its rows are counted when it is stored
                self._read[path] = stamp
            if self._context.once and not self._waiting(found):
                self._meter.ended()
                return
            await asyncio.sleep(min(self._every, self._stable) if self._context.once else self._every)

    # -- inside ----------------------------------------------------------------------------------------------------
    def _look(self) -> dict[str, Stamp]:
        """Return the stamps of all files that fit, by their paths in the folder."""
        if not self._folder.is_dir():
            raise NotADirectoryError(0, "no such folder", str(self._folder))
        found = {}
        for path in self._folder.glob(self._pattern):
            hidden = any(part.startswith(".") for part in path.relative_to(self._folder).parts)
            if hidden or path.suffix in {".tmp", ".part", ".partial"} or not self._fits(path.name):
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # removed since the folder was listed
            if path.is_file():
                found[path.relative_to(self._folder).as_posix()] = (status.st_mtime_ns, status.st_size)
        return found

    def _fits(self, name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in self._names)

    def _complete(self, found: dict[str, Stamp]) -> list[str]:
        """Return the paths of files to read now: not read as they are, and unchanged for long enough; oldest first."""
        now = time.monotonic()
        for path, stamp in found.items():
            if path not in self._seen or self._seen[path][0] != stamp:
                self._seen[path] = stamp, now
        self._seen = {path: one for path, one in self._seen.items() if path in found}
        ready = [path for path in self._unread(found) if now - self._seen[path][1] >= self._stable]
        return sorted(ready, key=lambda path: (found[path], path))

    def _unread(self, found: dict[str, Stamp]) -> list[str]:
        return [path for path, stamp in found.items() if self._read.get(path) != stamp]

    def _waiting(self, found: dict[str, Stamp]) -> bool:
        """Whether a file isn't complete yet."""
        return bool(self._unread(found))

    def _open(self, path: str) -> Source:
        mapping = self._context.mapping
        reading = mapping.reading if mapping is not None else None
        return open_source(self._folder / Path(path), reading=reading, name=self.name, signatures=mapping is None)


def _stamp_of(found: object) -> Stamp:
    """Return a stamp as the offsets have it; one that no file has if it isn't one."""
    if isinstance(found, list) and len(found) == 2:
        return int(found[0]), int(found[1])
    return -1, -1


WATCH = LiveKind("watch", WatchedFolder, WatchOptions, ends=True)
