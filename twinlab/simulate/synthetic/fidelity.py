"""How alike a synthetic history is to the one it was made of: distribution, autocorrelation, cross-correlation, daily pattern."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["gauge_fidelity", "pair_fidelity"]

Floats = npt.NDArray[np.float64]


def gauge_fidelity(original: Floats, synthetic: Floats) -> dict[str, float]:
    """Return how far a gauge's synthetic values are from the original ones.

    Parameters
    ----------
    original, synthetic : array, shape (day, cell, asset)

    Returns
    -------
    dict
        ``distribution``: largest difference of the distribution functions (Kolmogorov-Smirnov), 0 is alike; ``autocorrelation``: largest
        difference at lags of up to half a day; ``daily_pattern``: largest difference of the mean by time of day, in standard deviations;
        ``spread``: ratio of the standard deviations.
    """
    spread = float(np.nanstd(original)) or 1.0
    lags = [lag for lag in (1, 2, 4, 8, 16) if lag <= original.shape[1] // 2]
    auto = max((abs(_autocorrelation(original, lag) - _autocorrelation(synthetic, lag)) for lag in lags), default=0.0)
    with np.errstate(all="ignore"):
        daily = np.nanmean(original, axis=(0, 2)) - np.nanmean(synthetic, axis=(0, 2))
    return {
        "distribution": _distance(original, synthetic),
        "autocorrelation": float(auto),
        "daily_pattern": float(np.nanmax(np.abs(daily)) / spread),
        "spread": float(np.nanstd(synthetic) / spread),
    }


def pair_fidelity(original: tuple[Floats, Floats], synthetic: tuple[Floats, Floats]) -> float:
    """Return the difference of the correlation of two gauges of the same assets and times."""
    return abs(_correlation(*original) - _correlation(*synthetic))


def _distance(original: Floats, synthetic: Floats) -> float:
    one, other = (np.sort(each[np.isfinite(each)]) for each in (original, synthetic))
    if not len(one) or not len(other):
        return float("nan")
    at = np.concatenate([one, other])
    return float(
        np.abs(np.searchsorted(one, at, "right") / len(one) - np.searchsorted(other, at, "right") / len(other)).max()
    )


def _autocorrelation(values: Floats, lag: int) -> float:
    series = values.reshape(-1, values.shape[-1])
    return _correlation(series[lag:], series[:-lag])


def _correlation(one: Floats, other: Floats) -> float:
    """Return the correlation of deviations from each asset's mean."""
    first, second = (each.reshape(-1, each.shape[-1]) for each in (one, other))
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 3:
        return 0.0
    with np.errstate(all="ignore"):
        parts = [
            np.where(both, each, np.nan) - np.nanmean(np.where(both, each, np.nan), axis=0) for each in (first, second)
        ]
    a, b = (part[both] for part in parts)
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0
