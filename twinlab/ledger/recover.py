"""What a writer does when it opens a source: find the end, adopt whole frames, cut a torn tail, refuse damage."""

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

__all__ = ["Found", "TornTail", "recover"]


@dataclass(frozen=True, slots=True)
class TornTail:
    """Bytes that a write left unfinished when its process or machine died; they were never acknowledged."""

    segment: str
    """File name of the segment."""
    offset: int
    """Where it was cut."""
    bytes: int
    """How many bytes were cut."""
    kept: str | None
    """File in which the cut bytes are kept, beside the segment; None if the disk had no room for them."""

    def __str__(self) -> str:
        where = f"kept in {self.kept}" if self.kept else "not kept: no room"
        return f"{self.bytes} bytes of an unfinished write were cut from {self.segment} at byte {self.offset} ({where})"


@dataclass(slots=True)
class Found:
    """The state in which a writer starts."""

    position: Position
    tables: Tables
    segment_rows: int
    descriptor: int
    torn: TornTail | None
    moved: bool
    """Whether the published position has to be written again."""


def recover(folder: Path) -> Found:
    """Bring a source's directory to a state that can be appended to, and return it.

    Raises
    ------
    CorruptionError
        If anything that was acknowledged is damaged. Nothing is changed then.
    """
    published, whole = _published(folder)
    _drop_unborn(folder, published)
    if published.segment < 0:
        return Found(published, Tables(), 0, -1, None, moved=not whole)
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
                path, end, "a frame is damaged, and so is the published position that would tell torn from damaged"
            )
        torn = _cut(folder, file, end, size)
    position = _after(published, more, end)
    rows = position.ordinal - file.ordinal
    descriptor = open_binary(path, os.O_RDWR)
    if more:
        sync_data(descriptor)
    moved = bool(more) or not whole or torn is not None
    return Found(position, tables, rows, descriptor, torn, moved)


def _published(folder: Path) -> tuple[Position, bool]:
    try:
        return check_position(folder)
    except CorruptionError:
        # Both copies gone: the segments themselves still tell, if their last one is whole to its end.
        here = numbers(folder)
        if not here:
            return START, False
        file = SegmentFile(path_of(folder, here[-1]))
        return Position(-1, here[-1], HEADER_SIZE, file.ordinal, file.frames, file.ingest_time), False


def _drop_unborn(folder: Path, published: Position) -> None:
    """Remove a segment that was created but never announced."""
    for number in numbers(folder):
        if number > published.segment:
            path = path_of(folder, number)
            if path.stat().st_size > HEADER_SIZE:
                raise corrupt(folder / FILE, 0, f"the durable position doesn't know {path.name}, which holds frames")
            path.unlink()


def _learn(file: SegmentFile, tables: Tables, places: list[Place]) -> None:
    for place in places:
        if place.head.kind == DICTIONARY:
            tables.learn(file.payload(place))


def _cut(folder: Path, file: SegmentFile, end: int, size: int) -> TornTail:
    kept: str | None = f"torn-{file.number:08d}-{end}.bin"
    try:
        atomic_write(folder / str(kept), file.raw(end, size - end))
    except OSError:
        # A full disk must not keep the writer from opening; these bytes were never acknowledged.
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
