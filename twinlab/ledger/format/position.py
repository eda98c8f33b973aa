"""The published durable position of a source: readers read up to it.

Two copies of one small record, each with its own checksum, written by one ``pwrite``. If a bit flips in one copy, the
other is used. The record isn't synced at each append, because the frames are: after ``kill -9`` it is still in the page
cache; after a power cut it may lag, and the next writer then moves it forward over complete frames.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from twinlab._files import open_binary, sync_folder
from twinlab.ledger.format.disk import corrupt, crc32c, sync_data, write_all

__all__ = ["FILE", "Ack", "Position", "PositionFile", "read_position"]

FILE = "position"
_MAGIC = b"TLPOS001"
_RECORD = struct.Struct("<8sqqqqqqI")
_APART = 512
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Position:
    """A position up to which everything is durable."""

    generation: int
    """Increases with every publication."""
    segment: int
    """Number of the segment that is being written."""
    offset: int
    """Durable bytes of that segment."""
    ordinal: int
    """Number of rows, which is the ordinal of the next row."""
    frames: int
    """Number of frames, without dictionary frames."""
    ingest_time: int
    """Latest ingest time, ns UTC."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Confirmation that rows are durable."""

    position: int
    """Position of the source after these rows."""
    ingest_time: int  # of the rows, ns UTC
    rows: int
    bytes: int


START = Position(0, -1, 0, 0, 0, 0)


def _pack(p: Position) -> bytes:
    fields = (_MAGIC, p.generation, p.segment, p.offset, p.ordinal, p.frames, p.ingest_time)
    body = _RECORD.pack(*fields, 0)
    one = _RECORD.pack(*fields, crc32c(body)).ljust(_APART, b"\0")
    return one + one


def _parse(data: bytes) -> tuple[Position | None, bool]:
    """Return the newest valid copy, and whether both copies are valid and equal."""
    found = []
    for at in (0, _APART):
        part = data[at : at + _RECORD.size]
        if len(part) < _RECORD.size:
            continue
        *fields, crc = _RECORD.unpack(part)
        # The padding is part of the copy: a bit that flips there is damage, too.
        clean = not any(data[at + _RECORD.size : at + _APART])
        if clean and fields[0] == _MAGIC and crc32c(_RECORD.pack(*fields, 0)) == crc:
            found.append(Position(*fields[1:]))
    if not found:
        return None, False
    return max(found, key=lambda p: p.generation), len(found) == 2 and found[0] == found[1]


def read_position(folder: Path) -> Position:
    """Return the published position of the source in ``folder``.

    Raises
    ------
    CorruptionError
        If both copies are damaged.
    """
    return check_position(folder)[0]


def check_position(folder: Path) -> tuple[Position, bool]:
    """Return the published position, and whether both copies are valid."""
    path = folder / FILE
    best: Position | None = None
    for _ in range(_TRIES):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            if any(folder.glob("*.seg")):
                raise corrupt(path, 0, "the durable position is missing although there are segments") from None
            return START, True
        best, whole = _parse(data)
        if whole and best is not None:
            return best, True
        # A writer may be writing it at this moment: read it again before reporting damage.
    if best is None and not data and not any(folder.glob("*.seg")):
        return START, False  # a power cut came between making the file and writing it
    if best is None:
        raise corrupt(path, 0, "both copies of the durable position are damaged")
    return best, False


class PositionFile:
    """The published position, opened for writing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        fresh = not self._path.exists()
        self._descriptor = open_binary(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if fresh:
            self.publish(START)
            self.sync()
            for parent in (folder, *folder.parents[:2]):
                sync_folder(parent)

    def publish(self, position: Position) -> None:
        """Write a position, up to which readers may then read."""
        write_all(self._descriptor, [_pack(position)], 0)

    def sync(self) -> None:
        """Make the published position itself durable."""
        sync_data(self._descriptor)

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        os.close(self._descriptor)
