"""Each carrier against the plant's devices over its protocol."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flow.commanded_plant import CommandedPlant
from twinlab.commands.messages import open_answer
from twinlab.control.carriers import CARRIER_KINDS, CarrierContext, Endpoints
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
