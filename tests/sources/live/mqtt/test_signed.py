"""Signed batches with a real broker: verified rows are stored, all others are quarantined until a person decides."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiomqtt
import pytest
import yaml

from tests.mosquitto import Mosquitto
from tests.sources.live.mqtt.test_mqtt import Ledger, drained, gateway, numbered, until
from twinlab.edge import Gateway
from twinlab.edge.handshake import Reply
from twinlab.edge.messages import pack, pack_readings
from twinlab.edge.readings import Readings
from twinlab.edge.signatures.signed_bytes import sign_message
from twinlab.edge.transport import tls_context
from twinlab.signing.keys.private_keys import make_key, read_key
from twinlab.sources.live.guarded.quarantine import Quarantine, QuarantineEntry
from twinlab.sources.live.mqtt.options import MqttOptions

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


def ring(folder: Path, **devices: dict[str, object]) -> str:
    text = yaml.safe_dump({"people": {}, "devices": {name: {"keys": [key]} for name, key in devices.items()}})
    (folder / "keys.yaml").write_text(text)
    return "keys.yaml"


def key_of(folder: Path, name: str) -> dict[str, object]:
    return {"public": make_key(folder / f"{name}.pem")}


async def publish(broker: Mosquitto, user: str, topic: str, payload: bytes) -> None:
    options = MqttOptions.model_validate(broker.settings(user))
    async with aiomqtt.Client(
        options.host,
        options.port,
        identifier=user,
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=tls_context(options),
    ) as client:
        await client.publish(topic, payload, qos=1)


def noted(folder: Path) -> list[str]:
    path = folder / "live" / "security.jsonl"
    return [json.loads(line)["kind"] for line in path.read_text().splitlines()] if path.exists() else []


def own_entries(folder: Path, name: str) -> list[QuarantineEntry]:
    """Return what is quarantined of one gateway: the broker of all tests retains the births of others."""
    return [one for one in Quarantine(folder, "trucks").entries() if one.gateway == name]


def rows_message(count: int, *, token: int = 77, first: int = 1) -> bytes:
    return pack(token, pack_readings(first, Readings.of(numbered(first, count))), 0)


def test_rows_of_a_gateway_with_a_known_key_are_stored(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    keys = ring(tmp_path, **{"truck-1": key_of(tmp_path, "truck-1")})

    async def main() -> None:
        async with (
            ledger.reading(mosquitto, keys=keys) as source,
            gateway(mosquitto, "truck-1", tmp_path, signing_key=str(tmp_path / "truck-1.pem")) as one,
        ):
            await one.write(numbered(1, 50))
            await drained(one)
            stream = source.health.streams["truck-1"]
            assert (stream["signed"], stream["sequence"], stream["quarantined"]) == (True, 50, 0)

    asyncio.run(main())
    assert [row["value"] for row in ledger.rows()] == [float(n) for n in range(1, 51)]
    assert own_entries(tmp_path, "truck-1") == []


def test_an_unsigned_gateway_waits_until_its_key_is_known_and_loses_nothing(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path)
    keys = ring(tmp_path)
    key = key_of(tmp_path, "truck-11")

    async def main() -> None:
        async with (
            ledger.reading(mosquitto, keys=keys) as source,
            gateway(mosquitto, "truck-11", tmp_path, signing_key=str(tmp_path / "truck-11.pem")) as one,
        ):
            await one.write(numbered(1, 20))
            await until(lambda: source.health.load["messages_in_quarantine"])
            assert (len(ledger.rows()), one.outbox.rows) == (0, 20)
            ring(tmp_path, **{"truck-11": key})
            await drained(one)

    asyncio.run(main())
    assert [row["value"] for row in ledger.rows()] == [float(n) for n in range(1, 21)]
    (entry,) = own_entries(tmp_path, "truck-11")
    assert (entry.gateway, entry.kind, entry.reason, entry.state) == ("truck-11", "birth", "unknown key", "quarantined")
    assert "unknown key" in noted(tmp_path)


def test_a_key_that_is_revoked_while_the_gateway_sends_counts_no_more(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    key = key_of(tmp_path, "truck-12")
    keys = ring(tmp_path, **{"truck-12": key})

    async def main() -> None:
        async with (
            ledger.reading(mosquitto, keys=keys),
            gateway(mosquitto, "truck-12", tmp_path, signing_key=str(tmp_path / "truck-12.pem")) as one,
        ):
            await one.write(numbered(1, 20))
            await drained(one)
            ring(tmp_path, **{"truck-12": {**key, "revoked": "stolen"}})
            await asyncio.sleep(1.2)
            await one.write(numbered(21, 5))
            await until(lambda: "revoked key" in noted(tmp_path))
            await asyncio.sleep(0.5)
            assert one.outbox.rows == 5
            quarantine = Quarantine(tmp_path, "trucks")
            (entry,) = [one for one in own_entries(tmp_path, "truck-12") if one.kind == "rows"]
            assert (entry.reason, entry.first, entry.rows, entry.count > 1) == ("revoked key", 21, 5, True)
            assert len(ledger.rows()) == 20
            quarantine.decide(entry.id, "released", by="Noor", note="these rows are fine")
            await drained(one)

    asyncio.run(main())
    assert [row["value"] for row in ledger.rows()] == [float(n) for n in range(1, 26)]
    states = {one.kind: (one.state, one.by) for one in own_entries(tmp_path, "truck-12")}
    assert states["rows"] == ("ingested", "Noor")


def test_forged_rows_are_quarantined_whoever_the_broker_lets_publish_them(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    own = {name: key_of(tmp_path, name) for name in ("truck-13", "truck-14")}
    keys = ring(tmp_path, **own)
    first, second = (read_key(tmp_path / f"{name}.pem") for name in own)
    message = rows_message(3)
    forged = {
        "unsigned": message,
        "key of another": sign_message(message, kind="rows", gateway="truck-13", key=second),
        "changed": sign_message(message, kind="birth", gateway="truck-13", key=first),
        "no handshake": sign_message(message, kind="rows", gateway="truck-13", key=first),
    }

    async def main() -> None:
        async with ledger.reading(mosquitto, keys=keys) as source:
            await until(lambda: source.health.state == "connected")
            for payload in forged.values():
                await publish(mosquitto, "truck-13", "twinlab/truck-13/rows", payload)
            await until(lambda: {one.reason for one in own_entries(tmp_path, "truck-13")} == set(forged))

    asyncio.run(main())
    assert ledger.rows() == []
    assert set(forged) <= set(noted(tmp_path))


def test_a_gateway_that_is_listed_as_unsigned_may_send_without_a_key(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    keys = ring(tmp_path)

    async def main() -> None:
        async with (
            ledger.reading(mosquitto, keys=keys, unsigned=["old-*"]) as source,
            gateway(mosquitto, "old-1", tmp_path) as one,
        ):
            await one.write(numbered(1, 5))
            await drained(one)
            assert source.health.streams["old-1"]["signed"] is False

    asyncio.run(main())
    assert len(ledger.rows()) == 5


def test_a_gateway_believes_only_replies_that_its_historian_signed_for_it(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    public = make_key(tmp_path / "historian.pem")
    make_key(tmp_path / "stranger.pem")

    def reply(one: Gateway, accepted: int, key: str | None, *, name: str = "truck-1", kind: str = "reply") -> bytes:
        payload = Reply(one.outbox.token, 1, accepted).to_json()
        return payload if key is None else sign_message(payload, kind=kind, gateway=name, key=read_key(tmp_path / key))

    async def main() -> None:
        async with gateway(mosquitto, "truck-1", tmp_path, historian_keys=[public]) as one:
            await one.write(numbered(1, 50))
            await until(lambda: one.sender.connected)
            # Nobody has stored the rows.
            for forged in (
                reply(one, 50, None), reply(one, 50, "stranger.pem"), reply(one, 50, "historian.pem", name="truck-2"),
                reply(one, 50, "historian.pem", kind="request"), reply(one, 49, "historian.pem")[:-1] + b" ",
            ):  # fmt: skip
                await publish(mosquitto, "historian", "twinlab/truck-1/reply", forged)
            await asyncio.sleep(0.3)
            assert (one.outbox.rows, one.sender.answered) == (50, False)
            async with ledger.reading(mosquitto, reply_key="historian.pem"):
                await drained(one)
            assert one.outbox.rows == 0

    asyncio.run(main())
    assert [row["value"] for row in ledger.rows()] == [float(n) for n in range(1, 51)]


def test_a_gateway_without_keys_of_a_historian_takes_signed_replies_too(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    make_key(tmp_path / "historian.pem")

    async def main() -> None:
        async with (
            ledger.reading(mosquitto, reply_key="historian.pem"), gateway(mosquitto, "truck-1", tmp_path) as one,
        ):  # fmt: skip
            await one.write(numbered(1, 20))
            await drained(one)

    asyncio.run(main())
    assert len(ledger.rows()) == 20
