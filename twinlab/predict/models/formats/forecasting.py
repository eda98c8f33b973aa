"""Format of forecasters."""

from __future__ import annotations

from twinlab.predict.forecasting.autoregression import Autoregression, FittedAutoregression
from twinlab.predict.forecasting.combination import Combination
from twinlab.predict.forecasting.forecaster import FittedForecaster, Forecaster
from twinlab.predict.forecasting.futures import Effect
from twinlab.predict.forecasting.intervals import Intervals
from twinlab.predict.models.format import dataclass_format

__all__ = ["FORMAT"]

FORMAT = dataclass_format(
    "forecasting",
    "forecasts of series",
    *(Autoregression, Combination, Effect, FittedAutoregression, FittedForecaster, Forecaster, Intervals),
)
