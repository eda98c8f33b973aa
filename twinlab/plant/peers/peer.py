"""What every peer implements, and what it gets to know of the plant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twinlab.plant.network.faults import Logged, read_rooms
from twinlab.plant.steps.plant import Plant, Step

__all__ = ["Moment", "Peer", "moment_of"]


@dataclass(frozen=True)
class Moment:
    """A step of the plant, with what the sensors of the cold rooms measured every minute of it."""

    plant: Plant
    step: Step
    # [room, minute], with the faults of the sensors.
    rooms: Logged


def moment_of(plant: Plant, step: Step) -> Moment:
    """Return a step that the plant has just made, as its sensors measured it."""
    measured, _ = read_rooms(plant.plan.room_faults, step.rooms.time, step.rooms.temperature.T, plant.state.held)
    return Moment(plant, step, measured)


class Peer(Protocol):
    """A server of the plant."""

    name: str

    async def start(self, moment: Moment) -> None:
        """Listen on a free port of 127.0.0.1; the moment is an empty step at which the plant begins."""

    async def publish(self, moment: Moment) -> None:
        """Show what happened in a step."""

    async def stop(self) -> None:
        """Close all connections and remove what was started."""

    @property
    def address(self) -> dict[str, object]:
        """Where and how clients connect: kept in the run's ``plant.json``; no passwords, only paths to them."""
