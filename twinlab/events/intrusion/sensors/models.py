"""What is expected of a sensor: of its changes, from what happens in the asset; of its level, from that and from peers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Expectation", "change_features", "expect", "level_features", "peers_median", "rolling_mean"]

Floats = NDArray[np.float64]
#: Keeps the equations solvable where a feature never varies, in units of their own size.
_RIDGE = 1e-6
#: Residuals beyond so many robust standard deviations are left out of the second fit.
_OUTLIER = 6.0


@dataclass(frozen=True)
class Expectation:
    """Linear coefficients of each asset, shape (asset, feature)."""

    coefficients: Floats

    def residuals(self, values: Floats, features: Floats) -> Floats:
        """Return values minus expected ones, shape (time, asset); NaN where something is missing."""
        return np.asarray(values - np.einsum("taf,af->ta", features, self.coefficients))


def expect(values: Floats, features: Floats) -> Expectation:
    """Fit each asset by least squares, twice: the second time without what is far off.

    Parameters
    ----------
    values : array, shape (time, asset)
    features : array, shape (time, asset, feature)
    """
    weights = (np.isfinite(values) & np.isfinite(features).all(axis=2)).astype(float)
    found = _solve(values, features, weights)
    residual = np.where(weights > 0, np.abs(found.residuals(values, features)), np.nan)
    spread = 1.4826 * _medians(residual)
    weights *= np.nan_to_num(residual) <= _OUTLIER * np.where(spread > 0, spread, np.inf)
    return _solve(values, features, weights)


def _solve(values: Floats, features: Floats, weights: Floats) -> Expectation:
    known = np.where(weights[:, :, None] > 0, features, 0.0)
    target = np.where(weights > 0, values, 0.0)
    squares = np.einsum("taf,tag->afg", known, known)
    scale = np.einsum("aff->af", squares).mean(axis=1, keepdims=True) + 1e-12
    squares += _RIDGE * scale[:, :, None] * np.eye(features.shape[2])
    return Expectation(np.linalg.solve(squares, np.einsum("taf,ta->af", known, target)[:, :, None])[:, :, 0])


def _medians(values: Floats) -> Floats:
    """Return the lower median of each column without NaN; NaN where there is nothing else."""
    ordered = np.sort(values, axis=0)
    count = np.isfinite(values).sum(axis=0)
    return np.asarray(ordered[np.maximum(count - 1, 0) // 2, np.arange(values.shape[1])])


def peers_median(values: Floats) -> Floats:
    """Return for each asset the median of all others, shape (time, asset); NaN with fewer than two others.

    >>> peers_median(np.array([[1.0, 2.0, 9.0]])).tolist()
    [[5.5, 5.0, 1.5]]
    """
    assets = values.shape[1]
    if assets < 3:
        return np.full(values.shape, np.nan)
    out = np.empty(values.shape)
    with np.errstate(all="ignore"):
        for one in range(assets):
            others = np.delete(values, one, axis=1)
            enough = np.isfinite(others).sum(axis=1) >= 2
            out[:, one] = np.where(enough, np.nanmedian(np.where(enough[:, None], others, 0.0), axis=1), np.nan)
    return out


def change_features(values: Floats, others: Floats) -> Floats:
    """Return features of the change to each row: other signals of the asset now and before, and the level before.

    Parameters
    ----------
    values : array, shape (time, asset)
    others : array, shape (time, asset, signal)
    """
    before = np.full_like(others, np.nan)
    before[1:] = others[:-1]
    level = np.full_like(values, np.nan)
    level[1:] = values[:-1]
    one = np.ones((*values.shape, 1))
    return np.concatenate([one, others, before, level[:, :, None]], axis=2)


def level_features(values: Floats, others: Floats, *, rows: int) -> Floats:
    """Return features of the level: means of other signals over so many rows, and the peers' median where there is one."""
    means = (
        np.stack([rolling_mean(others[:, :, n], rows) for n in range(others.shape[2])], axis=2)
        if others.shape[2]
        else others
    )
    peers = rolling_mean(peers_median(values), rows)
    parts = [np.ones((*values.shape, 1)), means]
    if np.isfinite(peers).any():
        parts.append(peers[:, :, None])
    return np.concatenate(parts, axis=2)


def rolling_mean(values: Floats, rows: int) -> Floats:
    """Return the mean of the last so many rows; NaN with less than half of them.

    >>> rolling_mean(np.array([[1.0], [3.0], [np.nan], [5.0]]), 2)[:, 0].tolist()
    [1.0, 2.0, 3.0, 5.0]
    """
    there = np.isfinite(values)
    total = np.cumsum(np.where(there, values, 0.0), axis=0)
    count = np.cumsum(there, axis=0)
    total[rows:], count[rows:] = total[rows:] - total[:-rows].copy(), count[rows:] - count[:-rows].copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count * 2 >= rows, total / count, np.nan))
