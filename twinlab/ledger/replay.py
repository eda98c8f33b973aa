"""Replay: the rows of a file, or of a ledger at the pace at which they arrived, again, as if they came now."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from twinlab.errors import SourceError
from twinlab.ledger.format.frames import Frame
from twinlab.ledger.store import Ledger
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.model.extensions.options import Options
from twinlab.model.terms import nearest
from twinlab.sources.base import RowBatch
from twinlab.sources.live.paced import PacedSource, Step, done_rows, paced_file
from twinlab.sources.live.protocol import LiveContext

__all__ = ["REPLAY", "ReplayOptions"]


class ReplayOptions(Options):
    """Options of a replay: exactly one of ``file`` and ``twin``."""

    file: str | None = None
    """The file, of any format that twinlab reads; a relative path begins in the twin's folder."""
    rate: Annotated[float, Field(ge=0)] | None = None
    """Of a file: rows a second; as fast as possible by default."""
    twin: str | None = None
    """The folder of a twin, whose rows are replayed from its ledger; a relative path begins in this twin's folder."""
    source: str | None = None
    """Of a twin: its source; the one of the same name by default."""
    speed: Annotated[float, Field(ge=0)] | None = None
    """Of a twin: how much faster than the rows had arrived, 1 by default; 0 is as fast as possible."""
    rows: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Rows of a batch, at most."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.twin is None):
            msg = "expected exactly one of `file` and `twin`"
            raise ValueError(msg)
        others = ("source", "speed") if self.file is not None else ("rate",)
        for name in others:
            if getattr(self, name) is not None:
                msg = f"`{name}` belongs to `{'twin' if self.file is not None else 'file'}`; remove it"
                raise ValueError(msg)
        return self


def _open(options: ReplayOptions, context: LiveContext) -> PacedSource:
    if options.file is not None:
        return paced_file(Path(options.file), context, rate=options.rate or 0.0, rows=options.rows)
    folder = context.folder / str(options.twin) / "ledger"
    ledger, name = Ledger(folder), options.source or context.name
    if name not in ledger.sources():
        known = [one for one in ledger.sources() if not one.startswith("_")]
        msg = f"expected the rows of a source {name!r} in {folder}, there are none{nearest(name, known)}; correct `live.twin` or `source`"
        raise SourceError(msg)
    speed = 1.0 if options.speed is None else options.speed
    return PacedSource(context.name, _steps(ledger, name, done_rows(context), speed=speed, rows=options.rows))


def _steps(ledger: Ledger, source: str, done: int, *, speed: float, rows: int) -> Iterator[Step]:
    """Yield the rows of a source from ordinal ``done`` on, without those of files that were withdrawn."""
    reader = ledger.reader(source)
    withdrawn = reader.retracted_files()
    began: int | None = None
    # Of a sealed segment there are several frames whose ordinals interleave.
    for _, same in groupby(reader.frames(start=done), key=lambda frame: (frame.kind, frame.index)):
        group = list(same)
        kept = [frame for frame in group if frame.kind != "retract_file" and not _is_withdrawn(frame, withdrawn)]
        parts = [(frame, part) for frame in kept for part in _parts(frame, rows)]
        stop = max(frame.last for frame in group) + 1
        for number, (frame, part) in enumerate(parts, start=1):
            began = frame.ingest_time if began is None else began
            after = (frame.ingest_time - began) / 1e9 / speed if speed else 0.0
            yield Step(after, part, stop if number == len(parts) else None)


def _is_withdrawn(frame: Frame, withdrawn: dict[str, int]) -> bool:
    return frame.file_id is not None and frame.first < withdrawn.get(frame.file_id, 0)


def _parts(frame: Frame, rows: int) -> Iterator[pa.RecordBatch | RowBatch]:
    """Yield the rows of a frame in batches."""
    whole, numbers, retracts = frame.batch(), frame.row_numbers(), frame.retracts()
    for low in range(0, frame.rows, rows):
        part = whole.slice(low, rows)
        if frame.kind == "observations":
            yield part
            continue
        given = np.arange(low + 1, low + 1 + part.num_rows) if numbers is None else numbers[low : low + part.num_rows]
        gone = None if retracts is None else retracts[low : low + part.num_rows]
        yield RowBatch(str(frame.record_type), part, given, units=frame.units, retracts=gone)


REPLAY = LiveKind("replay", _open, ReplayOptions, ends=True)
