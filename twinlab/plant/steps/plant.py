"""A running plant: advance it, command it, save it, load it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twinlab._files import write_atomically
from twinlab.errors import CommandRejectedError, SchemaError
from twinlab.plant.network.clocks import Floats, Ints
from twinlab.plant.network.cold_rooms import RoomMinutes, RoomState, step_cold_rooms
from twinlab.plant.network.faults import Fault, Logged, read_rooms, room_faults
from twinlab.plant.network.forklifts import ForkliftSamples, ForkliftState, step_forklifts
from twinlab.plant.network.names import asset_number
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.steps.commands import COMMANDS, Command, check_command, command_forklifts, command_rooms
from twinlab.plant.steps.plan import Plan, Progress, make_plan
from twinlab.plant.steps.timetable import Happenings, Timetable, change_timetable, happenings, plan_timetable

__all__ = ["Plant", "PlantState", "Step", "step"]

_MINUTE, _FIVE_MINUTES, _TEN_MINUTES = 60, 300, 600
#: Version of saved states.
_FORMAT = 1


@dataclass(frozen=True)
class PlantState:
    """The plant before an instant: all that the next step needs, besides the plan."""

    # UTC seconds; what happens at this instant belongs to the next step.
    time: int
    rooms: RoomState
    forklifts: ForkliftState
    # degC, values at which the loggers' stuck sensors stay; NaN for those that aren't stuck yet.
    held: Floats
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True)
class Step:
    """What happened from ``begin`` until before ``end`` (UTC seconds)."""

    begin: int
    end: int
    rooms: RoomMinutes
    # What the loggers measured, [room, sample of five minutes].
    logged_time: Ints
    logged: Logged
    forklifts: ForkliftSamples
    # [sample, forklift] missing reports.
    forklift_silent: npt.NDArray[np.bool_]
    timed: Happenings


def step(plan: Plan, timetable: Timetable, state: PlantState, until: int) -> tuple[PlantState, Step]:
    """Return the plant's state before ``until``, and what happened since ``state``.

    Parameters
    ----------
    plan : Plan
        See `make_plan`.
    timetable : Timetable
        The plan's, or as commands have changed it.
    state : PlantState
        Where the step begins.
    until : int
        UTC seconds, not before the state's time nor after the plan's end.

    Raises
    ------
    SchemaError
        If ``until`` isn't within these.
    """
    begin, stop = plan.size.span
    if not state.time <= until <= stop:
        msg = (
            f"expected a time from {_instant(state.time)}, the plant's present, to {_instant(stop)}, the end of its plan; "
            f"got {_instant(until)}"
        )
        raise SchemaError(msg)
    rooms, minutes = step_cold_rooms(plan.rooms, state.rooms, -(-(until - begin) // _MINUTE))
    sampled = slice(-state.rooms.minute % (_FIVE_MINUTES // _MINUTE), None, _FIVE_MINUTES // _MINUTE)
    time = minutes.time[sampled]
    logged, held = read_rooms(plan.room_faults, time, minutes.temperature[sampled].T, state.held)
    forklifts, samples = step_forklifts(plan.forklifts, state.forklifts, -(-(until - begin) // _TEN_MINUTES))
    silent = plan.forklift_silent.T[state.forklifts.sample : forklifts.sample]
    later = replace(state, time=until, rooms=rooms, forklifts=forklifts, held=held)
    timed = happenings(timetable, state.time, until)
    return later, Step(state.time, until, minutes, time, logged, samples, silent, timed)


class Plant:
    """A running network: it advances, takes commands, and can be saved and loaded.

    The rows of a time don't depend on the steps in which it is reached. Without commands they are those of the files
    of the same size.

    Parameters
    ----------
    size : ParcelSize
        Numbers of assets, duration and seed.
    progress : callable, optional
        Called while the plan is made, with (steps done, number of steps, name of the next step).

    Examples
    --------
    >>> plant = Plant(ParcelSize(hubs=2, trucks=1, cold_rooms=1, forklifts=1, parcels_a_week=1, weeks=1))
    >>> plant.command("open_door", "R01").kind
    'open_door'
    >>> step = plant.advance(plant.time + 3600)
    >>> step.rooms.temperature.shape, bool(step.rooms.door.all())
    ((60, 1), True)
    """

    def __init__(self, size: ParcelSize, *, progress: Progress | None = None) -> None:
        self.plan = make_plan(size, progress=progress)
        self.timetable = plan_timetable(self.plan)
        held = np.full(len(self.plan.room_faults.stuck), np.nan)
        self.state = PlantState(size.span[0], self.plan.rooms_at_first, self.plan.forklifts_at_first, held)

    @property
    def size(self) -> ParcelSize:
        """Numbers of assets, duration and seed."""
        return self.plan.size

    @property
    def time(self) -> int:
        """The plant's present, UTC seconds: what happens at this instant belongs to the next step."""
        return self.state.time

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The random faults of sensors from the plan's begin to its end."""
        rooms = room_faults(self.plan.room_faults, self.state.held)
        return (*rooms, *self.plan.truck_faults.faults, *self.plan.forklift_faults)

    def advance(self, until: int | datetime) -> Step:
        """Advance to ``until`` (UTC seconds, or a time with its zone) and return what happened.

        Raises
        ------
        SchemaError
            If ``until`` is in the plant's past or after the end of its plan.
        """
        seconds = int(until.timestamp()) if isinstance(until, datetime) else until
        self.state, happened = step(self.plan, self.timetable, self.state, seconds)
        return happened

    def command(self, kind: str, asset: str, value: float | None = None, *, seconds: int | None = None) -> Command:
        """Take a command that is valid from the plant's present on; return it as recorded.

        Parameters
        ----------
        kind : str
            One of `COMMANDS`.
        asset : str
            Name of the asset, such as ``R01``, or of the trip.
        value : float, optional
            For commands that take one: see `COMMANDS` for its unit.
        seconds : int, optional
            How long it is valid, for commands that end by themselves.

        Raises
        ------
        CommandRejectedError
            If there is no such command, the value or duration doesn't fit it, or the trip has left.
        UnknownTermError
            If there is no such asset or trip.
        """
        wanted = check_command(kind, value, seconds)
        counts = {
            "truck": self.size.trucks, "cold_room": self.size.cold_rooms, "forklift": self.size.forklifts,
            "trip": len(self.timetable.trips),
        }  # fmt: skip
        number = asset_number(wanted.asset_type, asset, count=counts[wanted.asset_type])
        taken = Command(self.time, kind, number, float(value or 0.0), seconds or 0)
        if wanted.asset_type == "trip":
            self._check_trip(asset, number)
        self.state = _commanded(self.state, taken)
        if wanted.asset_type in ("truck", "trip"):
            self.timetable = change_timetable(self.plan, self.timetable, self.state.commands, self.time)
        return taken

    def _check_trip(self, name: str, number: int) -> None:
        trips = self.timetable.trips
        if trips.cancelled[number] or trips.start[number] < self.time:
            left = "was cancelled" if trips.cancelled[number] else f"left at {_instant(int(trips.start[number]))}"
            msg = f"hold_trip: expected a trip that leaves after {_instant(self.time)}; {name} {left}"
            raise CommandRejectedError(msg)

    def save(self, path: str | Path) -> Path:
        """Write the state to a file, which `load` reads; the plan is made again from the size."""
        state = {"format": _FORMAT, "size": self.size.to_dict(), "state": _plain(asdict(self.state))}
        return write_atomically(Path(path), lambda draft: draft.write_text(json.dumps(state), encoding="utf-8"))

    @classmethod
    def load(cls, path: str | Path, *, progress: Progress | None = None) -> Self:
        """Return the plant of a saved state.

        Raises
        ------
        SchemaError
            If the file isn't a state that this version can read.
        """
        saved = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(saved, dict) or saved.get("format") != _FORMAT:
            msg = f"{path}: expected a plant's state of format {_FORMAT}, as Plant.save writes it"
            raise SchemaError(msg)
        plant = cls(ParcelSize(**saved["size"]), progress=progress)
        plant.state = _like(plant.state, saved["state"])
        for count, command in enumerate(plant.state.commands, 1):
            if COMMANDS[command.kind].asset_type in ("truck", "trip"):
                done = plant.state.commands[:count]
                plant.timetable = change_timetable(plant.plan, plant.timetable, done, command.at)
        return plant


