"""Simulate a whole network at once: one step from its first second to its last."""

from __future__ import annotations

from twinlab.plant.network.cold_rooms import ColdRooms, sample_cold_rooms
from twinlab.plant.network.failures.condition import Condition
from twinlab.plant.network.failures.trucks import truck_temperatures
from twinlab.plant.network.forklifts import join_forklifts
from twinlab.plant.network.network import Network
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.steps.plan import Progress
from twinlab.plant.steps.plant import Plant, Step

__all__ = ["network_of", "simulate_network"]


def simulate_network(size: ParcelSize, *, progress: Progress | None = None) -> Network:
    """Simulate a network for all its weeks; the same size always gives the same network.

    Parameters
    ----------
    size : ParcelSize
        Numbers of assets, duration and seed.
    progress : callable, optional
        Called with (steps done, number of steps, name of the next step).

    Examples
    --------
    >>> network = simulate_network(ParcelSize(hubs=2, trucks=1, cold_rooms=1, forklifts=1, parcels_a_week=1, weeks=1))
    >>> network.truck(0)
    'T001'
    """
    plant = Plant(size, progress=progress)
    return network_of(plant, plant.advance(size.span[1]))


def network_of(plant: Plant, step: Step) -> Network:
    """Return a plant as a network: its timetable, and the samples of a step, which are all of them if it begins with the plan."""
    plan, timed = plant.plan, plant.timetable
    rooms = sample_cold_rooms(plan.rooms, [step.rooms])
    forklifts = join_forklifts(plan.forklifts, [step.forklifts])
    return Network(
        plant.size, plan.roads, timed.trips, timed.tracks, rooms, forklifts, timed.parcels, step.logged, timed.reported,
        plan.forklift_silent, plant.faults, forklifts, condition_of(plant, step, rooms),
    )  # fmt: skip


def condition_of(plant: Plant, step: Step, rooms: ColdRooms) -> Condition | None:
    """Return the condition of a step's forklifts, of its rooms at their samples, and of the trucks at all of their reports."""
    wear, samples = plant.plan.wear, step.forklifts
    if wear is None:
        return None
    return Condition(
        wear.disturbances,
        wear.currents.at(rooms.time, rooms.compressor.T == 1).T,
        wear.voltages.at(samples.time, samples.battery, samples.load, samples.mode).T,
        truck_temperatures(plant.size, plant.timetable.tracks, plant.timetable.trips, wear.disturbances.failures),
    )
