"""Rows that exist already, yielded when they are due: what a replay of a file or of a ledger has in common."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from twinlab.sources.base import RowBatch
from twinlab.sources.detect import open_source
from twinlab.sources.live.base import SourceBase
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.protocol import Catalogue, DeclaredTag, LiveBatch, LiveContext

__all__ = ["PacedSource", "Step", "done_rows", "paced_file"]


@dataclass(frozen=True)
class Step:
    """What a replay yields next."""

    after: float
    """Seconds after the start of the replay; 0 is at once."""
    part: pa.RecordBatch | RowBatch
    offset: int | None
    """Rows of the replay that are done with this step; None if a later step belongs to it."""


class PacedSource(SourceBase):
    """A live source that yields steps when they are due, and ends.

    Parameters
    ----------
    name : str
        Name of the source.
    steps : iterator of Step
        From the first row that isn't durable yet; read in another thread.
    declared : Catalogue
        What the source declares.
    """

    not_kept = "a replay yields each of its rows once"

    def __init__(self, name: str, steps: Iterator[Step], declared: Catalogue | None = None) -> None:
        self.name = name
        self._steps, self._declared = steps, declared or Catalogue()
        self._meter = HealthMeter()

    async def catalogue(self) -> Catalogue:
        """Return what the replayed rows declare."""
        return self._declared

    async def batches(self) -> AsyncIterator[LiveBatch]:
        """Yield the steps when they are due."""
        self._meter.connected()
        began = time.monotonic()
        while (step := await asyncio.to_thread(next, self._steps, None)) is not None:
            await asyncio.sleep(max(0.0, began + step.after - time.monotonic()))
            batch = LiveBatch((step.part,), offsets={} if step.offset is None else {"": step.offset})
            self._meter.received(batch.rows)
            yield batch
        self._meter.ended()


def paced_file(path: Path, context: LiveContext, *, rate: float, rows: int) -> PacedSource:
    """Return the replay of a file, of any format that twinlab reads.

    Parameters
    ----------
    rate : float
        Rows a second; 0 is as fast as possible.
    rows : int
        Rows of a batch, at most.

    Raises
    ------
    SourceError
        If the file doesn't exist.
    SchemaError
        If it can't be read as a table.
    """
    mapping = context.mapping
    reading = mapping.reading if mapping is not None else None
    source = open_source(context.folder / path, reading=reading, name=context.name, signatures=mapping is None)
    first = next(iter(source.batches()), None)
    declared = [] if first is None else [DeclaredTag(column, unit, first.table) for column, unit in first.units.items()]
    steps = _file_steps(source.batches(), done_rows(context), rate=rate, rows=rows)
    return PacedSource(context.name, steps, Catalogue(tuple(declared)))


def done_rows(context: LiveContext) -> int:
    """Return the number of rows of a replay that are durable."""
    done = context.offsets.get("", 0)
    return done if isinstance(done, int) else 0


def _file_steps(batches: Iterator[RowBatch], done: int, *, rate: float, rows: int) -> Iterator[Step]:
    """Yield the rows of a file after the first ``done`` in steps; their times are those of the rate."""
    first = 0
    for batch in batches:
        for low in range(0, batch.rows.num_rows, rows):
            part = batch.rows.slice(low, rows)
            stop = first + low + part.num_rows
            if stop <= done:
                continue
            skip = max(0, done - (first + low))
            numbers = batch.row_numbers[low + skip : low + part.num_rows]
            replayed = RowBatch(batch.table, part.slice(skip), numbers, units=batch.units, file=batch.file)
            yield Step((stop - done) / rate if rate else 0.0, replayed, stop)
        first += batch.rows.num_rows