def _commanded(state: PlantState, command: Command) -> PlantState:
    """Return the state after a command."""
    commands = (*state.commands, command)
    asset_type = COMMANDS[command.kind].asset_type
    if asset_type == "cold_room":
        return replace(state, rooms=command_rooms(state.rooms, command), commands=commands)
    if asset_type == "forklift":
        return replace(state, forklifts=command_forklifts(state.forklifts, command), commands=commands)
    return replace(state, commands=commands)


def _instant(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _plain(value: Any) -> Any:  # noqa: ANN401  (JSON)
    """Return a value in which arrays are lists, for JSON."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def _like(first: PlantState, saved: dict[str, Any]) -> PlantState:
    """Return a saved state, with arrays of the types that the first state has."""
    parts: dict[str, dict[str, Any]] = {}
    for key, part in (("rooms", first.rooms), ("forklifts", first.forklifts)):
        # States of earlier versions have fewer fields: what no command could set then is as at first.
        found = {one.name: saved[key].get(one.name, getattr(part, one.name)) for one in fields(part)}
        kinds = {name: getattr(getattr(part, name), "dtype", None) for name in found}
        parts[key] = {name: np.array(value, kinds[name]) if kinds[name] else value for name, value in found.items()}
    commands = tuple(Command(**command) for command in saved["commands"])
    rooms, forklifts = RoomState(**parts["rooms"]), ForkliftState(**parts["forklifts"])
    return PlantState(saved["time"], rooms, forklifts, np.array(saved["held"], dtype=float), commands)
