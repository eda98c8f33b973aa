"""Format of baselines."""

from __future__ import annotations

from twinlab.predict.baselines.constant import Climatology, Constant, FittedTable
from twinlab.predict.baselines.seasonal import FittedSeasonalNaive, SeasonalNaive
from twinlab.predict.models.format import dataclass_format

__all__ = ["FORMAT"]

FORMAT = dataclass_format(
    "baselines", "baselines", Climatology, Constant, FittedSeasonalNaive, FittedTable, SeasonalNaive
)
