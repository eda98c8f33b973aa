"""The cells that a condition is evaluated on: values of signals at each instant of an axis, and properties of the assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.truth import Truth
from twinlab.events.rules.runs import last_valid_rows

if TYPE_CHECKING:
    from twinlab.model.expressions import bound

__all__ = ["Block", "SignalCells", "valid_cells"]

_HOUR = 3600 * 10**9


def valid_cells(cadence_ns: int) -> int:
    """Return for how many cells an observation of a gauge is valid: an hour, at least three.

    A state is valid until its next observation, as everywhere in a twin.

    >>> valid_cells(300 * 10**9), valid_cells(3600 * 10**9)
    (12, 3)
    """
    return max(3, -(-_HOUR // cadence_ns))


@dataclass(frozen=True)
class SignalCells:
    """The cells of one signal on its own time axis.

    Parameters
    ----------
    times : int64 array (time)
        Starts of the cells in nanoseconds since 1970, rising.
    values : float64 array (time, asset)
        NaN where there is none.
    good : bool array (time, asset)
        Which values may be used; of a state also those between its observations.
    observed : bool array (time, asset)
        Which of the good cells are observations.
    valid_ns : int or None
        For how long an observation is valid; None: until the next.
    """

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    good: NDArray[np.bool_]
    observed: NDArray[np.bool_]
    valid_ns: int | None

    def held(self, axis: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return at each instant of an axis the last good value while it is valid, else NaN."""
        if not len(self.times):
            return np.full((len(axis), self.values.shape[1]), np.nan)
        rows = last_valid_rows(self.good)
        same = len(self.times) == len(axis) and bool((self.times == axis).all())
        if not same:
            at = np.searchsorted(self.times, axis, side="right") - 1
            rows = np.where((at >= 0)[:, None], rows[np.maximum(at, 0)], -1)
        kept = np.maximum(rows, 0)
        valid = rows >= 0
        if self.valid_ns is not None:
            valid &= axis[:, None] - self.times[kept] < self.valid_ns
        return np.where(valid, np.take_along_axis(self.values, kept, axis=0), np.nan)

    def own(self, axis: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return at each instant of an axis the good observation of the cell that begins there, else NaN."""
        out = np.full((len(axis), self.values.shape[1]), np.nan)
        if len(self.times) and len(axis):
            at = np.minimum(np.searchsorted(axis, self.times), len(axis) - 1)
            there = axis[at] == self.times
            out[at[there]] = np.where(self.observed, self.values, np.nan)[there]
        return out


@dataclass(frozen=True)
class Block:
    """Cells of some assets. Of recorded events: one time, and each event in the place of an asset, its columns as properties.

    Parameters
    ----------
    times : int64 array (time)
        The axis: starts of cells in nanoseconds since 1970, rising.
    assets : sequence of str
    signals : mapping of str to SignalCells
        On the same assets.
    numbers : mapping of str to float64 array (asset)
        Properties that are numbers; times in seconds since 1970, booleans as 0 and 1; NaN where unknown.
    texts : mapping of str to object array (asset)
        Properties that are texts; None where unknown.
    end_ns : int64 array (asset), optional
        End of each asset's lifetime: from then on everything is unknown.
    """

    times: NDArray[np.int64]
    assets: Sequence[str]
    signals: Mapping[str, SignalCells]
    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    texts: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    end_ns: NDArray[np.int64] | None = None

    @cached_property
    def _held(self) -> dict[str, NDArray[np.float64]]:
        return {}

    @cached_property
    def _own(self) -> dict[str, NDArray[np.float64]]:
        return {}

    @cached_property
    def truths(self) -> dict[bound.Condition, Truth]:
        """The truth of conditions that were evaluated: several finders often have a part in common."""
        return {}

    def held(self, name: str) -> NDArray[np.float64]:
        """Return the last good value of a signal while it is valid (time, asset)."""
        if name not in self._held:
            self._held[name] = self.signals[name].held(self.times)
        return self._held[name]

    def own(self, name: str) -> NDArray[np.float64]:
        """Return the good observations of a signal in each cell (time, asset), NaN in cells without one."""
        if name not in self._own:
            self._own[name] = self.signals[name].own(self.times)
        return self._own[name]
