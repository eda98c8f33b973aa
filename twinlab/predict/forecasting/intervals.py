"""Intervals of forecasts, from the errors at past issue times of a model that was fitted to what was before them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.predict.conformal.pools import Errors, Pools
from twinlab.predict.forecasting.combination import Combination

__all__ = ["Intervals", "past_errors"]

Floats = NDArray[np.float64]
#: The newest third of the data is the calibration span; in it, this many issue times reach the longest lead time.
_SHARE, _ORIGINS = 3, 40
#: Least size, in standard deviations of the values: forecasts that were all exact show no size.
_LEAST: Final = 1e-3
#: Parts of the calibration span; the sizes for one come from the others.
_FOLDS: Final = 4
#: Errors of neighbouring lead times, up to this share of the horizon away, give the usual size of an asset's errors.
_AROUND: Final = 8
#: Errors of the usual size that count at a phase, beside its own.
_FEW: Final = 5.0


@dataclass(frozen=True)
class Intervals:
    """Margins around forecasts.

    An error is divided by the usual size of the errors of its asset around its lead time and at its phase of the season, such as the hour of the day; the
    sizes come from the other half of the calibration span. The quantiles of these ratios, of all assets at a lead time, times the size are the margins: split
    conformal prediction with normalised errors [1]_.

    Parameters
    ----------
    size : array (lead, asset)
        Usual size of the errors, in the unit of the values; NaN where none was seen.
    phase : array (asset, phase)
        Factor of the size at each cell of the short season.
    margins : array (level, lead)
        How far each quantile is from the forecast, in sizes.
    cases : array (lead,)
        Errors that they come from.

    References
    ----------
    .. [1] J. Lei, M. G'Sell, A. Rinaldo, R. Tibshirani, L. Wasserman, "Distribution-free predictive inference for regression", Journal of the American
       Statistical Association 113 (2018), section 5.2.
    """

    size: Floats
    phase: Floats
    margins: Floats
    cases: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        values: Floats,
        seasons: Sequence[int],
        *,
        horizon: int,
        quantiles: Sequence[float],
        inputs: Floats | None = None,
    ) -> Intervals:
        """Return the intervals for values (asset, time) and leads up to a horizon, in cells; inputs as in `Combination.fit`."""
        errors, cells = past_errors(values, seasons, horizon, inputs)
        phases = cells % seasons[0] if seasons else np.zeros_like(cells)
        count = seasons[0] if seasons else 1
        least = _LEAST * _spread(values)
        scaled = np.full(errors.shape, np.nan)
        for some in np.array_split(np.arange(errors.shape[2]), _FOLDS):
            other = np.setdiff1d(np.arange(errors.shape[2]), some)
            size = _sizes(errors[..., other], least)
            phase = _phases(errors[..., other], phases[:, other], count)
            factor = phase[:, phases[:, some]].transpose(1, 0, 2)
            scaled[..., some] = errors[..., some] / (size[..., None] * factor)
        return cls(_sizes(errors, least), _phases(errors, phases, count), *_margins(scaled, quantiles))

    def around(self, forecasts: Floats, *, leads: NDArray[np.intp], origin: int, span: Sequence[float]) -> Floats:
        """Return quantiles (lead, asset, level) around forecasts (lead, asset) of some leads from an origin on, within a span.

        The origin counts from the first cell of the fit.
        """
        margins = np.where(np.isfinite(self.margins), self.margins, np.nan)[:, leads]
        size = self.size[leads] * self.phase[:, (origin + leads) % self.phase.shape[1]].T
        out = np.sort(forecasts[..., None] + margins.T[:, None, :] * size[..., None], axis=-1)
        return np.clip(out, span[0], span[1])


def past_errors(
    values: Floats, seasons: Sequence[int], horizon: int, inputs: Floats | None = None
) -> tuple[Floats, NDArray[np.intp]]:
    """Return true values less forecasts (lead, asset, origin) in the calibration span, of a model fitted to what was before it; and cells (lead, origin)."""
    total = values.shape[1]
    cut = total - total // _SHARE
    step = max(1, (total - cut - horizon) // _ORIGINS)
    # Not always the same hour of the day.
    while seasons and step > 1 and math.gcd(step, seasons[0]) > 1:
        step += 1
    origins = np.arange(cut, total, step)
    fitted = Combination.fit(values[:, :cut], seasons, inputs)
    made = fitted.predict(values, origins, horizon, inputs)
    at = origins + np.arange(horizon)[:, None]
    true = np.where(at < total, values[:, np.minimum(at, total - 1)], np.nan)
    return np.asarray(true.transpose(1, 0, 2) - made, float), at


def _spread(values: Floats) -> Floats:
    """Return the standard deviation (asset,) of what is known; 1 without any."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=1), 1)
    centre = np.sum(values, axis=1, where=known) / count
    squares = np.sum((values - centre[:, None]) ** 2, axis=1, where=known) / count
    return np.asarray(np.where(squares > 0, np.sqrt(squares), 1.0), float)


