"""Setpoints as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.control.proposals.setpoints import parse_setpoint, rounded
from twinlab.errors import CommandRejectedError, SchemaError, UnitError


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("6 km/h", "km/h", 6.0), (6, "km/h", 6.0), ("6", "km/h", 6.0), ("50 degF", "degC", 10.0), ("−20 °C", "degC", -20.0), ("-0", "1", 0.0)],
)  # fmt: skip
def test_a_setpoint_is_converted_to_the_unit_of_the_command(text: object, unit: str, value: float) -> None:
    assert parse_setpoint(text, unit, resolution=0.1) == value


@pytest.mark.parametrize("value", [True, None, "fast", "1e999", "nan", float("nan"), float("inf"), "6 7", ""])
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(SchemaError, match="setpoint"):
        parse_setpoint(value, "km/h", resolution=0.1)


def test_a_unit_of_something_else_is_refused() -> None:
    with pytest.raises(UnitError, match="converts to 'km/h'"):
        parse_setpoint("6 kg", "km/h", resolution=0.1)


def test_a_setpoint_that_could_not_be_read_back_is_refused() -> None:
    with pytest.raises(CommandRejectedError, match=r"multiple of 0\.1 km/h"):
        parse_setpoint("6.25 km/h", "km/h", resolution=0.1)


@given(st.integers(-10_000, 10_000))
def test_rounding_gives_the_shortest_decimal(tenths: int) -> None:
    assert rounded(tenths * 0.1, 0.1) == float(f"{tenths / 10:.1f}") + 0.0
