"""Commands to the plant: what they are, and how they change the state of rooms and forklifts.

What they change of trips is in `changes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from twinlab.errors import CommandRejectedError
from twinlab.plant.network.cold_rooms import RoomState
from twinlab.plant.network.forklifts import TOP_SPEED, ForkliftState

__all__ = ["COMMANDS", "Command", "CommandKind", "check_command", "command_forklifts", "command_rooms", "speed_factor"]


class CommandKind(NamedTuple):
    """What a command is sent to, and the value that it takes, if any: its name, unit, least and most."""

    asset_type: str
    value: tuple[str, str, float, float] | None = None
    lasts: bool = False
    """Whether the command states how long it is valid."""


#: Every command by its name.
COMMANDS: dict[str, CommandKind] = {
    "open_door": CommandKind("cold_room"),
    "close_door": CommandKind("cold_room"),
    "release_door": CommandKind("cold_room"),
    "set_temperature": CommandKind("cold_room", ("set point", "degC", -40.0, 30.0)),
    "stop_compressor": CommandKind("cold_room"),
    "start_compressor": CommandKind("cold_room"),
    "stop_forklift": CommandKind("forklift"),
    "start_forklift": CommandKind("forklift"),
    "max_speed": CommandKind("forklift", ("highest speed", "km/h", 0.0, TOP_SPEED)),
    "slow_truck": CommandKind("truck", ("share of the speed that is left", "1", 0.1, 1.0), lasts=True),
    "hold_trip": CommandKind("trip", ("delay", "min", 1.0, 2880.0)),
}


@dataclass(frozen=True)
class Command:
    """A command that the plant has taken: since when it is valid (UTC seconds), for which asset, with which value."""

    at: int
    kind: str
    asset: int
    value: float = 0.0
    """Zero for commands that take none."""
    seconds: int = 0
    """How long it is valid; zero: until another command."""


def check_command(kind: str, value: float | None, seconds: int | None) -> CommandKind:
    """Return what a command is sent to.

    Raises
    ------
    CommandRejectedError
        If there is no such command, or its value or duration doesn't fit.
    """
    known = COMMANDS.get(kind)
    if known is None:
        msg = f"expected one of the commands {', '.join(COMMANDS)}, got {kind!r}"
        raise CommandRejectedError(msg)
    if known.value is None and value is not None:
        msg = f"{kind}: expected no value, got {value!r}"
        raise CommandRejectedError(msg)
    if known.value is not None:
        name, unit, least, most = known.value
        if value is None or not least <= value <= most:
            msg = f"{kind}: expected a {name} from {least:g} to {most:g} {unit}, got {value!r}"
            raise CommandRejectedError(msg)
    if known.lasts != (seconds is not None) or (seconds is not None and seconds < 1):
        wanted = "a whole number of seconds of at least 1" if known.lasts else "no duration"
        msg = f"{kind}: expected {wanted}, got {seconds!r}"
        raise CommandRejectedError(msg)
    return known


def command_rooms(state: RoomState, command: Command) -> RoomState:
    """Return the state of the rooms after a command to one of them."""
    doors = {"open_door": 1, "close_door": 0, "release_door": -1}
    if command.kind in doors:
        door = state.held_door.copy()
        door[command.asset] = doors[command.kind]
        return replace(state, held_door=door)
    if command.kind == "set_temperature":
        set_to = state.set_to.copy()
        set_to[command.asset] = command.value
        return replace(state, set_to=set_to)
    stopped = state.stopped.copy()
    stopped[command.asset] = command.kind == "stop_compressor"
    return replace(state, stopped=stopped)


def command_forklifts(state: ForkliftState, command: Command) -> ForkliftState:
    """Return the state of the forklifts after a command to one of them."""
    if command.kind == "max_speed":
        highest = np.array(state.max_speed)
        highest[command.asset] = command.value
        return replace(state, max_speed=highest)
    stopped = np.array(state.stopped)
    stopped[command.asset] = command.kind == "stop_forklift"
    return replace(state, stopped=stopped)


def speed_factor(commands: Sequence[Command], truck: int, at: int) -> float:
    """Return the share of its speed that a truck may drive with at an instant (UTC seconds), by the commands so far.

    >>> commands = [Command(0, "slow_truck", 3, 0.5, 60)]
    >>> [speed_factor(commands, 3, at) for at in (0, 59, 60)]
    [0.5, 0.5, 1.0]
    """
    for one in reversed(commands):
        if one.kind == "slow_truck" and one.asset == truck and one.at <= at:
            return one.value if at < one.at + one.seconds else 1.0
    return 1.0
