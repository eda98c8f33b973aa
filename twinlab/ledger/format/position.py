"""The published durable position of a source: up to where readers may go.

Two copies of one small record, each with its own checksum, written by one ``pwrite``. A flipped bit in one copy is
outvoted by the other. The record is not synced at each append, because the frames already are: after ``kill -9`` the
page cache still holds it; after a power cut it may lag, and the writer's open then moves it forward over whole frames.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from twinlab._files import open_binary, sync_folder
from twinlab.ledger.format.disk import corrupt, crc32c, sync_data, write_all

__all__ = ["FILE", "Position", "PositionFile", "read_position"]

FILE = "position"
_MAGIC = b"TLPOS001"
_RECORD = struct.Struct("<8sqqqqqqI")
_APART = 512
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Position:
    """A place up to which everything is durable."""

    generation: int
    """Rises with every publication."""
    segment: int
    """Number of the segment that is being written."""
    offset: int
    """Durable bytes of that segment."""
    ordinal: int
    """Rows so far: the ordinal that the next row gets."""
    frames: int
    """Frames so far (dictionary frames aside)."""
    ingest_time: int
    """Latest ingest time, ns UTC."""


START = Position(0, -1, 0, 0, 0, 0)


def _pack(p: Position) -> bytes:
    fields = (_MAGIC, p.generation, p.segment, p.offset, p.ordinal, p.frames, p.ingest_time)
    body = _RECORD.pack(*fields, 0)
    one = _RECORD.pack(*fields, crc32c(body)).ljust(_APART, b"\0")
    return one + one


def _parse(data: bytes) -> tuple[Position | None, bool]:
    """Return the newest copy that is whole, and whether both copies were whole and alike."""
    found = []
    for at in (0, _APART):
        part = data[at : at + _RECORD.size]
        if len(part) < _RECORD.size:
            continue
        *fields, crc = _RECORD.unpack(part)
        # The padding belongs to the copy: a flip there is a flip.
        clean = not any(data[at + _RECORD.size : at + _APART])
        if clean and fields[0] == _MAGIC and crc32c(_RECORD.pack(*fields, 0)) == crc:
            found.append(Position(*fields[1:]))
    if not found:
        return None, False
    return max(found, key=lambda p: p.generation), len(found) == 2 and found[0] == found[1]


def read_position(folder: Path) -> Position:
    """Read what is published for the source in ``folder``.

    Raises
    ------
    CorruptionError
        If neither copy can be believed.
    """
    return check_position(folder)[0]


def check_position(folder: Path) -> tuple[Position, bool]:
    """Like `read_position`; also whether both copies are whole."""
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
        # A writer may be at it this very moment: look again before calling it damage.
    if best is None:
        raise corrupt(path, 0, "both copies of the durable position are damaged")
    return best, False


class PositionFile:
    """The writer's side of the published position."""

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
        """Let readers go up to ``position``."""
        write_all(self._descriptor, [_pack(position)], 0)

    def sync(self) -> None:
        """Make the published position itself durable."""
        sync_data(self._descriptor)

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        os.close(self._descriptor)
