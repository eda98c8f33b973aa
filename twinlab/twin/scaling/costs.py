"""What a step costs, fitted to a few measured sizes: seconds once, and seconds for each cell, row, series or window."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from twinlab.errors import SchemaError

__all__ = ["STEPS", "StepCost", "Timing", "fit_cost", "fit_costs"]

#: Step -> what its seconds depend on, beside what it takes once.
STEPS: Final[dict[str, tuple[str, ...]]] = {
    "ingest": ("rows",),
    "rebuild": ("cells", "series"),
    "chart": ("series",),
    "mean": ("series",),
    "scan": ("cells", "series"),
    "check": ("cells", "reads"),
    "find": ("cells", "series"),
    "publish": ("rows",),
}
#: Relative uncertainty that no pilot shows: clock rates, other work and larger memories change later on.
_UNSEEN = 0.1


@dataclass(frozen=True)
class Timing:
    """One measured step of one size."""

    step: str
    drivers: Mapping[str, float]
    cpu: float
    """Seconds of processor."""
    wall: float
    """Seconds of clock."""


@dataclass(frozen=True)
class StepCost:
    """Seconds of processor of a step.

    >>> StepCost({"once": 1.0, "cells": 1e-6}, 0.1, 4).predict({"cells": 2e6})
    (3.0, 2.7, 3.3)
    """

    terms: Mapping[str, float]
    """Seconds "once", and of each unit of what the step depends on."""
    spread: float
    """Half the width of the 95 % interval, as a share of the value."""
    timings: int
    """How many were measured."""

    def predict(self, drivers: Mapping[str, float]) -> tuple[float, float, float]:
        """Return expected value, low and high for a size."""
        value = sum(rate * (1.0 if name == "once" else drivers[name]) for name, rate in self.terms.items())
        return value, round(value * (1 - self.spread), 12), round(value * (1 + self.spread), 12)


def fit_cost(timings: Sequence[Timing], depends_on: Sequence[str]) -> StepCost:
    """Return the cost of one step: least squares of relative errors, with no negative rate.

    Parameters
    ----------
    timings : sequence of Timing
        Of one step; with sizes that differ by a factor of three or more, rates and what is needed once can be distinguished.
    depends_on : sequence of str
        Keys of the timings' drivers.

    Raises
    ------
    SchemaError
        If there is no timing.

    References
    ----------
    .. [1] C. L. Lawson, R. J. Hanson, "Solving Least Squares Problems", chapter 23 (`scipy.optimize.nnls`).
    """
    from scipy.optimize import nnls  # noqa: PLC0415  (slow to load)

    from twinlab.simulate.cost.tally import student_t  # noqa: PLC0415

    if not timings:
        msg = "expected at least one timing of the step, got none; run the pilot again"
        raise SchemaError(msg)
    names = ["once", *depends_on]
    table = np.array([[1.0, *(one.drivers[name] for name in depends_on)] for one in timings])
    seconds = np.maximum(np.array([one.cpu for one in timings]), 1e-6)
    # Columns in units of their mean: else nnls works with numbers of very different size.
    scale = table.mean(axis=0)
    scale[scale == 0] = 1.0
    rates, _ = nnls(table / scale / seconds[:, None], np.ones(len(seconds)))
    rates /= scale
    errors = table @ rates / seconds - 1
    freedom = len(timings) - int((rates > 0).sum())
    noise = float(np.sqrt((errors**2).sum() / freedom)) * student_t(freedom) if freedom > 0 else 0.5
    spread = min(0.9, math.hypot(noise, _UNSEEN))
    return StepCost(dict(zip(names, rates.tolist(), strict=True)), spread, len(timings))


def fit_costs(timings: Sequence[Timing]) -> dict[str, StepCost]:
    """Return the cost of each step that was measured."""
    steps = dict.fromkeys(one.step for one in timings)
    return {step: fit_cost([one for one in timings if one.step == step], STEPS[step]) for step in steps}
