"""What the plant's devices allow: limits that are built into them, whatever a twin proposes."""

from __future__ import annotations

from collections.abc import Iterable

from twinlab.commands.guard.rules import Rule
from twinlab.edge.commanding.settings import ModbusParameter
from twinlab.plant.network.forklifts import TOP_SPEED

__all__ = ["LINK_TIMEOUT", "TWIN", "max_speed_rule", "set_point_parameter", "set_point_rule", "speed_factor_rule"]

#: Name of the twin whose commands the devices take.
TWIN = "parcel"
#: Seconds without a sign of life of the broker after which a forklift that a command has set stops.
LINK_TIMEOUT = 5.0
_SET_POINT = {
    "unit": "degC", "limits": (-25.0, 8.0), "largest_step": 4.0, "tolerance": 0.1, "people": 2,
}  # fmt: skip


def max_speed_rule(targets: Iterable[str]) -> Rule:
    """Return the rule of the forklifts' drives."""
    return Rule(
        "max_speed", frozenset(targets), "km/h", limits=(0.0, TOP_SPEED), largest_step=6.0, tolerance=0.1,
        roles=frozenset({"operator", "dispatcher"}), fail_safe=0.0, link_timeout=LINK_TIMEOUT,
    )  # fmt: skip


def speed_factor_rule(targets: Iterable[str]) -> Rule:
    """Return the rule of the trucks' cruise controls: they stay as they were set where there is no link."""
    return Rule(
        "speed_factor", frozenset(targets), "1", limits=(0.5, 1.0), largest_step=0.5, tolerance=0.01,
        roles=frozenset({"operator", "dispatcher"}), fail_safe=1.0,
    )  # fmt: skip


def set_point_rule(targets: Iterable[str]) -> Rule:
    """Return the rule of the warehouses' thermostats: a room goes to its usual set point, a freezer to another than a chilled one."""
    known = set_point_parameter()
    return Rule(
        "set_point", frozenset(targets), known.unit, known.limits, known.largest_step, known.tolerance,
        frozenset({"operator"}), known.people,
    )  # fmt: skip


def set_point_parameter() -> ModbusParameter:
    """Return the same rule for the gateway of the old units, whose registers have tenths of °F."""
    return ModbusParameter.model_validate({**_SET_POINT, "register_unit": "degF", "scale": 0.1, "roles": ["operator"]})
