"""The plant advances by steps: how long they are changes nothing, commands change what happens next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import CommandRejectedError, SchemaError, UnknownTermError
from twinlab.plant import ParcelSize, Plant, simulate_network
from twinlab.plant.network.forklifts import CHARGING, DRIVING, IDLE
from twinlab.plant.steps.commands import COMMANDS
from twinlab.plant.steps.plant import PlantState, Step
from twinlab.plant.steps.timetable import plan_timetable

SIZE = ParcelSize(hubs=3, trucks=3, cold_rooms=4, forklifts=3, parcels_a_week=40, weeks=1, seed=3, start="2026-03-23")
BEGIN, STOP = SIZE.span
HOUR = 3600


@dataclass
class Wanted:
    """A command after so many seconds."""

    after: int
    kind: str
    asset: int
    share: float

    def send(self, plant: Plant) -> None:
        known = COMMANDS[self.kind]
        value = None if known.value is None else known.value[2] + self.share * (known.value[3] - known.value[2])
        name = {
            "cold_room": f"R{self.asset + 1:02d}",
            "forklift": f"F{self.asset + 1:02d}",
            "truck": f"T{self.asset + 1:03d}",
        }
        if known.asset_type == "trip":
            coming = plant.timetable.trips.start >= plant.time
            if not coming.any():
                return
            name["trip"] = plant.timetable.trips.ids()[np.flatnonzero(coming)[self.asset]]
        plant.command(self.kind, name[known.asset_type], value, seconds=6 * HOUR if known.lasts else None)


wanted = st.builds(
    Wanted, after=st.integers(0, STOP - BEGIN), kind=st.sampled_from(sorted(COMMANDS)), asset=st.integers(0, 2),
    share=st.floats(0, 1),
)  # fmt: skip

timed = st.builds(
    Wanted, after=st.integers(0, STOP - BEGIN), kind=st.sampled_from(["hold_trip", "slow_truck"]), asset=st.integers(0, 2),
    share=st.floats(0, 1),
)  # fmt: skip


def run(plant: Plant, first: PlantState, commands: list[Wanted], cuts: list[int]) -> list[Step]:
    """Advance a plant to its end, with steps that end at ``cuts`` and at every command."""
    plant.state, plant.timetable = first, plan_timetable(plant.plan)
    steps: list[Step] = []
    for after, command in sorted(
        [(cut, None) for cut in cuts] + [(one.after, one) for one in commands], key=lambda one: one[0]
    ):
        steps.append(plant.advance(BEGIN + after))
        if command is not None:
            command.send(plant)
    steps.append(plant.advance(STOP))
    return steps


def reports(plant: Plant, step: Step) -> np.ndarray:
    """Return the reports of a step, [column, report], as they are known at its end."""
    tracks, at = plant.timetable.reported.tracks, step.timed.reports
    columns = [tracks.truck, tracks.time, tracks.latitude, tracks.longitude, tracks.speed, tracks.odometer, tracks.fuel]
    return np.stack([column[at] for column in (*columns, plant.timetable.reported.silent)])


def rows(steps: list[Step]) -> dict[str, np.ndarray]:
    """Return all rows of steps that follow each other, by their kind."""
    return {
        "temperature": np.concatenate([one.rooms.temperature for one in steps]),
        "minute": np.concatenate([one.rooms.time for one in steps]),
        "door": np.concatenate([one.rooms.door for one in steps]),
        "compressor": np.concatenate([one.rooms.compressor for one in steps]),
        "logged": np.concatenate([one.logged.temperature for one in steps], axis=1),
        "logged at": np.concatenate([one.logged_time for one in steps]),
        "silent": np.concatenate([one.logged.silent for one in steps], axis=1),
        "battery": np.concatenate([one.forklifts.battery for one in steps]),
        "load": np.concatenate([one.forklifts.load for one in steps]),
        "mode": np.concatenate([one.forklifts.mode for one in steps]),
        "missing": np.concatenate([one.forklift_silent for one in steps]),
        "departed": np.concatenate([one.timed.departed for one in steps]),
        "arrived": np.concatenate([one.timed.arrived for one in steps]),
        "registered": np.concatenate([one.timed.registered for one in steps]),
        "delivered": np.sort(np.concatenate([one.timed.delivered for one in steps])),
        "reports": np.concatenate([np.arange(one.timed.reports.start, one.timed.reports.stop) for one in steps]),
    }


@pytest.fixture(scope="module")
def plant() -> Plant:
    return Plant(SIZE)


@pytest.fixture(scope="module")
def first(plant: Plant) -> PlantState:
    return plant.state


@settings(max_examples=12, deadline=None)
@given(commands=st.lists(wanted, max_size=4), cuts=st.lists(st.integers(0, STOP - BEGIN), max_size=12))
def test_any_partition_of_the_time_gives_the_same_rows(
    plant: Plant, first: PlantState, commands: list[Wanted], cuts: list[int]
) -> None:
    one, many = rows(run(plant, first, commands, [])), rows(run(plant, first, commands, cuts))
    for name in ("departed", "arrived"):
        # A step's trips are in the order of their numbers.
        one[name], many[name] = np.sort(one[name]), np.sort(many[name])
    assert {name for name in one if not np.array_equal(one[name], many[name])} == set()


@pytest.mark.parametrize("step", [1, 59, 60, 61, 299, 300, 601])
def test_short_steps_give_the_rows_of_one_step(plant: Plant, first: PlantState, step: int) -> None:
    plant.state = first
    whole = plant.advance(BEGIN + 2 * HOUR)
    plant.state = first
    parts = [
        plant.advance(min(until, BEGIN + 2 * HOUR)) for until in range(BEGIN + step, BEGIN + 2 * HOUR + step, step)
    ]
    assert np.array_equal(rows(parts)["temperature"], whole.rooms.temperature)
    assert np.array_equal(rows(parts)["logged"], whole.logged.temperature)
    assert np.array_equal(rows(parts)["battery"], whole.forklifts.battery)


def test_without_commands_the_rows_are_those_of_the_network(plant: Plant, first: PlantState) -> None:
    network = simulate_network(SIZE)
    found = rows(run(plant, first, [], list(range(0, STOP - BEGIN, 10 * HOUR))))
    assert np.array_equal(found["temperature"][::5].T, network.rooms.temperature)
    assert np.array_equal(found["logged"], network.logged.temperature)
    assert np.array_equal(found["battery"].T, network.forklifts.battery)
    assert len(found["reports"]) == len(network.tracks)
    assert plant.faults == network.faults


@settings(max_examples=10, deadline=None)
@given(commands=st.lists(timed, min_size=1, max_size=5), cuts=st.lists(st.integers(0, STOP - BEGIN), max_size=6))
def test_what_has_happened_stays_and_the_rest_is_possible_whatever_trips_are_changed(
    plant: Plant, first: PlantState, commands: list[Wanted], cuts: list[int]
) -> None:
    plant.state, plant.timetable = first, plan_timetable(plant.plan)
    seen = []
    for after, command in sorted(
        [(cut, None) for cut in cuts] + [(one.after, one) for one in commands], key=lambda one: one[0]
    ):
        seen.append(reports(plant, plant.advance(BEGIN + after)))
        if command is not None:
            command.send(plant)
    seen.append(reports(plant, plant.advance(STOP)))
    plant.state = replace(plant.state, time=BEGIN, rooms=first.rooms, forklifts=first.forklifts)
    assert np.array_equal(np.concatenate(seen, axis=1), reports(plant, plant.advance(STOP)))
    trips, parcels = plant.timetable.trips, plant.timetable.parcels
    driven = trips.km[trips.first[1:] - 1]
    assert driven == pytest.approx(plant.plan.roads.length[trips.origin, trips.destination])
    for truck in range(SIZE.trucks):
        own = np.flatnonzero(~trips.cancelled & (trips.truck == truck))
        assert (trips.start[own][1:] >= trips.end[own][:-1]).all()
        odometer = plant.timetable.tracks.odometer[plant.timetable.tracks.truck == truck]
        assert (np.diff(odometer) >= 0).all()
    leg, trip = parcels.leg_parcel, parcels.leg_trip
    same = leg[1:] == leg[:-1]
    assert (trips.start[trip[1:]][same] >= trips.end[trip[:-1]][same]).all()
    assert (trips.origin[trip[1:]][same] == trips.destination[trip[:-1]][same]).all()
    assert (parcels.leg_number[1:][same] == parcels.leg_number[:-1][same] + 1).all()
    assert (trips.start[trip] >= parcels.registered[leg]).all()


def test_a_held_trip_leaves_later_and_its_parcels_arrive_later(plant: Plant, first: PlantState) -> None:
    plant.state, plant.timetable = first, plan_timetable(plant.plan)
    plant.advance(BEGIN + 20 * HOUR)
    before, parcels = plant.timetable.trips, plant.timetable.parcels
    trip = next(one for one in parcels.leg_trip.tolist() if before.start[one] >= plant.time)
    plant.command("hold_trip", before.ids()[trip], 600)
    after = plant.timetable
    assert after.trips.start[trip] == before.start[trip] + 36_000
    carried = parcels.leg_parcel[parcels.leg_trip == trip]
    late = after.parcels.delivered[carried] - parcels.delivered[carried]
    # One with hours to change trucks still takes its next one.
    assert ((late >= 0) | (after.parcels.delivered[carried] == 0)).all()
    assert (late == 36_000).any() or (late > 36_000).any()
    others = np.setdiff1d(
        np.arange(len(parcels)), parcels.leg_parcel[before.truck[parcels.leg_trip] == before.truck[trip]]
    )
    assert np.array_equal(after.parcels.delivered[others], parcels.delivered[others])


def test_a_slow_truck_is_slow_for_as_long_as_the_command_says(plant: Plant, first: PlantState) -> None:
    plant.state, plant.timetable = first, plan_timetable(plant.plan)
    trip = int(np.flatnonzero(plant.timetable.trips.start > BEGIN)[0])
    truck, start = int(plant.timetable.trips.truck[trip]), int(plant.timetable.trips.start[trip])
    plant.advance(start + HOUR // 2)
    before = plant.timetable
    plant.command("slow_truck", f"T{truck + 1:03d}", 0.25, seconds=HOUR)
    after = plant.timetable
    km = after.trips.km[after.trips.first[trip] : after.trips.first[trip + 1]]
    plain = before.trips.km[before.trips.first[trip] : before.trips.first[trip + 1]]
    assert np.array_equal(km[:31], plain[:31])
    assert km[90] - km[30] == pytest.approx(0.25 * (plain[90] - plain[30]))
    assert after.trips.end[trip] > before.trips.end[trip]
    assert len(after.tracks) != len(before.tracks)


def test_a_trip_that_has_left_is_not_held(plant: Plant, first: PlantState) -> None:
    plant.state, plant.timetable = first, plan_timetable(plant.plan)
    trip = int(np.flatnonzero(plant.timetable.trips.start > BEGIN)[0])
    plant.advance(int(plant.timetable.trips.start[trip]) + 60)
    with pytest.raises(
        CommandRejectedError, match=rf"expected a trip that leaves after .*; TR{trip + 1:05d} left at 2026"
    ):
        plant.command("hold_trip", f"TR{trip + 1:05d}", 10)


def test_an_opened_door_warms_the_room_and_closing_it_cools_it_again(plant: Plant, first: PlantState) -> None:
    plant.state = first
    before = plant.advance(BEGIN + 8 * HOUR).rooms.temperature[-1, 0]
    plant.command("open_door", "R01")
    opened = plant.advance(BEGIN + 10 * HOUR)
    plant.command("close_door", "R01")
    closed = plant.advance(BEGIN + 20 * HOUR)
    assert opened.rooms.door[:, 0].all()
    assert not closed.rooms.door[:, 0].any()
    assert opened.rooms.temperature[-1, 0] > before + 3
    assert abs(closed.rooms.temperature[-1, 0] - 4.0) < 1.2


def test_a_command_changes_only_what_comes_after_it(plant: Plant, first: PlantState) -> None:
    plain = rows(run(plant, first, [], []))
    changed = rows(run(plant, first, [Wanted(30 * HOUR, "set_temperature", 1, 0.8)], []))
    minute = 30 * 60
    assert np.array_equal(plain["temperature"][: minute + 1], changed["temperature"][: minute + 1])
    assert changed["temperature"][minute + 20 * 60 :, 1].mean() > plain["temperature"][minute + 20 * 60 :, 1].mean() + 5
    others = [0, 2, 3]
    assert np.array_equal(plain["temperature"][:, others], changed["temperature"][:, others])


def test_a_stopped_compressor_lets_the_room_warm_up(plant: Plant, first: PlantState) -> None:
    plant.state = first
    plant.advance(BEGIN + HOUR)
    plant.command("stop_compressor", "R04")
    step = plant.advance(BEGIN + 13 * HOUR)
    assert not step.rooms.compressor[:, 3].any()
    assert step.rooms.temperature[-1, 3] > step.rooms.temperature[0, 3] + 5


def test_a_stopped_forklift_is_parked_until_it_starts_again(plant: Plant, first: PlantState) -> None:
    plant.state = first
    plant.command("stop_forklift", "F01")
    stopped = plant.advance(BEGIN + 48 * HOUR).forklifts.mode[:, 0]
    plant.command("start_forklift", "F01")
    started = plant.advance(BEGIN + 96 * HOUR).forklifts.mode[:, 0]
    assert set(stopped.tolist()) <= {IDLE, CHARGING}
    assert DRIVING in started.tolist()


@settings(max_examples=4, deadline=None)
@given(commands=st.lists(wanted, min_size=1, max_size=3), at=st.integers(0, STOP - BEGIN))
def test_a_saved_plant_goes_on_as_if_it_had_not_stopped(
    commands: list[Wanted], at: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plant = Plant(SIZE)
    for one in commands:
        one.send(plant)
    plant.advance(BEGIN + at)
    loaded = Plant.load(plant.save(tmp_path_factory.mktemp("saved") / "state.json"))
    assert loaded.state.commands == plant.state.commands
    here, there = rows([plant.advance(STOP)]), rows([loaded.advance(STOP)])
    assert {name for name in here if not np.array_equal(here[name], there[name])} == set()


def test_a_time_outside_the_plan_is_refused(plant: Plant, first: PlantState) -> None:
    plant.state = first
    plant.advance(SIZE.begin + timedelta(hours=2))
    assert plant.time == BEGIN + 2 * HOUR
    with pytest.raises(SchemaError, match=r"from 2026-03-23T02:00:00Z, .* to 2026-03-30T00:00:00Z"):
        plant.advance(BEGIN)
    with pytest.raises(SchemaError, match="got 2026-03-30T00:00:01Z"):
        plant.advance(STOP + 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explode", "R01"), "expected one of the commands open_door"),
        (("set_temperature", "R01"), r"set point from -40 to 30 degC, got None"),
        (("set_temperature", "R01", float("nan")), "got nan"),
        (("open_door", "R01", 3.0), r"expected no value, got 3\.0"),
    ],
)
def test_commands_that_do_not_fit_are_refused(plant: Plant, arguments: tuple[str, str], said: str) -> None:
    with pytest.raises(CommandRejectedError, match=said):
        plant.command(*arguments)


def test_a_command_to_an_unknown_asset_names_the_nearest(plant: Plant) -> None:
    with pytest.raises(UnknownTermError, match="there is no cold_room 'R1'; did you mean 'R01'"):
        plant.command("open_door", "R1")


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("[]")
    with pytest.raises(SchemaError, match="a plant's state of format 1"):
        Plant.load(path)
