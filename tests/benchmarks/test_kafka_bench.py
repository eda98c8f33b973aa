"""300,000 JSON messages of Kafka: a plain consumer that counts, one that decodes, the source, and a twin whose rows are durable.

Run: python -m pytest tests/benchmarks/test_kafka_bench.py -m benchmark -s -n0
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import confluent_kafka as ck
import pytest

import twinlab as tl
from tests.kafka_broker import Kafka
from twinlab.sources.live import LIVE_KINDS, LiveContext

pytestmark = pytest.mark.benchmark
MESSAGES, PARTITIONS = 300_000, 3
MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  cold_room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1s}
"""
MAPPING = """
source: stream
tables:
  - table: telemetry
    time: {column: at, format: epoch_ms, zone: UTC}
    asset: {type: cold_room, column: room}
    columns: {celsius: {signal: temperature, unit: degC}}
    ignore: [number]
live: {kind: kafka, servers: [SERVER], topics: {TOPIC: {table: telemetry}}}
"""


def plain(kafka: Kafka, topic: str, *, decode: bool) -> tuple[int, int]:
    """Return the number of messages, and the sum of their bytes or, decoded, of their numbers."""
    settings = {"bootstrap.servers": kafka.address, "group.id": "count", "enable.auto.commit": False, "log_level": 0}
    consumer = ck.Consumer(settings)
    consumer.assign([ck.TopicPartition(topic, one, 0) for one in range(PARTITIONS)])
    count = total = 0
    while count < MESSAGES:
        for message in consumer.consume(10_000, 0.5):
            value = message.value() or b""
            count += 1
            total += json.loads(value)["number"] if decode else len(value)
    consumer.close()
    return count, total


def source(kafka: Kafka, topic: str, **options: object) -> tuple[int, int]:
    """Return the same, as the source yields it."""
    kind = LIVE_KINDS.get("kafka")
    opened = kind.open(
        kind.parse({"servers": [kafka.address], "topics": [topic], **options}), LiveContext("s", once=True)
    )

    async def run() -> tuple[int, int]:
        count = total = 0
        async with aclosing(opened.batches()) as batches:
            async for batch in batches:
                for part in batch.parts:
                    count += part.rows.num_rows
                    total += part.rows.column("number").to_numpy().sum()
        return count, int(total)

    return asyncio.run(run())


def durable(kafka: Kafka, topic: str, folder: Path) -> tuple[int, int]:
    """Return the same of the ledger of a twin that has read the topic once; the history is published as well."""
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "stream.yaml").write_text(MAPPING.replace("SERVER", kafka.address).replace("TOPIC", topic))
    twin = tl.create(folder / "site", model=folder / "twin.yaml", mappings=folder / "stream.yaml")
    twin.run(once=True)
    count = total = 0
    for frame in twin.ledger.reader("stream").frames():
        numbers = frame.batch().column("number").to_numpy()
        count, total = count + len(numbers), total + int(numbers.sum())
    return count, total


def test_messages_a_second(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.topic(partitions=PARTITIONS)
    for partition in range(PARTITIONS):
        values = (
            json.dumps(
                {
                    "number": n,
                    "room": f"R{n % 50:02d}",
                    "at": 1_772_323_200_000 + n // 50 * 1000,
                    "celsius": n % 97 / 10,
                }
            ).encode()
            for n in range(partition, MESSAGES, PARTITIONS)
        )
        kafka.send(topic, values, partition=partition)
    expected = MESSAGES, MESSAGES * (MESSAGES - 1) // 2
    runs: dict[str, Callable[[], tuple[int, int]]] = {
        "plain consumer that counts": lambda: plain(kafka, topic, decode=False),
        "plain consumer, json.loads": lambda: plain(kafka, topic, decode=True),
        "source kafka": lambda: source(kafka, topic),
        "source kafka, add: []": lambda: source(kafka, topic, add=[]),
        "twin.run(once=True), durable and published": lambda: durable(kafka, topic, tmp_path),
    }
    for name, run in runs.items():
        began = time.perf_counter()
        count, total = run()
        seconds = time.perf_counter() - began
        assert count == MESSAGES
        assert total == expected[1] or "counts" in name
        sys.stdout.write(f"{name}: {seconds:.2f} s, {count / seconds:,.0f} messages/s\n")
