"""Forklifts whose batteries fade: they drain faster, their voltage drops more under load, at last the forklifts can't be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import Floats, Ints
from twinlab.plant.network.failures.failure import Failure
from twinlab.plant.network.failures.wear import broken_of, wear_of
from twinlab.plant.network.forklifts import CHARGING, DRIVING, ForkliftPlan
from twinlab.plant.network.size import ParcelSize

__all__ = ["ForkliftVoltages", "plan_voltages", "worn_forklifts"]

_SAMPLE = 600
#: At the failure, a battery has lost this share of its capacity.
_LOST = 0.45
#: A lead-acid battery of 24 cells: volts at rest when empty and when full; drop while driving, and per lifted tonne; rise
#: while charging. Drop and rise grow with the wear by these factors.
_EMPTY, _FULL, _DRIVING_DROP, _TONNE_DROP, _CHARGING_RISE = 46.8, 50.9, 1.2, 0.9, 2.2
_DROP_MORE, _RISE_MORE = 1.6, 0.8


@dataclass(frozen=True)
class ForkliftVoltages:
    """What the batteries' voltage depends on besides the present use, [sample, forklift]."""

    begin: int
    wear: Floats
    # V
    noise: Floats

    def at(self, time: Ints, battery: Floats, load: Floats, mode: npt.NDArray[np.int8]) -> Floats:
        """Return the voltages at some samples, V; all other arrays are [time, forklift]."""
        sample = (time - self.begin) // _SAMPLE
        wear = self.wear[sample]
        drop = np.where(mode == DRIVING, _DRIVING_DROP + _TONNE_DROP * load / 1000.0, 0.0) * (1.0 + _DROP_MORE * wear)
        rise = np.where(mode == CHARGING, _CHARGING_RISE, 0.0) * (1.0 + _RISE_MORE * wear)
        return _EMPTY + (_FULL - _EMPTY) * battery / 100.0 - drop + rise + self.noise[sample]


def worn_forklifts(plan: ForkliftPlan, failures: Sequence[Failure]) -> ForkliftPlan:
    """Return the plan of forklifts whose batteries fade, fail and are replaced."""
    count = plan.shift.shape[1]
    return replace(
        plan,
        shift=plan.shift & ~broken_of(failures, "battery", plan.time, count),
        health=1.0 - _LOST * wear_of(failures, "battery", plan.time, count),
    )


def plan_voltages(size: ParcelSize, plan: ForkliftPlan, failures: Sequence[Failure]) -> ForkliftVoltages:
    """Return the voltages of the batteries."""
    shape = plan.shift.shape
    noise = size.random("voltages of forklifts").normal(0.0, 0.08, shape)
    return ForkliftVoltages(size.span[0], wear_of(failures, "battery", plan.time, shape[1]), noise)
