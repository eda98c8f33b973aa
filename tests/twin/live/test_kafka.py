"""A twin that reads topics of Kafka: kills lose and repeat nothing, and what can't be read is kept."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import twinlab as tl
from tests.kafka_broker import Kafka

#: The broker's retention deletes messages with older timestamps.
NOW_MS = round(time.time()) * 1000
SCRIPT = Path(__file__).with_name("killed_before_acknowledge.py")
MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  cold_room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
event_types:
  order:
    properties:
      kg: {dtype: number, unit: kg}
"""
MAPPING = """
source: stream
tables:
  - table: telemetry
    time: {column: at, zone: UTC}
    asset: {type: cold_room, column: room}
    columns: {t: {signal: temperature, unit: degC}}
  - table: meter
    time: {column: kafka.timestamp, format: epoch_ms, zone: UTC}
    asset: {type: cold_room, column: kafka.key}
    columns: {value: {signal: temperature, unit: degF}}
  - table: orders
    events:
      - {type: order, key: [id], start: {column: at, zone: UTC}, properties: {kg: {column: kg}}}
live:
  kind: kafka
  servers: [SERVER]
  topics:
    TOPIC: {table: telemetry}
    METER: {table: meter, format: number}
    ORDERS: {table: orders, key: [id]}
  gather: 5ms
  rows: 50
"""


class Site:
    """A twin and the topics that it reads."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        self.kafka = kafka
        self.telemetry, self.meter, self.orders = kafka.topic(partitions=2), kafka.topic(), kafka.topic()
        text = MAPPING.replace("SERVER", kafka.address)
        for name, topic in (("TOPIC", self.telemetry), ("METER", self.meter), ("ORDERS", self.orders)):
            text = text.replace(name, topic)
        (folder / "twin.yaml").write_text(MODEL)
        (folder / "stream.yaml").write_text(text)
        self.twin = tl.create(folder / "site", model=folder / "twin.yaml", mappings=folder / "stream.yaml")

    def send(self, low: int, count: int) -> None:
        """Send temperatures of two rooms, a minute apart, to two partitions."""
        for partition in (0, 1):
            values = [
                json.dumps(
                    {
                        "at": f"2026-03-{1 + n // 1440:02d}T{n // 60 % 24:02d}:{n % 60:02d}Z",
                        "room": f"R{partition}",
                        "t": n / 10,
                    }
                ).encode()
                for n in range(low, low + count)
            ]
            self.kafka.send(self.telemetry, values, partition=partition)
        self.kafka.send(
            self.meter,
            [b"%d" % (number % 100) for number in range(low, low + count)],
            key=b"M",
            timestamp=NOW_MS,
        )

    def stored(self) -> list[tuple[str, int, int]]:
        """Return table, partition and offset of all rows of the ledger, sorted; of a run that was killed as well."""
        found = []
        for frame in self.twin.ledger.reader("stream").frames():
            rows = frame.batch().to_pylist()
            found += [(frame.record_type or "", row["kafka.partition"], row["kafka.offset"]) for row in rows]
        return sorted(found)

    def expected(self, count: int) -> list[tuple[str, int, int]]:
        telemetry = [("telemetry", partition, number) for partition in (0, 1) for number in range(count)]
        return sorted([*telemetry, *(("meter", 0, number) for number in range(count))])


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path) -> Site:
    return Site(kafka, tmp_path)


def test_topics_become_history_events_and_what_is_unreadable(site: Site) -> None:
    site.send(0, 20)
    site.kafka.send(site.telemetry, [b"\xfe\x00poison"], partition=1, key=b"R1", headers={"from": b"test"})
    for number in (1, 2):
        site.kafka.send(
            site.orders, [json.dumps({"at": f"2026-03-0{number}", "kg": number}).encode()], key=b"%d" % number
        )
    status = site.twin.run(once=True)
    source = status.sources["stream"]
    assert (source["rows"], source["unreadable"], source["load"]["messages_behind"]) == (62, 1, 0.0)
    data = site.twin.history("cold_room").compute()
    assert data.temperature.sel(asset="R1").dropna("time").values.tolist() == pytest.approx([n / 10 for n in range(20)])
    # The timestamps of all numbers were one instant: the last one is its value.
    assert data.temperature.sel(asset="M").dropna("time").values.tolist() == pytest.approx([(19 - 32) / 1.8], abs=0.06)
    assert site.twin.events("order")[["event_id", "kg"]].to_numpy().tolist() == [["1", 1.0], ["2", 2.0]]
    (kept,) = site.twin.unreadable("stream").to_dict("records")
    assert (kept["place"], kept["content"], kept["key"]) == (f"{site.telemetry}/1/20", b"\xfe\x00poison", b"R1")
    assert kept["headers"] == '{"from": "test"}'
    assert "expected text in UTF-8, got the byte 0xfe at 0" in kept["reason"]
    # A tombstone withdraws the order with its key.
    site.kafka.send(site.orders, [None], key=b"1")
    assert site.twin.run(once=True).sources["stream"]["rows"] == 1
    assert tl.open(site.twin.folder).events("order")["event_id"].tolist() == ["2"]
    assert len(site.twin.unreadable("stream")) == 1


def test_a_kill_between_the_ledger_s_sync_and_the_acknowledgement_loses_and_repeats_nothing(site: Site) -> None:
    site.send(0, 60)
    run = subprocess.run([sys.executable, str(SCRIPT), str(site.twin.folder), "2"], check=False, timeout=120)
    assert run.returncode == -signal.SIGKILL
    site.send(60, 60)
    site.twin.run(once=True)
    assert site.stored() == site.expected(120)
    assert site.twin.gaps().empty
    assert site.twin.run(once=True).sources["stream"]["rows"] == 0


def test_a_kill_within_a_write_leaves_rows_with_their_offsets(site: Site) -> None:
    """Of a group of frames, some are whole: a writer that opens keeps them, and reading resumes after exactly these."""
    site.send(0, 60)
    script = SCRIPT.with_name("killed_in_write.py")
    run = subprocess.run([sys.executable, str(script), str(site.twin.folder), "0.9"], check=False, timeout=120)
    assert run.returncode == -signal.SIGKILL
    site.twin.run(once=True)
    assert site.stored() == site.expected(60)


@pytest.mark.soak
def test_a_historian_killed_again_and_again_at_any_moment_loses_and_repeats_nothing(site: Site) -> None:
    """Run: python -m pytest tests/twin/live/test_kafka.py -m soak -n0; SOAK_KILLS is the number of kills, 20 by default."""
    chance, count = random.Random(1), 0
    for _ in range(int(os.environ.get("SOAK_KILLS", "20"))):
        command = [sys.executable, "-m", "twinlab", "run", str(site.twin.folder), "--lease", "0.5s"]
        historian = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        status = site.twin.live_status
        before = status().updated_ns
        until = time.monotonic() + 60
        while status().updated_ns == before and time.monotonic() < until:
            time.sleep(0.05)
        lives = time.monotonic() + chance.uniform(0.0, 1.5)
        while time.monotonic() < lives:
            site.send(count, 100)
            count += 100
        historian.kill()
        historian.wait()
    site.twin.run(once=True)
    assert site.stored() == site.expected(count)
    assert site.twin.gaps().empty
