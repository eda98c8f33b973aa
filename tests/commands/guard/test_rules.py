"""A rule with a number that isn't possible is refused when it is made."""

from __future__ import annotations

from typing import Any

import pytest

from twinlab.commands.guard import Rule
from twinlab.errors import SchemaError

FIELDS: dict[str, Any] = {
    "parameter": "max_speed",
    "targets": frozenset({"forklift/7"}),
    "unit": "km/h",
    "limits": (0.0, 12.0),
    "largest_step": 6.0,
    "tolerance": 0.2,
    "roles": frozenset({"operator"}),
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"limits": (3.0, 2.0)}, "limits: expected low <= high, got 3 and 2"), ({"limits": (0.0, float("nan"))}, "limits"),
        ({"largest_step": 0.0}, "largest_step"), ({"tolerance": -1.0}, "tolerance"), ({"targets": frozenset()}, "targets"),
        ({"roles": frozenset()}, "roles"), ({"roles": frozenset({"king"})}, "roles: expected some of viewer"), ({"people": 0}, "people"),
        ({"stop_roles": frozenset({"king"})}, "stop_roles"), ({"fail_safe": float("inf")}, "fail_safe"), ({"timeout": 0.0}, "timeout"),
        ({"longest_age": float("nan")}, "longest_age"), ({"select_lifetime": -1.0}, "select_lifetime"), ({"link_timeout": -2.0}, "link_timeout"),
    ],
)  # fmt: skip
def test_a_rule_that_is_not_possible_names_its_field(fields: dict[str, Any], expected: str) -> None:
    assert Rule(**FIELDS).people == 1
    with pytest.raises(SchemaError, match=f"rule of max_speed: {expected}"):
        Rule(**FIELDS | fields)
