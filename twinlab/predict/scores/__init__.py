"""Scores of predictions: plain functions on arrays.

In: predicted and true values of the same shape. Out: numbers. A pair with a missing value doesn't count; without any pair the score is NaN.
Read in order: `pairs`, `point`, `quantiles`, `binary`, `significance`.
Never: a score that depends on the order of the cases, significance tests of time series aside.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "auc": "binary",
        "brier": "binary",
        "Paired": "significance",
        "coverage": "quantiles",
        "crps": "quantiles",
        "diebold_mariano": "significance",
        "interval_width": "quantiles",
        "mae": "point",
        "mase": "point",
        "nab_score": "nab",
        "nasa_score": "point",
        "paired_bootstrap": "significance",
        "pinball": "quantiles",
        "reliability": "binary",
        "rmse": "point",
        "smape": "point",
    },
)
