"""Format of predictors made of features and an estimator."""

from __future__ import annotations

from twinlab.predict.features.assets import OverAssets, Property, Related
from twinlab.predict.features.clock import Calendar, LeadTime
from twinlab.predict.features.durations_of_states import StateDuration
from twinlab.predict.features.event_counts import EventCount, HoursSinceEvent
from twinlab.predict.features.lags import Lag, Rolling
from twinlab.predict.features.others import FutureInput
from twinlab.predict.features.predictor import FeaturePredictor, FittedFeaturePredictor
from twinlab.predict.models.format import dataclass_format

__all__ = ["FORMAT"]

# A `FunctionFeature` has a function of the user's, which no file brings back.
FORMAT = dataclass_format(
    "features",
    "features before an estimator",
    *(Calendar, EventCount, HoursSinceEvent, Lag, LeadTime, OverAssets, Property, Related, Rolling, StateDuration),
    *(FutureInput, FeaturePredictor, FittedFeaturePredictor),
)
