"""Inputs that are known ahead, and functions of your own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.features.cases import Cases
from twinlab.predict.features.feature import NONE
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.state import State

__all__ = ["FunctionFeature", "FutureInput"]


@dataclass(frozen=True)
class FutureInput:
    """An input known ahead, such as a weather forecast or a timetable, at the valid time.

    It is read from ``State.future``, whose variables state when they were issued.

    Parameters
    ----------
    variable : str
    """

    variable: str

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"{self.variable} at valid_time"

    @property
    def reach(self) -> np.timedelta64:
        """It reads no history."""
        return NONE

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:  # noqa: ARG002
        """Return 0: a state has only what was issued by then."""
        return NONE

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,): the last value at or before the valid time; NaN outside of the input's times.

        Raises
        ------
        UnknownTermError
            If the state has no such input.
        """
        if state.future is None or self.variable not in state.future.data_vars:
            known = [] if state.future is None else [str(name) for name in state.future.data_vars]
            msg = (
                f"the future input {self.variable!r} isn't known at {state.issue_time}{nearest(self.variable, known)}; "
                "pass it as future= with the attribute 'issued'"
            )
            raise UnknownTermError(msg)
        data = state.future[self.variable]
        times = data["time"].values
        place = np.searchsorted(times, cases.valid, side="right") - 1
        step = np.diff(times).min() if len(times) > 1 else NONE
        inside = (place >= 0) & (cases.valid <= times[-1] + step) if len(times) else np.zeros(len(cases), bool)
        place = np.where(inside, place, 0)
        if not len(times):
            return np.full(len(cases), np.nan)
        if "asset" in data.dims:
            grid = data.transpose("time", "asset").reindex(asset=list(cases.ids)).values.astype(float)
            found = grid[place, cases.asset]
        else:
            found = data.values.astype(float)[place]
        return np.where(inside, found, np.nan)


@dataclass(frozen=True)
class FunctionFeature:
    """A feature of your own.

    Parameters
    ----------
    name : str
    function : callable
        ``function(state, cases) -> array (cases,)``. For each case it reads only what was known at the case's issue time, within ``reach_back``; a fit
        computes it again at some issue times from what was known then, and refuses it if it differs.
    reach_back : str
        How far before the issue time it reads.
    known : str
        How long after the issue time it is known; anything but "0s" is refused.
    version : str
        Part of the content hash; change it when the function changes.
    """

    name: str
    function: Callable[[State, Cases], NDArray[np.float64]]
    reach_back: str = "0s"
    known: str = "0s"
    version: str = "1"

    @property
    def reach(self) -> np.timedelta64:
        """How far before the issue time it reads."""
        return duration(self.reach_back, what=f"FunctionFeature({self.name!r}).reach_back")

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:  # noqa: ARG002
        """Return what was stated."""
        return duration(self.known, what=f"FunctionFeature({self.name!r}).known")

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,)."""
        return self.function(state, cases)
