"""Kafka with a broker: each message once, in the order of its partition, and what a broker has lost is said."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest

from tests.field_peers import free_port
from tests.kafka_broker import Kafka
from twinlab.errors import SourceError
from twinlab.sources.live import LIVE_KINDS, LiveBatch, LiveContext
from twinlab.sources.live.kafka.place import ANEW, DELETED
from twinlab.sources.live.kafka.source import KafkaSource
from twinlab.testing import check_live_source

KIND = LIVE_KINDS.get("kafka")
Enough = Callable[[list[LiveBatch]], bool]


def values(low: int, count: int) -> list[bytes]:
    return [json.dumps({"id": number, "kg": number / 2}).encode() for number in range(low, low + count)]


def opened(
    kafka: Kafka, topics: object, offsets: dict[str, object] | None = None, *, once: bool = True, **options: object
) -> KafkaSource:
    given = {"servers": [kafka.address], "topics": topics, "look_every": "200ms", "timeout": "2s", **options}
    source = KIND.open(KIND.parse(given), LiveContext("events", offsets=offsets or {}, once=once))
    assert isinstance(source, KafkaSource)
    return source


def read(
    source: KafkaSource, enough: Enough = lambda found: False, *, meanwhile: Callable[[], None] | None = None
) -> list[LiveBatch]:
    """Read until it is enough, or the source ends; ``meanwhile`` is called after the first batch with rows."""

    async def run() -> list[LiveBatch]:
        found, waiting = [], meanwhile
        async with asyncio.timeout(60), aclosing(source.batches()) as batches:  # type: ignore[type-var]
            async for batch in batches:
                found.append(batch)
                await source.acknowledge(batch)
                if waiting is not None and batch.rows:
                    await asyncio.to_thread(waiting)
                    waiting = None
                if enough(found):
                    break
        return found

    return asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a source does by itself."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  (no event is set for it)
            await asyncio.sleep(0.05)


def ids(batches: Iterable[LiveBatch]) -> list[int]:
    return [row["id"] for batch in batches for part in batch.parts for row in part.rows.to_pylist()]


def offsets_of(batches: Iterable[LiveBatch], before: dict[str, object] | None = None) -> dict[str, object]:
    found = dict(before or {})
    for batch in batches:
        found |= batch.offsets
    return found


def gaps(batches: Iterable[LiveBatch]) -> list[tuple[str, str, int | None, int | None]]:
    return [(one.stream, one.reason, one.first_sequence, one.stop_sequence) for batch in batches for one in batch.gaps]


def test_the_source_conforms(kafka: Kafka) -> None:
    topic = kafka.topic(partitions=2)
    for partition in (0, 1):
        kafka.send(topic, values(100 * partition, 100), partition=partition)
    check_live_source("kafka", {"servers": [kafka.address], "topics": [topic], "rows": 50}, rows=200)


def test_each_partition_is_in_its_order_and_a_restart_reads_on(kafka: Kafka) -> None:
    topic = kafka.topic(partitions=3)
    for partition in range(3):
        kafka.send(topic, values(1000 * partition, 300), partition=partition, key=b"k")
    found = read(opened(kafka, [topic], rows=70))
    for partition in range(3):
        of_it = [number for number in ids(found) if number // 1000 == partition]
        assert of_it == list(range(1000 * partition, 1000 * partition + 300))
    kafka.send(topic, values(5000, 3), partition=1)
    # As the ledger has them: of any place in between, what follows comes.
    for stop in (2, len(found)):
        before = offsets_of(found[:stop])
        again = read(opened(kafka, [topic], before))
        assert sorted(ids(found[:stop]) + ids(again)) == sorted([*ids(found), 5000, 5001, 5002])
        assert gaps(again) == []


def test_offsets_without_messages_are_no_gaps(kafka: Kafka) -> None:
    topic = kafka.topic()
    for number in range(4):
        kafka.transaction(topic, values(10 * number, 10), commit=number % 2 == 0)
    found = read(opened(kafka, [topic]))
    assert ids(found) == [*range(10), *range(20, 30)]
    again = opened(kafka, [topic], offsets_of(found))
    assert (ids(read(again)), again.health.load["messages_behind"]) == ([], 0.0)


def test_messages_that_retention_deleted_are_a_gap(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.send(topic, values(0, 100))
    before = offsets_of(read(opened(kafka, [topic], rows=40), lambda found: len(ids(found)) >= 40))
    at = before[f"{topic}/0"]["next"]  # type: ignore[index]
    kafka.delete_before(topic, 0, 90)
    source = opened(kafka, [topic], before)
    found = read(source)
    assert ids(found) == list(range(90, 100))
    assert gaps(found) == [(f"{topic}/0", DELETED, at, 90)]
    assert source.health.gaps_lost == 1
    (gap,) = [one for batch in found for one in batch.gaps]
    assert DELETED in asyncio.run(source.fill(gap))
    assert gaps(read(opened(kafka, [topic], offsets_of(found)))) == []


def test_messages_deleted_while_the_source_reads_are_a_gap_as_well(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.send(topic, values(0, 80))
    source = opened(kafka, [topic], rows=1)

    def delete() -> None:
        kafka.delete_before(topic, 0, 79)
        assert source._connection is not None
        # The library has read ahead what this test deletes: it fetches again.
        source._connection.read_from({(topic, 0): 1})

    found = read(source, meanwhile=delete)
    assert (ids(found), gaps(found)) == ([0, 79], [(f"{topic}/0", DELETED, 1, 79)])


def test_a_topic_that_was_made_anew_is_read_from_its_first_message(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.send(topic, values(0, 20))
    before = offsets_of(read(opened(kafka, [topic])))
    kafka.delete_topic(topic)
    kafka.topic(name=topic)
    kafka.send(topic, values(100, 5))
    found = read(opened(kafka, [topic], before))
    assert (ids(found), gaps(found)) == ([100, 101, 102, 103, 104], [(f"{topic}/0", ANEW, 20, None)])


def test_a_new_partition_is_read_from_its_first_message(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.send(topic, values(0, 5), partition=0)
    rule = {topic: {"start": "latest"}}

    def add() -> None:
        kafka.add_partitions(topic, 2)
        kafka.send(topic, values(100, 5), partition=1)

    source = opened(kafka, rule, once=False)
    sent = False

    def enough(found: list[LiveBatch]) -> bool:
        nonlocal sent
        if not sent:  # the places are stored: what comes now is new
            kafka.send(topic, values(50, 5), partition=0)
            sent = True
        return len(ids(found)) >= 10

    found = read(source, enough, meanwhile=add)
    assert ids(found) == [*range(50, 55), *range(100, 105)]
    assert source.health.load["partitions"] == 2
    # Also one that came while nobody read.
    kafka.add_partitions(topic, 3)
    kafka.send(topic, values(200, 5), partition=2)
    assert ids(read(opened(kafka, rule, offsets_of(found)))) == list(range(200, 205))


def test_reading_begins_where_the_topic_s_rule_says(kafka: Kafka) -> None:
    topic = kafka.topic(partitions=2)
    # Not long ago: the broker's retention goes by timestamps.
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=100)
    for number in range(6):
        kafka.send(topic, values(number, 1), partition=number % 2, timestamp=round(began.timestamp() + number) * 1000)

    def after(seconds: float, zone: tzinfo = UTC) -> str:
        return (began + timedelta(seconds=seconds)).astimezone(zone).isoformat()

    east = timezone(timedelta(hours=1))
    started = {"earliest": list(range(6)), "latest": [], after(3): [3, 4, 5], after(4.5, east): [5], after(50): []}
    for start, expected in started.items():
        assert sorted(ids(read(opened(kafka, {topic: {"start": start}})))) == expected
    assert ids(read(opened(kafka, {topic: {"partitions": [1]}}))) == [1, 3, 5]


def test_several_topics_have_their_own_formats_and_tables(kafka: Kafka) -> None:
    first, second, third = (kafka.topic() for _ in range(3))
    kafka.send(first, [b"1;2.5"])
    kafka.send(second, [b"7.25"], key=b"R01.t")
    kafka.send(third, [b"\xff\x00", b"{}", b'{"id": 4}'])
    rules = {
        first: {"format": "csv", "columns": ["id", "kg"], "delimiter": ";", "table": "scale"},
        second: {"format": "number"},
        third: {},
    }
    source = opened(kafka, rules, add=["key"])
    found = read(source)
    tables = {part.table: part.rows.to_pylist() for batch in found for part in batch.parts}
    assert tables == {
        "scale": [{"id": 1, "kg": 2.5, "kafka.key": None}],
        second: [{"value": 7.25, "kafka.key": "R01.t"}],
        third: [{"id": None, "kafka.key": None}, {"id": 4, "kafka.key": None}],
    }
    ((lost,),) = [batch.unreadable for batch in found if batch.unreadable]
    assert (lost.place, lost.content) == (f"{third}/0/0", b"\xff\x00")
    assert source.health.load["messages_unreadable"] == 1
    assert source.health.errors == 1


def test_a_message_of_megabytes_is_read(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.send(topic, [json.dumps([{"id": number, "text": "x" * 1000} for number in range(900)]).encode()])
    (batch,) = [one for one in read(opened(kafka, [topic])) if one.rows]
    assert batch.rows == 900
    assert offsets_of([batch])[f"{topic}/0"]["next"] == 1  # type: ignore[index]


def test_durable_offsets_are_committed_to_a_group_that_is_never_read(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.send(topic, values(0, 10))
    group = f"seen-by-kafka-{topic}"
    assert len(ids(read(opened(kafka, [topic], group=group)))) == 10
    assert kafka.committed(group, topic) == 10
    # The ledger has nothing: everything comes again, whatever the group says.
    assert len(ids(read(opened(kafka, [topic], group=group)))) == 10


def test_how_far_a_source_is_behind_is_shown(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.send(topic, values(0, 500))
    source = opened(kafka, [topic], once=False, rows=100)
    read(source, lambda found: len(ids(found)) >= 100)
    health = source.health
    assert health.load["messages_behind"] == 500 - len(ids([])) - health.rows
    assert health.streams[f"{topic}/0"] == {"next": health.rows, "end": 500, "behind": 500 - health.rows}
    assert 0 < health.load["seconds_behind"] < 3600


def test_a_topic_or_partition_that_does_not_exist_is_named(kafka: Kafka) -> None:
    topic = kafka.topic()
    with pytest.raises(SourceError, match=f"there is no topic '{topic}x'.*{topic}"):
        read(opened(kafka, [f"{topic}x"]))
    with pytest.raises(SourceError, match=f"topic '{topic}' has the partitions 0 to 0, and no 4"):
        read(opened(kafka, {topic: {"partitions": [4]}}))


def test_a_broker_that_is_away_is_waited_for_and_a_restart_loses_nothing(tmp_path: Path) -> None:
    broker = Kafka(tmp_path)
    broker.start()
    try:
        topic = broker.topic()
        broker.send(topic, values(0, 50))
        broker.stop()
        source = opened(broker, [topic], once=False, timeout="1s")

        async def run() -> list[LiveBatch]:
            found = []
            async with asyncio.timeout(60), aclosing(source.batches()) as batches:  # type: ignore[type-var]
                starting = asyncio.ensure_future(anext(batches))
                await until(lambda: source.health.errors > 0)
                shown = source.health
                assert shown.state == "connecting"
                assert f"127.0.0.1:{broker.port}" in shown.error
                await asyncio.to_thread(broker.start)
                found.append(await starting)
                while len(ids(found)) < 50:
                    found.append(await anext(batches))
                # While it reads: stopped, with what it had, and started.
                following = asyncio.ensure_future(anext(batches))
                await asyncio.to_thread(broker.stop)
                await until(lambda: source.health.state != "connected")
                await asyncio.to_thread(broker.start)
                broker._producer = None
                await asyncio.to_thread(broker.send, topic, values(50, 50))
                found.append(await following)
                while len(ids(found)) < 100:
                    found.append(await anext(batches))
            assert source.health.state == "connected"
            return found

        found = asyncio.run(run())
        assert (ids(found), gaps(found)) == (list(range(100)), [])
    finally:
        broker.stop(kill=True)


def test_secrets_and_certificates_that_are_missing_are_named(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)
    with pytest.raises(SourceError, match="the environment variable NO_SUCH_PASSWORD isn't set"):
        read(opened(kafka, ["t"], login={"user": "u", "password": "${NO_SUCH_PASSWORD}"}))
    with pytest.raises(SourceError, match="missing.pem"):
        read(opened(kafka, ["t"], tls=True, ca="missing.pem"))


def test_nobody_there_is_said_within_the_timeout() -> None:
    given = {"servers": [f"127.0.0.1:{free_port()}"], "topics": ["t"], "timeout": "1s"}
    source = KIND.open(KIND.parse(given), LiveContext("events"))

    async def run() -> None:
        async with aclosing(source.batches()) as batches:
            waiting = asyncio.ensure_future(anext(batches))
            began = time.monotonic()
            await until(lambda: source.health.errors > 0)
            assert time.monotonic() - began < 20
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(run())
    assert "Check that the brokers run" in source.health.error


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SourceError, match=r'pip install "twinlab-kit\[kafka\]"'):
        KIND.check_installed()
