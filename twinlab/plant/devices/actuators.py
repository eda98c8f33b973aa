"""How devices act on the plant, in its event loop: a guard calls from a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from twinlab.commands.guard.actuator import State
from twinlab.commands.guard.fence import Fence
from twinlab.commands.messages.state import state_hash
from twinlab.plant.network.cold_rooms import usual_set_point
from twinlab.plant.network.names import asset_number
from twinlab.plant.steps.commands import speed_factor
from twinlab.plant.steps.plant import Plant

__all__ = ["PlantActuator", "Setting", "max_speed", "set_point", "speed_factor_setting"]

Result = TypeVar("Result")
#: Seconds for which a value is asked; a step of the plant takes a fraction of it.
_PATIENCE = 5.0
#: Seconds for which the share of a truck's speed is valid: until its next long rest.
_SHIFT = 12 * 3600


class Setting:
    """One parameter of the plant's assets: how it is read and set.

    Parameters
    ----------
    parameter, unit : str
        Its name in commands, and its unit.
    decimals : int
        Digits after the point at which a change matters.
    read : callable
        (plant, name of the asset) -> value.
    write : callable
        (plant, name of the asset, value) -> None.
    safe : callable, optional
        (plant, name of the asset) -> its fail-safe value, where that differs between assets.
    """

    def __init__(
        self,
        parameter: str,
        unit: str,
        decimals: int,
        *,
        read: Callable[[Plant, str], float],
        write: Callable[[Plant, str, float], object],
        safe: Callable[[Plant, str], float] | None = None,
    ) -> None:
        self.parameter, self.unit, self.decimals = parameter, unit, decimals
        self.read, self.write, self.safe = read, write, safe


def max_speed() -> Setting:
    """Return how fast a forklift may drive."""
    return Setting(
        "max_speed", "km/h", 1,
        read=lambda plant, name: plant.state.forklifts.max_speed[_number("forklift", name, plant)],
        write=lambda plant, name, value: plant.command("max_speed", name, value),
    )  # fmt: skip


def set_point() -> Setting:
    """Return the set point of a cold room."""
    return Setting(
        "set_point", "degC", 1, read=lambda plant, name: plant.state.rooms.set_to[_number("cold_room", name, plant)],
        write=lambda plant, name, value: plant.command("set_temperature", name, value),
        safe=lambda plant, name: usual_set_point(_number("cold_room", name, plant)),
    )  # fmt: skip


def speed_factor_setting() -> Setting:
    """Return the share of its usual speed that a truck drives with."""
    return Setting(
        "speed_factor", "1", 2,
        read=lambda plant, name: speed_factor(plant.state.commands, _number("truck", name, plant), plant.time),
        write=lambda plant, name, value: plant.command("slow_truck", name, value, seconds=_SHIFT),
    )  # fmt: skip


class PlantActuator:
    """Sets one parameter of the plant's assets; an `Actuator`.

    Parameters
    ----------
    plant : Plant
        Advanced by the event loop that makes this object.
    setting : Setting
        What is set.
    fence : Path
        File with the epoch of the guard that may act.
    watched : callable, optional
        Name of an asset -> signals whose change makes a proposal void, as the device shows them.
    """

    def __init__(
        self,
        plant: Plant,
        setting: Setting,
        *,
        fence: Path,
        watched: Callable[[str], Mapping[str, float]] | None = None,
    ) -> None:
        self._plant, self._setting = plant, setting
        self._fence = Fence(fence)
        self._watched = watched or (lambda _: {})
        self._loop = asyncio.get_running_loop()

    def take_over(self) -> int:
        """Return a new epoch; older ones are refused from now on."""
        return self._fence.advance()

    def state(self, target: str, parameter: str) -> State:
        """Return what the plant has now."""
        return self.read_back(target, parameter)

    def apply(self, target: str, parameter: str, value: float, *, epoch: int, timeout: float) -> bool:
        """Command the plant; it is valid from its present on."""
        del parameter
        name = target.partition("/")[2]
        with self._fence.acting(epoch):
            self._in_loop(lambda: self._setting.write(self._plant, name, value), timeout)
        return True

    def read_back(self, target: str, parameter: str) -> State:
        """Return what the plant has now."""
        setting, name = self._setting, target.partition("/")[2]
        value, watched = self._in_loop(lambda: (setting.read(self._plant, name), dict(self._watched(name))), _PATIENCE)
        rounded = round(float(value), setting.decimals) + 0.0
        sha256 = state_hash(target, parameter, rounded, setting.unit, watched=watched)
        return State(rounded, setting.unit, datetime.now(UTC), sha256)

    def fail_safe(self, target: str, parameter: str, value: float | None) -> bool:
        """Command the plant, whoever may act now."""
        del parameter
        name = target.partition("/")[2]
        if value is None:
            if self._setting.safe is None:
                return False
            value = self._setting.safe(self._plant, name)
        self._in_loop(lambda: self._setting.write(self._plant, name, value), _PATIENCE)
        return True

    def _in_loop(self, work: Callable[[], Result], timeout: float) -> Result:
        async def call() -> Result:
            return work()

        future = asyncio.run_coroutine_threadsafe(call(), self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            # What has not begun is not done later.
            future.cancel()
            raise


def _number(asset_type: str, name: str, plant: Plant) -> int:
    counts = {"truck": plant.size.trucks, "cold_room": plant.size.cold_rooms, "forklift": plant.size.forklifts}
    return asset_number(asset_type, name, count=counts[asset_type])
