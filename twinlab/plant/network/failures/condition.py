"""The condition of all assets: which failures and delays there are, and the values of the signals that show wear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from twinlab.plant.network.clocks import Floats
from twinlab.plant.network.cold_rooms import RoomPlan
from twinlab.plant.network.failures.delays import Delay, delay_trips, slow_spans
from twinlab.plant.network.failures.failure import Failure, draw_failures, sudden_failures
from twinlab.plant.network.failures.forklifts import ForkliftVoltages, plan_voltages
from twinlab.plant.network.failures.hindrances import Hindrance, draw_hindrances
from twinlab.plant.network.failures.rooms import RoomCurrents, plan_currents
from twinlab.plant.network.failures.trucks import TruckTemperatures
from twinlab.plant.network.forklifts import ForkliftPlan
from twinlab.plant.network.roads import Roads
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.trips import Trips

__all__ = ["Condition", "Disturbances", "WearPlan", "plan_disturbances", "plan_wear"]


@dataclass(frozen=True)
class Disturbances:
    """What fails and what delays trips, drawn for the whole span at once."""

    failures: tuple[Failure, ...]
    hindrances: tuple[Hindrance, ...]
    delays: tuple[Delay, ...]
    # Spans in which a trip is slower, by trip and cause: first second, first second after, share of the speed left.
    slow: Mapping[int, Mapping[str, Sequence[tuple[int, int, float]]]]


@dataclass(frozen=True)
class WearPlan:
    """Disturbances, and what signals that show wear depend on besides the assets' states."""

    disturbances: Disturbances
    currents: RoomCurrents
    voltages: ForkliftVoltages


@dataclass(frozen=True)
class Condition:
    """Disturbances of a simulated network, and its signals that show wear."""

    disturbances: Disturbances
    # Amperes, one row per room.
    current: Floats
    # Volts, one row per forklift.
    voltage: Floats
    # One element per report of the tracks, °C.
    temperatures: TruckTemperatures


def plan_disturbances(size: ParcelSize, roads: Roads, trips: Trips) -> tuple[Disturbances | None, Trips]:
    """Return what fails and hinders, and the trips that it delays; None and the same trips if the size has no rates."""
    if size.failures is None:
        return None, trips
    failures, hindrances = draw_failures(size, trips), draw_hindrances(size, roads)
    slow = slow_spans(trips, hindrances, failures)
    delayed, delays = delay_trips(trips, roads, hindrances=hindrances, slow=slow)
    return Disturbances(failures, hindrances, delays, slow), delayed


def plan_wear(size: ParcelSize, disturbances: Disturbances, rooms: RoomPlan, forklifts: ForkliftPlan) -> WearPlan:
    """Return the plan of wear, with the rooms' failures that have no precursor among the failures."""
    failures = disturbances.failures
    every = sorted((*failures, *sudden_failures(rooms.failed)), key=lambda one: (one.failed, one.asset_type, one.asset))
    return WearPlan(
        replace(disturbances, failures=tuple(every)),
        plan_currents(size, rooms, failures),
        plan_voltages(size, forklifts, failures),
    )
