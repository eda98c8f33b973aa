"""The warehouses' server, as clients with and without the right certificates see it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.opcua import NAMESPACE

FIRST = "R02"


async def client(address: dict[str, Any], who: dict[str, str]) -> Client:
    found = Client(address["endpoint"], timeout=10)
    found.application_uri = who["application_uri"]
    await found.set_security(
        SecurityPolicyBasic256Sha256, certificate=who["certificate"], private_key=who["key"],
        server_certificate=address["server_certificate"], mode=ua.MessageSecurityMode.SignAndEncrypt,
    )  # fmt: skip
    return found


async def node(found: Client, name: str) -> Any:
    return found.get_node(ua.NodeId(name, await found.get_namespace_index(NAMESPACE)))


def test_viewers_read_values_units_and_the_whole_history(running: Any) -> None:
    address = running.peer("opcua").address
    begin = running.plant.time
    moment = running.advance(2 * 3600)

    async def read() -> tuple[Any, Any, list[Any]]:
        async with await client(address, address["viewer"]) as found:
            temperature = await node(found, f"{FIRST}.Temperature")
            unit = await (await node(found, f"{FIRST}.Temperature.Unit")).read_value()
            history = await temperature.read_raw_history(datetime.fromtimestamp(begin, UTC), None, 10_000)
            return await temperature.read_data_value(), unit, history

    value, unit, history = asyncio.run(read())
    expected = moment.rooms.temperature[1]
    assert value.Value.Value == expected[-1]
    assert value.SourceTimestamp == datetime.fromtimestamp(int(moment.step.rooms.time[-1]), UTC)
    assert unit.DisplayName.Text == "°C"
    assert [one.Value.Value for one in history[-len(expected) :]] == expected.tolist()
    times = [one.SourceTimestamp for one in history[-len(expected) :]]
    assert times == [datetime.fromtimestamp(at, UTC) for at in moment.step.rooms.time.tolist()]


def test_a_subscription_with_a_short_queue_loses_values_that_the_history_has(running: Any) -> None:
    address = running.peer("opcua").address

    async def watch() -> tuple[list[float], list[float], list[float]]:
        got: list[float] = []

        class Handler:
            def datachange_notification(self, _node: Any, value: float, _data: Any) -> None:
                got.append(value)

        async with await client(address, address["viewer"]) as found:
            temperature = await node(found, f"{FIRST}.Temperature")
            subscription = await found.create_subscription(500, Handler())
            await subscription.subscribe_data_change(temperature, queuesize=5)
            await asyncio.sleep(1.0)
            got.clear()
            moment = await asyncio.to_thread(running.advance, 3600)
            await asyncio.sleep(1.5)
            first, last = (datetime.fromtimestamp(int(moment.step.rooms.time[place]), UTC) for place in (0, -1))
            history = await temperature.read_raw_history(first, last, 0)
            return got, [one.Value.Value for one in history], moment.rooms.temperature[1].tolist()

    got, history, true = asyncio.run(watch())
    assert 0 < len(got) < len(true)
    assert got[-1] == true[-1]
    assert history == true


def test_nobody_writes_a_set_point_and_who_tries_is_recorded(running: Any) -> None:
    address = running.peer("opcua").address
    before = running.plant.state.rooms.set_to.copy()

    async def write(who: str) -> None:
        async with await client(address, address[who]) as found:
            await (await node(found, f"{FIRST}.SetPoint")).write_value(6.5)

    for who in ("operator", "viewer"):
        with pytest.raises(ua.UaStatusCodeError):
            asyncio.run(write(who))
    running.advance(60)
    assert (running.plant.state.rooms.set_to == before).all()
    entries = list(running.peer("opcua").device.records.entries())
    assert [(entry["kind"], entry["who"]) for entry in entries] == [
        ("request refused", ["operator"]), ("request refused", ["viewer"])
    ]  # fmt: skip
    assert "got a write of a value by viewer" in entries[1]["what"]["reason"]


def test_a_command_of_the_plant_shows_in_the_variable(running: Any) -> None:
    address = running.peer("opcua").address
    running.plant.command("set_temperature", FIRST, 6.5)
    running.advance(60)

    async def shown() -> float:
        async with await client(address, address["viewer"]) as found:
            return await (await node(found, f"{FIRST}.SetPoint")).read_value()

    assert asyncio.run(shown()) == 6.5


def test_clients_without_a_known_valid_certificate_are_refused(running: Any, tmp_path: Any) -> None:
    address = running.peer("opcua").address
    rogue = Authority(tmp_path)

    async def enter(who: dict[str, str]) -> None:
        async with await client(address, who) as found:
            await (await node(found, f"{FIRST}.Temperature")).read_value()

    for name, days in (("unknown", (-1, 1)), ("expired", (-3, -1))):
        pair = rogue.issue(name, uri=f"urn:twinlab:{name}", days=days)
        wrong = {"certificate": str(pair.certificate), "key": str(pair.key), "application_uri": f"urn:twinlab:{name}"}
        with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
            asyncio.run(enter(wrong))

    async def open_without_security() -> None:
        async with Client(address["endpoint"], timeout=5) as found:
            await (await node(found, f"{FIRST}.Temperature")).read_value()

    with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
        asyncio.run(open_without_security())


def test_a_broken_sensor_has_a_bad_status(running: Any) -> None:
    from dataclasses import replace

    address = running.peer("opcua").address
    moment = running.advance(60)
    silent = moment.rooms.silent.copy()
    silent[1, -1] = True
    running.do(running.peer("opcua").publish(replace(moment, rooms=replace(moment.rooms, silent=silent))))

    async def read() -> Any:
        async with await client(address, address["viewer"]) as found:
            return await (await node(found, f"{FIRST}.Temperature")).read_data_value(raise_on_bad_status=False)

    assert asyncio.run(read()).StatusCode.value == ua.StatusCodes.BadSensorFailure
