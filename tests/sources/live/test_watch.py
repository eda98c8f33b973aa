"""A watched folder: each file once it is complete, again when it has changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from twinlab.sources.live import LIVE_KINDS, LiveBatch, LiveContext
from twinlab.sources.live.watch import WatchedFolder

WATCH = LIVE_KINDS.get("watch")


def open_folder(
    folder: Path, *, once: bool = False, offsets: dict[str, object] | None = None, **options: object
) -> WatchedFolder:
    given = {"folder": "incoming", "every": "5ms", "stable": "30ms", **options}
    return WATCH.open(WATCH.parse(given), LiveContext("log", folder, offsets=offsets or {}, once=once))


def names(batches: list[LiveBatch]) -> list[str]:
    return [batch.file.files()[0].name for batch in batches if batch.file is not None]


def read_once(folder: Path, **options: object) -> list[LiveBatch]:
    async def read() -> list[LiveBatch]:
        source = open_folder(folder, once=True, **options)
        found = [batch async for batch in source.batches()]
        assert source.health.state == "ended"
        return found

    return asyncio.run(read())


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    for number, name in enumerate(("b.csv", "a.csv", "notes.txt", ".hidden.csv", "half.csv.part")):
        (folder / name).write_text("time,value\n2026-03-01,1\n")
        os.utime(folder / name, (number, number))
    (folder / "sub").mkdir()
    (folder / "sub" / "c.csv").write_text("time,value\n2026-03-01,1\n")
    return folder


def test_files_come_oldest_first_without_hidden_and_unfinished_ones(incoming: Path) -> None:
    assert names(read_once(incoming.parent)) == ["b.csv", "a.csv", "notes.txt"]
    assert names(read_once(incoming.parent, files=["*.csv"])) == ["b.csv", "a.csv"]
    assert names(read_once(incoming.parent, files=["*.csv"], recursive=True)) == ["b.csv", "a.csv", "c.csv"]


def test_after_a_restart_only_new_and_changed_files_come(incoming: Path) -> None:
    offsets = {stream: at for batch in read_once(incoming.parent) for stream, at in batch.offsets.items()}
    assert read_once(incoming.parent, offsets=offsets) == []
    (incoming / "a.csv").write_text("time,value\n2026-03-01,2\n")
    (incoming / "new.csv").write_text("time,value\n2026-03-01,3\n")
    assert sorted(names(read_once(incoming.parent, offsets=offsets))) == ["a.csv", "new.csv"]


def test_a_file_that_is_being_written_is_read_when_it_is_complete(incoming: Path) -> None:
    async def watch() -> tuple[str, int]:
        source = open_folder(incoming.parent, files=["slow.csv"], stable="150ms")
        batches: AsyncIterator[LiveBatch] = source.batches()
        found = asyncio.ensure_future(anext(batches))
        for line in range(20):
            with (incoming / "slow.csv").open("a") as file:
                file.write(f"2026-03-01,{line}\n" if line else "time,value\n")
            await asyncio.sleep(0.02)
        batch = await asyncio.wait_for(found, 30)
        await batches.aclose()
        assert batch.file is not None
        return names([batch])[0], sum(part.rows.num_rows for part in batch.file.batches())

    assert asyncio.run(watch()) == ("slow.csv", 19)


def test_a_folder_that_is_not_there_is_an_error_until_it_is(tmp_path: Path) -> None:
    async def watch() -> None:
        source = open_folder(tmp_path)
        batches: AsyncIterator[LiveBatch] = source.batches()
        found = asyncio.ensure_future(anext(batches))
        while not source.health.errors:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert "incoming can't be read: no such folder" in source.health.error
        (tmp_path / "incoming").mkdir()
        (tmp_path / "incoming" / "a.csv").write_text("time,value\n2026-03-01,1\n")
        assert names([await asyncio.wait_for(found, 30)]) == ["a.csv"]
        assert source.health.state == "connected"
        await batches.aclose()

    asyncio.run(watch())


def test_a_file_that_is_no_table_is_reported_and_does_not_stop_the_others(incoming: Path) -> None:
    (incoming / "0.csv").write_bytes(bytes(range(256)) * 10)
    (incoming / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    batches = read_once(incoming.parent)
    assert {"a.csv", "b.csv"} <= set(names(batches))
    offsets = {stream: at for batch in batches for stream, at in batch.offsets.items()}
    assert read_once(incoming.parent, offsets=offsets) == []
