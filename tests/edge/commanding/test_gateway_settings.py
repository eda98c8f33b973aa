"""Settings of a gateway of commands: what the page shows is valid, and what is wrong is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.edge.commanding import read_gateway_settings
from twinlab.edge.commanding.settings import ModbusParameter
from twinlab.errors import SchemaError

PAGE = Path(__file__).parents[3] / "notebooks" / "reference" / "commands.md"
TEXT = re.search(r"```yaml refrigeration.yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]  # type: ignore[index]


def write(folder: Path, text: str) -> Path:
    path = folder / "refrigeration.yaml"
    path.write_text(text)
    return path


def test_the_settings_of_the_page_are_valid_and_relative_to_the_file(tmp_path: Path) -> None:
    found = read_gateway_settings(write(tmp_path, TEXT))
    assert found.folder == str(tmp_path / "memory")
    assert found.listen.key == str(tmp_path / "gateway.key.pem")
    [rule] = found.rules()
    assert (rule.parameter, rule.people, rule.limits, set(rule.targets)) == (
        "set_point",
        2,
        (-25, 8),
        {"cold_room/R01"},
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("addresses: {set_point: 1}", "addresses: {set_pont: 1}", "expected parameters of modbus.parameters, got set_pont"),
        ("roles: [operator]", "roles: [operater]", r"modbus.parameters.set_point.roles.0"),
        ("clients: [control]", "clients: []", "listen.clients"),
        ("port: 502", "port: 70000", "modbus.port"),
        ("device: 1", "device: 300", r"modbus.targets.cold_room/R01.device"),
        ("{set_point: 4}", "{set_point: 40}", "cold_room/R01: expected a fail-safe value of set_point from -25 to 8, got 40"),
        ("{set_point: 4}", "{door: 1}", "cold_room/R01: expected fail-safe values of its own parameters, got door"),
        ("name: refrigeration", "name: [", "settings of a gateway of commands"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(SchemaError, match=said):
        read_gateway_settings(write(tmp_path, TEXT.replace(old, new, 1)))


def test_limits_that_no_rule_has_are_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"rule of set_point: limits: expected low <= high"):
        read_gateway_settings(write(tmp_path, TEXT.replace("[-25, 8]", "[8, -25]"))).rules()


@given(st.floats(-40, 30), st.sampled_from([("degF", 0.1), ("degC", 0.1), ("degC", 0.01), ("K", 0.1)]))
def test_a_value_is_read_back_within_half_a_step(value: float, register: tuple[str, float]) -> None:
    unit, scale = register
    known = ModbusParameter(
        unit="degC", register_unit=unit, scale=scale, decimals=3, limits=(-40, 30), largest_step=1, tolerance=0.1,
        roles=["operator"],
    )  # fmt: skip
    assert abs(known.value_of(known.register_of(value)) - value) <= scale / 2 + 1e-3


@pytest.mark.parametrize("value", [1e6, -1e6])
def test_a_value_that_no_register_states_is_refused(value: float) -> None:
    known = ModbusParameter(
        unit="degC",
        register_unit="degC",
        scale=0.1,
        limits=(-40, 30),
        largest_step=1,
        tolerance=0.1,
        roles=["operator"],
    )
    with pytest.raises(SchemaError, match="expected a value that a register can state"):
        known.register_of(value)
