"""Past values as features: of one cell, and of a window of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.features.cases import Cases, Instants
from twinlab.predict.features.feature import NONE
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.state import State

__all__ = ["Lag", "Rolling", "cell_at", "series"]

Floats = NDArray[np.float64]
#: What a lag is counted from.
Reference = Literal["issue_time", "valid_time"]
Statistic = Literal["mean", "min", "max", "std", "sum", "count", "slope"]
#: Cells of windows that are computed at once.
_MOST: Final = 2**22


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
    """The value of the last cell that ended, and was known, at or before an instant.

    Parameters
    ----------
    variable : str
        Variable of the history.
    lag : str
        How long before the reference. A lag of the issue time that is shorter than the latency is as long as the latency.
    of : "issue_time" or "valid_time"
        The reference. A lag of the valid time is known if it is at least as long as the lead time (and the latency).

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

    @property
    def _back(self) -> np.timedelta64:
        return duration(self.lag, what=f"Lag({self.variable!r})")

    @property
    def reach(self) -> np.timedelta64:
        """How far before the issue time it reads: at most the lag."""
        return self._back

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:
        """Return how long after the issue time it is known."""
        return lead_time - self._back + latency if self.of == "valid_time" else NONE

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,)."""
        when = cases.valid - self._back if self.of == "valid_time" else cases.issued - max(self._back, state.latency)
        place, inside = cell_at(state, when)
        data = series(state, self.variable, what=self.name)
        if not data.size:
            return np.full(len(cases), np.nan)
        return np.where(inside, data[place, cases.asset], np.nan)


@dataclass(frozen=True)
class Rolling:
    """A statistic of the last cells of a window before the issue time.

    Parameters
    ----------
    variable : str
        Variable of the history.
    window : str
        A multiple of the step.
    statistic : "mean", "min", "max", "std", "sum", "count" or "slope"
        Of the cells with a value; NaN without any, except count. The slope is that of a straight line, per hour, of at least two values.
    """

    variable: str
    window: str
    statistic: Statistic = "mean"

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"{self.statistic} of {self.variable} over {self.window}"

    @property
    def reach(self) -> np.timedelta64:
        """The window."""
        return duration(self.window, what=f"Rolling({self.variable!r})")

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:  # noqa: ARG002
        """Return 0: it is counted back from the issue time and the latency."""
        return NONE

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,).

        Raises
        ------
        SchemaError
            If the window isn't a multiple of the step.
        """
        width = int(state.step.astype("int64"))
        cells, rest = divmod(int(self.reach.astype("int64")), width)
        if rest or cells < 1:
            msg = f"{self.name}: expected a window that is a multiple of the step {state.step.astype('timedelta64[s]')}"
            raise SchemaError(msg)
        # Of a latency, the window that ends at the issue time lacks the cells that aren't known yet.
        cells -= -(-int(state.latency.astype("int64")) // width)
        data = series(state, self.variable, what=self.name)
        ended, place = np.unique(cases.issued - state.latency, return_inverse=True)
        if not data.size or cells < 1:
            return np.full(len(cases), np.nan)
        # Cells before the first one and after the last one have no value.
        times = state.history["time"].values
        last = np.floor_divide((ended - times[0]).astype("int64"), state.step.astype("int64")) - 1
        last = np.clip(last, -1, len(data) - 1 + cells)
        padded = np.pad(data, ((cells, cells), (0, 0)), constant_values=np.nan)
        windows = sliding_window_view(padded, cells, axis=0)
        out = np.empty((len(ended), data.shape[1]))
        many = max(1, _MOST // (cells * data.shape[1]))
        for first in range(0, len(ended), many):
            out[first : first + many] = self._of(windows[last[first : first + many] + 1], state.step)
        return out[place, cases.asset]

    def _of(self, windows: Floats, step: np.timedelta64) -> Floats:
        """Return the statistic of windows (window, asset, cell)."""
        known = ~np.isnan(windows)
        count: Floats = known.sum(axis=-1).astype(float)
        if self.statistic == "count":
            return count
        some = np.where(count > 0, count, np.nan)
        if self.statistic in ("min", "max"):
            worst = np.inf if self.statistic == "min" else -np.inf
            filled = np.where(known, windows, worst)
            found: Floats = filled.min(axis=-1) if self.statistic == "min" else filled.max(axis=-1)
            return np.where(count > 0, found, np.nan)
        total: Floats = np.where(known, windows, 0.0).sum(axis=-1) + 0.0 * some
        mean = total / some
        from_mean = np.where(known, windows - mean[..., None], 0.0)
        squares: Floats = (from_mean**2).sum(axis=-1)
        if self.statistic == "slope":
            hours = np.arange(windows.shape[-1]) * (int(step.astype("int64")) / 3.6e12)
            middle = np.where(known, hours, 0.0).sum(axis=-1) / some
            away = np.where(known, hours - middle[..., None], 0.0)
            rise: Floats = (away * from_mean).sum(axis=-1)
            return rise / np.where(count > 1, (away**2).sum(axis=-1), np.nan)
        return {"sum": total, "mean": mean, "std": np.sqrt(squares / some)}[self.statistic]
