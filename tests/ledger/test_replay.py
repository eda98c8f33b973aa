"""Replay of a file or a ledger as if its rows came now."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pyarrow as pa
import pytest

from twinlab.errors import SourceError
from twinlab.ledger import Ledger
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


@pytest.mark.parametrize("sealed", [False, True])
def test_a_ledger_is_replayed_with_the_rows_that_are_valid(folder: Path, sealed: bool) -> None:
    old = folder / "old"
    ledger = Ledger(old / "ledger")
    with ledger.writer("feed") as writer:
        for first in range(0, 100, 10):
            times = pa.array(range(first, first + 10), pa.int64())
            tags = pa.array([f"t{n % 3}" for n in range(10)])
            writer.append_observations(pa.RecordBatch.from_arrays([tags, times], ["tag", "source_time"]))
        writer.append_records("gone", pa.RecordBatch.from_pydict({"x": [1, 2]}), file_id="f")
        writer.append_records("visits", pa.RecordBatch.from_pydict({"x": [1.5, 2.5]}), units={"x": "kg"})
        writer.retract_file("f")
        writer.rotate()
    if sealed:
        ledger.seal("feed")

    def run(offsets: dict[str, object], limit: int | None = None) -> tuple[list[LiveBatch], dict[str, object]]:
        options = REPLAY.parse({"twin": "old", "speed": 0, "rows": 7})
        source = REPLAY.open(options, LiveContext("feed", folder, offsets=offsets))

        async def collect() -> list[LiveBatch]:
            found = []
            async for batch in source.batches():
                found.append(batch)
                if len(found) == limit:
                    break
            return found

        batches = asyncio.run(collect())
        for batch in batches:
            offsets = {**offsets, **batch.offsets}
        return batches, offsets

    whole, offsets = run({})
    times = sorted(
        t for b in whole for p in b.parts if isinstance(p, pa.RecordBatch) for t in p.column("source_time").to_pylist()
    )
    assert times == list(range(100))
    (visits,) = [part for batch in whole for part in batch.parts if not isinstance(part, pa.RecordBatch)]
    assert (visits.table, visits.rows.to_pydict(), visits.units) == ("visits", {"x": [1.5, 2.5]}, {"x": "kg"})
    assert run(offsets)[0] == []
    # Interrupted anywhere, it continues without a loss.
    for limit in range(1, len(whole)):
        some, offsets = run({}, limit=limit)
        parts = [
            part for batch in (*some, *run(offsets)[0]) for part in batch.parts if isinstance(part, pa.RecordBatch)
        ]
        assert {t for part in parts for t in part.column("source_time").to_pylist()} == set(range(100))


def test_a_ledger_is_replayed_at_the_pace_at_which_its_rows_arrived(folder: Path) -> None:
    with Ledger(folder / "old" / "ledger").writer("other") as writer:
        for n in range(3):
            writer.append_records("r", pa.RecordBatch.from_pydict({"x": [n]}))
            time.sleep(0.2)
    source = REPLAY.open(REPLAY.parse({"twin": "old", "source": "other", "speed": 2}), LiveContext("feed", folder))

    async def run() -> list[float]:
        began = time.monotonic()
        return [time.monotonic() - began async for _ in source.batches()]

    times = asyncio.run(run())
    assert len(times) == 3
    assert times[-1] >= 0.2
    with pytest.raises(SourceError, match="rows of a source 'othr' in .* did you mean 'other'"):
        REPLAY.open(REPLAY.parse({"twin": "old", "source": "othr"}), LiveContext("feed", folder))


@pytest.mark.parametrize("given", [{}, {"file": "a", "twin": "b"}, {"file": "a", "speed": 2}, {"twin": "a", "rate": 2}])
def test_options_that_contradict_each_other_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected exactly one of|belongs to"):
        REPLAY.parse(given)
