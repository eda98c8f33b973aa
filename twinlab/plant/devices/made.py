"""One device of the plant with its rule, keys and folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from twinlab.commands.guard.rules import Rule
from twinlab.edge.commanding.device import CommandedDevice
from twinlab.plant.devices.actuators import PlantActuator, Setting
from twinlab.plant.devices.keys import RunKeys
from twinlab.plant.devices.rules import TWIN
from twinlab.plant.steps.plant import Plant

__all__ = ["make_device"]


async def make_device(
    name: str,
    folder: Path,
    *,
    plant: Plant,
    keys: RunKeys,
    rule: Rule,
    setting: Setting,
    watched: Callable[[str], Mapping[str, float]] | None = None,
) -> CommandedDevice:
    """Return a device that acts on the plant; in the plant's event loop.

    Parameters
    ----------
    name : str
        In the file of keys.
    folder : Path
        Its memory, which outlives the run.
    plant, keys, rule, setting
        What it acts on, the keys of the run, what it allows, and what it sets.
    watched : callable, optional
        See `PlantActuator`.
    """
    actuator = PlantActuator(plant, setting, fence=folder / "epoch", watched=watched)
    # In a thread: a command that was under way when an earlier run ended is read back through the event loop.
    return await asyncio.to_thread(
        CommandedDevice,
        folder,
        name=name,
        twin=TWIN,
        rules=[rule],
        keys=keys.ring,
        key=keys.device(name),
        actuator=actuator,
    )
