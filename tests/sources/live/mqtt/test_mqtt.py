"""The source ``mqtt`` with a real broker, TLS and gateways: rows once, units, gaps, deaths; attackers are refused and seen."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import aiomqtt
import pyarrow as pa
import pytest

from tests.mosquitto import Authority, Mosquitto
from twinlab.edge import Gateway, GatewaySettings, Reading, SecurityLog
from twinlab.errors import SourceError
from twinlab.sources.live import LIVE_KINDS, Gap, LiveBatch, LiveContext, LiveSource
from twinlab.sources.live.mqtt.source import MqttSource
from twinlab.testing import check_live_source

# aiomqtt leaves the socket of a failed handshake to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


class Ledger:
    """Rows and offsets of a historian in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        self.batches: list[LiveBatch] = []
        self.offsets: dict[str, object] = {}
        self.folder = folder or Path(tempfile.mkdtemp())

    @asynccontextmanager
    async def reading(self, broker: Mosquitto, **options: object) -> AsyncIterator[MqttSource]:
        kind = LIVE_KINDS.get("mqtt")
        kind.check_installed()
        source = kind.open(
            kind.parse({**broker.settings("historian"), **options}),
            LiveContext("trucks", self.folder, offsets=self.offsets),
        )
        assert isinstance(source, LiveSource)

        async def work() -> None:
            async for batch in source.batches():
                self.batches.append(batch)
                self.offsets |= batch.offsets
                await source.acknowledge(batch)

        task = asyncio.create_task(work())
        try:
            yield source
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def rows(self) -> list[dict[str, object]]:
        parts = [part for batch in self.batches for part in batch.parts]
        return pa.Table.from_batches(parts).to_pylist() if parts else []


def gateway(broker: Mosquitto, name: str, folder: Path, **others: object) -> Gateway:
    given = {"name": name, "broker": broker.settings(name), "outbox": str(folder / f"{name}.db"), "patience": "300ms"}
    return Gateway(GatewaySettings.model_validate({**given, **others}))


def numbered(first: int, count: int) -> list[Reading]:
    return [Reading("temp", n, float(n)) for n in range(first, first + count)]


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  (what is asked has no event)
            await asyncio.sleep(0.02)


async def drained(*gateways: Gateway) -> None:
    async with asyncio.timeout(60):
        for one in gateways:
            await one.drain()


