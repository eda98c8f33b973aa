"""Format of models of anomalies."""

from __future__ import annotations

from twinlab.predict.anomaly.forest import ForestFit
from twinlab.predict.anomaly.levels import Levels, LevelState
from twinlab.predict.anomaly.pca import PcaFit
from twinlab.predict.anomaly.robust import RobustZFit
from twinlab.predict.anomaly.scoring import AnomalyModel
from twinlab.predict.models.format import dataclass_format

__all__ = ["FORMAT"]

FORMAT = dataclass_format(
    "anomaly", "what is usual for the assets of a type", AnomalyModel, ForestFit, Levels, LevelState, PcaFit, RobustZFit
)
