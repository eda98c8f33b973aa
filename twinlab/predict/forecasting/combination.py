"""The median of simple forecasts of many series at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.forecasting.autoregression import FittedAutoregression, autoregressions
from twinlab.predict.forecasting.filling import filled, padded
from twinlab.predict.forecasting.futures import Effect

__all__ = ["Combination"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
#: Seasons whose mean is the usual course; without a season, cells whose mean is the level.
_SEASONS, _LEVEL = 3, 8


@dataclass(frozen=True)
class Combination:
    """The median of the values a season before, of the usual course at the present level, and of autoregressions.

    With two seasons there are six forecasts, with one there are four; without a season these are the last value, the mean of the last eight and two
    autoregressions. Combining simple forecasts is more robust than choosing among them [1]_; the median ignores one that is far off.

    Parameters
    ----------
    seasons : tuple of int
        Rising, in cells.
    models : tuple of FittedAutoregression
    effect : Effect, optional
        Of inputs that are known ahead; it is taken off before the other models, and added again.

    References
    ----------
    .. [1] S. Makridakis, E. Spiliotis, V. Assimakopoulos, "The M4 Competition: 100,000 time series and 61 forecasting methods", International Journal of
       Forecasting 36 (2020).
    """

    seasons: tuple[int, ...]
    models: tuple[FittedAutoregression, ...]
    effect: Effect | None = None

    @classmethod
    def fit(cls, values: Floats, seasons: Sequence[int], inputs: Floats | None = None) -> Combination:
        """Fit to values (asset, time), NaN where they are missing, and inputs (input, asset, time) that go on after the values."""
        effect = None
        if inputs is not None:
            effect = Effect.fit(values, inputs, seasons[-1] if seasons else 1)
            values = values - effect.of(inputs)[:, : values.shape[1]]
        known = ~np.isnan(values)
        full = filled(values, seasons)
        return cls(tuple(seasons), tuple(one.fit(full, known) for one in autoregressions(seasons)), effect)

    @property
    def reach(self) -> int:
        """Cells that are read before an origin."""
        long = self.seasons[-1] if self.seasons else _LEVEL
        return max(*(one.of.reach for one in self.models), (_SEASONS + 2) * long)

    def predict(self, values: Floats, origins: Ints, horizon: int, inputs: Floats | None = None) -> Floats:
        """Return forecasts (lead, asset, origin) of the ``horizon`` cells from each origin on.

        Parameters
        ----------
        values : array (asset, time)
            Only cells before an origin are read for it.
        origins : array of int
            Cells, up to the number of times.
        horizon : int
        inputs : array (input, asset, time), optional
            As in `fit`, up to the horizon; NaN after the end of the array.
        """
        if self.effect is None or inputs is None:
            return self._combined(values, origins, horizon)
        effect = self.effect.of(inputs)
        at = origins + np.arange(horizon)[:, None]
        last = effect.shape[1] - 1
        ahead = np.where(at <= last, effect[:, np.minimum(at, last)], np.nan).transpose(1, 0, 2)
        return self._combined(values - effect[:, : values.shape[1]], origins, horizon) + ahead

    def _combined(self, values: Floats, origins: Ints, horizon: int) -> Floats:
        full = padded(filled(values, self.seasons), self.reach)
        at = origins + self.reach
        members = [one.predict(full, at, horizon) for one in self.models]
        if self.seasons:
            members += [_naive(full, at, horizon, season) for season in self.seasons]
            members.append(_usual(full, at, horizon, self.seasons))
        else:
            level = _mean(np.stack([full[:, at - k] for k in range(1, _LEVEL + 1)]))
            members += [_naive(full, at, horizon, 1), np.broadcast_to(level, (horizon, *level.shape))]
        return _median(np.stack(members))


def _naive(values: Floats, origins: Ints, horizon: int, season: int) -> Floats:
    """Return the values as many whole seasons before as the lead needs."""
    return np.stack([values[:, origins + lead - season * (lead // season + 1)] for lead in range(horizon)])


def _usual(values: Floats, origins: Ints, horizon: int, seasons: Sequence[int]) -> Floats:
    """Return the mean course of the last seasons, moved by how far the last short season was from it."""
    short, long = seasons[0], seasons[-1]

    def course(at: Ints) -> Floats:
        return _mean(np.stack([values[:, at - long * k] for k in range(1, _SEASONS + 1)]))

    level = _mean(np.stack([values[:, origins - k] - course(origins - k) for k in range(1, short + 1)]))
    return np.stack([course(origins + lead - long * (lead // long)) + level for lead in range(horizon)])


def _mean(values: Floats) -> Floats:
    """Return the mean along the first axis of what is known; NaN of nothing."""
    count = (~np.isnan(values)).sum(axis=0)
    total = np.nansum(values, axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), float)


def _median(values: Floats) -> Floats:
    """Return the median along the first axis of what is known; NaN of nothing."""
    ranked = np.sort(values, axis=0)
    count = (~np.isnan(ranked)).sum(axis=0)
    low, high = np.maximum(count - 1, 0) // 2, np.maximum(count, 1) // 2
    pair = [np.take_along_axis(ranked, place[None], axis=0)[0] for place in (low, np.minimum(high, len(values) - 1))]
    return np.asarray((pair[0] + pair[1]) / 2, float)
