"""Polling a Modbus TCP server on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from tests.field_peers import ModbusPeer
from twinlab.ledger.format.observations import conform
from twinlab.sources.live import LIVE_KINDS, LiveBatch, LiveContext, LiveSource
from twinlab.testing import check_live_source

SENTINEL = 0x8000
REGISTERS = {
    "temperature": {"address": 0},
    "setpoint": {"address": 1, "type": "float32", "words": "little"},
    "energy": {"address": 20, "type": "uint32", "table": "input", "device": 2},
    "door": {"address": 1, "table": "coil", "type": "bit"},
}


@pytest.fixture(scope="module")
def served() -> Iterator[ModbusPeer]:
    peer = ModbusPeer()
    yield peer
    peer.close()


@pytest.fixture
def peer(served: ModbusPeer) -> ModbusPeer:
    served.silent = False
    served.requests.clear()
    served.set(0, [SENTINEL, 0x0000, 0xC194])
    served.set(20, [1, 0x86A0], device=2, function=4)
    return served


def opened(
    peer: ModbusPeer, *, offsets: dict[str, object] | None = None, once: bool = False, **options: Any
) -> LiveSource:
    given = {"registers": REGISTERS, "every": "50ms", "requests_per_second": 500, "timeout": "300ms", **options}
    kind = LIVE_KINDS.get("modbus")
    source: LiveSource = kind.open(
        kind.parse({"host": "127.0.0.1", "port": peer.port, **given}),
        LiveContext("cold", offsets=offsets or {}, once=once),
    )
    return source


async def until(source: LiveSource, enough: Callable[[list[LiveBatch]], bool]) -> list[LiveBatch]:
    found: list[LiveBatch] = []
    async with asyncio.timeout(20), aclosing(source.batches()) as batches:  # type: ignore[type-var]
        async for batch in batches:
            found.append(batch)
            if enough(found):
                break
    return found


def rows(batch: LiveBatch) -> dict[str, dict[str, Any]]:
    return {row["tag"]: row for part in batch.parts for row in part.to_pylist()}  # type: ignore[union-attr]


def test_values_are_those_of_the_device_at_the_time_of_the_poll(peer: ModbusPeer) -> None:
    source = opened(peer)
    began = time.time_ns()
    (batch,) = asyncio.run(until(source, lambda found: True))
    found = rows(batch)
    # A broken sensor's -32768 stays: the mapping says what it means.
    assert {tag: row["value"] for tag, row in found.items()} == {
        "temperature": -32768.0,
        "setpoint": -18.5,
        "energy": 100_000.0,
        "door": 1.0,
    }
    for row in found.values():
        assert began <= row["source_time"] <= time.time_ns()
        assert row["time_basis"] == "utc"
    for part in batch.parts:
        conform(part)  # type: ignore[arg-type]
    assert batch.gaps == ()
    health = source.health
    assert (health.state, health.rows, health.connections, health.errors) == ("connected", 4, 1, 0)
    assert health.load == {"connections": 1.0, "polls_per_second": 60.0}


def test_it_asks_for_nothing_but_the_listed_registers_and_writes_nothing(peer: ModbusPeer) -> None:
    asyncio.run(until(opened(peer), lambda found: len(found) == 5))
    assert set(peer.requests) == {(1, 0, 3), (2, 20, 2), (1, 1, 1)}
    assert peer.writes == 0


def test_requests_stay_within_the_budget_on_one_connection(peer: ModbusPeer) -> None:
    # Values far apart take a request each.
    registers = {
        name: {"address": at, "device": device} for name, at, device in (("a", 0, 1), ("b", 5, 1), ("c", 0, 2))
    }
    peer.most_connections = 0
    began = time.monotonic()
    asyncio.run(until(opened(peer, registers=registers, every="60ms", requests_per_second=50), lambda f: len(f) == 8))
    elapsed = time.monotonic() - began
    assert 24 <= len(peer.requests) <= elapsed * 50 + 1
    assert peer.most_connections == 1
    # Within a round as well: the third request comes two quarters of a second after the first.
    began = time.monotonic()
    asyncio.run(
        until(opened(peer, once=True, registers=registers, every="1s", requests_per_second=4), lambda found: False)
    )
    assert time.monotonic() - began >= 0.5


def test_an_address_that_the_device_lacks_costs_its_own_tag_alone(peer: ModbusPeer) -> None:
    registers = {"good": {"address": 9}, "bad": {"address": 10}}
    source = opened(peer, registers=registers)
    found = asyncio.run(until(source, lambda found: len(found) == 3))
    assert all(set(rows(batch)) == {"good"} for batch in found)
    open_gaps = [gap for gap in source.health.gaps if gap.stop_ns is None]
    assert [gap.tags for gap in open_gaps] == [("bad",)]
    assert source.health.errors >= 2
    # Later the device is not asked for it in each round.
    assert sum(address == 10 for _, address, _ in peer.requests) <= 3


def test_an_outage_is_a_gap_from_the_last_value_to_the_next_one(peer: ModbusPeer) -> None:
    source = opened(peer)

    async def run() -> list[LiveBatch]:
        loop = asyncio.get_running_loop()

        def enough(found: list[LiveBatch]) -> bool:
            if len(found) == 3:
                peer.stop()
                loop.call_later(0.3, peer.start)
            return len(found) > 3 and "temperature" in rows(found[-1])

        return await until(source, enough)

    found = asyncio.run(run())
    gap = next(gap for batch in found for gap in batch.gaps if gap.start_ns and "temperature" in gap.tags)
    before = rows(found[2])["temperature"]["source_time"]
    after = rows(found[-1])["temperature"]["source_time"]
    assert (gap.start_ns, gap.stop_ns, gap.tags) == (before + 1, after, ("temperature", "setpoint"))
    assert asyncio.run(source.fill(gap)) == "the device keeps no values"
    assert source.health.gaps_lost >= 1
    assert source.health.connections == 2
    assert gap in source.health.gaps


def test_a_device_that_hangs_is_left_and_its_late_answer_is_not_used(peer: ModbusPeer) -> None:
    source = opened(peer, timeout="100ms")

    async def run() -> list[LiveBatch]:
        loop = asyncio.get_running_loop()

        def enough(found: list[LiveBatch]) -> bool:
            if len(found) == 2:
                peer.silent = True
                loop.call_later(0.4, setattr, peer, "silent", False)
            return len(found) > 2 and len(rows(found[-1])) == 4

        return await until(source, enough)

    found = asyncio.run(run())
    assert {row["value"] for batch in found for row in rows(batch).values()} == {-32768.0, -18.5, 100_000.0, 1.0}
    assert "no answer" in {gap.reason for batch in found for gap in batch.gaps}
    assert source.health.connections >= 2


def test_nobody_at_the_address_is_an_error_with_address_and_pauses() -> None:
    kind = LIVE_KINDS.get("modbus")
    source = kind.open(kind.parse({"host": "127.0.0.1", "port": 1, "registers": REGISTERS}), LiveContext("cold"))

    async def run() -> None:
        batches: AsyncIterator[LiveBatch] = source.batches()
        waiting = asyncio.ensure_future(anext(batches))  # type: ignore[arg-type]
        await asyncio.sleep(0.5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(run())
    assert source.health.state == "connecting"
    assert "no Modbus device answers at 127.0.0.1:1" in source.health.error
    assert 1 <= source.health.errors <= 20


def test_after_a_restart_the_time_without_polls_is_a_gap(peer: ModbusPeer) -> None:
    (first,) = asyncio.run(until(opened(peer), lambda found: True))
    offsets = {stream: at - 3600 * 10**9 for stream, at in first.offsets.items()}  # type: ignore[operator]
    (batch,) = asyncio.run(until(opened(peer, offsets=offsets), lambda found: True))
    assert {gap.stream: gap.start_ns for gap in batch.gaps} == {stream: at + 1 for stream, at in offsets.items()}
    assert {gap.reason for gap in batch.gaps} == {"not polled"}
    # A clock that was set back makes no gap, and no error.
    later = {stream: time.time_ns() + 3600 * 10**9 for stream in offsets}
    (batch,) = asyncio.run(until(opened(peer, offsets=later), lambda found: True))
    assert batch.gaps == ()


def test_polls_left_out_because_nobody_takes_the_rows_are_a_gap(peer: ModbusPeer) -> None:
    async def run() -> LiveBatch:
        async with asyncio.timeout(20), aclosing(opened(peer).batches()) as batches:  # type: ignore[type-var]
            await anext(batches)  # type: ignore[arg-type]
            await asyncio.sleep(0.3)
            return await anext(batches)  # type: ignore[arg-type]

    batch = asyncio.run(run())
    assert {gap.reason for gap in batch.gaps} == {"not polled"}
    assert len(peer.requests) == 6


def test_once_it_polls_each_register_once_and_ends(peer: ModbusPeer) -> None:
    source = opened(peer, once=True)
    (batch,) = asyncio.run(until(source, lambda found: False))
    assert set(rows(batch)) == set(REGISTERS)
    assert source.health.state == "ended"


def test_closing_it_closes_the_connection(peer: ModbusPeer) -> None:
    asyncio.run(until(opened(peer), lambda found: True))
    deadline = time.monotonic() + 5
    while peer.connections and time.monotonic() < deadline:
        time.sleep(0.01)
    assert peer.connections == 0


def test_the_catalogue_has_all_tags_and_no_units(peer: ModbusPeer) -> None:
    found = asyncio.run(opened(peer).catalogue())
    assert found.complete
    assert {one.tag: one.unit for one in found.tags} == dict.fromkeys(REGISTERS)
    assert "input 20 of device 2, uint32; times are those of polls" in [one.description for one in found.tags]


def test_it_keeps_the_promises_of_a_live_source(peer: ModbusPeer) -> None:
    options = {
        "host": "127.0.0.1",
        "port": peer.port,
        "registers": REGISTERS,
        "every": "50ms",
        "requests_per_second": 500,
    }
    check_live_source("modbus", options, rows=12, keeps=False)
