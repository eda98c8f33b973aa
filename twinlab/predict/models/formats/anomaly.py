"""Format of models of anomalies."""

from __future__ import annotations

from twinlab.predict.anomaly.fitted import FittedAnomalies
from twinlab.predict.anomaly.forest import Forest, ForestFit
from twinlab.predict.anomaly.levels import Levels, LevelState
from twinlab.predict.anomaly.limits import Budget
from twinlab.predict.anomaly.pca import Pca, PcaFit
from twinlab.predict.anomaly.recipe import AnomalyRecipe
from twinlab.predict.anomaly.robust import RobustZ, RobustZFit
from twinlab.predict.anomaly.scoring import AnomalyModel
from twinlab.predict.anomaly.streaming import StreamState
from twinlab.predict.anomaly.tracking import Hysteresis, HysteresisState, TrackedEvent, TrackingState
from twinlab.predict.models.format import dataclass_format

__all__ = ["FORMAT"]

FORMAT = dataclass_format(
    "anomaly",
    "what is usual for the assets of a type, and the state of rows that are scored as they come",
    AnomalyModel,
    AnomalyRecipe,
    Budget,
    FittedAnomalies,
    Forest,
    ForestFit,
    Hysteresis,
    HysteresisState,
    Levels,
    LevelState,
    Pca,
    PcaFit,
    RobustZ,
    RobustZFit,
    StreamState,
    TrackedEvent,
    TrackingState,
)
