"""Baselines: what a prediction is compared with.

In: a state. Out: predictions.
Read in order: `seasonal`, `constant`, `defaults` (of a predictor).
Never: a parameter that is tuned.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {"Climatology": "constant", "Constant": "constant", "SeasonalNaive": "seasonal", "default_baselines": "defaults"},
)
