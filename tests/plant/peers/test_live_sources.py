"""The plant's peers, followed by the live sources of a twin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from twinlab.plant.peers.modbus import ROOM_REGISTERS
from twinlab.plant.peers.opcua import NAMESPACE
from twinlab.sources.live import LIVE_KINDS, LiveBatch, LiveContext, LiveSource


def opened(kind: str, options: dict[str, Any], **context: Any) -> LiveSource:
    found = LIVE_KINDS.get(kind)
    source: LiveSource = found.open(found.parse(options), LiveContext("plant", **context))
    return source


def read(source: LiveSource, enough: Callable[[list[LiveBatch]], Any] = lambda found: False) -> list[LiveBatch]:
    async def collect() -> list[LiveBatch]:
        found: list[LiveBatch] = []
        async with asyncio.timeout(60), aclosing(source.batches()) as batches:  # type: ignore[type-var]
            async for batch in batches:
                found.append(batch)
                done = enough(found)
                if await done if asyncio.iscoroutine(done) else done:
                    break
        return found

    return asyncio.run(collect())


def test_refrigeration_units_are_read_by_modbus(running: Any) -> None:
    address = running.peer("modbus").address
    unit, members = next(iter(address["units"].items()))
    room = members["rooms"][0]
    parts = {
        "temperature": {"address": 0},
        "hours": {"address": 4, "type": "float32", "words": "little"},
        "starts": {"address": 6, "type": "uint32", "words": "little"},
    }
    registers = {f"{room}.{tag}": {**one, "device": int(unit)} for tag, one in parts.items()}
    moment = running.advance(600)
    options = {"host": address["host"], "port": address["port"], "registers": registers, "bridge": ROOM_REGISTERS}
    (batch,) = read(opened("modbus", options, once=True))
    found = {row["tag"].partition(".")[2]: row["value"] for part in batch.parts for row in part.to_pylist()}  # type: ignore[union-attr]
    true = float(moment.rooms.temperature[int(room[1:]) - 1, -1]) * 1.8 + 32
    assert found["temperature"] / 10 == pytest.approx(true, abs=0.051)
    assert 4_000 < found["hours"] < 60_200
    assert 2 * found["hours"] < found["starts"] < 6 * found["hours"]


def test_each_value_of_the_warehouses_is_followed_by_opcua(running: Any) -> None:
    address = running.peer("opcua").address
    options = {
        "url": address["endpoint"],
        "nodes": {"R02": f"nsu={NAMESPACE};s=R02.Temperature"},
        "certificate": address["viewer"]["certificate"],
        "private_key": address["viewer"]["key"],
        "server_certificate": address["server_certificate"],
        "queue": 5,
        "trigger": "timestamp",
    }
    source = opened("opcua", options)
    assert [one.unit for one in asyncio.run(source.catalogue()).tags] == ["°C"]
    moments: list[Any] = []

    async def enough(found: list[LiveBatch]) -> bool:
        if not moments:
            moments.append(await asyncio.to_thread(running.advance, 3600))
        newest = max(row["source_time"] for batch in found for part in batch.parts for row in part.to_pylist())  # type: ignore[union-attr]
        return newest >= int(moments[0].step.rooms.time[-1]) * 10**9

    found = read(source, enough)
    got = {row["source_time"]: row["value"] for batch in found for part in batch.parts for row in part.to_pylist()}  # type: ignore[union-attr]
    times = (moments[0].step.rooms.time * 10**9).tolist()
    assert [got.get(at) for at in times] == moments[0].rooms.temperature[1].tolist()
    assert [gap for batch in found for gap in batch.gaps] == []


def test_each_report_of_the_telematics_is_read_once_in_good_and_bad_moods(running: Any) -> None:
    peer = running.peer("rest")
    address = peer.address
    table = {
        "path": "/reports",
        "rows": "items",
        "key": ["number"],
        "updated": "number",
        "since": "after",
        "times": "number",
        "oldest": "oldest",
        "parameters": {"limit": "7"},
        "pages": {"by": "cursor", "next": "next", "parameter": "after", "more": "more"},
    }
    options = {
        "url": address["endpoint"],
        "certificates": address["ca"],
        "token": f"file:{address['token_file']}",
        "requests_per_second": address["requests_a_second"],
        "tables": {"reports": table},
    }
    running.advance(1800)
    first = read(opened("http", options, once=True))
    offsets = {name: at for batch in first for name, at in batch.offsets.items()}
    running.advance(1800)
    peer.set_mood(bad=True)
    try:
        more = read(opened("http", options, once=True, offsets=offsets))
    finally:
        peer.set_mood(bad=False)
    numbers = [row["number"] for batch in (*first, *more) for part in batch.parts for row in part.rows.to_pylist()]  # type: ignore[union-attr]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 20
    assert [gap for batch in more for gap in batch.gaps] == []
