"""Offsets are durable with the rows before them: each frame of a group has its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from twinlab.ledger import Ledger
from twinlab.model.mapping import Mapping
from twinlab.sources.base import RowBatch
from twinlab.sources.live import LiveBatch
from twinlab.twin.live.appender import LiveAppender


def rows(table: str, count: int) -> RowBatch:
    return RowBatch(table, pa.RecordBatch.from_pydict({"x": [1.0] * count}), np.arange(1, count + 1, dtype=np.int64))


def test_each_frame_of_a_group_has_the_offsets_behind_its_own_rows(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    appender = LiveAppender(ledger, Mapping(source="s"), tmp_path / "live")
    appender.append(
        [
            LiveBatch(offsets={"start": 0}),
            LiveBatch((rows("a", 2),), offsets={"a": 2}),
            LiveBatch((rows("a", 1),), offsets={"a": 3}),
            LiveBatch((rows("b", 1), rows("a", 1)), offsets={"a": 4, "b": 1}),
            LiveBatch(offsets={"end": 1}),
        ]
    )
    appender.close()
    notes = [(position, note["offsets"]) for position, note in ledger.reader("s").notes(start=0)]
    assert notes == [(3, {"start": 0, "a": 3}), (5, {"a": 4, "b": 1, "end": 1})]
