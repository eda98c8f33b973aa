"""All live sources pass the conformance check; those that break a promise don't."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pyarrow as pa
import pytest

from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live import Catalogue, Gap, Health, HealthMeter, LiveBatch, LiveContext
from twinlab.testing import check_live_source


def rows(low: int, count: int) -> pa.RecordBatch:
    times = pa.array(range(low, low + count), pa.int64())
    return pa.RecordBatch.from_arrays([pa.array(["t"] * count), times], ["tag", "source_time"])


class Counting:
    """A source of 100 rows that keeps its promises; subclasses break one each."""

    def __init__(self, options: object, context: LiveContext) -> None:
        self.name, self.at, self.meter = context.name, int(context.offsets.get("", 0)), HealthMeter()  # type: ignore[call-overload]

    async def catalogue(self) -> Catalogue:
        return Catalogue()

    def batch(self) -> LiveBatch:
        self.at += 10
        self.meter.received(10)
        return LiveBatch((rows(self.at - 10, 10),), offsets={"": self.at})

    async def batches(self) -> AsyncIterator[LiveBatch]:
        while self.at < 100:
            yield self.batch()

    async def acknowledge(self, batch: LiveBatch) -> None:
        pass

    async def fill(self, gap: Gap) -> str:
        return "nothing is kept"

    @property
    def health(self) -> Health:
        return self.meter.health()


class OtherColumns(Counting):
    def batch(self) -> LiveBatch:
        return LiveBatch((pa.RecordBatch.from_pydict({"temperature": [1.0]}),))


class WithoutTime(Counting):
    def batch(self) -> LiveBatch:
        return LiveBatch((pa.RecordBatch.from_pydict({"tag": ["t"], "source_time": pa.array([None], pa.int64())}),))


class OddOffsets(Counting):
    def batch(self) -> LiveBatch:
        return LiveBatch((rows(0, 10),), offsets={"": object()})


class Forgetful(Counting):
    done = 0

    def __init__(self, options: object, context: LiveContext) -> None:
        super().__init__(options, context)
        self.at = Forgetful.done
        Forgetful.done += 10


class Restarting(Counting):
    def __init__(self, options: object, context: LiveContext) -> None:
        super().__init__(options, LiveContext(context.name))


class LeavesTasks(Counting):
    async def batches(self) -> AsyncIterator[LiveBatch]:
        self.task = asyncio.create_task(asyncio.sleep(60))
        while self.at < 100:
            yield self.batch()


class ReadsAhead(Counting):
    async def batches(self) -> AsyncIterator[LiveBatch]:
        reading = asyncio.create_task(self.read())
        try:
            while self.at < 100:
                yield self.batch()
                await asyncio.sleep(0.01)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def read(self) -> None:
        while True:
            self.meter.received(100_000)
            await asyncio.sleep(0.01)


class Silent(Counting):
    async def batches(self) -> AsyncIterator[LiveBatch]:
        await asyncio.sleep(60)
        yield self.batch()


def test_a_source_that_keeps_its_promises_passes() -> None:
    check_live_source(LiveKind("count", Counting), {}, rows=100)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (OtherColumns, "expected columns of observations, got \\['temperature'\\]"),
        (WithoutTime, "expected a source_time in each row"),
        (OddOffsets, "expected offsets that JSON can represent"),
        (Forgetful, "what isn't acknowledged has to come again"),
        (Restarting, "all rows came again after a restart"),
        (LeavesTasks, "closing it left 1 tasks"),
        (ReadsAhead, "it read .* rows ahead"),
        (Silent, "expected rows within 0.3 s, got none"),
    ],
)
def test_a_source_that_breaks_a_promise_is_found(source: type[Counting], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_live_source(LiveKind("count", source), {}, rows=100, seconds=0.3 if source is Silent else 20.0)


def test_replay_conforms(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,value\n" + "".join(f"2026-03-01T00:{n:02d}Z,{n}\n" for n in range(60)))
    check_live_source("replay", {"file": "a.csv", "rows": 7}, rows=60, folder=tmp_path)


def test_watch_conforms(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.csv").write_text("time,value\n2026-03-01,1\n")
    check_live_source("watch", {"folder": ".", "every": "10ms", "stable": "10ms"}, rows=3, folder=tmp_path)


def test_sql_conforms(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "erp.db") as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, changed TEXT)")
        for number in range(40):
            database.execute("INSERT INTO orders VALUES (?, ?)", (number, f"2026-03-01 00:{number:02d}:00"))
    database.close()
    tables = {"orders": {"updated": "changed", "key": ["id"]}}
    check_live_source("sql", {"url": "sqlite:///erp.db", "tables": tables, "every": "10ms"}, rows=40, folder=tmp_path)