def test_rows_of_two_gateways_arrive_once_with_their_own_names_and_units(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger()

    async def main() -> None:
        async with (
            ledger.reading(mosquitto) as source,
            gateway(mosquitto, "truck-1", tmp_path, units={"temp": "degF"}) as one,
            gateway(mosquitto, "truck-2", tmp_path) as two,
        ):
            await asyncio.gather(one.write(numbered(1, 50)), two.write(numbered(101, 50)))
            await drained(one, two)
            declared = {("truck-1/temp", "degF"), ("truck-2/temp", None)}
            async with asyncio.timeout(5):
                while not declared <= {(tag.tag, tag.unit) for tag in (await source.catalogue()).tags}:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            health = source.health
            assert (health.state, health.rows, health.error) == ("connected", 100, "")
            assert health.clock_offset == pytest.approx(0, abs=5)

    asyncio.run(main())
    rows = ledger.rows()
    by_tag = {tag: [row for row in rows if row["tag"] == tag] for tag in ("truck-1/temp", "truck-2/temp")}
    assert [row["value"] for row in by_tag["truck-1/temp"]] == [float(n) for n in range(1, 51)]
    assert [row["value"] for row in by_tag["truck-2/temp"]] == [float(n) for n in range(101, 151)]
    assert {(row["unit"], row["time_basis"]) for row in by_tag["truck-1/temp"]} == {("degF", "utc")}
    epochs = {row["epoch"] for row in rows}
    assert len(epochs) == 2
    assert {(row["epoch"], row["sequence"]) for row in rows} == {(epoch, n) for epoch in epochs for n in range(1, 51)}


def test_a_historian_that_comes_back_goes_on_and_the_broker_may_die_meanwhile(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    ledger = Ledger()

    async def main() -> None:
        async with gateway(mosquitto, "truck-1", tmp_path) as one:
            await one.write(numbered(1, 100))
            async with ledger.reading(mosquitto):
                await drained(one)
            await one.write(numbered(101, 100))
            mosquitto.kill()
            await one.write(numbered(201, 100))
            mosquitto.start()
            async with ledger.reading(mosquitto):
                await drained(one)

    asyncio.run(main())
    assert [row["value"] for row in ledger.rows()] == [float(n) for n in range(1, 301)]


def test_what_expires_at_the_edge_is_a_gap_in_the_place_of_the_rows(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger()

    async def main() -> None:
        async with gateway(mosquitto, "truck-1", tmp_path, streams={"s": {"tags": ["temp"], "expires": "1ms"}}) as one:
            await one.write(numbered(1, 30))
            await asyncio.sleep(0.05)
            assert [(lost.stream, lost.rows) for lost in one.outbox.expire()] == [("s", 30)]
            one.outbox._expiry.clear()
            await one.write(numbered(31, 5))
            async with ledger.reading(mosquitto) as source:
                await drained(one)
                assert source.health.gaps_lost == 1

    asyncio.run(main())
    assert [row["sequence"] for row in ledger.rows()] == [31, 32, 33, 34, 35]
    (gap,) = [gap for batch in ledger.batches for gap in batch.gaps]
    assert (gap.stream, gap.first_sequence, gap.stop_sequence, gap.start_ns, gap.stop_ns) == ("truck-1", 1, 31, 1, 31)
    assert gap.reason == "older than 0.001 s at the gateway"
    assert [at["last"] for stream, at in ledger.offsets.items() if not stream.endswith("/runs")] == [35]


def test_a_replaced_disk_is_another_epoch(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger()

    async def main() -> None:
        async with ledger.reading(mosquitto):
            for disk in ("old", "new"):
                (tmp_path / disk).mkdir()
                async with gateway(mosquitto, "truck-1", tmp_path / disk) as one:
                    await one.write(numbered(1, 10))
                    await drained(one)

    asyncio.run(main())
    epochs = [row["epoch"] for row in ledger.rows()]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == 2
    assert [row["sequence"] for row in ledger.rows()] == [*range(1, 11), *range(1, 11)]


def test_an_older_copy_of_an_outbox_is_refused_and_in_the_security_log(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    box = tmp_path / "truck-1.db"

    async def main() -> None:
        async with gateway(mosquitto, "truck-1", tmp_path) as one, ledger.reading(mosquitto):
            await one.write(numbered(1, 10))
            await drained(one)
        copy = box.read_bytes()
        async with gateway(mosquitto, "truck-1", tmp_path) as one, ledger.reading(mosquitto):
            await one.write(numbered(11, 10))
            await drained(one)
        box.write_bytes(copy)
        async with gateway(mosquitto, "truck-1", tmp_path) as one:
            await one.write(numbered(101, 50))
        async with ledger.reading(mosquitto) as source:
            # Another run of the copy: what it has numbered again began with the run before.
            async with gateway(mosquitto, "truck-1", tmp_path) as one:
                await drained(one)
            assert source.health.errors

    asyncio.run(main())
    assert [row["value"] for row in ledger.rows()] == [float(n) for n in (*range(1, 21), *range(101, 151))]
    assert len({row["epoch"] for row in ledger.rows()}) == 2
    noted = [json.loads(line) for line in (tmp_path / "live" / "security.jsonl").read_text().splitlines()]
    assert [one["kind"] for one in noted] == ["older copy of an outbox", "new epoch"]
    event = noted[0]
    assert (event["kind"], event["client"]) == ("older copy of an outbox", "truck-1")
    assert "uses the sequences from 11 on again" in event["detail"]


def test_a_clock_that_is_off_is_flagged_and_times_are_as_they_came(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger()
    hour = 3_600 * 10**9

    async def main() -> None:
        async with ledger.reading(mosquitto) as source, gateway(mosquitto, "truck-1", tmp_path) as one:
            one.sender._now_ns = lambda: time.time_ns() + hour
            await one.write(numbered(1, 10))
            await drained(one)
            assert source.health.clock_suspect
            assert source.health.clock_offset == pytest.approx(3_600, abs=5)

    asyncio.run(main())
    assert [row["source_time"] for row in ledger.rows()] == list(range(1, 11))


def test_a_slow_historian_gets_no_more_than_its_queue(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger()

    async def main() -> None:
        async with (
            ledger.reading(mosquitto, queue_rows=1_000) as source,
            gateway(mosquitto, "truck-1", tmp_path) as one,
        ):
            for first in range(1, 10_001, 1_000):
                await one.write(numbered(first, 1_000))
                assert source.health.load["rows_queued"] <= 1_000
            await drained(one)

    asyncio.run(main())
    assert [row["value"] for row in ledger.rows()] == [float(n) for n in range(1, 10_001)]


def test_a_gateway_that_ends_is_offline_and_nonsense_is_refused_and_counted(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    ledger = Ledger()

    async def main() -> None:
        async with ledger.reading(mosquitto) as source:
            await until(lambda: source.health.state == "connected")
            certificate, key = (mosquitto.settings("truck-9")[name] for name in ("certificate", "key"))
            context = ssl.create_default_context(cafile=str(mosquitto.authority.file))
            context.load_cert_chain(str(certificate), str(key))
            async with aiomqtt.Client("127.0.0.1", mosquitto.port, tls_context=context) as client:
                for kind in ("rows", "birth"):
                    await client.publish(f"twinlab/truck-9/{kind}", b"nonsense", qos=1)
            async with gateway(mosquitto, "truck-1", tmp_path) as one:
                await one.write(numbered(1, 3))
                await drained(one)
                await until(lambda: source.health.errors == 2)
                assert source.health.load["gateways_online"] == 1
            await until(lambda: not source.health.load["gateways_online"])

    asyncio.run(main())
    assert len(ledger.rows()) == 3


def test_rows_that_a_gateway_left_out_are_requested_as_a_gap(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger()
    streams = {"s": {"tags": ["temp"], "deadband": 100}}

    async def main() -> None:
        async with ledger.reading(mosquitto) as source, gateway(mosquitto, "truck-1", tmp_path, streams=streams) as one:
            await one.write(numbered(1, 30))
            await drained(one)
            assert [row["value"] for row in ledger.rows()] == [1.0]
            span = Gap("truck-1", "wanted in full", start_ns=10, stop_ns=15, tags=("truck-1/temp",))
            assert await source.fill(span) == ""
            await until(lambda: len(ledger.rows()) == 6)
            with pytest.raises(SourceError, match="gateway 'truck-7' isn't connected"):
                await source.fill(replace(span, stream="truck-7"))
            lost = await source.fill(Gap("truck-1", "expired", epoch=1, first_sequence=1, stop_sequence=5))
            assert lost == "the gateway has reported the rows as lost"

    asyncio.run(main())
    assert sorted(row["value"] for row in ledger.rows()) == [1.0, 10.0, 11.0, 12.0, 13.0, 14.0]


def test_the_source_conforms(mosquitto: Mosquitto, tmp_path: Path) -> None:
    stop = threading.Event()

    async def peer() -> None:
        async with gateway(mosquitto, "truck-1", tmp_path) as one:
            await one.write(numbered(1, 200))
            while not stop.is_set():  # noqa: ASYNC110  (an event of another thread)
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(peer()))
    thread.start()
    try:
        check_live_source("mqtt", mosquitto.settings("historian"), rows=200)
    finally:
        stop.set()
        thread.join()


class Attempts:
    """Clients with any certificate."""

    def __init__(self, broker: Mosquitto) -> None:
        self.broker = broker

    async def publish(self, topic: str, certificate: tuple[Path, Path] | None, *, tls: bool = True) -> int | None:
        """Try to publish; return the broker's reason code, None if it refuses the connection."""
        context = ssl.create_default_context(cafile=str(self.broker.authority.file)) if tls else None
        if context is not None and certificate is not None:
            context.load_cert_chain(*certificate)
        codes: list[int] = []
        try:
            async with aiomqtt.Client(
                "127.0.0.1", self.broker.port, protocol=aiomqtt.ProtocolVersion.V5, tls_context=context, timeout=1.5,
                logger=logging.getLogger("attempts"),
            ) as client:  # fmt: skip
                noted = client._client.on_publish

                def note(*given: object) -> None:
                    codes.append(given[3].value)  # type: ignore[attr-defined]
                    noted(*given)

                client._client.on_publish = note
                await client.publish(topic, b"forged", qos=1)
        except aiomqtt.MqttError:
            return None
        return codes[0]


@pytest.fixture
def security(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[SecurityLog]:
    log = SecurityLog(mosquitto.log, tmp_path / "security.jsonl")
    log.update()
    yield log
    assert len(log.path.read_text().splitlines()) > 0


def seen(log: SecurityLog, kind: str, topic: str | None = None) -> bool:
    """Whether an event is in the log within a second."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if any((event.kind, event.topic) == (kind, topic) for event in log.update()):
            return True
        time.sleep(0.02)
    return False


OWN = "twinlab/truck-1/rows"


def test_a_client_without_a_certificate_is_refused_and_seen(mosquitto: Mosquitto, security: SecurityLog) -> None:
    assert asyncio.run(Attempts(mosquitto).publish(OWN, None)) is None
    assert seen(security, "no certificate")


def test_a_client_without_tls_is_refused_and_seen(mosquitto: Mosquitto, security: SecurityLog) -> None:
    assert asyncio.run(Attempts(mosquitto).publish(OWN, None, tls=False)) is None
    assert seen(security, "no TLS")


def test_a_certificate_of_another_authority_is_refused_and_seen(
    mosquitto: Mosquitto, security: SecurityLog, tmp_path: Path
) -> None:
    forged = Authority(tmp_path / "forged").issue("truck-1")
    assert asyncio.run(Attempts(mosquitto).publish(OWN, forged)) is None
    assert seen(security, "certificate refused")


def test_an_expired_certificate_is_refused_and_seen(mosquitto: Mosquitto, security: SecurityLog) -> None:
    expired = mosquitto.authority.issue("truck-1", days=(-10, -1), file="expired")
    assert asyncio.run(Attempts(mosquitto).publish(OWN, expired)) is None
    assert seen(security, "certificate refused")


@pytest.mark.parametrize(
    "topic",
    [
        "twinlab/truck-2/rows",
        "twinlab/truck-2/birth",
        "twinlab/truck-1/reply",
        "command/truck-1/stop",
        "command/truck-2/stop",
    ],
)
def test_a_truck_can_not_publish_as_another_nor_command(
    topic: str, mosquitto: Mosquitto, security: SecurityLog
) -> None:
    own = mosquitto.authority.issue("truck-1", file="truck-1-attack")
    assert asyncio.run(Attempts(mosquitto).publish(topic, own)) == 135  # not authorized
    assert seen(security, "publish denied", topic)


def test_an_attacker_reads_nothing_of_others(mosquitto: Mosquitto, tmp_path: Path) -> None:
    heard: list[str] = []

    async def main() -> None:
        settings = mosquitto.settings("truck-3")
        context = ssl.create_default_context(cafile=str(mosquitto.authority.file))
        context.load_cert_chain(str(settings["certificate"]), str(settings["key"]))
        async with aiomqtt.Client("127.0.0.1", mosquitto.port, tls_context=context) as client:
            await client.subscribe([("#", 1), ("twinlab/+/rows", 1), ("twinlab/truck-1/reply", 1)])
            ledger = Ledger()
            async with ledger.reading(mosquitto), gateway(mosquitto, "truck-1", tmp_path) as one:
                await one.write(numbered(1, 10))
                await drained(one)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    async for message in client.messages:
                        heard.append(str(message.topic))

    asyncio.run(main())
    assert heard == []
