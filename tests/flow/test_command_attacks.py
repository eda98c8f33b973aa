"""Attacks on a plant over its real protocols: each is refused by the device itself, changes nothing, and is recorded."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import yaml
from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from pymodbus.client import AsyncModbusTcpClient
from securesystemslib.signer import CryptoSigner

from tests.flow.commanded_plant import CommandedPlant, wait
from twinlab.commands.messages import PAYLOAD_TYPE, approve_command, open_answer
from twinlab.control.carriers import open_endpoints
from twinlab.edge.security_log import security_events
from twinlab.errors import NoAnswerError, SourceError
from twinlab.plant.peers.certificates import Authority
from twinlab.signing.envelopes import add_signature, sign_payload
from twinlab.signing.keys import create_key, read_signer

# aiomqtt leaves the socket of a lost connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

#: Way to the devices -> targets, parameter, how far a valid command is from the present value.
WAYS: dict[str, tuple[tuple[str, ...], str, float]] = {
    "mqtt": (("forklift/F01", "forklift/F02", "forklift/F03", "forklift/F04"), "max_speed", -1.0),
    "opcua": (("cold_room/R02", "cold_room/R03", "cold_room/R04"), "set_point", 0.5),
    "modbus": (("cold_room/R01", "cold_room/R05"), "set_point", 0.5),
}
Build = Callable[[CommandedPlant, str, str, float], bytes]


@pytest.fixture(scope="module")
def plant(need: Callable[[str], Path | None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandedPlant]:
    need("mosquitto")
    with CommandedPlant(tmp_path_factory.mktemp("commanded")) as found:
        assert {target: found.device(target).name for target in ("cold_room/R01", "cold_room/R02")} == {
            "cold_room/R01": "refrigeration", "cold_room/R02": "warehouses"
        }  # fmt: skip
        yield found


def refused(plant: CommandedPlant, wire: bytes, target: str, said: str) -> None:
    """Assert that a message is refused for a reason, changes nothing, and is recorded."""
    changes, entries = plant.changes, len(list(plant.records(target).entries()))
    answer = plant.send(wire, target)
    assert answer.outcome == "refused"
    assert said in answer.reason
    assert plant.changes == changes
    [entry] = list(plant.records(target).entries())[entries:]
    assert entry["kind"] == "command refused"
    assert said in entry["what"]["reason"]
    assert entry["wire_sha256"] == answer.wire_sha256


def value_of(plant: CommandedPlant, target: str, step: float) -> float:
    return round(plant.value(target) + step, 1)


def payload(plant: CommandedPlant, target: str, parameter: str, step: float, **fields: Any) -> dict[str, Any]:
    """Return the fields of a valid command, some of them replaced."""
    people = plant.wire(target, parameter, value_of(plant, target, step))
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(people)["payload"]))
    return {**found, **fields}


def signed(
    plant: CommandedPlant,
    text: bytes,
    *,
    people: tuple[str, ...] = ("operator-1", "operator-2"),
    kind: str = PAYLOAD_TYPE,
) -> bytes:
    """Return any bytes with valid signatures."""
    wire = sign_payload(text, kind, plant.signer(people[0]))
    for one in people[1:]:
        wire = add_signature(wire, payload_type=kind, signer=plant.signer(one))
    return wire


def unsigned(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    envelope = json.loads(plant.wire(target, parameter, value_of(plant, target, step)))
    return json.dumps({**envelope, "signatures": []}).encode()


def changed(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    envelope = json.loads(plant.wire(target, parameter, value_of(plant, target, step)))
    text = base64.b64decode(envelope["payload"]).replace(b'"reason":"test"', b'"reason":"best"')
    return json.dumps({**envelope, "payload": base64.b64encode(text).decode()}).encode()


def unknown_key(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    fields = payload(plant, target, parameter, step)
    return sign_payload(json.dumps(fields).encode(), PAYLOAD_TYPE, CryptoSigner.generate_ed25519())


def expired(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    return plant.wire(target, parameter, value_of(plant, target, step), now=datetime.now(UTC) - timedelta(seconds=40))


def future(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    return plant.wire(target, parameter, value_of(plant, target, step), now=datetime.now(UTC) + timedelta(seconds=40))


def long_lived(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    fields = payload(plant, target, parameter, step, expires_at="2036-01-01T00:00:00.000Z")
    return signed(plant, json.dumps(fields).encode())


def other_target(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    other = target[:-2] + "97"
    return plant.wire(other, parameter, 5.0, "select", expected_state="0" * 64)


def other_twin(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    return plant.wire(target, parameter, value_of(plant, target, step), "select", twin="other")


def telemetry(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    fields = json.dumps(payload(plant, target, parameter, step)).encode()
    return signed(plant, fields, kind="application/vnd.twinlab.rows+json")


def viewer_signs(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    return plant.wire(target, parameter, value_of(plant, target, step), "select", people=("viewer-1",))


def device_signs(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    folder = plant.folder / "secrets" / "commands" / "devices"
    fields = payload(plant, target, parameter, step)
    return sign_payload(json.dumps(fields).encode(), PAYLOAD_TYPE, read_signer(min(folder.glob("*.pem"))))


def no_select(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    return plant.wire(target, parameter, value_of(plant, target, step), "operate")


def too_much(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    return plant.wire(target, parameter, 99.0, "select")


def wrong_unit(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    return plant.wire(target, parameter, value_of(plant, target, step), "select", unit="mph")


def large_step(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    # More than 6 km/h or 4 degC away, within the limits.
    present = plant.value(target)
    far = 3.0 if parameter == "max_speed" else 5.0 if present < 0 else -20.0
    return plant.wire(target, parameter, far, "select")


def changed_state(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    return plant.wire(target, parameter, value_of(plant, target, step), "select", expected_state="ab" * 32)


def old_counter(plant: CommandedPlant, target: str, parameter: str, step: float) -> bytes:
    return plant.wire(target, parameter, value_of(plant, target, step), "select", counter=1)


#: Attack -> its message, and what the device says.
ATTACKS: dict[str, tuple[Build, str]] = {
    "1 unsigned": (unsigned, "envelope.signatures: expected 1 to 8, got 0"),
    "2 changed after signing": (changed, "that doesn't match it"),
    "3 unknown key": (unknown_key, "expected keys that are known and not revoked"),
    "3 key of a device": (device_signs, "expected keys that are known and not revoked"),
    "5 expired": (expired, "command.expires_at"),
    "6 issued in the future": (future, "command.issued_at"),
    "6 valid for too long": (long_lived, "expected expires_at at most 60 s after issued_at"),
    "9 unknown target": (other_target, "command.target: expected something that"),
    "9 other twin": (other_twin, "command.twin: expected parcel, got other"),
    "10 telemetry": (telemetry, "envelope.payloadType"),
    "13 viewer signs": (viewer_signs, "got 0: nobody (signed by viewer-1)"),
    "14 operate without select": (no_select, "got none; select first"),
    "16 outside limits": (too_much, "command.value: expected"),
    "16 wrong unit": (wrong_unit, "units aren't converted"),
    "16 too large a step": (large_step, "go in smaller steps"),
    "18 other state": (changed_state, "state"),
    "20 old counter": (old_counter, "a newer command came before"),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("way", WAYS)
def test_a_device_refuses_it_changes_nothing_and_records_it(plant: CommandedPlant, way: str, attack: str) -> None:
    targets, parameter, step = WAYS[way]
    target = targets[list(ATTACKS).index(attack) % len(targets)]
    if attack.startswith("20"):
        # A valid command before the old one.
        assert plant.set(target, parameter, value_of(plant, target, step)).outcome == "done"
    build, said = ATTACKS[attack]
    wire = build(plant, target, parameter, step)
    if way == "opcua" and attack.startswith("9 unknown"):
        # The method of another room doesn't take it either.
        with pytest.raises(NoAnswerError, match="read back and decide again"):
            plant.send(wire, target)
        assert "the method that was called" in list(plant.records(target).entries())[-1]["what"]["reason"]
        return
    refused(plant, wire, target, said)


NUMBERS = ("NaN", "Infinity", "1e999", '"6"', "true", "null", "1" * 400, "[6]")
BYTES = (
    b"", b"\xff\xfe", b"[]", b"{" * 5000, b"x" * 20_000, b'{"payload":"","payload":""}', b'{"payload":"e30=","payloadType":"x","signatures":[],"more":1}',
    b"[" * 3000 + b"]" * 3000, b"\x00" * 64,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_17_and_21_numbers_and_bytes_that_are_no_command(plant: CommandedPlant, way: str) -> None:
    targets, parameter, step = WAYS[way]
    good = json.dumps(payload(plant, targets[0], parameter, step)).encode()
    number = json.dumps(json.loads(good)["value"]).encode()
    texts = [good.replace(b'"value": ' + number, b'"value": ' + bad.encode()) for bad in NUMBERS]
    texts += [good[:-1] + b', "extra": 1}', good[:-1] + b', "value": 6.0}', b"{}", b"", b"\xff"]
    assert all(text != good for text in texts)
    wires = [*(signed(plant, text) for text in texts), *BYTES]
    if way != "mqtt":
        # An empty request can't be sent by the other ways.
        wires = [wire for wire in wires if wire]
    for wire, target in zip(wires, itertools.cycle(targets), strict=False):
        refused(plant, wire, target, "")


@pytest.mark.parametrize("way", WAYS)
def test_7_15_19_a_command_acts_once_as_selected_by_one_person(plant: CommandedPlant, way: str) -> None:
    targets, parameter, step = WAYS[way]
    target = targets[0]
    value = value_of(plant, target, step)
    select = plant.wire(target, parameter, value, "select")
    assert plant.send(select, target).outcome == "selected"
    refused(plant, select, target, "command.id: expected a new one")
    if way == "mqtt":
        others = plant.wire(target, parameter, value, "select", people=("operator-2",))
        refused(plant, others, target, "expected no select of others, got one of operator-1")
    other = plant.wire(target, parameter, value + step / 2, "operate")
    refused(plant, other, target, "expected what was selected")
    assert plant.send(plant.wire(target, parameter, value, "select"), target).outcome == "selected"
    operate, changes = plant.wire(target, parameter, value, "operate"), plant.changes
    assert plant.send(operate, target).outcome == "done"
    assert plant.changes == changes + 1
    assert plant.value(target) == value
    assert plant.endpoints.read(target, parameter).value == value
    # The state has changed with it, which is checked first.
    refused(plant, operate, target, "it changed since it was looked at")


def test_11_two_persons_are_two(plant: CommandedPlant) -> None:
    for target in ("cold_room/R05", "cold_room/R06"):
        value = value_of(plant, target, 0.5)
        refused(
            plant, plant.wire(target, "set_point", value, "select", people=("operator-1",)), target, "different persons"
        )
        half = plant.wire(target, "set_point", value, "select", people=("operator-1", "dispatcher-1"))
        refused(plant, half, target, "got 1: operator-1")


def test_12_one_person_with_two_keys_is_one(plant: CommandedPlant, tmp_path: Path) -> None:
    ring = plant.folder / "secrets" / "commands" / "keys.yaml"
    before, second = ring.read_text(), create_key(tmp_path / "second.pem")
    keys = yaml.safe_load(before)
    keys["people"]["operator-1"]["keys"].append({"public": second.public})
    try:
        ring.write_text(yaml.safe_dump(keys))
        for target in ("cold_room/R05", "cold_room/R06"):
            one = plant.wire(target, "set_point", value_of(plant, target, 0.5), "select", people=("operator-1",))
            refused(plant, approve_command(one, read_signer(tmp_path / "second.pem")), target, "got 1: operator-1")
    finally:
        ring.write_text(before)


def test_4_a_key_is_revoked_between_select_and_operate(plant: CommandedPlant) -> None:
    ring = plant.folder / "secrets" / "commands" / "keys.yaml"
    before, target = ring.read_text(), "forklift/F05"
    value = value_of(plant, target, -1.0)
    assert plant.send(plant.wire(target, "max_speed", value, "select"), target).outcome == "selected"
    keys = yaml.safe_load(before)
    keys["people"]["operator-1"]["keys"][0]["revoked"] = "lost"
    try:
        ring.write_text(yaml.safe_dump(keys))
        refused(plant, plant.wire(target, "max_speed", value), target, "expected keys that are known and not revoked")
    finally:
        ring.write_text(before)


def test_13_nobody_writes_by_opc_ua_and_a_viewer_calls_no_method(plant: CommandedPlant) -> None:
    address, target = plant.addresses["opcua"], "cold_room/R02"
    wire, changes = plant.wire(target, "set_point", value_of(plant, target, 0.5), "select"), plant.changes

    async def act(who: str, *, method: bool) -> None:
        client = Client(address["endpoint"], timeout=10)
        client.application_uri = address[who]["application_uri"]
        await client.set_security(
            SecurityPolicyBasic256Sha256, certificate=address[who]["certificate"], private_key=address[who]["key"],
            server_certificate=address["server_certificate"], mode=ua.MessageSecurityMode.SignAndEncrypt,
        )  # fmt: skip
        async with client:
            index = await client.get_namespace_index(address["namespace"])
            if method:
                await client.get_node(ua.NodeId("R02", index)).call_method(
                    ua.NodeId("R02.Select", index), ua.Variant(wire, ua.VariantType.ByteString)
                )
            else:
                await client.get_node(ua.NodeId("R02.SetPoint", index)).write_value(5.0)

    for who, method in (("viewer", False), ("operator", False), ("viewer", True)):
        with pytest.raises(ua.UaStatusCodeError):
            asyncio.run(act(who, method=method))
        entry = list(plant.records(target).entries())[-1]
        assert (entry["kind"], entry["who"]) == ("request refused", [who])
    assert plant.changes == changes
    port = plant.addresses["modbus"]["port"]

    async def write() -> bool:
        async with AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            return (await client.write_register(1, 410, device_id=1)).isError()

    assert asyncio.run(write())
    assert plant.changes == changes


def test_25_who_isnt_control_publishes_no_command(plant: CommandedPlant, tmp_path: Path) -> None:
    peer: Any = plant.peers["forklifts"]
    authority, rogue = peer._authority, Authority(tmp_path / "rogue")
    port, target = peer.broker.port, "forklift/F06"
    wire, changes = plant.wire(target, "max_speed", value_of(plant, target, -1.0), "select"), plant.changes
    entries = len(list(plant.records(target).entries()))

    async def publish(name: str, topic: str, *, pair: Any = None, trusted: Path | None = None) -> None:
        context = ssl.create_default_context(cafile=str(trusted or authority.certificate))
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        async with aiomqtt.Client(
            "127.0.0.1", port, identifier=name, protocol=aiomqtt.ProtocolVersion.V5, tls_context=context, timeout=3
        ) as client:
            await client.publish(topic, wire, qos=1)

    mine = authority.issue("F99-controller")
    for topic in (
        "command/F06-controller/request",
        "answer/F06-controller",
        "twinlab/F06/rows",
        "alive/F06-controller",
    ):
        # Some brokers end the connection.
        with suppress(aiomqtt.MqttError):
            asyncio.run(publish("F99-controller", topic, pair=mine))
    past = authority.issue("control-old", days=(-3, -1))
    for pair in (None, rogue.issue("control"), past):
        with pytest.raises(aiomqtt.MqttError):
            asyncio.run(publish("control", "command/F06-controller/request", pair=pair))
    log = plant.folder / "forklifts" / "mosquitto.log"

    def seen() -> list[tuple[str, str | None]]:
        return [(event.kind, event.topic) for event in security_events(log.read_text().splitlines())]

    denied = [
        ("publish denied", topic)
        for topic in (
            "command/F06-controller/request",
            "answer/F06-controller",
            "twinlab/F06/rows",
            "alive/F06-controller",
        )
    ]
    wait(lambda: set(denied) <= set(seen()))
    wait(lambda: {"no certificate", "certificate refused"} <= {kind for kind, _ in seen()})
    assert plant.changes == changes
    assert len(list(plant.records(target).entries())) == entries


def test_25_the_gateway_of_old_units_takes_no_other_certificate(plant: CommandedPlant, tmp_path: Path) -> None:
    peer: Any = plant.peers["modbus"]
    target, rogue = "cold_room/R01", Authority(tmp_path / "rogue")
    wire, changes = plant.wire(target, "set_point", value_of(plant, target, 0.5), "select"), plant.changes
    pairs = {
        "rogue": rogue.issue("control"), "expired": peer._authority.issue("control-old", days=(-3, -1)),
        "expected the certificate of control, got historian": peer._authority.issue("historian"),
    }  # fmt: skip
    for said, pair in pairs.items():
        path = plant.control(certificate=str(pair.certificate), key=str(pair.key))
        entries = len(list(plant.records(target).entries()))
        with open_endpoints(path) as endpoints:
            # With TLS 1.3 a client learns from the first answer that it isn't one.
            with pytest.raises((NoAnswerError, SourceError)):
                endpoints.send(wire, target=target, timeout=3)
            new = wait(lambda before=entries: list(plant.records(target).entries())[before:])
        assert {entry["kind"] for entry in new} == {"connection refused"}
        if said.startswith("expected"):
            assert said in new[-1]["what"]["reason"]
    assert plant.changes == changes


def test_two_control_processes_dont_act_twice(plant: CommandedPlant) -> None:
    target = "forklift/F06"
    value = value_of(plant, target, -1.0)
    assert plant.send(plant.wire(target, "max_speed", value, "select"), target).outcome == "selected"
    operate, changes = plant.wire(target, "max_speed", value), plant.changes
    # The broker has one connection for each certificate: the second ends the first, which connects again when it sends.
    with open_endpoints(plant.folder / "control.yaml") as other:
        assert other.send(operate, target=target, timeout=8) != b""
        refused(plant, operate, target, "it changed since it was looked at")
    assert plant.changes == changes + 1


def test_an_emergency_stop_needs_one_person_and_no_state(plant: CommandedPlant) -> None:
    for target, parameter, safe in (
        ("forklift/F06", "max_speed", 0.0), ("cold_room/R05", "set_point", 4.0), ("cold_room/R06", "set_point", 4.0),
        # The only freezer of the six.
        ("cold_room/R04", "set_point", -20.0),
    ):  # fmt: skip
        refused(plant, plant.stop_wire(target, parameter, "viewer-1"), target, "expected")
        began = time.monotonic()
        answer = plant.send(plant.stop_wire(target, parameter), target)
        assert answer.outcome == "done", answer.reason
        assert plant.value(target) == safe
        assert time.monotonic() - began < 5


def test_22_a_drive_that_acknowledges_and_goes_on_is_stopped(plant: CommandedPlant) -> None:
    target = "forklift/F04"
    actuator: Any = plant.device(target)._actuator
    setting, begun = actuator._setting, plant.value(target)
    obeys = setting.write
    writes: list[float] = []

    def write(network: Any, name: str, value: float) -> None:
        # The first setpoint is acknowledged and has no effect.
        writes.append(value)
        if len(writes) > 1:
            obeys(network, name, value)

    selected = plant.send(plant.wire(target, "max_speed", begun - 1, "select"), target)
    assert selected.outcome == "selected"
    setting.write = write
    try:
        answer = plant.send(plant.wire(target, "max_speed", begun - 1), target, 12)
    finally:
        setting.write = obeys
    assert answer.outcome == "fail_safe"
    assert f"got {begun:g} km/h" in answer.reason
    assert writes == [begun - 1, 0.0]
    assert plant.value(target) == 0.0


def test_22_a_forklift_that_loses_its_link_stands_still_by_itself(plant: CommandedPlant) -> None:
    target = "forklift/F05"
    peer: Any = plant.peers["forklifts"]
    value = value_of(plant, target, -2.0)
    assert plant.set(target, "max_speed", value).outcome == "done"
    plant.loop.call_soon_threadsafe(peer.link.begin, "half_open")
    try:
        with pytest.raises(NoAnswerError, match="read back and decide again"):
            plant.send(plant.wire(target, "max_speed", value - 1, "select"), target, 1.0)
        wait(lambda: plant.value(target) == 0.0)
        entry = wait(lambda: next((one for one in plant.records(target).entries() if one["kind"] == "link lost"), None))
        assert entry["what"]["outcome"] == "fail_safe"
    finally:
        plant.loop.call_soon_threadsafe(peer.link.end, "half_open")
    # It is there again, and stands until somebody decides.
    wait(lambda: _reads(plant, target) == 0.0)
    assert plant.set(target, "max_speed", 4.0).outcome == "done"


def _reads(plant: CommandedPlant, target: str) -> float | None:
    try:
        return plant.endpoints.read(target, "max_speed", timeout=1).value
    except (NoAnswerError, SourceError):
        return None


def test_a_stop_doesnt_wait_for_a_command_that_is_under_way(plant: CommandedPlant) -> None:
    # A thermostat that acknowledges and doesn't report the set point: the device reads back until its time is over.
    target = "cold_room/R03"
    actuator: Any = plant.device(target)._actuator
    setting, present = actuator._setting, plant.value(target)
    obeys, value = setting.write, round(present + 0.5, 1)
    assert plant.send(plant.wire(target, "set_point", value, "select"), target).outcome == "selected"
    operate, stop = plant.wire(target, "set_point", value), plant.stop_wire(target, "set_point")
    ignored: list[object] = []
    setting.write = lambda *given: ignored.append(given)
    try:
        with ThreadPoolExecutor(1) as threads:
            answer = threads.submit(plant.send, operate, target, 15)
            wait(lambda: ignored)
            setting.write = obeys
            began = time.monotonic()
            stopped = plant.endpoints.send(stop, target=target, timeout=3)
            seconds = time.monotonic() - began
            assert stopped
            assert seconds < 2
            assert answer.result().outcome == "fail_safe"
            assert "an emergency stop came meanwhile" in answer.result().reason
    finally:
        setting.write = obeys
    assert plant.value(target) == 4.0


def test_24_a_flood_is_refused_and_a_stop_passes(plant: CommandedPlant) -> None:
    target, changes = "forklift/F05", plant.changes
    stop = plant.stop_wire(target, "max_speed")

    def send(_: int) -> str:
        answer = plant.endpoints.send(b"{}", target=target, timeout=8)
        return open_answer(answer, ring=plant.endpoints.ring.read()).reason

    with ThreadPoolExecutor(16) as threads:
        flood = [threads.submit(send, number) for number in range(200)]
        began = time.monotonic()
        answer = open_answer(plant.endpoints.send(stop, target=target, timeout=8), ring=plant.endpoints.ring.read())
        seconds = time.monotonic() - began
        said = [one.result() for one in flood]
    assert answer.outcome == "done", answer.reason
    assert seconds < 4
    assert any("expected at most 50 in a second" in one for one in said)
    assert plant.changes == changes + 1
    assert plant.value(target) == 0.0


def test_two_processes_of_a_twin_ask_devices_in_turn(plant: CommandedPlant) -> None:
    """A broker ends the connection of a name that connects again: neither process may lose an answer by it."""

    def ask(endpoints: Any) -> list[float]:
        return [endpoints.read("forklift/F01", "max_speed").value for _ in range(8)]

    with open_endpoints(plant.folder / "control.yaml") as other, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(ask, (plant.endpoints, other)))
    assert found == [[plant.value("forklift/F01")] * 8] * 2
