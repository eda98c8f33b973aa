"""Small frames of observations as one: each frame costs whoever reads it far more than its rows do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.ledger.format.frames import Chosen, Frame, Rows

__all__ = ["JOINED_FRAMES", "SMALL_ROWS", "in_one_block", "joined"]

#: Neighbours of at most so many rows are joined, those of one block of so many consecutive frame numbers.
SMALL_ROWS, JOINED_FRAMES = 256, 256
#: Rows of a longer time than this are read apart, since hardly anybody needs them together, ns.
_LONGEST = 3600 * 10**9
Ints = npt.NDArray[np.int64]


def in_one_block(frame: Frame, head: Frame) -> bool:
    """Whether two frames are small, their numbers in one block, and an hour at most between their arrivals."""
    small = frame.group_rows <= SMALL_ROWS and head.group_rows <= SMALL_ROWS
    near = frame.ingest_time - head.ingest_time <= _LONGEST
    return small and near and frame.index // JOINED_FRAMES == head.index // JOINED_FRAMES


def joined(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Yield the frames of an open segment, small neighbours of observations as one, of rows of an hour at most."""
    group: list[Frame] = []
    end, span = 0, (0, 0)
    for frame in frames:
        times = frame.time_range or (0, 0)
        both = (min(span[0], times[0]), max(span[1], times[1]))
        fits = group and frame.kind == group[0].kind == "observations" and in_one_block(frame, group[0])
        if group and not (fits and frame.first == end and both[1] - both[0] <= _LONGEST):
            yield _as_one(group, span)
            group, both = [], times
        elif not group:
            both = times
        group.append(frame)
        end, span = frame.first + frame.rows, both
    if group:
        yield _as_one(group, span)


def _as_one(frames: Sequence[Frame], span: tuple[int, int]) -> Frame:
    if len(frames) == 1:
        return frames[0]
    return replace(
        frames[0],
        rows=sum(frame.rows for frame in frames),
        ingest_time=frames[-1].ingest_time,
        time_range=span,
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
