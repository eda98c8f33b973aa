"""Wear indexes: linear combinations of indicators that follow the remaining life, with their levels and trends.

Noise of single indicators averages out in them [1]_.

References
----------
.. [1] T. Wang, J. Yu, D. Siegel, J. Lee, "A similarity-based prognostics approach for remaining useful life estimation of engineered systems", PHM 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["WearIndex", "index_features", "index_names"]

Floats = NDArray[np.float64]
#: Shares of the longest life up to which lives are learnt: one index is finer near the end, the other sees more of the beginning.
_CAPS: Final = (0.5, 1.0)
#: Ridge penalty, in units of a case, of standardised indicators.
_RIDGE: Final = 10.0
#: Rows that a trend needs.
_TREND: Final = 3


@dataclass(frozen=True)
class WearIndex:
    """Indexes of remaining life in days, linear in the values and in the deviations of indicators.

    Parameters
    ----------
    centre, scale : array (2, indicator)
        Of values and of deviations.
    weights : array (2, cap, indicator)
    offset : array (2, cap)
    """

    centre: Floats
    scale: Floats
    weights: Floats
    offset: Floats

    @classmethod
    def fit(cls, values: Floats, deviations: Floats, days: Floats, *, longest: float) -> WearIndex:
        """Fit to cases by ridge regression; a missing indicator is as on average.

        Parameters
        ----------
        values, deviations : array (case, indicator)
        days : array (case,)
            Remaining lives, each known up to ``longest`` at least.
        longest : float
            Days.
        """
        caps = np.array(_CAPS) * longest
        target = np.minimum(days[:, None], caps)
        parts = [_ridge(one, target) for one in (values, deviations)]
        return cls(*(np.stack(one) for one in zip(*parts, strict=True)))

    def series(self, values: Floats, deviations: Floats) -> Floats:
        """Return the indexes (row, asset, index); NaN where an asset has no value."""
        parts = []
        for place, one in enumerate((values, deviations)):
            scaled = (one - self.centre[place]) / self.scale[place]
            found = np.where(np.isnan(scaled), 0.0, scaled) @ self.weights[place].T + self.offset[place]
            parts.append(np.where(np.isnan(one).all(axis=2)[..., None], np.nan, found))
        return np.concatenate(parts, axis=2)


def _ridge(x: Floats, target: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return centre and scale (indicator,), weights (cap, indicator) and offset (cap,)."""
    known = ~np.isnan(x)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, x, 0.0).sum(axis=0) / count
    scaled = np.where(known, x - centre, 0.0)
    scale = np.sqrt((scaled**2).sum(axis=0) / count)
    # A constant indicator has no weight.
    scale = np.where(scale > 0, scale, 1.0)
    scaled = scaled / scale
    offset = target.mean(axis=0)
    gram = scaled.T @ scaled + _RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, scaled.T @ (target - offset)).T
    return centre, scale, weights, offset - weights @ scaled.mean(axis=0)


def index_names(spans: Sequence[int]) -> list[str]:
    """Return the names of the features of the indexes, in the order of `index_features`."""
    indexes = [
        f"wear index of {what}, up to {cap:g} of the longest life" for what in ("values", "deviations") for cap in _CAPS
    ]
    kinds = [
        f"{kind} over {span}"
        for span in spans
        for kind in (("mean", "level", "slope") if span >= _TREND else ("mean",))
    ]
    return [f"{one}, {kind}" for one in indexes for kind in kinds]


def index_features(series: Floats, spans: Sequence[int]) -> Floats:
    """Return features (row, asset, feature) of indexes (row, asset, index): mean of the last rows, and level and slope of the line through them."""
    rows, assets, indexes = series.shape
    flat = series.reshape(rows, assets * indexes)
    parts: list[Floats] = []
    for span in spans:
        mean, level, slope = _line(flat, span)
        parts += [mean, level, slope] if span >= _TREND else [mean]
    return np.stack(parts, axis=-1).reshape(rows, assets, indexes * len(parts))


def _line(values: Floats, span: int) -> tuple[Floats, Floats, Floats]:
    """Return mean, level at the end and slope per row of the line of least squares through the last ``span`` rows (row, series)."""
    padded = np.concatenate([np.full((span - 1, values.shape[1]), np.nan), values])
    windows = sliding_window_view(padded, span, axis=0)
    known = ~np.isnan(windows)
    filled = np.where(known, windows, 0.0)
    back = np.arange(1.0 - span, 1.0)
    n = known.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, filled.sum(axis=2) / n, np.nan)
        middle = (known * back).sum(axis=2) / n
        apart = np.where(known, back - middle[..., None], 0.0)
        slope = (apart * filled).sum(axis=2) / (apart**2).sum(axis=2)
    slope = np.where(n >= _TREND, slope, np.nan)
    level = np.where(n >= _TREND, mean - slope * middle, mean)
    return mean, level, slope
