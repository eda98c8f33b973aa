"""The devices' own limits are those that the demo's twin states."""

from __future__ import annotations

from pathlib import Path

import pytest

import twinlab.demos
from twinlab.commands.guard import Rule
from twinlab.demos.overlays import overlaid
from twinlab.plant.devices.rules import max_speed_rule, set_point_rule, speed_factor_rule

HERE = Path(twinlab.demos.__file__).parent / "parcel" / "control" / "twin.yaml"


@pytest.mark.parametrize(
    ("asset_type", "rule"),
    [
        ("forklift", max_speed_rule(["forklift/F01"])),
        ("cold_room", set_point_rule(["cold_room/R01"])),
        ("truck", speed_factor_rule(["truck/T001"])),
    ],
)  # fmt: skip
def test_devices_allow_what_the_twin_of_the_demo_states(asset_type: str, rule: Rule) -> None:
    stated = overlaid(HERE, None)["commands"][asset_type][rule.parameter]
    assert rule.unit == stated["unit"]
    assert rule.limits == tuple(stated["limits"])
    assert rule.largest_step == stated["largest_step"]
    assert rule.tolerance == stated["tolerance"]
    assert rule.fail_safe == stated.get("fail_safe")
    assert rule.people == stated.get("people", 1)
    assert rule.roles == set(stated["roles"])
