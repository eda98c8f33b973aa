"""Distribution of a delay or duration by group and hour, with an effect of the day: fitted once, drawn from in bulk.

A value is turned into a normal score by its rank among the values of its cell (group and hour of the day). Scores are an effect
of the day plus noise, so that a bad morning and a bad afternoon go together; a simulated score is turned back by the cell's
quantiles. Whatever never happened (a cancelled flight) has the highest rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from twinlab.errors import SchemaError
from twinlab.simulate.timetable.day_effects import DayEffects, fit_day_effects

__all__ = ["HOURS", "QUANTILES", "Delays", "fit_delays"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOURS = 24
QUANTILES = 401
#: A cell with fewer values is merged: the hour with all hours of its group, then with everything.
_FEWEST = 60
_HOUR = 3600


@dataclass(frozen=True)
class Delays:
    """Fitted distribution of one quantity of trips."""

    quantiles: Floats
    """Values at equally spaced probabilities, shape ``(cell, QUANTILES)``."""
    never: Floats
    """Share that never happened, shape ``(cell,)``."""
    cell_of: Ints
    """Cell of each group and UTC hour, shape ``(group, 24)``."""
    effects: DayEffects
    """Effects of the day on the scores."""
    count: int
    """Number of values."""

    def cells(self, group: Ints, epoch: Ints) -> Ints:
        """Return the cells of trips by group and planned start (seconds since 1970, UTC)."""
        return self.cell_of[group, epoch // _HOUR % HOURS]

    def score_of(self, values: Floats, cell: Ints, never: Floats) -> Floats:
        """Return the normal scores below which values of these cells are, if ``never`` is the share that never happens."""
        share = np.empty(len(values))
        levels = np.linspace(0, 1, QUANTILES)
        for one in np.unique(cell):
            here = cell == one
            share[here] = np.interp(values[here], self.quantiles[one], levels, left=0.0, right=1.0)
        return np.asarray(special.ndtri(np.clip(share * (1 - never), 1e-9, 1 - 1e-9)))

    def values_at(self, scores: Floats, cell: Ints, never: Floats) -> Floats:
        """Return the values at normal scores ``(replication, trip)``; infinite for what never happens."""
        share = special.ndtr(scores) / np.maximum(1 - never, 1e-12)
        at = np.clip(share, 0, 1) * (QUANTILES - 1)
        low = np.minimum(at.astype(np.int64), QUANTILES - 2)
        part = at - low
        found = self.quantiles[cell, low] * (1 - part) + self.quantiles[cell, low + 1] * part
        return np.where(share > 1, np.inf, found)


def fit_delays(
    values: Floats,
    group: Ints,
    epoch: Ints,
    seen: Ints,
    *,
    growing: bool,
    groups: int,
    day_start: int,
    features: Floats | None = None,
) -> Delays:
    """Return the distribution of values by group and hour, and the effects of the day.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Delays, seconds, or logarithms of ratios; infinite for what never happened.
    group : ndarray of int, shape (n,)
        From 0 to ``groups - 1``.
    epoch : ndarray of int, shape (n,)
        Planned starts, seconds since 1970, UTC.
    seen : ndarray of int, shape (n,)
        When each value was known, seconds since 1970.
    growing : bool
        Whether a value that isn't known yet is at least the time since the planned start, as delays are.
    groups : int
        Number of groups.
    day_start : int
        UTC hour at which a day of operation begins.
    features : ndarray, shape (days, k), optional
        What is known about each day by other means.

    Raises
    ------
    SchemaError
        If there are fewer than 60 values.
    """
    if len(values) < _FEWEST:
        msg = f"expected at least {_FEWEST} trips with a plan and a start in the window, got {len(values)}; take a longer window"
        raise SchemaError(msg)
    hour = epoch // _HOUR % HOURS
    cell_of = np.zeros((groups, HOURS), dtype=np.int64)
    members: list[npt.NDArray[np.intp]] = [np.arange(len(values))]
    of_group = {g: np.flatnonzero(group == g) for g in np.unique(group).tolist()}
    for g, mine in of_group.items():
        if len(mine) < _FEWEST:
            continue
        cell_of[g] = len(members)
        members.append(mine)
        for h in range(HOURS):
            here = mine[hour[mine] == h]
            if len(here) >= _FEWEST:
                cell_of[g, h] = len(members)
                members.append(here)
    never = np.array([np.mean(~np.isfinite(values[who])) for who in members])
    levels = np.linspace(0, 1, QUANTILES)
    quantiles = np.stack([_quantiles(values[who], levels) for who in members])
    cell = cell_of[group, hour]
    scores = np.empty(len(values))
    for one in np.unique(cell):
        here = np.flatnonzero(cell == one)
        scores[here] = special.ndtri((stats.rankdata(values[here]) - 0.5) / len(here))
    effects = fit_day_effects(
        scores, values, group, epoch, seen, growing=growing, groups=groups, day_start=day_start, features=features
    )
    return Delays(quantiles, never, cell_of, effects, len(values))


def _quantiles(values: Floats, levels: Floats) -> Floats:
    known = values[np.isfinite(values)]
    return np.quantile(known, levels) if len(known) else np.zeros(len(levels))
