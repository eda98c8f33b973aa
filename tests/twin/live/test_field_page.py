"""The mappings of the page on live sources run, with peers on loopback in place of their addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import twinlab as tl
from tests.field_peers import HttpPeer, ModbusPeer, OpcuaPeer
from tests.kafka_broker import Kafka
from tests.sources.live.postgres.test_source import Erp

PAGE = (Path(__file__).parents[3] / "notebooks" / "reference" / "live.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```yaml (\w+[.]yaml)\n(.*?)```", PAGE, re.DOTALL))


def run(folder: Path, name: str, changes: dict[str, str]) -> tl.Twin:
    """Return the page's twin after one run with a mapping of the page, in which some texts are replaced."""
    text = FILES[name]
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "twin.yaml").write_text(FILES["twin.yaml"], encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    twin = tl.create(folder / "site", model=folder / "twin.yaml", mappings=folder / name)
    twin.run(once=True)
    return twin


def newest(twin: tl.Twin, kind: str, signal: str) -> dict[str, float]:
    """Return asset -> its last value, of the assets that have one."""
    values = twin.history(kind)[signal].compute()
    found = {}
    for asset in values.asset.values.tolist():
        column = values.sel(asset=asset).dropna("time")
        if len(column):
            found[str(asset)] = round(float(column[-1]), 2)
    return found


def test_modbus(tmp_path: Path) -> None:
    peer = ModbusPeer()
    try:
        peer.set(0, [392, 0x8000])
        peer.set(20, [(-130) & 0xFFFF], device=2, function=4)
        twin = run(tmp_path, "modbus.yaml", {"port: 502": f"port: {peer.port}"})
    finally:
        peer.close()
    # Tenths of °F; the second sensor is broken.
    assert newest(twin, "cold_room", "temperature") == {"R01": 4.0, "R03": -25.0}
    (source,) = twin.sources.to_dict("records")
    assert (source["kind"], source["rows"]) == ("modbus", 3)


def test_opcua(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPCUA_PASSWORD", "secret")
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    peer = OpcuaPeer(certificates)
    try:
        peer.write("temperature", [50.0])
        peer.write("count", [32.0])
        changes = {"opc.tcp://127.0.0.1:4840/twinlab": peer.url, "certificates/": f"{certificates}/"}
        twin = run(tmp_path, "opcua.yaml", changes)
    finally:
        peer.close()
    assert newest(twin, "cold_room", "temperature") == {"R01": 10.0, "R02": 0.0}


def test_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "secret")
    peer = HttpPeer()
    try:
        peer.positions = [
            {"id": n, "vehicle": {"id": f"T{n % 2}"}, "speed": 10.0 * n, "updated": f"2026-03-01T00:00:{n:02d}Z"}
            for n in range(0, 50, 5)
        ]
        twin = run(tmp_path, "http.yaml", {"https://telematics.example.org/api": peer.url})
    finally:
        peer.close()
    assert newest(twin, "truck", "speed") == {"T0": 643.7, "T1": 724.2}


def test_postgres(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERP_PASSWORD", "secret")
    erp = Erp(postgres.replace("+psycopg", ""))
    try:
        erp.run(
            f"ALTER TABLE {erp.table} ADD COLUMN truck text, ADD COLUMN speed float8, DROP COLUMN note, DROP COLUMN kg"
        )
        erp.run(
            f"INSERT INTO {erp.table} VALUES (1, '2026-03-01', 'T1', 50), (2, '2026-03-02', 'T1', 60), (3, '2026-03-01', 'T2', 70)"
        )
        erp.run(f"DELETE FROM {erp.table} WHERE id = 2")
        changes = {
            "postgresql://reader@erp.example.org/erp": erp.reader,
            "slot: twinlab": f"slot: {erp.slot}\n  publication: {erp.publication}",
            "table: shipment": f"table: {erp.table}",
        }
        twin = run(tmp_path, "postgres.yaml", changes)
    finally:
        erp.close()
    assert newest(twin, "truck", "speed") == {"T1": 50.0, "T2": 70.0}


def test_kafka(tmp_path: Path, kafka: Kafka) -> None:
    topic = kafka.topic(partitions=2)
    for room, celsius in (("R01", 4.5), ("R02", -20.0)):
        kafka.send(
            topic, [f'{{"at": "2026-03-01T00:00Z", "reading": {{"celsius": {celsius}}}}}'.encode()], key=room.encode()
        )
    changes = {
        "kafka-1.example.org:9093, kafka-2.example.org:9093": kafka.address,
        "table: cold-rooms": f"table: {topic}",
        "cold-rooms: {}": f"{topic}: {{}}",
        # The broker of the tests has neither TLS nor users.
        "  tls: true\n  login: {user: historian, password: '${KAFKA_PASSWORD}'}\n": "",
    }
    twin = run(tmp_path, "kafka.yaml", changes)
    assert newest(twin, "cold_room", "temperature") == {"R01": 4.5, "R02": -20.0}
    assert twin.live_status().sources["telemetry"]["load"]["partitions"] == 2
