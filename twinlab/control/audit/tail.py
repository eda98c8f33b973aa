"""New rows of a log, from where a reader stopped: what was read before isn't read again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinlab.control.audit.chain import BrokenChainError, Chain, TakenRow, take_rows
from twinlab.control.audit.merkle import Frontier
from twinlab.control.audit.rows import AuditRow, read_row
from twinlab.control.audit.segments import Segment, list_segments, start_of
from twinlab.errors import CorruptionError

__all__ = ["Place", "rows_from"]


@dataclass(frozen=True)
class Place:
    """Where a reader of a log stopped; the default is the beginning. Its fields are what JSON has."""

    count: int = 0
    """Rows that were read."""
    last: str = "00" * 32
    """Hash of the last of them, in hexadecimal."""
    tree: tuple[str, ...] = ()
    """The tree of these rows, as of `Frontier`, in hexadecimal."""
    segment: int = 0
    """First row of the file in which the reader stopped,"""
    offset: int = 0
    """and the byte behind the last row there."""
    changed: int = 0
    """When the file had changed last by then, ns."""

    def chain(self) -> Chain:
        """Return the chain after the rows that were read."""
        return Chain(Frontier(self.count, map(bytes.fromhex, self.tree)), bytes.fromhex(self.last))


def rows_from(folder: Path, place: Place) -> tuple[list[AuditRow], Place]:
    """Return the rows after a place, in order, and the place after them.

    Files before the place aren't read, and of its own one only what is new; if that has changed without a new row, it is read again. An
    edit of an earlier row that comes together with a new one isn't noticed here: `verify_audit` proves a log.

    Parameters
    ----------
    folder : Path
        Folder of the log; it needn't exist.
    place : Place
        Where the reader stopped; ``Place()`` at first.

    Raises
    ------
    CorruptionError
        At a row that doesn't follow the one before it, or if rows that were read are missing.
    """
    segments = [one for one in list_segments(folder) if one.first >= place.segment] if folder.is_dir() else []
    if not segments:
        if place.count:
            raise _cut(folder, place)
        return [], place
    own = segments[0].path.stat()
    if place.count and (segments[0].first != place.segment or own.st_size < place.offset):
        raise _cut(folder, place)
    if place.count and own.st_size == place.offset and own.st_mtime_ns != place.changed:
        _check_again(segments[0], place)
    found: list[AuditRow] = []
    chain = place.chain()
    for number, segment in enumerate(segments):
        offset = place.offset if number == 0 else 0
        about = own if number == 0 else segment.path.stat()
        if number and segment.first != chain.count:
            msg = f"{segment.path}: expected the file that begins with row {chain.count}; run: twinlab audit verify"
            raise CorruptionError(msg)
        if about.st_size > offset:
            for row, behind in _rows(segment, chain, offset):
                found.append(row)
                offset = behind
        place = Place(
            chain.count, chain.last.hex(), tuple(one.hex() for one in chain.tree.hashes), segment.first, offset, about.st_mtime_ns
        )  # fmt: skip
    return found, place


def _rows(segment: Segment, chain: Chain, offset: int) -> Iterator[tuple[AuditRow, int]]:
    """Yield whole rows of a file from an offset on, each with the offset behind it."""
    with segment.path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    # A row that is being written has no line end yet.
    whole = data[: data.rfind(b"\n") + 1]
    at = offset
    try:
        for one in take_rows(chain, whole, offset):
            if isinstance(one, TakenRow):
                at += len(one.line) + 1
                yield read_row(one.line), at
            else:
                at = one.offset + one.size + 1
    except BrokenChainError as error:
        msg = f"{segment.path}: {error}; run: twinlab audit verify"
        raise CorruptionError(msg) from error


def _check_again(segment: Segment, place: Place) -> None:
    """Read a file again that was changed without a new row."""
    begun = start_of(segment)
    chain = Chain() if begun is None else begun[0]
    for _ in _rows(segment, chain, 0):
        pass
    if (chain.count, chain.last.hex()) != (place.count, place.last):
        raise _cut(segment.path, place)


def _cut(path: Path, place: Place) -> CorruptionError:
    msg = f"{path}: expected the {place.count} rows that were read before, got other or fewer rows; run: twinlab audit verify"
    return CorruptionError(msg)
