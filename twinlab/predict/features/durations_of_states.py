"""How long a state has lasted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.features.cases import Cases
from twinlab.predict.features.feature import NONE
from twinlab.predict.features.lags import cell_at, series
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.state import State

__all__ = ["StateDuration"]


@dataclass(frozen=True)
class StateDuration:
    """Hours for which a variable has had the value of its last cell without a break.

    Parameters
    ----------
    variable : str
        Variable of the history, such as a state's code.
    most : str
        No more than this is counted, so that it is the same in training as in use.
    """

    variable: str
    most: str = "1d"

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"hours of {self.variable} without a change, at most {self.most}"

    @property
    def reach(self) -> np.timedelta64:
        """The most that is counted."""
        return duration(self.most, what=f"StateDuration({self.variable!r})")

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:  # noqa: ARG002
        """Return 0: it is counted back from the issue time and the latency."""
        return NONE

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,); NaN where the last cell has no value."""
        data = series(state, self.variable, what=self.name)
        if not data.size:
            return np.full(len(cases), np.nan)
        place, inside = cell_at(state, cases.issued - state.latency)
        # Length of the run of equal values that ends at each cell.
        rows = np.arange(len(data))[:, None]
        changed = np.ones(data.shape, bool)
        changed[1:] = data[1:] != data[:-1]
        begun = np.maximum.accumulate(np.where(changed, rows, 0), axis=0)
        most = max(1, int((self.reach - state.latency) // state.step))
        cells = np.minimum(rows - begun + 1, most)
        hours = np.where(np.isnan(data), np.nan, cells * (state.step.astype("int64") / 3.6e12))
        return np.where(inside, hours[place, cases.asset], np.nan)
