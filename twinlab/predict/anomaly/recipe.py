"""The parameters by which what is usual was learnt, to learn it again."""

from __future__ import annotations

from dataclasses import dataclass

from twinlab.predict.anomaly.scoring import Detector
from twinlab.predict.anomaly.tracking import Hysteresis
from twinlab.predict.protocol.hashing import hash_of

__all__ = ["AnomalyRecipe"]


@dataclass(frozen=True)
class AnomalyRecipe:
    """Parameters of `twinlab.Twin.fit_anomalies`.

    Parameters
    ----------
    asset_type : str
    step : str, optional
        Of rollups; None: of cells.
    signals : tuple of str
        Of the history.
    detector : Detector
    hysteresis : Hysteresis
    per_100_asset_weeks : float
        False alarms that are allowed.
    """

    asset_type: str
    step: str | None
    signals: tuple[str, ...]
    detector: Detector
    hysteresis: Hysteresis
    per_100_asset_weeks: float

    def content_hash(self) -> str:
        """Hash of the parameters."""
        return hash_of(self)
