"""Features that are always known: calendar and lead time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.predict.features.cases import Cases
from twinlab.predict.features.feature import NONE
from twinlab.predict.protocol.state import State

__all__ = ["Calendar", "LeadTime"]

Part = Literal["hour", "weekday", "day_of_year", "weekend"]


@dataclass(frozen=True)
class Calendar:
    """A part of the date or of the time of day of the valid time.

    Parameters
    ----------
    part : "hour", "weekday", "day_of_year" or "weekend"
        Hour with its fraction, 0 to 24; weekday from Monday, 0 to 6; day from 1 to 366; 1 on Saturday and Sunday.
    zone : str
        Time zone of the clock, as in the IANA database.
    """

    part: Part
    zone: str = "UTC"

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"{self.part} of valid_time"

    @property
    def reach(self) -> np.timedelta64:
        """It reads no history."""
        return NONE

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:  # noqa: ARG002
        """Return 0: a date is always known."""
        return NONE

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:  # noqa: ARG002  (as the protocol has it)
        """Return an array (cases,)."""
        # Few instants, many cases.
        instants, place = np.unique(cases.valid, return_inverse=True)
        local = pd.DatetimeIndex(instants).tz_localize("UTC").tz_convert(self.zone)
        if self.part == "hour":
            found = np.asarray(local.hour + local.minute / 60.0, float)
        elif self.part == "weekday":
            found = np.asarray(local.day_of_week, float)
        elif self.part == "weekend":
            found = np.asarray(local.day_of_week >= 5, float)
        else:
            found = np.asarray(local.day_of_year, float)
        return found[place]


@dataclass(frozen=True)
class LeadTime:
    """The lead time, in hours."""

    name: str = "lead_time"

    @property
    def reach(self) -> np.timedelta64:
        """It reads no history."""
        return NONE

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:  # noqa: ARG002
        """Return 0: it is always known."""
        return NONE

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:  # noqa: ARG002  (as the protocol has it)
        """Return an array (cases,)."""
        return cases.leads.astype("int64") / 3.6e12
