"""Linear autoregressions of many series at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Autoregression", "FittedAutoregression", "autoregressions"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
#: Penalty of the coefficients, in units of the variance of what is fitted: as if they had been seen to be 0 in one cell.
_PENALTY: Final = 1.0
#: A recursion stays within the values of the fit and this many standard deviations; differences within twice as many as the normal distribution has.
_BEYOND, _LARGEST_STEP = 1.0, 6.0
#: Bytes of lagged values that are in memory at once.
_CHUNK: Final = 64_000_000
#: Multiples of the short season that are lags.
_MULTIPLES: Final = 7


@dataclass(frozen=True)
class Autoregression:
    """A value as a linear function of earlier ones, of the values or of their differences from a season before.

    Parameters
    ----------
    lags : tuple of int
        In cells.
    season : int
        Differences are taken from this many cells before; 0 for the values themselves.
    """

    lags: tuple[int, ...]
    season: int = 0

    @property
    def reach(self) -> int:
        """Cells that it reads before the origin."""
        return max(self.lags) + self.season

    def fit(self, values: Floats, known: NDArray[np.bool_]) -> FittedAutoregression:
        """Fit to filled values (asset, time), on the cells that were known, by ridge regression of each asset."""
        x = _differences(values, self.season)
        weight = known & ~np.isnan(x)
        centre = np.zeros(len(x)) if self.season else _mean(x, weight)
        x -= centre[:, None]
        squares = _mean(x**2, weight)
        spread = np.sqrt(squares)
        if self.season:
            low, high = -_LARGEST_STEP * spread, _LARGEST_STEP * spread
        else:
            low = np.min(x, axis=1, where=weight, initial=0.0) - _BEYOND * spread
            high = np.max(x, axis=1, where=weight, initial=0.0) + _BEYOND * spread
        rows = np.arange(min(self.reach, x.shape[1]), x.shape[1])
        found = np.zeros((len(x), len(self.lags)))
        chunk = max(1, _CHUNK // max(1, 8 * len(rows) * len(self.lags)))
        for start in range(0, len(x), chunk):
            part = slice(start, start + chunk)
            found[part] = _ridge(x[part], weight[part], rows, self.lags, squares[part])
        return FittedAutoregression(self, found, centre, low, high)


@dataclass(frozen=True)
class FittedAutoregression:
    """Coefficients (asset, lag), the mean that is taken off, and bounds of the recursion, all by asset."""

    of: Autoregression
    coefficients: Floats
    centre: Floats
    low: Floats
    high: Floats

    def predict(self, values: Floats, origins: Ints, horizon: int) -> Floats:
        """Return forecasts (lead, asset, origin) of the ``horizon`` cells from each origin on; `values` before it are read."""
        season = self.of.season
        centre = self.centre[:, None]
        low, high = self.low[:, None], self.high[:, None]
        made: list[Floats] = []
        out = np.empty((horizon, len(values), len(origins)))
        for lead in range(horizon):
            total = np.zeros((len(values), len(origins)))
            for place, lag in enumerate(self.of.lags):
                if lag <= lead:
                    earlier = made[lead - lag]
                else:
                    at = origins + lead - lag
                    earlier = (values[:, at] - values[:, at - season] if season else values[:, at]) - centre
                total += self.coefficients[:, place, None] * earlier
            made.append(np.clip(total, low, high))
            if not season:
                out[lead] = made[-1] + centre
            elif lead < season:
                out[lead] = made[-1] + values[:, origins + lead - season]
            else:
                out[lead] = made[-1] + out[lead - season]
        return out


def autoregressions(seasons: Sequence[int]) -> list[Autoregression]:
    """Return the autoregressions for rising seasons: of the values, and of the differences from each season before."""
    if not seasons:
        return [Autoregression((1, 2, 3)), Autoregression((1, 2), season=1)]
    short, long = seasons[0], seasons[-1]
    multiples = {short * k for k in range(1, min(_MULTIPLES, max(1, long // short)) + 1)}
    around = {one + k for one in (short, long) for k in (-1, 0, 1)}
    levels = _lags({1, 2, 3, 2 * long} | multiples | around)
    if short == long:
        return [Autoregression(levels), Autoregression(_lags({1, 2, 3, short, short + 1}), season=short)]
    return [
        Autoregression(levels),
        Autoregression(_lags({1, 2, 3} | multiples), season=short),
        Autoregression(_lags({1, 2, 3, short, short + 1}), season=long),
    ]


def _lags(some: set[int]) -> tuple[int, ...]:
    return tuple(sorted(one for one in some if one > 0))


def _differences(values: Floats, season: int) -> Floats:
    """Return differences from a season before, NaN in the first cells; without a season a copy."""
    if not season:
        return values.copy()
    out = np.full(values.shape, np.nan)
    out[:, season:] = values[:, season:] - values[:, :-season]
    return out


def _mean(values: Floats, weight: NDArray[np.bool_]) -> Floats:
    """Return means (asset,) of the cells that count; 0 without any."""
    total = np.sum(values, axis=1, where=weight)
    return np.asarray(total / np.maximum(weight.sum(axis=1), 1), float)


def _ridge(x: Floats, weight: NDArray[np.bool_], rows: Ints, lags: Sequence[int], squares: Floats) -> Floats:
    """Return coefficients (asset, lag) of a regression of each asset on its lags, on the rows without a missing value."""
    lagged = np.stack([x[:, rows - lag] for lag in lags], axis=-1)
    wanted = x[:, rows]
    use = weight[:, rows] & ~np.isnan(lagged).any(axis=-1)
    lagged = np.where(use[..., None], lagged, 0.0)
    wanted = np.where(use, wanted, 0.0)
    across = lagged.transpose(0, 2, 1)
    # A series without variance has no information: the penalty alone makes its coefficients 0.
    penalty = _PENALTY * np.where(squares > 0, squares, 1.0)
    normal = across @ lagged + penalty[:, None, None] * np.eye(len(lags))
    return np.asarray(np.linalg.solve(normal, across @ wanted[..., None])[..., 0], float)
