"""The old refrigeration units, read and written by a Modbus client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from twinlab.plant.peers.modbus import BROKEN, ROOM_REGISTERS


@pytest.fixture(scope="module")
def client(running: Any) -> Iterator[ModbusTcpClient]:
    address = running.peer("modbus").address
    found = ModbusTcpClient(address["host"], port=address["port"])
    assert found.connect()
    yield found
    found.close()


def registers(running: Any, client: ModbusTcpClient, room: int) -> list[int]:
    for unit, members in running.peer("modbus").address["units"].items():
        if f"R{room + 1:02d}" in members["rooms"]:
            place = members["rooms"].index(f"R{room + 1:02d}")
            answer = client.read_holding_registers(place * ROOM_REGISTERS, count=8, device_id=int(unit))
            assert not answer.isError()
            return answer.registers
    raise AssertionError(room)


def test_registers_are_tenths_of_fahrenheit_with_low_words_first(running: Any, client: ModbusTcpClient) -> None:
    moment = running.advance(3600)
    found = registers(running, client, 0)
    kinds = client.DATATYPE
    temperature = client.convert_from_registers(found[:1], kinds.INT16) / 10
    assert temperature == pytest.approx(moment.rooms.temperature[0, -1] * 1.8 + 32, abs=0.051)
    assert client.convert_from_registers(found[1:2], kinds.INT16) == 392
    assert found[2:4] == [int(moment.step.rooms.door[-1, 0]), int(moment.step.rooms.compressor[-1, 0])]
    hours = client.convert_from_registers(found[4:6], kinds.FLOAT32, word_order="little")
    starts = client.convert_from_registers(found[6:8], kinds.UINT32, word_order="little")
    assert 4_000 < hours < 60_200
    assert 2 * hours < starts < 6 * hours


def test_hours_and_starts_count_what_the_compressor_did(running: Any, client: ModbusTcpClient) -> None:
    def counters() -> tuple[float, int]:
        found = registers(running, client, 0)
        kinds = client.DATATYPE
        return (
            client.convert_from_registers(found[4:6], kinds.FLOAT32, word_order="little"),
            client.convert_from_registers(found[6:8], kinds.UINT32, word_order="little"),
        )

    hours, starts = counters()
    before = bool(running.plant.state.rooms.running[0])
    ran, started = 0, 0
    for seconds in (600, 61, 7200, 3599):
        on = running.advance(seconds).step.rooms.compressor[:, 0].tolist()
        ran += sum(on)
        started += sum(now and not then for then, now in zip([before, *on[:-1]], on, strict=True))
        before = on[-1]
    later = counters()
    # A 32-bit float has seven digits.
    assert later[0] - hours == pytest.approx(ran / 60, abs=0.01)
    assert later[1] - starts == started


def test_only_the_port_of_the_gateway_writes_set_points_and_nothing_else(running: Any, client: ModbusTcpClient) -> None:
    before = running.plant.state.rooms.set_to[0]
    assert client.write_register(1, 410, device_id=1).isError()
    assert running.plant.state.rooms.set_to[0] == before
    inner = ModbusTcpClient("127.0.0.1", port=running.peer("modbus").inner_port)
    assert inner.connect()
    assert not inner.write_register(1, 410, device_id=1).isError()
    assert running.plant.state.rooms.set_to[0] == pytest.approx(5.0)
    assert registers(running, client, 0)[1] == 410
    assert inner.write_register(1, 2000, device_id=1).isError()
    assert inner.write_register(0, 1, device_id=1).isError()
    assert inner.write_registers(0, [1, 2, 3], device_id=1).isError()
    assert running.plant.state.rooms.set_to[0] == pytest.approx(5.0)
    inner.close()
    running.plant.command("set_temperature", "R01", before)


def test_unknown_addresses_are_errors(running: Any, client: ModbusTcpClient) -> None:
    assert client.read_holding_registers(9000, count=1, device_id=1).isError()
    assert client.read_holding_registers(0, count=1, device_id=77).isError()


def test_a_broken_sensor_shows_the_sentinel(running: Any, client: ModbusTcpClient) -> None:
    moment = running.advance(60)
    silent = moment.rooms.silent.copy()
    silent[0, -1] = True
    from dataclasses import replace

    broken = replace(moment, rooms=replace(moment.rooms, silent=silent))
    running.do(running.peer("modbus").publish(broken))
    assert registers(running, client, 0)[0] == BROKEN
    running.advance(60)
    assert registers(running, client, 0)[0] != BROKEN
