"""Replay: the rows of a file again, at any speed, as if they came now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from twinlab.model.extensions.live_kind import LiveKind
from twinlab.model.extensions.options import Options
from twinlab.sources.base import RowBatch
from twinlab.sources.detect import open_source
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.protocol import Catalogue, DeclaredTag, Gap, Health, LiveBatch, LiveContext

__all__ = ["REPLAY", "PacedSource", "ReplayOptions", "Step"]


class ReplayOptions(Options):
    """Options of a replay."""

    file: str
    """The file, of any format that twinlab reads; a relative path begins in the twin's folder."""
    rate: Annotated[float, Field(ge=0)] = 0.0
    """Rows a second; 0 is as fast as possible."""
    rows: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Rows of a batch, at most."""


@dataclass(frozen=True)
class Step:
    """What a replay yields next."""

    after: float
    """Seconds after the start of the replay; 0 is at once."""
    part: pa.RecordBatch | RowBatch
    offset: int
    """Rows of the replay that are done with this step."""


class PacedSource:
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
            batch = LiveBatch((step.part,), offsets={"": step.offset})
            self._meter.received(batch.rows)
            yield batch
        self._meter.ended()

    async def acknowledge(self, batch: LiveBatch) -> None:
        """Do nothing: what is replayed stays where it is."""

    async def fill(self, gap: Gap) -> bool:
        """Return False: a replay yields each of its rows once."""
        del gap
        return False

    @property
    def health(self) -> Health:
        """State, rate and errors at this moment."""
        return self._meter.health()


def _steps(options: ReplayOptions, batches: Iterator[RowBatch], done: int) -> Iterator[Step]:
    """Yield the rows of a file after the first ``done`` in steps; their times are those of the rate."""
    first = 0
    for batch in batches:
        for low in range(0, batch.rows.num_rows, options.rows):
            rows = batch.rows.slice(low, options.rows)
            stop = first + low + rows.num_rows
            if stop <= done:
                continue
            skip = max(0, done - (first + low))
            part = RowBatch(
                batch.table,
                rows.slice(skip),
                batch.row_numbers[low + skip : low + rows.num_rows],
                units=batch.units,
                file=batch.file,
            )
            yield Step((stop - done) / options.rate if options.rate else 0.0, part, stop)
        first += batch.rows.num_rows


def _open(options: ReplayOptions, context: LiveContext) -> PacedSource:
    mapping = context.mapping
    reading = mapping.reading if mapping is not None else None
    source = open_source(context.folder / Path(options.file), reading=reading, name=context.name, signatures=False)
    done = context.offsets.get("", 0)
    first = next(iter(source.batches()), None)
    declared = [] if first is None else [DeclaredTag(column, unit, first.table) for column, unit in first.units.items()]
    steps = _steps(options, source.batches(), done if isinstance(done, int) else 0)
    return PacedSource(context.name, steps, Catalogue(tuple(declared)))


REPLAY = LiveKind("replay", _open, ReplayOptions)
