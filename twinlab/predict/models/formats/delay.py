"""Format of predictors of delays."""

from __future__ import annotations

from twinlab.predict.delay.baselines import FittedPlainDelay, PlainDelay
from twinlab.predict.delay.estimators import Choice
from twinlab.predict.delay.fitted import FittedDelay
from twinlab.predict.delay.intervals import Intervals, PastErrors
from twinlab.predict.delay.predictor import DelayPredictor
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.models.format import dataclass_format

__all__ = ["FORMAT"]

FORMAT = dataclass_format(
    "delay",
    "delays of planned events",
    Choice,
    DelayPredictor,
    DelaySettings,
    FittedDelay,
    FittedPlainDelay,
    Intervals,
    PastErrors,
    PlainDelay,
)
