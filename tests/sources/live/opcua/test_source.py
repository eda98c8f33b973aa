"""Following an OPC UA server on loopback: its queue holds 50 values a node and doesn't say when it drops some."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from tests.field_peers import Link, OpcuaPeer
from twinlab.errors import SourceError
from twinlab.ledger.format.observations import conform
from twinlab.sources.live import LIVE_KINDS, Filled, LiveBatch, LiveContext, LiveSource
from twinlab.testing import check_live_source

QUEUE = 50
OWN = {"certificate": "client.der", "private_key": "client.pem", "server_certificate": "server.der"}
Row = tuple[str, int, float]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpcuaPeer]:
    peer = OpcuaPeer(tmp_path_factory.mktemp("opcua"), max_queue=QUEUE)
    yield peer
    peer.close()


@pytest.fixture
def peer(served: OpcuaPeer, monkeypatch: pytest.MonkeyPatch) -> OpcuaPeer:
    monkeypatch.setenv("OPCUA_PASSWORD", "secret")
    served.written.clear()
    return served


def opened(
    peer: OpcuaPeer, *, offsets: dict[str, object] | None = None, once: bool = False, **options: Any
) -> LiveSource:
    given = {"url": peer.url, "nodes": peer.nodes, "publish_every": "100ms", **OWN, **options}
    kind = LIVE_KINDS.get("opcua")
    context = LiveContext("warehouse", peer.folder, offsets=offsets or {}, once=once)
    source: LiveSource = kind.open(kind.parse(given), context)
    return source


async def until(source: LiveSource, enough: Callable[[list[LiveBatch]], Any]) -> list[LiveBatch]:
    """Return the batches up to the one with which there are enough; ``enough`` may return something to wait for."""
    found: list[LiveBatch] = []
    async with asyncio.timeout(30), aclosing(source.batches()) as batches:  # type: ignore[type-var]
        async for batch in batches:
            found.append(batch)
            done = enough(found)
            if asyncio.iscoroutine(done):
                done = await done
            if done:
                break
    return found


def rows(batches: list[LiveBatch]) -> list[Row]:
    return [
        (row["tag"], row["source_time"], row["value"])
        for batch in batches
        for part in batch.parts
        for row in part.to_pylist()  # type: ignore[union-attr]
    ]


def gaps(batches: list[LiveBatch]) -> list[Any]:
    return [gap for batch in batches for gap in batch.gaps]


def last_written(peer: OpcuaPeer) -> Callable[[list[LiveBatch]], bool]:
    return lambda found: set(rows(found[-1:])) >= {peer.written[-1]}


def writing(
    peer: OpcuaPeer, *bursts: tuple[str, list[float]], last: Row | None = None
) -> Callable[[list[LiveBatch]], Any]:
    """Write bursts once the first values have come, and end with the last of what was written."""

    async def enough(found: list[LiveBatch]) -> bool:
        if len(found) == 1:
            for tag, values in bursts:
                await asyncio.to_thread(peer.write, tag, values)
        return len(found) > 1 and {peer.written[-1]} <= set(rows(found))

    return enough


def test_values_have_the_source_s_time_and_status(peer: OpcuaPeer) -> None:
    async def enough(found: list[LiveBatch]) -> bool:
        if len(found) == 1:
            await asyncio.to_thread(peer.write, "temperature", [-18.5])
            await asyncio.to_thread(peer.write, "temperature", [-18.5], status=0x40930000)
        return len(rows(found)) >= 4

    source = opened(peer, user="historian", password="${OPCUA_PASSWORD}")
    found = asyncio.run(until(source, enough))
    assert set(peer.written) <= set(rows(found))
    for batch in found:
        for part in batch.parts:
            conform(part)  # type: ignore[arg-type]
    statuses = [row["status"] for batch in found for part in batch.parts for row in part.to_pylist()]  # type: ignore[union-attr]
    assert statuses[-2:] == [0, 0x40930000]
    assert found[-1].offsets == {"temperature": peer.written[-1][1]}
    assert source.health.connections == 1
    assert abs(source.health.clock_offset or 9.0) < 1
    assert source.health.load == {"connections": 1.0, "messages_per_second": 10.0}


def test_every_value_that_a_full_queue_dropped_is_recovered_from_the_history(peer: OpcuaPeer) -> None:
    source = opened(peer)
    bursts = ("temperature", [float(n) for n in range(1_200)]), ("count", [float(n) for n in range(1, 300)])
    found = asyncio.run(until(source, writing(peer, *bursts, bursts[0])))
    seen = rows(found)
    assert len(peer.written) == 2_699
    assert sorted(set(peer.written) - set(seen)) == []
    assert len(seen) == len(set(seen))
    assert gaps(found) == []
    assert (source.health.gaps, source.health.gaps_lost) == ((), 0)
    filled = [one for batch in found for one in batch.filled]
    assert {one.by for one in filled} == {"the server's history"}
    # What the subscription dropped, of the rows that were written.
    assert 2_699 - len(peer.nodes) * 2 * QUEUE <= sum(one.rows for one in filled) < 2_699
    # Pages of the history, not all of it in one batch.
    assert max(batch.rows for batch in found) <= 500


def test_a_queue_that_was_full_and_dropped_nothing_is_no_gap(peer: OpcuaPeer) -> None:
    found = asyncio.run(until(opened(peer), writing(peer, ("count", [float(n) for n in range(500, 500 + QUEUE)]))))
    seen = rows(found)
    assert sorted(set(peer.written) - set(seen)) == []
    assert len(seen) == len(set(seen))
    assert gaps(found) == []
    # A suspicion that turned out wrong isn't recorded.
    assert [one for batch in found for one in batch.filled] == []


def test_values_dropped_while_nobody_took_any_are_recovered(peer: OpcuaPeer) -> None:
    async def enough(found: list[LiveBatch]) -> bool:
        if len(found) == 1:
            for start in range(0, 1_500, 75):
                await asyncio.to_thread(peer.write, "temperature", [float(n) for n in range(start, start + 75)])
                await asyncio.sleep(0.03)
        return {peer.written[-1]} <= set(rows(found))

    found = asyncio.run(until(opened(peer), enough))
    assert sorted(set(peer.written) - set(rows(found))) == []
    assert gaps(found) == []


def test_what_a_node_without_history_dropped_is_a_gap(peer: OpcuaPeer) -> None:
    source = opened(peer, nodes={"unkept": "nsu=urn:twinlab:test;s=Unkept"})
    found = asyncio.run(until(source, writing(peer, ("unkept", [float(n) for n in range(1, 201)]))))
    first, kept = rows(found)[0], peer.written[-QUEUE:]
    assert rows(found)[1:] == kept
    (gap,) = gaps(found)
    assert (gap.reason, gap.tags) == ("full queue", ("unkept",))
    assert (gap.start_ns, gap.stop_ns) == (first[1] + 1, kept[-1][1])
    assert source.health.gaps_lost == 1
    with pytest.raises(SourceError, match="isn't connected"):
        asyncio.run(source.fill(gap))


def test_after_a_clock_that_was_set_back_what_a_full_queue_dropped_is_a_gap_without_a_start(peer: OpcuaPeer) -> None:
    async def enough(found: list[LiveBatch]) -> bool:
        if len(found) == 1:
            await asyncio.to_thread(peer.write, "count", [-1.0])
            await asyncio.to_thread(peer.write, "count", [-float(n) for n in range(2, 202)], behind=3600)
        return peer.written[-1] in rows(found)

    found = asyncio.run(until(opened(peer, nodes={"count": peer.nodes["count"]}), enough))
    assert set(peer.written[-QUEUE:]) <= set(rows(found))
    last = gaps(found)[-1]
    assert (last.start_ns, last.stop_ns, last.tags) == (None, peer.written[-1][1], ("count",))


def test_values_of_an_outage_are_recovered(peer: OpcuaPeer, caplog: pytest.LogCaptureFixture) -> None:
    link = Link(peer.port)
    source = opened(peer, url=f"opc.tcp://127.0.0.1:{link.port}/twinlab")

    async def enough(found: list[LiveBatch]) -> bool:
        if len(found) == 1:
            await asyncio.to_thread(link.cut)
            await asyncio.to_thread(peer.write, "temperature", [float(n) for n in range(700)])
            await asyncio.to_thread(link.mend)
        return {peer.written[-1]} <= set(rows(found))

    try:
        found = asyncio.run(until(source, enough))
    finally:
        link.close()
    seen = rows(found)
    assert sorted(set(peer.written) - set(seen)) == []
    # The node that didn't change isn't sent again.
    assert len(seen) == len(set(seen))
    assert gaps(found) == []
    assert source.health.connections == 2
    assert source.health.errors >= 1
    # A line for each attempt, and nothing of the library about the same.
    lines = [
        one for one in caplog.records if one.levelno >= logging.WARNING and not one.name.startswith("asyncua.server")
    ]
    said = [one for one in lines if one.name == "twinlab.live.opcua"]
    assert said
    assert {one.getMessage() for one in said} == {"no connection"}
    assert "was lost" in said[0].error  # type: ignore[attr-defined]
    assert [one.getMessage() for one in lines if one.exc_info or "clos" in one.getMessage()] == []


def test_after_a_restart_it_continues_behind_the_last_durable_value(peer: OpcuaPeer) -> None:
    peer.write("temperature", [1.0, 2.0, 3.0])
    first = asyncio.run(until(opened(peer), last_written(peer)))
    offsets = {tag: at for batch in first for tag, at in batch.offsets.items()}
    peer.write("temperature", [float(n) for n in range(100, 300)])
    found = asyncio.run(until(opened(peer, offsets=offsets), last_written(peer)))
    assert rows(found) == [row for row in peer.written if row[2] >= 100]
    assert gaps(found) == []


def test_a_gap_is_filled_when_asked(peer: OpcuaPeer) -> None:
    from twinlab.sources.live import Gap

    peer.write("count", [float(n) for n in range(2_000, 2_030)])
    wanted = peer.written[10:20]
    source = opened(peer)
    gap = Gap("count", "test", start_ns=wanted[0][1], stop_ns=wanted[-1][1], tags=("count",))

    async def enough(found: list[LiveBatch]) -> bool:
        if len(found) == 1:
            assert await source.fill(gap) == ""
            assert await source.fill(Gap("no such node", "test")) == "the server's history has no values of that time"
        return bool(found[-1].filled)

    found = asyncio.run(until(source, enough))
    assert rows(found[1:]) == wanted
    assert found[-1].filled == (Filled(gap, "the server's history", 10),)


def test_the_catalogue_has_the_declared_units_and_lacks_nodes_that_the_server_lacks(peer: OpcuaPeer) -> None:
    source = opened(peer, nodes={**peer.nodes, "ghost": "nsu=urn:twinlab:test;s=Ghost", "other": "nsu=urn:nobody;s=A"})
    found = asyncio.run(source.catalogue())
    assert found.complete
    assert {one.tag: one.unit for one in found.tags} == {"temperature": "°F", "count": None}
    assert "range -40 to 30" in found.tags[0].description
    asyncio.run(until(source, lambda batches: True))
    reasons = {gap.tags: gap.reason for gap in source.health.gaps}
    assert "nsu=urn:nobody;s=A (the server has no such namespace)" in reasons["other",]
    assert "BadNodeIdUnknown" in reasons["ghost",]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"user": "historian", "password": "${WRONG_PASSWORD}"}, "refuses the connection.*user and password"),
        ({"certificate": "rogue.der", "private_key": "rogue.pem"}, "refuses the connection.*check certificates"),
        ({"certificate": "none.der"}, "none.der, which doesn't exist"),
        ({"private_key": "server.der"}, "can't be used"),
        ({"user": "historian", "password": "${NOT_SET}"}, "NOT_SET isn't set"),
    ],
)
def test_what_another_attempt_can_t_mend_ends_the_source(
    peer: OpcuaPeer, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    monkeypatch.setenv("WRONG_PASSWORD", "guess")
    source = opened(peer, **options)
    with pytest.raises(SourceError, match=message):
        asyncio.run(until(source, lambda found: True))
    assert source.health.state == "failed"
    assert "secret" not in source.health.error
    assert "guess" not in source.health.error


@pytest.mark.parametrize("options", [{"server_certificate": "rogue.der"}, dict.fromkeys(OWN) | {"security": "none"}])
def test_another_server_and_an_open_connection_get_no_values(peer: OpcuaPeer, options: dict[str, Any]) -> None:
    source = opened(peer, timeout="300ms", **options)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(until(source, lambda found: True), 1.5))
    assert source.health.rows == 0
    assert source.health.errors >= 1


@pytest.mark.parametrize(("trigger", "times"), [("value", 1), ("timestamp", 3)])
def test_the_same_value_again_is_a_change_if_its_timestamp_counts(peer: OpcuaPeer, trigger: str, times: int) -> None:
    bursts = ("temperature", [77.0, 77.0, 77.0]), ("count", [float(times)])
    found = asyncio.run(until(opened(peer, trigger=trigger), writing(peer, *bursts)))
    assert [value for tag, _, value in rows(found[1:]) if tag == "temperature"] == [77.0] * times


def test_once_it_yields_the_values_that_are_there_and_ends(peer: OpcuaPeer) -> None:
    source = opened(peer, once=True, nodes={**peer.nodes, "ghost": "nsu=urn:twinlab:test;s=Ghost"})
    found = asyncio.run(until(source, lambda batches: False))
    assert {tag for tag, _, _ in rows(found)} == set(peer.nodes)
    assert source.health.state == "ended"


def test_closing_it_ends_the_session(peer: OpcuaPeer) -> None:
    asyncio.run(until(opened(peer), lambda found: True))
    deadline = time.monotonic() + 5
    while peer.sessions and time.monotonic() < deadline:
        time.sleep(0.01)
    assert peer.sessions == 0


def test_it_keeps_the_promises_of_a_live_source(peer: OpcuaPeer) -> None:
    options = {"url": peer.url, "nodes": peer.nodes, "publish_every": "100ms", **OWN}
    check_live_source("opcua", options, rows=2, folder=peer.folder)
