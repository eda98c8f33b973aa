"""A segment: a file of frames. Find frames in it, and distinguish a torn tail from damage."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinlab._files import open_binary, sync_folder
from twinlab.errors import CorruptionError
from twinlab.ledger.format.disk import corrupt, crc32c, read_at, write_all
from twinlab.ledger.format.frame import MAGIC, PREFIX, Head, parse_head

__all__ = ["HEADER_SIZE", "Place", "SegmentFile", "create", "numbers", "path_of"]

_MAGIC = b"TLSEG001"
_HEADER = struct.Struct("<8sqqqqI")
HEADER_SIZE = _HEADER.size
#: Bytes read at once for a head, which is enough for nearly all.
_HEAD_BYTES = 4096


def path_of(folder: Path, number: int) -> Path:
    """Return the file of an open segment."""
    return folder / f"{number:08d}.seg"


def numbers(folder: Path) -> list[int]:
    """Return the numbers of the segments in ``folder`` that aren't sealed."""
    return sorted(int(p.stem) for p in folder.glob("*.seg"))


@dataclass(frozen=True, slots=True)
class Place:
    """A frame's head and where the frame is."""

    head: Head
    offset: int
    """First byte of the frame."""
    payload_at: int
    end: int


def create(folder: Path, number: int, *, ordinal: int, frames: int, ingest_time: int) -> int:
    """Create an empty segment, durably, and return its descriptor."""
    path = path_of(folder, number)
    descriptor = open_binary(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
    try:
        body = _HEADER.pack(_MAGIC, number, ordinal, frames, ingest_time, 0)
        write_all(descriptor, [_HEADER.pack(_MAGIC, number, ordinal, frames, ingest_time, crc32c(body))], 0)
        os.fsync(descriptor)
        sync_folder(folder)
    except OSError:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor


class SegmentFile:
    """A segment opened for reading; on POSIX it stays readable after sealing has removed the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = open_binary(path, os.O_RDONLY)
        data = read_at(self._descriptor, HEADER_SIZE, 0)
        if len(data) < HEADER_SIZE:
            raise corrupt(path, len(data), "the segment ends within its own header")
        magic, self.number, self.ordinal, self.frames, self.ingest_time, crc = _HEADER.unpack(data)
        if magic != _MAGIC or crc32c(data[:-4] + bytes(4)) != crc:
            raise corrupt(path, 0, "the segment's header doesn't match its checksum")

    def __del__(self) -> None:
        descriptor = getattr(self, "_descriptor", None)
        if descriptor is not None:
            os.close(descriptor)

    def size(self) -> int:
        """Return the current size of the file in bytes."""
        return os.fstat(self._descriptor).st_size

    def head(self, offset: int, stop: int) -> tuple[Head, int] | None:
        """Read the head at ``offset``; None if no complete frame before ``stop`` starts there."""
        data = read_at(self._descriptor, min(_HEAD_BYTES, stop - offset), offset)
        found = parse_head(data)
        if isinstance(found, int):
            if offset + found > stop:
                return None
            found = parse_head(read_at(self._descriptor, found, offset))
            if isinstance(found, int) and found > PREFIX.size and offset + found <= stop:
                found = parse_head(read_at(self._descriptor, found, offset))
        if found is None or isinstance(found, int):
            return None
        head, size = found
        return found if offset + size + head.payload_length <= stop else None

    def heads(self, offset: int, stop: int) -> Iterator[Place]:
        """Yield the heads from ``offset`` to ``stop``, which are borders of durable frames.

        Raises
        ------
        CorruptionError
            If a head is damaged.
        """
        while offset < stop:
            found = self.head(offset, stop)
            if found is None:
                raise corrupt(self.path, offset, "a frame's head doesn't match its checksum")
            head, size = found
            end = offset + size + head.payload_length
            yield Place(head, offset, offset + size, end)
            offset = end

    def payload(self, place: Place) -> bytes:
        """Read and verify a frame's payload.

        Raises
        ------
        CorruptionError
            If it differs from what was written.
        """
        data = read_at(self._descriptor, place.head.payload_length, place.payload_at)
        if len(data) != place.head.payload_length or crc32c(data) != place.head.payload_crc:
            raise corrupt(self.path, place.payload_at, "a frame's payload doesn't match its checksum")
        return data

    def raw(self, offset: int, size: int) -> bytes:
        """Read bytes without verifying them."""
        return read_at(self._descriptor, size, offset)

    def whole_until(self, offset: int) -> tuple[list[Place], int]:
        """Return the complete frames from the published offset on, and the byte at which a torn tail starts.

        Raises
        ------
        CorruptionError
            If what follows isn't a torn tail, because a later frame proves that those bytes had been acknowledged.
        """
        places: list[Place] = []
        stop = self.size()
        while offset < stop:
            found = self.head(offset, stop)
            if found is None:
                break
            head, size = found
            place = Place(head, offset, offset + size, offset + size + head.payload_length)
            try:
                self.payload(place)
            except CorruptionError:
                break
            places.append(place)
            offset = place.end
        self._check_torn(offset, stop)
        return places, offset

    def _check_torn(self, offset: int, stop: int) -> None:
        tail = read_at(self._descriptor, stop - offset, offset)
        at = tail.find(MAGIC)
        while at >= 0:
            found = self.head(offset + at, stop)
            if found is not None and found[0].durable > offset:
                raise corrupt(self.path, offset, "an acknowledged frame is damaged (a later frame refers to it)")
            at = tail.find(MAGIC, at + 1)
