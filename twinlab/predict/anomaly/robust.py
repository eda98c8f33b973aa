"""Robust z: how far each signal is from its level, by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from twinlab.edge import scorer
from twinlab.errors import SchemaError
from twinlab.predict.anomaly.pca import shares
from twinlab.predict.anomaly.values import Floats

__all__ = ["RobustZ", "RobustZFit"]


@dataclass(frozen=True)
class RobustZ:
    """Parameters of the detector that judges each signal by itself."""

    confidence: float = 0.999
    """Share of usual rows in which no signal is beyond its limit, if they are normal and independent (Bonferroni)."""

    def __post_init__(self) -> None:
        """Raise `SchemaError` for a share that isn't between 0 and 1."""
        if not 0 < self.confidence < 1:
            msg = f"RobustZ: expected a share between 0 and 1 for confidence, got {self.confidence!r}"
            raise SchemaError(msg)

    def fit(self, scaled: Floats) -> RobustZFit:
        """Return the detector learnt from usual rows, [row, signal]: medians, and 1.4826 times the median deviation."""
        centre = np.median(scaled, axis=0)
        spread = 1.4826 * np.median(np.abs(scaled - centre), axis=0)
        # A signal that is at one value in most rows has no median deviation.
        spread = np.where(spread > 1e-9, spread, 1.0)
        return RobustZFit(centre, spread, float(stats.norm.isf((1 - self.confidence) / (2 * scaled.shape[1]))))


@dataclass(frozen=True)
class RobustZFit:
    """What was learnt: medians and scales by signal, and the limit of the largest deviation."""

    centre: Floats
    spread: Floats
    z_limit: float

    def index(self, scaled: Floats) -> Floats:
        """Return the largest deviation of each row, [row, signal], as a share of the limit."""
        found: Floats = scorer.robust(self.arrays(), scaled.T)
        return found

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `twinlab.edge.scorer` needs."""
        return {"kind": np.array("robust")} | {name: np.asarray(found) for name, found in vars(self).items()}

    def contributions(self, scaled: Floats) -> Floats:
        """Return the share of each signal in the squared deviations of each row, [row, signal]."""
        return shares(((scaled - self.centre) / self.spread) ** 2)
