"""What will fail: the probability of a failure within a span, the remaining life with an interval, and why; and what to do about it.

In: a state with the cells of an asset type and its past failures. Out: probabilities and quantiles of the remaining life in the schema of predictions;
a table with drivers and the nearest past case; a maintenance list. "Can't tell" with its reason.
Read in order: `settings`, `indicators` (cells to rows of a day), `deviations` (from what is usual), `features`, `index` (wear indexes), `lives` (what came after each
row), `trees`, `calibration/`, `survival` (from trees to probabilities and lives), `predictor`, `refusals`, `fitted`, `drivers`, `nearest`, `maintenance`.
Never: a failure before it is known; a number for an asset that has failed, or whose values are unlike those that were learnt from.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "FailurePredictor": "predictor",
        "FailureSettings": "settings",
        "FittedFailure": "fitted",
        "Indicator": "indicators",
        "default_indicators": "indicators",
        "maintenance_list": "maintenance",
    },
)
