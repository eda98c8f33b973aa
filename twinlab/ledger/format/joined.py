"""Small frames of observations as one: each frame costs whoever reads it far more than its rows do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.ledger.format.frames import Chosen, Frame, Rows

__all__ = ["JOINED_FRAMES", "SMALL_ROWS", "in_one_block", "joined"]

#: Neighbours of at most so many rows are joined, those of one block of so many consecutive frame numbers: which ones are together doesn't
#: depend on where a reader begins.
SMALL_ROWS, JOINED_FRAMES = 256, 256
Ints = npt.NDArray[np.int64]


def in_one_block(one: Frame, other: Frame) -> bool:
    """Whether two frames are small, and their numbers in one block."""
    small = one.group_rows <= SMALL_ROWS and other.group_rows <= SMALL_ROWS
    return small and one.index // JOINED_FRAMES == other.index // JOINED_FRAMES


def joined(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Yield the frames of an open segment, with small neighbours of observations without a row between them as one."""
    group: list[Frame] = []
    for frame in frames:
        if group and not _follows(frame, group[-1]):
            yield _as_one(group)
            group = []
        group.append(frame)
    if group:
        yield _as_one(group)


def _follows(frame: Frame, before: Frame) -> bool:
    observed = frame.kind == before.kind == "observations"
    return observed and in_one_block(frame, before) and frame.first == before.first + before.rows


def _as_one(frames: Sequence[Frame]) -> Frame:
    if len(frames) == 1:
        return frames[0]
    times = [frame.time_range for frame in frames if frame.time_range is not None]
    return replace(
        frames[0],
        rows=sum(frame.rows for frame in frames),
        ingest_time=frames[-1].ingest_time,
        time_range=(min(low for low, _ in times), max(high for _, high in times)),
        _source=_JoinedRows([frame.source for frame in frames]),
        group_rows=sum(frame.group_rows for frame in frames),
    )


class _JoinedRows:
    """Rows of several frames, one after another."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[Rows]) -> None:
        self._parts = parts

    def batch(self, columns: Collection[str] | None) -> pa.RecordBatch:
        return _concatenated([part.batch(columns) for part in self._parts])

    def ordinals(self) -> Ints:
        return np.concatenate([part.ordinals() for part in self._parts])

    def ingest_times(self) -> Ints:
        return np.concatenate([part.ingest_times() for part in self._parts])

    def tags(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tag for part in self._parts for tag in part.tags()))

    def of_tags(self, wanted: Callable[[str], bool]) -> Chosen | None:
        found = [chosen for part in self._parts if (chosen := part.of_tags(wanted)) is not None]
        if not found:
            return None
        rows = _concatenated([one.rows for one in found])
        return Chosen(rows, np.concatenate([one.at for one in found]), np.concatenate([one.arrived for one in found]))


def _concatenated(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]
