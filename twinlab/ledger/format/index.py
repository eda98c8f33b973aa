"""The heads of a segment in memory, so that a reader reads them once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from twinlab.ledger.format.dictionaries import Tables
from twinlab.ledger.format.disk import corrupt
from twinlab.ledger.format.frame import DICTIONARY
from twinlab.ledger.format.segment import HEADER_SIZE, Place, SegmentFile

__all__ = ["Index", "Query", "read_heads"]


@dataclass(frozen=True, slots=True)
class Query:
    """Rows that a reader asks for."""

    start: int
    stop: int
    """Ordinals [start, stop)."""
    tags: Collection[str] | None
    time: tuple[int, int] | None
    """``source_time`` in [low, high)."""

    def skips(self, low: int, high: int) -> bool:
        """Return whether the query excludes all times of the closed span [low, high]."""
        return self.time is not None and (high < self.time[0] or low >= self.time[1])


@dataclass(slots=True)
class Index:
    """The heads of one segment that have been read."""

    tables: Tables = field(default_factory=Tables)
    places: list[Place] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Ordinal after each place."""
    offset: int = HEADER_SIZE


def read_heads(file: SegmentFile, index: Index, stop: int, *, gaps: bool = False) -> None:
    """Read heads up to byte ``stop`` into ``index``, checking that rows are consecutive (``gaps``: ascending).

    Raises
    ------
    CorruptionError
        If a head is damaged or rows aren't consecutive.
    """
    if file.size() < stop:
        raise corrupt(file.path, file.size(), f"the segment ends before byte {stop}, up to which it was acknowledged")
    expected = index.ends[-1] if index.ends else file.ordinal
    for place in file.heads(index.offset, stop):
        head = place.head
        if head.first < expected or (head.first > expected and not gaps):
            raise corrupt(file.path, place.offset, f"a frame starts at row {head.first}, expected {expected}")
        if head.kind == DICTIONARY:
            index.tables.load_new(file.payload(place))
        expected = head.first + head.rows
        index.places.append(place)
        index.ends.append(expected)
        index.offset = place.end
