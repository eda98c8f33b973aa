"""Whether a model still does what it promised: the coverage of its intervals and the size of its errors, from predictions whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from twinlab.predict.predictions.schema import CANT_TELL, places_of, target_of
from twinlab.predict.predictions.scoring import true_values
from twinlab.predict.scores.significance import diebold_mariano

__all__ = ["CHANCE", "Coverage", "Outcomes", "coverage_of", "growth_of_errors", "has_grown"]

Floats = NDArray[np.float64]
#: Chance of a finding if nothing has changed, of both sides; a worse result counts, half of it.
CHANCE: Final = 0.01
#: Issue times with a known outcome that are needed.
_LEAST: Final = 12
#: Points by which the coverage has to be below the promised one: less is of no account.
_POINTS: Final = 0.03
#: Share by which errors have to be larger.
_LARGER: Final = 0.2


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of predictions by issue time, in time order; only issue times with a known outcome.

    Parameters
    ----------
    issued : array of int64
        Issue times, ns.
    loss : array
        Mean absolute error of the median, or mean squared error of a probability.
    inside : array
        Share inside the widest interval; NaN of a probability.
    promised : float
        Share that is promised to be inside; NaN of a probability and of a point.
    horizon : int
        Issue times that a prediction reaches ahead: so many outcomes are correlated.
    """

    issued: NDArray[np.int64]
    loss: Floats
    inside: Floats
    promised: float
    horizon: int

    @classmethod
    def of(cls, data: xr.Dataset, truth: xr.DataArray) -> Outcomes:
        """Return the outcomes of predictions with their true values."""
        values, true = target_of(data), true_values(data, truth).ravel()
        dims = places_of(data)
        known = (data[CANT_TELL].values.ravel() == 0) & ~np.isnan(true)
        issued = _broadcast(data, "issue_time", dims).astype("datetime64[ns]").astype("int64")[known]
        array, true = values.values.reshape(len(known), -1)[known], true[known]
        promised, inside = float("nan"), np.full(len(true), np.nan)
        if "quantile" in data.dims:
            levels = data["quantile"].values
            loss = np.abs(array[:, int(np.argmin(np.abs(levels - 0.5)))] - true)
            if len(levels) > 1:
                promised = float(levels[-1] - levels[0])
                inside = ((array[:, 0] <= true) & (true <= array[:, -1])).astype(float)
        else:
            loss = (array[:, 0] - true) ** 2
        instants, place = np.unique(issued, return_inverse=True)
        count = np.bincount(place, minlength=len(instants))
        mean = [
            np.bincount(place, weights=one, minlength=len(instants)) / np.maximum(count, 1) for one in (loss, inside)
        ]
        step = np.median(np.diff(instants)) if len(instants) > 1 else 0
        longest = int(data["lead_time"].values.max().astype("timedelta64[ns]").astype("int64")) if known.any() else 0
        return cls(instants, mean[0], mean[1], promised, max(1, int(-(-longest // step)) if step else 1))

    def since(self, first: int) -> Outcomes:
        """Return those of the issue times from an instant on, ns."""
        rows = self.issued >= first
        return Outcomes(self.issued[rows], self.loss[rows], self.inside[rows], self.promised, self.horizon)

    @property
    def enough(self) -> bool:
        """Whether there are as many as a comparison needs."""
        return len(self.issued) >= max(_LEAST, 3 * self.horizon)

    @property
    def needed(self) -> int:
        """Issue times that a comparison needs."""
        return max(_LEAST, 3 * self.horizon)


def _broadcast(data: xr.Dataset, name: str, dims: tuple[str, ...]) -> NDArray[np.generic]:
    plain = data[name].drop_vars([one for one in data[name].coords if one not in data.dims])
    places = data[CANT_TELL].drop_vars([one for one in data[CANT_TELL].coords if one not in data.dims])
    return np.asarray(plain.broadcast_like(places).transpose(*dims).values).ravel()


@dataclass(frozen=True)
class Coverage:
    """Coverage of intervals against the promised one.

    Parameters
    ----------
    promised, now : float
        Shares inside.
    low, high : float
        95 % interval of ``now``.
    p : float
        Chance of a difference as large if the promise were kept, of both sides.
    issue_times : int
    """

    promised: float
    now: float
    low: float
    high: float
    p: float
    issue_times: int

    @property
    def below(self) -> bool:
        """Whether it is below the promised one, by 3 points at least and not by chance."""
        return bool(self.p < CHANCE and self.now < self.promised - _POINTS)


def coverage_of(outcomes: Outcomes) -> Coverage:
    """Return the coverage of outcomes; issue times less than the horizon apart are taken as correlated (Diebold and Mariano).

    Outcomes of one issue time have one share: those of its lead times and assets are correlated, too.
    """
    kept = np.full(len(outcomes.inside), 1 - outcomes.promised)
    found = diebold_mariano(1 - outcomes.inside, kept, horizon=outcomes.horizon)
    bounds = (outcomes.promised - one for one in (found.high, found.difference, found.low))
    low, now, high = bounds
    return Coverage(outcomes.promised, now, low, high, found.p, found.count)


def growth_of_errors(before: Outcomes, after: Outcomes) -> tuple[float, float]:
    """Return by which factor mean losses have grown, and the chance of a growth as large if they hadn't, of both sides.

    The variance of each mean allows for the correlation of issue times less than the horizon apart, as Diebold's and Mariano's test does.
    """
    one, two = (diebold_mariano(each.loss, np.zeros(len(each.loss)), horizon=each.horizon) for each in (before, after))
    # Half of a 95 % interval of each mean gives its standard error.
    halves = [float((each.high - each.difference) / stats.t.ppf(0.975, max(each.count - 1, 1))) for each in (one, two)]
    error = float(np.hypot(halves[0], halves[1]))
    factor = two.difference / one.difference if one.difference > 0 else float("inf") if two.difference > 0 else 1.0
    if not error > 0:
        return factor, float("nan") if factor == 1.0 else 0.0
    return factor, float(2 * stats.norm.sf(abs(two.difference - one.difference) / error))


def has_grown(factor: float, p: float) -> bool:
    """Whether losses have grown, by a fifth at least and not by chance."""
    return bool(p < CHANCE and factor > 1 + _LARGER)
