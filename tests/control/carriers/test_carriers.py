"""Each carrier against the plant's devices over its protocol."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import twinlab as tl
from tests.flow.commanded_plant import CommandedPlant
from twinlab.commands.messages import open_answer
from twinlab.control.audit.search import RowFilter, find_rows
from twinlab.control.carriers import CARRIER_KINDS, CarrierContext, Endpoints, open_endpoints
from twinlab.errors import NoAnswerError, UnknownTermError
from twinlab.testing import check_carrier

# aiomqtt leaves the socket of a lost connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

TARGETS = {"forklifts": ("forklift/F01", "max_speed"), "warehouses": ("cold_room/R02", "set_point"),
           "refrigeration": ("cold_room/R01", "set_point")}  # fmt: skip


@pytest.fixture(scope="module")
def plant(need: Callable[[str], Path | None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandedPlant]:
    need("mosquitto")
    with CommandedPlant(tmp_path_factory.mktemp("carried"), ("forklifts", "modbus", "opcua")) as found:
        yield found


@pytest.mark.parametrize("endpoint", TARGETS)
def test_every_carrier_conforms(plant: CommandedPlant, endpoint: str) -> None:
    target, parameter = TARGETS[endpoint]
    stated = plant.endpoints.settings.endpoints[endpoint]
    # The broker ends the twin's own connection, which has the same name, and the twin connects again; it must be there before.
    plant.endpoints.read(target, parameter)
    context = CarrierContext(plant.endpoints.ring.read, stated.device_of)
    nowhere = {**stated.options, **({"url": "opc.tcp://127.0.0.1:9/"} if endpoint == "warehouses" else {"port": 9})}
    check_carrier(
        CARRIER_KINDS.get(stated.carrier), stated.options, context=context, target=target, parameter=parameter, unreachable=nowhere
    )  # fmt: skip


@pytest.mark.parametrize("endpoint", TARGETS)
def test_a_value_that_is_set_is_read_back_with_its_state(plant: CommandedPlant, endpoint: str) -> None:
    target, parameter = TARGETS[endpoint]
    value = round(plant.value(target) - (1.0 if parameter == "max_speed" else -0.5), 1)
    assert plant.set(target, parameter, value).outcome == "done"
    found = plant.endpoints.read(target, parameter)
    assert found.value == plant.value(target) == value
    assert found.sha256 == plant.state(target, parameter)
    with pytest.raises(UnknownTermError, match="expected an endpoint of control.yaml that has it"):
        plant.endpoints.read("truck/T001", "speed_factor")


@pytest.mark.parametrize("endpoint", ["forklifts", "warehouses", "refrigeration"])
def test_an_answer_counts_only_if_the_device_of_the_target_signed_it(plant: CommandedPlant, endpoint: str) -> None:
    target, parameter = TARGETS[endpoint]
    settings = plant.endpoints.settings
    other = settings.endpoints[endpoint].model_copy(update={"device": "forklift/F02"})
    changed = settings.model_copy(update={"endpoints": {**settings.endpoints, endpoint: other}})
    wire, changes = plant.wire(target, parameter, plant.value(target), "select", people=("viewer-1",)), plant.changes
    with Endpoints(changed) as endpoints:
        with pytest.raises(NoAnswerError, match="expected the answer of forklift/F02"):
            endpoints.send(wire, target=target, timeout=5)
        with pytest.raises(NoAnswerError, match="expected a report that forklift/F02 signed"):
            endpoints.read(target, parameter)
    assert plant.changes == changes


def test_the_ring_of_a_twin_knows_all_devices(plant: CommandedPlant) -> None:
    ring = plant.endpoints.ring.read()
    assert {"forklift/F01", "warehouses", "refrigeration", "audit"} <= set(ring.devices)
    for target, _ in TARGETS.values():
        answer = plant.endpoints.send(os.urandom(32), target=target, timeout=5)
        found = open_answer(answer, ring=ring)
        assert (found.outcome, found.device) == ("refused", plant.device(target).name)


def test_what_devices_refuse_by_themselves_is_in_the_twins_audit_once_and_a_security_event(
    plant: CommandedPlant, tmp_path: Path
) -> None:
    (tmp_path / "twin.yaml").write_text("twin: site\norigin: 2026-01-01\nasset_types: {}\n")
    twin = tl.create(tmp_path / "site", model=tmp_path / "twin.yaml")
    # The audit's heads have a place beside the twin.
    (twin.folder / "control.yaml").write_bytes((plant.folder / "control.yaml").read_bytes())
    targets, records = [target for target, _ in TARGETS.values()], twin._device_records
    for target in targets:
        plant.endpoints.send(b"forged", target=target, timeout=5)
    try:
        assert records.fetch(targets, lambda: twin.audit_log).unreachable == {}
        for target in targets:
            device, recorded = plant.device(target).name, list(plant.records(target).entries())
            rows = [row.what for row in find_rows(twin.folder / "audit", RowFilter(kinds=("device record",))) if row.what["device"] == device]  # fmt: skip
            assert [row["number"] for row in rows] == list(range(len(recorded)))
            assert [row["recorded"] for row in rows] == [entry["kind"] for entry in recorded]
            assert [row["time"] for row in rows] == [entry["time"] for entry in recorded]
            assert rows[-1]["wire_sha256"] == hashlib.sha256(b"forged").hexdigest()
        assert records.fetch(targets, lambda: twin.audit_log).added == 0
        # Who reads records takes the connection of who sends commands from nobody.
        plant.endpoints.send(b"forged again", target="forklift/F01", timeout=5)
        assert records.fetch(targets, lambda: twin.audit_log).added == 1
        twin.search_intrusions()
        events = twin.security_events()
        events = events[events["rule"] == "command_refused"]
        for target in targets:
            assert events["evidence"].str.contains(f"{plant.device(target).name}: ", regex=False).any()
        assert twin.verify_audit().intact
    finally:
        records.close()
        twin.audit_log.close()


def test_who_reads_records_can_send_no_command(plant: CommandedPlant) -> None:
    target, parameter = TARGETS["forklifts"]
    wire, changes = plant.wire(target, parameter, plant.value(target), "select"), plant.changes
    before = len(list(plant.records(target).entries()))
    with open_endpoints(plant.folder / "control.yaml", reading=True) as reading:
        assert reading.records(target, first=0).total == before
        with pytest.raises(NoAnswerError):
            reading.send(wire, target=target, timeout=2)
    assert (plant.changes, len(list(plant.records(target).entries()))) == (changes, before)


def test_a_page_of_another_device_does_not_count(plant: CommandedPlant) -> None:
    settings = plant.endpoints.settings
    other = settings.endpoints["forklifts"].model_copy(update={"device": "forklift/F02"})
    changed = settings.model_copy(update={"endpoints": {**settings.endpoints, "forklifts": other}})
    with (
        Endpoints(changed, reading=True) as endpoints,
        pytest.raises(NoAnswerError, match="a record that forklift/F02 signed"),
    ):
        endpoints.records("forklift/F01", first=0)
