"""Counts of events, and the time since the last one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.features.cases import Cases
from twinlab.predict.features.feature import NONE
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.events import starts_by_asset
from twinlab.predict.protocol.state import State

__all__ = ["EventCount", "HoursSinceEvent"]


@dataclass(frozen=True)
class EventCount:
    """Events of a type that began in a window before the issue time.

    Parameters
    ----------
    event_type : str
    window : str
    link : str
        Column with the asset.
    """

    event_type: str
    window: str
    link: str = "asset"

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"{self.event_type} by {self.link} in {self.window}"

    @property
    def reach(self) -> np.timedelta64:
        """The window."""
        return duration(self.window, what=f"EventCount({self.event_type!r})")

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:  # noqa: ARG002
        """Return 0: an event is known from its start on."""
        return NONE

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,)."""
        starts = starts_by_asset(state.events, self.event_type, self.link, cases.ids, what=self.name)
        last = cases.issued.astype("int64")
        first = (cases.issued - self.reach).astype("int64")
        out = np.zeros(len(cases))
        for place, found in enumerate(starts):
            rows = cases.asset == place
            out[rows] = np.searchsorted(found, last[rows], side="right") - np.searchsorted(
                found, first[rows], side="right"
            )
        return out


@dataclass(frozen=True)
class HoursSinceEvent:
    """Hours since the last event of a type began, at most a limit; the limit if there was none.

    Parameters
    ----------
    event_type : str
    most : str
    link : str
        Column with the asset.
    """

    event_type: str
    most: str
    link: str = "asset"

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"hours since {self.event_type} by {self.link}, at most {self.most}"

    @property
    def reach(self) -> np.timedelta64:
        """The limit."""
        return duration(self.most, what=f"HoursSinceEvent({self.event_type!r})")

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:  # noqa: ARG002
        """Return 0: an event is known from its start on."""
        return NONE

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,)."""
        most = self.reach.astype("int64") / 3.6e12
        issued = cases.issued.astype("int64")
        out = np.full(len(cases), most)
        for place, found in enumerate(
            starts_by_asset(state.events, self.event_type, self.link, cases.ids, what=self.name)
        ):
            rows = np.flatnonzero(cases.asset == place)
            last = np.searchsorted(found, issued[rows], side="right") - 1
            begun = last >= 0
            out[rows[begun]] = np.minimum((issued[rows[begun]] - found[last[begun]]) / 3.6e12, most)
        return out
