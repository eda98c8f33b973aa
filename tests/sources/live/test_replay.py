"""Replay of a file as if its rows came now."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pyarrow as pa
import pytest

from twinlab.errors import SourceError
from twinlab.sources.live import LIVE_KINDS, LiveBatch, LiveContext

REPLAY = LIVE_KINDS.get("replay")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = "".join(f"2026-03-01T00:{n:02d}Z,{n}\n" for n in range(60))
    (tmp_path / "room.csv").write_text("time,temperature\n" + lines)
    return tmp_path


def replayed(folder: Path, *, offsets: dict[str, object] | None = None, **options: object) -> list[LiveBatch]:
    source = REPLAY.open(
        REPLAY.parse({"file": "room.csv", **options}), LiveContext("room", folder, offsets=offsets or {})
    )

    async def collect() -> list[LiveBatch]:
        found = [batch async for batch in source.batches()]
        assert source.health.state == "ended"
        assert source.health.rows == sum(batch.rows for batch in found)
        return found

    return asyncio.run(collect())


def values(batches: list[LiveBatch]) -> list[object]:
    return [value for batch in batches for part in batch.parts for value in part.rows.column("temperature").to_pylist()]


def test_every_row_comes_once_in_order_in_batches_of_the_stated_size(folder: Path) -> None:
    batches = replayed(folder, rows=7)
    assert values(batches) == list(range(60))
    assert {batch.rows for batch in batches[:-1]} == {7}
    assert [batch.offsets[""] for batch in batches] == [*range(7, 60, 7), 60]


@pytest.mark.parametrize("done", [0, 1, 7, 30, 59, 60])
def test_after_a_restart_it_continues_behind_the_last_durable_row(folder: Path, done: int) -> None:
    batches = replayed(folder, rows=7, offsets={"": done})
    assert values(batches) == list(range(done, 60))
    numbers = pa.concat_arrays(
        [pa.array(p.row_numbers) for b in batches for p in b.parts] or [pa.array([], pa.int64())]
    )
    assert numbers.to_pylist() == list(range(done + 2, 62))


def test_rows_come_at_the_stated_rate(folder: Path) -> None:
    began = time.monotonic()
    replayed(folder, rows=10, rate=300)
    assert time.monotonic() - began >= 60 / 300


def test_a_file_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"no\.csv"):
        replayed(folder, file="no.csv")
