"""Past values as features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.features.cases import Cases, Instants
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.state import State

__all__ = ["Lag", "cell_at", "series"]

#: What a lag is counted from.
Reference = Literal["issue_time", "valid_time"]
_NONE = np.timedelta64(0, "ns")


def series(state: State, variable: str, *, what: str) -> NDArray[np.float64]:
    """Return a variable of a state's history as an array (time, asset).

    Raises
    ------
    UnknownTermError
        If the state has no such variable.
    """
    if variable not in state.history.data_vars:
        known = [str(name) for name in state.history.data_vars]
        msg = f"{what}: the state has no variable {variable!r}{nearest(variable, known)}; add it to Inputs.variables"
        raise UnknownTermError(msg)
    found: NDArray[np.float64] = state.history[variable].transpose("time", "asset").values
    return found


def cell_at(state: State, when: Instants) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the places of the last cells that ended by some instants, and whether the state has them."""
    times = state.history["time"].values
    if not times.size:
        return np.zeros(len(when), np.intp), np.zeros(len(when), bool)
    place = np.floor_divide((when - times[0]).astype("int64"), state.step.astype("int64")) - 1
    inside = (place >= 0) & (place < times.size)
    return np.where(inside, place, 0).astype(np.intp), inside


@dataclass(frozen=True)
class Lag:
    """The value of the last cell that ended at or before an instant.

    Parameters
    ----------
    variable : str
        Variable of the history.
    lag : str
        How long before the reference.
    of : "issue_time" or "valid_time"
        The reference. A lag of the valid time is known if it is at least as long as the lead time.

    >>> Lag("temperature_mean", "24h", of="valid_time").name
    'temperature_mean 24h before valid_time'
    """

    variable: str
    lag: str = "0s"
    of: Reference = "issue_time"

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"{self.variable} {self.lag} before {self.of}"

    def known_after(self, lead_time: np.timedelta64) -> np.timedelta64:
        """Return how long after the issue time it is known."""
        back = duration(self.lag, what=f"Lag({self.variable!r})")
        return (lead_time if self.of == "valid_time" else _NONE) - back

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,)."""
        back = duration(self.lag, what=f"Lag({self.variable!r})")
        when = (cases.valid if self.of == "valid_time" else cases.issued) - back
        place, inside = cell_at(state, when)
        data = series(state, self.variable, what=self.name)
        if not data.size:
            return np.full(len(cases), np.nan)
        return np.where(inside, data[place, cases.asset], np.nan)
