"""Format of intervals around predictors."""

from __future__ import annotations

from twinlab.predict.conformal.pools import Errors, Pools
from twinlab.predict.conformal.predictor import Conformal, FittedConformal
from twinlab.predict.models.format import dataclass_format

__all__ = ["FORMAT"]

FORMAT = dataclass_format("conformal", "intervals from past errors", Conformal, Errors, FittedConformal, Pools)
