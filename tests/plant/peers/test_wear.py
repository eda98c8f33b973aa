"""Signals that show wear, on the servers of a plant with failures: the values that its files would have."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from asyncua import ua
from pymodbus.client import ModbusTcpClient

from twinlab.demos.live_mappings import live_mappings
from twinlab.demos.recipes import write_live_recipe
from twinlab.model import check_mapping, load_model, parse_mapping
from twinlab.plant import FailureRates, ParcelSize, Plant, simulate_network
from twinlab.plant.peers.dispatch import NightlyDispatch
from twinlab.plant.peers.modbus import ROOM_REGISTERS, ModbusUnits
from twinlab.plant.peers.opcua import CURRENT, OpcUaServer
from twinlab.plant.peers.peer import moment_of
from twinlab.plant.run.chosen import make_peers, old_and_new_rooms
from twinlab.plant.run.truth import Truth

SIZE = ParcelSize(
    hubs=4, trucks=4, cold_rooms=5, forklifts=3, parcels_a_week=30, weeks=2, seed=3, start="2026-03-23",
    failures=FailureRates(compressor=40, sensor=40),
)  # fmt: skip


def test_a_step_has_the_values_of_the_files() -> None:
    network, plant = simulate_network(SIZE), Plant(SIZE)
    assert network.condition is not None
    plant.advance(SIZE.span[0] + 3 * 86_400)
    moment = moment_of(plant, plant.advance(SIZE.span[0] + 4 * 86_400))
    assert moment.wear is not None
    rooms = slice(*np.searchsorted(network.rooms.time, [moment.step.begin, moment.step.end]))
    assert np.array_equal(moment.wear.current[::5].T, network.condition.current[:, rooms])
    samples = slice(*np.searchsorted(network.forklifts.time, [moment.step.begin, moment.step.end]))
    assert np.array_equal(moment.wear.voltage.T, network.condition.voltage[:, samples])
    reports = slice(*np.searchsorted(network.tracks.time, [moment.step.begin, moment.step.end]))
    assert np.array_equal(moment.wear.temperatures.brake, network.condition.temperatures.brake[reports])
    assert np.array_equal(moment.wear.temperatures.coolant, network.condition.temperatures.coolant[reports])


def test_the_refrigeration_units_show_the_current(tmp_path: Path) -> None:
    async def run() -> tuple[list[int], float]:
        plant = Plant(SIZE)
        room = old_and_new_rooms(plant)[0][0]
        peer = ModbusUnits([room])
        await peer.start(moment_of(plant, plant.advance(plant.time)))
        try:
            for hour in range(1, 30):
                moment = moment_of(plant, plant.advance(SIZE.span[0] + 3600 * hour))
                await peer.publish(moment)
                assert moment.wear is not None
                if moment.wear.current[-1, room] > 0:
                    break
            unit = int(next(iter(peer.address["units"])))  # type: ignore[call-overload]
            client = ModbusTcpClient("127.0.0.1", port=peer.address["port"])  # type: ignore[arg-type]

            def read() -> list[int]:
                assert client.connect()
                return client.read_holding_registers(0, count=ROOM_REGISTERS, device_id=unit).registers

            found = await asyncio.to_thread(read)
            client.close()
        finally:
            await peer.stop()
        return found, float(moment.wear.current[-1, room])

    found, current = asyncio.run(run())
    assert current > 1
    assert found[8] / 100 == pytest.approx(current, abs=0.006)


def test_a_dead_sensor_is_bad_on_the_server_and_its_current_has_a_unit(tmp_path: Path) -> None:
    async def run() -> None:
        size = replace(SIZE, failures=FailureRates(sensor=200, compressor=0, seal=0))
        plant = Plant(size)
        assert plant.plan.wear is not None
        dead = next(
            one
            for one in plant.plan.wear.disturbances.failures
            if one.kind == "sensor" and SIZE.span[0] < one.failed + 600 < SIZE.span[1] - 600
        )
        plant.advance(dead.failed + 600)
        peer = make_peers(plant, tmp_path, ["opcua"])[0]
        assert isinstance(peer, OpcUaServer)
        peer._numbers = [dead.asset]
        await peer.start(moment_of(plant, plant.advance(plant.time)))
        try:
            await peer.publish(moment_of(plant, plant.advance(plant.time + 120)))
            nodes = peer._rooms[0].nodes
            status = (await nodes["Temperature"].read_data_value(raise_on_bad_status=False)).StatusCode
            assert status is not None
            assert status.value == ua.StatusCodes.BadSensorFailure
            unit = await (await nodes[CURRENT].get_child("0:EngineeringUnits")).read_value()
            assert unit.DisplayName.Text == "A"
        finally:
            await peer.stop()

    asyncio.run(run())


def entries(folder: Path) -> int:
    return sum(len(path.read_text("cp1252").splitlines()) - 1 for path in folder.glob("wartung_*.csv"))


def test_the_maintenance_logs_are_saved_at_night_with_what_has_been_entered(tmp_path: Path) -> None:
    async def run() -> None:
        plant, peer = Plant(SIZE), NightlyDispatch(tmp_path)
        await peer.start(moment_of(plant, plant.advance(plant.time)))
        assert peer.address["wear"] is True
        rows = []
        for day in range(1, 14):
            moment = moment_of(plant, plant.advance(SIZE.span[0] + 86_400 * day))
            await peer.publish(moment)
            rows.append(entries(tmp_path))
        assert rows == sorted(rows)
        assert rows[-1] > rows[0]

    asyncio.run(run())


def test_the_run_records_wear_failure_and_repair_in_this_order(tmp_path: Path) -> None:
    plant = Plant(SIZE)
    with Truth(tmp_path / "truth") as truth:
        truth.record(plant, plant.advance(SIZE.span[1]))
    lines = [line.split(",") for line in (tmp_path / "truth" / "faults.csv").read_text("utf-8").splitlines()[1:]]
    found = {what: when for when, what, kind, *_ in lines if kind == "compressor"}
    assert {"fails", "is repaired"} <= set(found)
    assert {what for _, what, *_ in lines} >= {"wears", "shows wear", "fails", "is repaired"}


def test_a_plant_without_failures_has_the_mappings_of_before() -> None:
    addresses = {
        "mqtt": {"host": "h", "port": 1, "ca": "a", "certificate": "b", "key": "c", "prefix": "p"},
        "dispatch": {"endpoint": "folder"},
    }
    usual = live_mappings(addresses)
    assert set(usual) == {"trucks", "dispatch"}
    worn = live_mappings({name: {**one, "wear": True} for name, one in addresses.items()})
    assert set(worn) == {"trucks", "dispatch", "maintenance"}
    assert len(worn["trucks"]["stream"]["tags"]) == len(usual["trucks"]["stream"]["tags"]) + 2
    assert worn["maintenance"]["live"] == usual["dispatch"]["live"]
    plain = Plant(replace(SIZE, failures=None))
    assert moment_of(plain, plain.advance(plain.time)).wear is None


def test_what_gateways_have_scored_is_mapped_to_signals_of_the_running_model(tmp_path: Path) -> None:
    trucks = live_mappings(
        {"mqtt": {"host": "h", "port": 1, "ca": "a", "certificate": "b", "key": "c", "prefix": "p"}}
    )["trucks"]
    model = load_model(write_live_recipe(replace(SIZE, failures=None), tmp_path) / "twin.yaml")
    text = yaml.safe_dump(trucks, sort_keys=False)
    mapping = parse_mapping(text)
    check_mapping(mapping, model)
    known = {
        rule["signal"] for tag, rule in trucks["stream"]["tags"].items() if re.match(tag.strip("/"), "T001/anomaly")
    }
    assert known == {"anomaly"}
    assert {"anomaly", "unusual"} <= set(model.asset_types["truck"].signals)
