"""After a command: what was predicted, compared with what came."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import twinlab as tl
from tests.twin.commanding.conftest import NOW
from twinlab.errors import ControlError


def carried_out(plant: Any, target: str, parameter: str, value: str) -> Any:
    plan = plant.twin.propose(target, parameter, value, reason="a warm night")
    for name in ("Ann", "Bob")[: plan.proposal.people]:
        plan.approve(as_=plant.signers[name])
    assert plan.send().outcome == "done"
    return plan


def report(plant: Any, folder: Path, name: str, header: str, row: str, minutes: range) -> None:
    """Let an asset report for some minutes after `NOW`."""
    lines = [f"time,{header}", *(f"{NOW + timedelta(minutes=one):%Y-%m-%dT%H:%M:%SZ},{row}" for one in minutes)]
    path = folder / f"{name}-later.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    plant.twin.ingest(tl.sources.csv(path, name=name))


def test_a_room_is_compared_with_its_predicted_temperatures_and_recorded_once(plant: Any, tmp_path: Path) -> None:
    plan = carried_out(plant, "cold_room/R01", "set_point", "3.5 degC")
    first = plan.compare()
    assert (first.complete, first.match) == (False, "not yet")
    assert plant.rows("plan compared") == []
    report(plant, tmp_path, "thermostats", "cold_room,set_point", "R01,3.5", range(5, 725, 5))
    plant.now.wait(13 * 3600)
    found = plan.compare()
    assert found.complete
    reported, room = found.effects
    assert (reported.kind, reported.match) == ("setpoint", "as predicted")
    # The room's temperatures are there: one in five minutes for twelve hours.
    assert room.kind == "room"
    assert len(room.came) > 130
    resolution = plant.twin.model.asset_types["cold_room"].signals["temperature"].resolution + 1e-9
    inside = sum(
        low - resolution <= value <= high + resolution
        for value, low, high in zip(*_at_the_same_minutes(plan.proposal.effects[0], room), strict=True)
    )
    assert f"{inside} of {len(room.came)} values" in room.reason
    # The files know nothing of the command: the room stays half a degree warmer than predicted.
    assert room.match == "otherwise"
    assert "+0.5" in room.reason
    # Another session finds what was recorded, and records nothing.
    assert plant.twin.plan(plan.id).compare() == found
    rows = plant.rows("plan compared")
    assert [(row.what["id"], row.what["outcome"]) for row in rows] == [(plan.id, found.match)]
    shown = found._repr_html_()
    assert shown.count("<circle") == len(room.came)
    assert "Predicted against actual: " in shown


def _at_the_same_minutes(effect: Any, room: Any) -> tuple[list[float], list[float], list[float]]:
    import numpy as np

    low, high = (np.interp(room.minutes, effect.minutes, one).tolist() for one in (effect.low, effect.high))
    return list(room.came), low, high


def test_a_value_that_somebody_sets_back_comes_otherwise(plant: Any, tmp_path: Path) -> None:
    plan = carried_out(plant, "forklift/F01", "max_speed", "6 km/h")
    report(plant, tmp_path, "drives", "forklift,max_speed,person_distance", "F01,8,12", range(10, 60, 10))
    plant.now.wait(7200)
    found = plan.compare()
    assert [one.match for one in found.effects] == ["otherwise", "can't tell", "can't tell"]
    assert "0 of 5 values" in found.effects[0].reason
    assert "isn't observed" in found.effects[1].reason
    assert found.match == "otherwise"


def test_what_comes_after_the_next_command_is_not_compared(plant: Any, tmp_path: Path) -> None:
    plan = carried_out(plant, "forklift/F01", "max_speed", "6 km/h")
    report(plant, tmp_path, "drives", "forklift,max_speed,person_distance", "F01,6,12", range(10, 40, 10))
    plant.now.wait(1800)
    plant.device.values["forklift/F01", "max_speed"] = 6.0
    carried_out(plant, "forklift/F01", "max_speed", "4 km/h")
    plant.now.wait(900)
    found = plan.compare()
    assert found.complete
    assert found.until.startswith(f"{NOW + timedelta(minutes=30):%Y-%m-%dT%H:%M}")


def test_a_plan_that_was_not_carried_out_has_nothing_to_compare(plant: Any) -> None:
    plan = plant.twin.propose("forklift/F01", "max_speed", "6 km/h", reason="ice")
    with pytest.raises(ControlError, match="expected a plan that was carried out, got .* which is proposed"):
        plan.compare()
