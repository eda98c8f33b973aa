"""Forecasts of regular series: one configuration for all, with intervals from past errors, or "can't tell" with the reason.

In: values of a signal, counts of events or a KPI, a row a cell. Out: predictions.
Read in order: `seasons`, `filling`, `autoregression`, `combination` (the median of simple models), `intervals` (errors at past issue times), `refusals`
(where there is no number, and why), `futures` (inputs known ahead), `forecaster`, `plain` (of a plain DataArray).
Never: a cell after the issue time; an interval from errors of the fit.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__, {"FittedForecaster": "forecaster", "Forecaster": "forecaster", "forecast": "plain"}
)
