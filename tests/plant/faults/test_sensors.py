"""Scheduled faults of sensors and clocks: what is shown differs from the truth as stated, and only then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import UnknownTermError
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.faults.schedule import Schedule
from twinlab.plant.faults.sensors import SensorFaults
from twinlab.plant.peers.peer import Moment, moment_of
from twinlab.plant.steps.plant import PlantState

SIZE = ParcelSize(hubs=3, trucks=5, cold_rooms=3, forklifts=2, parcels_a_week=10, weeks=1, seed=8)
BEGIN = SIZE.span[0]
END = BEGIN + 36 * 3600


@pytest.fixture(scope="module")
def plant() -> Plant:
    return Plant(SIZE)


@pytest.fixture(scope="module")
def first(plant: Plant) -> PlantState:
    return plant.state


def shown(plant: Plant, first: PlantState, fault: dict[str, Any] | None, cuts: tuple[int, ...] = ()) -> list[Moment]:
    """Return what a fault makes of the first hours, in steps that end at ``cuts``."""
    plant.state = first
    sensors = SensorFaults(SIZE)
    if fault is not None:
        sensors.add(Schedule.model_validate({"faults": [{"start": "20h", "lasts": "10h", **fault}]}).faults[0], BEGIN)
    return [moment_of(plant, plant.advance(BEGIN + cut), sensors) for cut in (*sorted(cuts), END - BEGIN)]


def values(moments: list[Moment], fault: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return true times and shown values of a fault's signal."""
    asset = int(fault["target"][1:]) - 1
    if fault["target"][0] == "R":
        time = np.concatenate([one.step.rooms.time for one in moments])
        return time, np.concatenate([one.rooms.temperature[asset] for one in moments])
    if fault["target"][0] == "F":
        time = np.concatenate([one.step.forklifts.time for one in moments])
        return time, np.concatenate([getattr(one.forklifts, fault["signal"])[:, asset] for one in moments])
    tracks = [(one.reports.tracks, one.reports.tracks.truck == asset) for one in moments]
    time = np.concatenate([each.time[own] for each, own in tracks])
    return time, np.concatenate([getattr(each, fault["signal"])[own] for each, own in tracks])


FAULTS = [
    {"kind": "drift", "target": "R01", "signal": "temperature", "amount": 2.0},
    {"kind": "stuck", "target": "R02", "signal": "temperature"},
    {"kind": "spikes", "target": "R01", "signal": "temperature", "amount": 25.0},
    {"kind": "wrong_scaling", "target": "R03", "signal": "temperature", "amount": 10.0},
    {"kind": "stuck", "target": "T001", "signal": "fuel"},
    {"kind": "unit_swap", "target": "T001", "signal": "odometer"},
    {"kind": "unit_swap", "target": "T005", "signal": "odometer"},
    {"kind": "unit_swap", "target": "F01", "signal": "battery"},
    {"kind": "wrong_scaling", "target": "F02", "signal": "battery", "amount": 0.1},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['kind']} of {fault['target']}")
def test_values_are_wrong_within_the_span_only_and_as_stated(
    plant: Plant, first: PlantState, fault: dict[str, Any]
) -> None:
    time, right = values(shown(plant, first, None), fault)
    _, wrong = values(shown(plant, first, fault), fault)
    during = (time >= BEGIN + 20 * 3600) & (time < BEGIN + 30 * 3600)
    assert np.array_equal(right[~during], wrong[~during])
    expected = {
        "drift": right + 2.0 * (time - BEGIN - 20 * 3600) / 86_400,
        "stuck": np.full(len(right), right[during][0]),
        "wrong_scaling": right * fault.get("amount", 1.0),
        "unit_swap": right * {"T001": 1 / 1.609344, "T005": 1.609344, "F01": 0.01}.get(fault["target"], 1.0),
    }
    if fault["kind"] == "spikes":
        off = wrong[during] - right[during]
        assert 0 < (off != 0).sum() < 60
        assert set(np.round(off, 6).tolist()) == {0.0, 25.0}
    else:
        assert wrong[during] == pytest.approx(expected[fault["kind"]][during])


@settings(max_examples=10, deadline=None)
@given(fault=st.sampled_from(FAULTS), cuts=st.lists(st.integers(0, END - BEGIN), max_size=6))
def test_steps_of_any_length_show_the_same(
    plant: Plant, first: PlantState, fault: dict[str, Any], cuts: list[int]
) -> None:
    one = values(shown(plant, first, fault), fault)
    many = values(shown(plant, first, fault, tuple(cuts)), fault)
    assert np.array_equal(one[0], many[0])
    assert np.array_equal(one[1], many[1])


def test_clocks_step_and_gain(plant: Plant, first: PlantState) -> None:
    plain = shown(plant, first, None)[0]
    stepped = shown(plant, first, {"kind": "clock_step", "target": "T002", "amount": -3600.0})[0]
    own = plain.reports.tracks.truck == 1
    during = own & (plain.reports.tracks.time >= BEGIN + 20 * 3600) & (plain.reports.tracks.time < BEGIN + 30 * 3600)
    off = stepped.reports.tracks.time - plain.reports.tracks.time
    assert set(off[during].tolist()) == {-3600}
    assert not off[~during].any()
    skewed = shown(plant, first, {"kind": "clock_skew", "target": "R01", "amount": 240.0})[0]
    ahead = skewed.rooms.fast[0] - plain.rooms.fast[0]
    assert ahead.max() == 100
    assert (np.diff(ahead[20 * 60 : 30 * 60]) >= 0).all()
    assert not ahead[: 20 * 60].any()


def test_a_room_in_another_unit_is_marked(plant: Plant, first: PlantState) -> None:
    fault = {"kind": "unit_swap", "target": "R01", "signal": "temperature"}
    plain, swapped = shown(plant, first, None)[0], shown(plant, first, fault)[0]
    assert (swapped.rooms.celsius != plain.rooms.celsius).sum() == 600
    assert np.array_equal(swapped.rooms.temperature, plain.rooms.temperature)


def test_an_unknown_asset_is_refused(plant: Plant) -> None:
    fault = Schedule.model_validate({"faults": [{"kind": "stuck", "target": "R09", "signal": "temperature"}]})
    with pytest.raises(UnknownTermError, match="there is no cold_room 'R09'"):
        SensorFaults(SIZE).add(fault.faults[0], BEGIN)


@pytest.mark.parametrize(("target", "signal"), [("R01", "temperature"), ("F01", "battery"), ("T001", "fuel")])
def test_replayed_values_are_those_of_hours_ago_in_any_steps(
    plant: Plant, first: PlantState, target: str, signal: str
) -> None:
    fault = {"kind": "replayed", "target": target, "signal": signal, "amount": 12.0}
    time, true = values(shown(plant, first, None), fault)
    for cuts in ((), (7 * 3600, 21 * 3600, 25 * 3600)):
        _, wrong = values(shown(plant, first, fault, cuts), fault)
        during = (time >= BEGIN + 20 * 3600) & (time < BEGIN + 30 * 3600)
        np.testing.assert_array_equal(wrong[~during], true[~during])
        then = np.searchsorted(time, time[during] - 12 * 3600, side="right") - 1
        np.testing.assert_array_equal(wrong[during], true[then])
