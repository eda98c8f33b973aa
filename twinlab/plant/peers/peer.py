"""What every peer implements, and what it gets to know of the plant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from twinlab.plant.faults.sensors import SensorFaults
from twinlab.plant.network.clocks import Floats
from twinlab.plant.network.failures.trucks import TruckTemperatures, truck_temperatures
from twinlab.plant.network.faults import Logged, Reported, read_rooms
from twinlab.plant.network.forklifts import ForkliftSamples
from twinlab.plant.network.tracks import Tracks
from twinlab.plant.steps.plant import Plant, Step

__all__ = ["Moment", "Peer", "WearSignals", "moment_of"]


@dataclass(frozen=True)
class WearSignals:
    """The signals that show wear in a step."""

    # Amperes, [minute, room].
    current: Floats
    # Volts, [sample, forklift].
    voltage: Floats
    # One element per report of the trucks.
    temperatures: TruckTemperatures


@dataclass(frozen=True)
class Moment:
    """A step of the plant, and what its sensors measured in it, with their faults."""

    plant: Plant
    step: Step
    # What the rooms' sensors measured, [room, minute].
    rooms: Logged
    # Reports of the trucks, in the order of their true times.
    reports: Reported
    # What the forklifts' boxes write, [sample, forklift].
    forklifts: ForkliftSamples
    # None in a plant without failures.
    wear: WearSignals | None = None


def moment_of(plant: Plant, step: Step, sensors: SensorFaults | None = None) -> Moment:
    """Return a step that the plant has just made, as its sensors measured it; ``sensors`` has more faults than the plan."""
    rooms, _ = read_rooms(plant.plan.room_faults, step.rooms.time, step.rooms.temperature.T, plant.state.held)
    reports, forklifts = _reports_of(plant, step), step.forklifts
    if sensors is not None:
        rooms, reports = sensors.of_rooms(step.rooms.time, rooms), sensors.of_trucks(reports)
        forklifts = sensors.of_forklifts(forklifts)
    return Moment(plant, step, rooms, reports, forklifts, _wear_of(plant, step))


def _wear_of(plant: Plant, step: Step) -> WearSignals | None:
    wear = plant.plan.wear
    if wear is None:
        return None
    samples, tracks = step.forklifts, _tracks_at(plant.timetable.tracks, step.timed.reports)
    return WearSignals(
        wear.currents.at(step.rooms.time, step.rooms.compressor),
        wear.voltages.at(samples.time, samples.battery, samples.load, samples.mode),
        truck_temperatures(plant.size, tracks, plant.timetable.trips, wear.disturbances.failures),
    )


def _reports_of(plant: Plant, step: Step) -> Reported:
    reported, at = plant.timetable.reported, step.timed.reports
    return Reported(_tracks_at(reported.tracks, at), reported.silent[at])


def _tracks_at(tracks: Tracks, at: slice) -> Tracks:
    names = ("truck", "time", "latitude", "longitude", "speed", "odometer", "fuel")
    return replace(tracks, **{name: getattr(tracks, name)[at] for name in names})


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
