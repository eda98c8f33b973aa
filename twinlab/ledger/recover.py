"""Recovery when a writer opens: find the end, adopt complete frames, cut a torn tail, refuse damage."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from twinlab._files import open_binary
from twinlab.errors import CorruptionError
from twinlab.ledger.format.dictionaries import Tables
from twinlab.ledger.format.disk import atomic_write, corrupt, sync_data
from twinlab.ledger.format.frame import DICTIONARY
from twinlab.ledger.format.position import FILE, START, Position, check_position
from twinlab.ledger.format.segment import HEADER_SIZE, Place, SegmentFile, numbers, path_of

__all__ = ["Found", "Resume", "TornTail", "recover"]


@dataclass(frozen=True, slots=True)
class TornTail:
    """Bytes of a write that was interrupted when its process or machine died; they were never acknowledged."""

    segment: str
    """File name of the segment."""
    offset: int
    """Byte at which the segment was cut."""
    bytes: int
    """Number of bytes cut."""
    kept: str | None
    """File beside the segment with the cut bytes; None if there was no disk space for it."""

    def __str__(self) -> str:
        where = f"saved in {self.kept}" if self.kept else "not saved: no disk space"
        return f"{self.bytes} bytes of an unfinished write were cut from {self.segment} at byte {self.offset} ({where})"


@dataclass(slots=True)
class Found:
    """The state in which a writer starts."""

    position: Position
    tables: Tables
    segment_rows: int
    segment_frames: int
    descriptor: int
    torn: TornTail | None
    moved: bool
    """Whether the published position must be written again."""


class Resume:
    """The state in which a writer of this process left a source, with which the next one needn't read the segment again.

    It is used only if nobody has published anything since, and the segment is the same file of the same length.
    """

    def __init__(self) -> None:
        self._left: tuple[Found, int] | None = None

    def leave(self, state: Found) -> None:
        """Store the state of a writer that closes; it must still have the lock."""
        inode = os.fstat(state.descriptor).st_ino if state.descriptor >= 0 else -1
        self._left = (replace(state, descriptor=-1, torn=None, moved=False), inode)

    def take(self, folder: Path) -> Found | None:
        """Return the stored state with an open segment, None if the source has changed since; the lock must be held."""
        left, self._left = self._left, None
        if left is None or left[0].position.segment < 0:
            return None
        state, inode = left
        try:
            if check_position(folder) != (state.position, True):
                return None
            descriptor = open_binary(path_of(folder, state.position.segment), os.O_RDWR)
        except (OSError, CorruptionError):
            return None  # recovery says what is wrong
        found = os.fstat(descriptor)
        if (found.st_ino, found.st_size) != (inode, state.position.offset):
            os.close(descriptor)
            return None
        return replace(state, descriptor=descriptor)


def recover(folder: Path) -> Found:
    """Make a source's directory ready for appending, and return its state.

    Raises
    ------
    CorruptionError
        If anything that was acknowledged is damaged; then nothing is changed.
    """
    published, whole = _published(folder)
    _drop_unpublished(folder, published)
    if published.segment < 0:
        return Found(published, Tables(), 0, 0, -1, None, moved=not whole)
    path = path_of(folder, published.segment)
    if not path.exists():
        raise corrupt(path, 0, "the segment that was being written is missing")
    file = SegmentFile(path)
    size = file.size()
    if size < published.offset:
        raise corrupt(path, size, f"the segment ends before byte {published.offset}, up to which it was acknowledged")
    tables = Tables()
    places = list(file.heads(HEADER_SIZE, published.offset))
    more, end = file.whole_until(published.offset)
    _learn(file, tables, places + more)
    torn = None
    if end < size:
        if not whole and published.generation < 0:
            raise corrupt(
                path,
                end,
                "a frame is damaged, and so is the published position, without which it can't be told whether it was acknowledged",
            )
        torn = _cut(folder, file, end, size)
    position = _after(published, more, end)
    rows = position.ordinal - file.ordinal
    descriptor = open_binary(path, os.O_RDWR)
    if more:
        sync_data(descriptor)
    moved = bool(more) or not whole or torn is not None
    return Found(position, tables, rows, position.frames - file.frames, descriptor, torn, moved)


def _published(folder: Path) -> tuple[Position, bool]:
    try:
        return check_position(folder)
    except CorruptionError:
        # Both copies are damaged: the position follows from the segments, if the last one is complete.
        here = numbers(folder)
        if not here:
            return START, False
        file = SegmentFile(path_of(folder, here[-1]))
        return Position(-1, here[-1], HEADER_SIZE, file.ordinal, file.frames, file.ingest_time), False


def _drop_unpublished(folder: Path, published: Position) -> None:
    """Remove a segment that was created but never published."""
    for number in numbers(folder):
        if number > published.segment:
            path = path_of(folder, number)
            if path.stat().st_size > HEADER_SIZE:
                raise corrupt(folder / FILE, 0, f"the published position is before {path.name}, which has frames")
            path.unlink()


def _learn(file: SegmentFile, tables: Tables, places: list[Place]) -> None:
    for place in places:
        if place.head.kind == DICTIONARY:
            tables.load_new(file.payload(place))


def _cut(folder: Path, file: SegmentFile, end: int, size: int) -> TornTail:
    kept: str | None = f"torn-{file.number:08d}-{end}.bin"
    try:
        atomic_write(folder / str(kept), file.raw(end, size - end))
    except OSError:
        # A full disk must not prevent the writer from opening; these bytes were never acknowledged.
        (folder / f"{kept}.tmp").unlink(missing_ok=True)
        kept = None
    descriptor = open_binary(file.path, os.O_RDWR)
    try:
        os.ftruncate(descriptor, end)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return TornTail(file.path.name, end, size - end, kept)


def _after(published: Position, more: list[Place], end: int) -> Position:
    position = replace(published, offset=end)
    for place in more:
        head = place.head
        position = replace(
            position,
            ordinal=head.first + head.rows,
            frames=position.frames + (head.kind != DICTIONARY),
            ingest_time=max(position.ingest_time, head.ingest_time),
        )
    return position