def _sizes(errors: Floats, least: Floats) -> Floats:
    """Return the mean absolute error (lead, asset) of origins and neighbouring leads, at least ``least`` (asset,); NaN without any."""
    known = ~np.isnan(errors)
    total = np.sum(np.abs(errors), axis=2, where=known)
    count = known.sum(axis=2)
    width = max(1, len(errors) // _AROUND)
    lead = np.arange(len(errors))
    start, stop = np.maximum(lead - width, 0), np.minimum(lead + width + 1, len(errors))

    def summed(some: NDArray[np.generic]) -> Floats:
        running = np.concatenate([np.zeros((1, some.shape[1])), np.cumsum(some, axis=0)])
        return np.asarray(running[stop] - running[start], float)

    cases = summed(count)
    size = np.where(cases > 0, summed(total) / np.maximum(cases, 1), np.nan)
    return np.maximum(size, least)


def _phases(errors: Floats, phases: NDArray[np.intp], count: int) -> Floats:
    """Return the mean absolute error (asset, phase) at each phase, divided by that of all; 1 where none was seen."""
    known = ~np.isnan(errors)
    size = np.where(known, np.abs(errors), 0.0)
    total, cases = np.zeros((2, errors.shape[1], count))
    for phase in range(count):
        lead, origin = np.nonzero(phases == phase)
        total[:, phase] = size[lead, :, origin].sum(axis=0)
        cases[:, phase] = known[lead, :, origin].sum(axis=0)
    mean = total.sum(axis=1, keepdims=True) / np.maximum(cases.sum(axis=1, keepdims=True), 1)
    # As if a few errors of the usual size had been seen at each phase.
    found = (total + _FEW * mean) / np.maximum(mean, np.finfo(float).tiny) / (cases + _FEW)
    return np.asarray(np.where(mean > 0, found, 1.0), float)


def _margins(scaled: Floats, quantiles: Sequence[float]) -> tuple[Floats, NDArray[np.intp]]:
    """Return margins (level, lead) and the number of errors (lead,); infinite where there are too few errors for a level."""
    leads, cases = len(scaled), np.isfinite(scaled).sum(axis=(1, 2)).astype(np.intp)
    out = np.full((len(quantiles), leads), np.inf)
    out[np.isclose(quantiles, 0.5)] = 0.0
    lead, asset, origin = np.nonzero(np.isfinite(scaled))
    ratio = scaled[lead, asset, origin]
    every = np.arange(leads)
    keys = pd.MultiIndex.from_arrays([every, np.full(leads, "all", object)])
    pools = Pools.of(keys, Errors(origin.astype("int64"), lead.astype(np.intp), -ratio, ratio), alpha=1.0)
    for row, level in enumerate(quantiles):
        if not np.isclose(level, 0.5):
            tail = min(level, 1 - level)
            low, high = replace(pools, alpha=np.full(leads, 2 * tail)).margins(every)
            out[row] = -low if level < 0.5 else high
    return out, cases
