"""Cold rooms that wear: weaker compressors with a higher current, leaking seals, dying sensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import Floats, Ints
from twinlab.plant.network.cold_rooms import RoomPlan
from twinlab.plant.network.failures.failure import Failure
from twinlab.plant.network.failures.wear import broken_of, wear_of
from twinlab.plant.network.faults import Fault, RoomFaults
from twinlab.plant.network.size import ParcelSize

__all__ = ["RoomCurrents", "dying_sensors", "plan_currents", "worn_rooms"]

_SAMPLE = 300
#: At the failure, a compressor has lost this share of its capacity and takes this share more current.
_CAPACITY_LOST, _CURRENT_MORE = 0.45, 0.30
#: At the failure, a seal lets in this much more heat, as a share of the difference to the hall per minute.
_LEAK = 0.003
#: At the failure, a dying sensor's noise (K, standard deviation) and offset (K).
_NOISE, _OFFSET = 1.2, 1.5
#: Current of a running compressor, A: of a chilled room, of a frozen one; and its rise with the hall's temperature, per K.
_CHILLED, _FROZEN, _PER_KELVIN = 6.0, 9.5, 0.008


@dataclass(frozen=True)
class RoomCurrents:
    """The current that each compressor takes while it runs, [sample of five minutes, room], A."""

    begin: int
    running: Floats

    def at(self, time: Ints, compressor: npt.NDArray[np.bool_]) -> Floats:
        """Return the currents at some times, [time, room], A; 0 where a compressor (same shape) is off."""
        found: Floats = np.where(compressor, self.running[(time - self.begin) // _SAMPLE], 0.0)
        return found


def worn_rooms(plan: RoomPlan, failures: Sequence[Failure]) -> RoomPlan:
    """Return the plan of rooms whose compressors and seals wear, fail and are repaired."""
    count = len(plan.hub)
    time = plan.begin + 60 * np.arange(len(plan.hall), dtype=np.int64)
    return replace(
        plan,
        works=plan.works & ~broken_of(failures, "compressor", time, count),
        capacity=1.0 - _CAPACITY_LOST * wear_of(failures, "compressor", time, count),
        leak=_LEAK * wear_of(failures, "seal", time, count),
    )


def plan_currents(size: ParcelSize, plan: RoomPlan, failures: Sequence[Failure]) -> RoomCurrents:
    """Return the currents of the compressors."""
    random, count = size.random("currents of compressors"), len(plan.hub)
    hall = plan.hall[:: _SAMPLE // 60, None]
    time = plan.begin + _SAMPLE * np.arange(len(hall), dtype=np.int64)
    rated = np.where(plan.frozen, _FROZEN, _CHILLED) * random.uniform(0.92, 1.08, count)
    worn = 1.0 + _CURRENT_MORE * wear_of(failures, "compressor", time, count)
    noise = random.normal(0.0, 0.15, (len(time), count))
    return RoomCurrents(plan.begin, rated * worn * (1.0 + _PER_KELVIN * (hall - 15.0)) + noise)


def dying_sensors(size: ParcelSize, plan: RoomFaults, failures: Sequence[Failure]) -> RoomFaults:
    """Return the faults of the loggers with those of sensors that die: noise and offset grow, then there is no value."""
    random = size.random("dying sensors")
    time = plan.begin + _SAMPLE * np.arange(plan.offset.shape[1], dtype=np.int64)
    dying = [one for one in failures if one.kind == "sensor"]
    offset = plan.offset.copy()
    begin, stop = size.span
    faults = []
    for one in dying:
        sign = random.choice([-1.0, 1.0])
        wear = one.wear(time)
        offset[one.asset] += wear * _NOISE * random.normal(0.0, 1.0, len(time)) + sign * _OFFSET * wear**2
        # A dead sensor has no value; the logger's other channels go on.
        offset[one.asset, (time >= one.failed) & (time < one.repaired)] = np.nan
        span = max(one.onset, begin), min(one.repaired, stop)
        faults.append(Fault("dying", "cold_room", one.asset, "temperature", *span, {"cause": one.cause}))
    return replace(plan, offset=offset, faults=(*plan.faults, *faults))
