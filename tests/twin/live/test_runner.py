"""What goes wrong in one source, on the disk or while publishing: nothing is lost, and nothing else stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pyarrow as pa
import pytest

import twinlab as tl
from twinlab.errors import SourceError
from twinlab.ledger import Writer
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live import LIVE_KINDS, Catalogue, DeclaredTag, Gap, Health, HealthMeter, LiveBatch, LiveContext
from twinlab.twin import Twin
from twinlab.twin.live.batch_queue import BatchQueue

Make = Callable[[str], tl.Twin]
MINUTE = 60 * 10**9
START = 1_772_323_200 * 10**9  # 2026-03-01


def rows(first: int, count: int) -> pa.RecordBatch:
    times = pa.array([START + n * MINUTE for n in range(first, first + count)])
    return pa.RecordBatch.from_arrays(
        [pa.array(["a.t"] * count), times, pa.array([float(n) for n in range(first, first + count)])],
        ["tag", "source_time", "value"],
    )


class Feed:
    """100 rows in batches of 10; subclasses misbehave."""

    opened: list[dict[str, object]]
    acknowledged: list[object]
    filled: list[Gap]

    def __init__(self, options: object, context: LiveContext) -> None:
        self.name, self.meter = context.name, HealthMeter()
        self.at = int(context.offsets.get("", 0))  # type: ignore[call-overload]
        type(self).opened.append(dict(context.offsets))

    async def catalogue(self) -> Catalogue:
        return Catalogue((DeclaredTag("a.t", "degF"),))

    def batch(self, first: int) -> LiveBatch:
        return LiveBatch((rows(first, 10),), offsets={"": first + 10}, handle=(id(self), first))

    async def batches(self) -> AsyncIterator[LiveBatch]:
        self.meter.connected()
        while self.at < 100:
            batch = self.batch(self.at)
            self.at += 10
            self.meter.received(10)
            yield batch
        self.meter.ended()

    async def acknowledge(self, batch: LiveBatch) -> None:
        assert batch.handle is None or batch.handle[0] == id(self), "the acknowledgement is another source's"  # type: ignore[index]
        type(self).acknowledged.append(batch.offsets[""])

    async def fill(self, gap: Gap) -> str:
        type(self).filled.append(gap)
        return ""

    @property
    def health(self) -> Health:
        return self.meter.health()


@pytest.fixture
def run(live_twin: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Feed]], Twin]:
    """Return a function that runs a twin whose source is of a class, once; returns the twin."""

    def go(source: type[Feed]) -> Twin:
        source.opened, source.acknowledged, source.filled = [], [], []
        LIVE_KINDS.get("replay")
        monkeypatch.setitem(LIVE_KINDS._loaded, "replay", LiveKind("replay", source, LIVE_KINDS.get("replay").options))
        twin = live_twin("{kind: replay, file: none}")
        twin.run(once=True)
        return twin

    return go


def values(twin: Twin) -> list[float]:
    return twin.history("truck").temperature.sel(asset="a").values.tolist()


def test_each_batch_is_acknowledged_once_in_order_and_the_catalogue_is_compared(
    run: Callable[[type[Feed]], Twin],
) -> None:
    twin = run(Feed)
    assert Feed.acknowledged == list(range(10, 101, 10))
    assert values(twin) == [float(n) for n in range(100)]
    (finding,) = twin.live_status().sources["feed"]["findings"]
    assert "declares 'degF', but the mapping reads it as degC" in finding


def test_offsets_that_are_in_no_file_yet_survive_sealing_by_another_process(run: Callable[[type[Feed]], Twin]) -> None:
    twin = run(Feed)
    (twin.folder / "live" / "feed.offsets.json").unlink()
    with twin.ledger.writer("feed") as writer:
        writer.rotate()
    assert tl.open(twin.folder).ledger.seal("feed")
    tl.open(twin.folder).run(once=True)
    assert Feed.opened == [{}, {"": 100}]
    assert twin.ledger.reader("feed").position() == 100


class FailsOnce(Feed):
    def __init__(self, options: object, context: LiveContext) -> None:
        super().__init__(options, context)
        if len(type(self).opened) == 2:
            raise SourceError("the password isn't there")

    async def batches(self) -> AsyncIterator[LiveBatch]:
        async for batch in super().batches():
            yield batch
            if self.at == 50 and len(type(self).opened) == 1:
                raise RuntimeError("a bug")


def test_a_source_that_fails_is_opened_again_behind_its_last_row(
    run: Callable[[type[Feed]], Twin], caplog: pytest.LogCaptureFixture
) -> None:
    twin = run(FailsOnce)
    assert FailsOnce.opened == [{}, {"": 50}, {"": 50}]
    assert FailsOnce.acknowledged == list(range(10, 101, 10))
    assert values(twin) == [float(n) for n in range(100)]
    assert twin.ledger.reader("feed").position() == 100
    assert "source failed" in caplog.text
    assert twin.live_status().sources["feed"]["restarts"] == 2


class Unfit(Feed):
    def batch(self, first: int) -> LiveBatch:
        if first != 30:
            return super().batch(first)
        return LiveBatch((pa.RecordBatch.from_pydict({"tag": ["a.t"], "when": [1]}),), offsets={"": 40})


def test_a_batch_that_does_not_fit_is_kept_as_a_file_and_blocks_nothing(run: Callable[[type[Feed]], Twin]) -> None:
    twin = run(Unfit)
    assert twin.live_status().sources["feed"]["refused"] == 1
    assert twin.ledger.reader("feed").position() == 90
    (kept,) = (twin.folder / "live" / "refused" / "feed").iterdir()
    with pa.ipc.open_file(kept) as file:
        assert file.read_all().to_pydict() == {"tag": ["a.t"], "when": [1]}
    assert Unfit.acknowledged == list(range(10, 101, 10))


class WithGap(Feed):
    def batch(self, first: int) -> LiveBatch:
        gaps = (
            (Gap("pump", "queue overflow", start_ns=START, stop_ns=START + MINUTE, tags=("a.t",)),)
            if first == 20
            else ()
        )
        return LiveBatch((rows(first, 10),), offsets={"": first + 10}, gaps=gaps)


def test_a_gap_is_recorded_and_the_source_asked_to_fill_it(run: Callable[[type[Feed]], Twin]) -> None:
    twin = run(WithGap)
    (gap,) = twin.gaps("feed").to_dict("records")
    assert (gap["source"], gap["stream"], gap["reason"], gap["tags"]) == ("feed", "pump", "queue overflow", ("a.t",))
    assert str(gap["stop"] - gap["start"]) == "0 days 00:01:00"
    assert twin.gaps("other").empty
    assert [one.stream for one in WithGap.filled] == ["pump"]
    assert (gap["state"], gap["note"]) == ("asked", "")


def test_rows_wait_while_the_disk_is_full(
    run: Callable[[type[Feed]], Twin], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    append, calls = Writer.append_many, []

    def full(self: Writer, parts: object, **options: object) -> object:
        if self._source == "feed":
            calls.append(1)
            if len(calls) <= 2:
                raise SourceError("the disk is full")
        return append(self, parts, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Writer, "append_many", full)
    twin = run(Feed)
    assert values(twin) == [float(n) for n in range(100)]
    assert caplog.text.count("rows aren't stored") == 1
    assert Feed.acknowledged == list(range(10, 101, 10))


def test_a_publication_that_fails_loses_nothing(
    run: Callable[[type[Feed]], Twin], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Twin) -> None:
        raise RuntimeError("a bug of publishing")

    monkeypatch.setattr(Twin, "_publish_live", fail)
    twin = run(Feed)
    assert values(twin) == [float(n) for n in range(100)]
    assert "not published yet" in caplog.text
    assert twin.live_status().publications["error"] == "a bug of publishing"


def test_a_full_queue_makes_the_source_wait() -> None:
    async def fill() -> None:
        queue = BatchQueue(rows=25, batches=100)
        for _ in range(3):
            await queue.put(LiveBatch((rows(0, 10),)))
        waiting = asyncio.create_task(queue.put(LiveBatch((rows(0, 10),))))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        assert queue.rows == 30
        assert len(await queue.take()) == 3
        await asyncio.wait_for(waiting, 5)
        drained = asyncio.create_task(queue.drained())
        await asyncio.sleep(0.02)
        assert not drained.done()
        assert len(await queue.take()) == 1
        await queue.finished()
        await asyncio.wait_for(drained, 5)
        await queue.close()
        assert await queue.take() == []

    asyncio.run(fill())


def test_logs_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    from twinlab.twin.live.logs import JsonFormatter

    record = logging.makeLogRecord(
        {"msg": "rows %d", "args": (3,), "levelname": "ERROR", "source": "feed", "path": Path("x")}
    )
    line = JsonFormatter().format(record)
    assert '"message": "rows 3"' in line
    assert '"source": "feed", "path": "x"' in line


class Pausing(Feed):
    async def batches(self) -> AsyncIterator[LiveBatch]:
        async for batch in super().batches():
            yield batch
            if self.at == 50:
                await asyncio.sleep(0.5)


@pytest.mark.parametrize(("ends", "count"), [(True, 100), (False, 50)])
def test_once_waits_for_a_source_that_ends_by_itself_however_long_it_pauses(
    live_twin: Make, monkeypatch: pytest.MonkeyPatch, ends: bool, count: int
) -> None:
    Pausing.opened, Pausing.acknowledged, Pausing.filled = [], [], []
    kind = LiveKind("replay", Pausing, LIVE_KINDS.get("replay").options, ends=ends)
    monkeypatch.setitem(LIVE_KINDS._loaded, "replay", kind)
    monkeypatch.setattr("twinlab.twin.live.process._IDLE", 0.2)
    twin = live_twin("{kind: replay, file: none}")
    twin.run(once=True)
    assert twin.ledger.reader("feed").position() == count
