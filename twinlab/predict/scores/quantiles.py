"""Scores of predicted quantiles and of intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinlab.errors import SchemaError

__all__ = ["coverage", "crps", "interval_width", "pinball"]

Floats = NDArray[np.float64]


def _rows(quantiles: ArrayLike, true: ArrayLike, levels: ArrayLike) -> tuple[Floats, Floats, Floats]:
    q, y, p = np.asarray(quantiles, float), np.asarray(true, float), np.asarray(levels, float)
    if q.shape != (*y.shape, p.size):
        msg = f"expected quantiles of shape {(*y.shape, p.size)} (true values, levels), got {q.shape}"
        raise SchemaError(msg)
    keep = ~(np.isnan(y) | np.isnan(q).any(axis=-1))
    return q[keep], y[keep], p


def pinball(quantiles: ArrayLike, true: ArrayLike, levels: ArrayLike) -> float:
    """Return the mean pinball (quantile) loss over cases and levels, in the unit of the values.

    Parameters
    ----------
    quantiles : array (..., levels)
    true : array (...)
    levels : array (levels,)
        Between 0 and 1.

    >>> pinball([[1.0]], [3.0], [0.9])
    1.8
    """
    q, y, p = _rows(quantiles, true, levels)
    if not y.size:
        return float("nan")
    error = y[:, None] - q
    return float(np.maximum(p * error, (p - 1.0) * error).mean())


def crps(quantiles: ArrayLike, true: ArrayLike, levels: ArrayLike) -> float:
    """Return the continuous ranked probability score, from quantiles, in the unit of the values.

    It is twice the integral of the pinball loss over all levels [1]_, here by the rule of midpoints between the given levels: with the median alone it is
    the mean absolute error. It is as exact as the levels are dense.

    References
    ----------
    .. [1] T. Gneiting, R. Ranjan, "Comparing density forecasts using threshold- and quantile-weighted scoring rules", Journal of Business &
       Economic Statistics 29 (2011) 411-422.

    >>> crps([[1.0]], [3.0], [0.5])
    2.0
    """
    q, y, p = _rows(quantiles, true, levels)
    if not y.size:
        return float("nan")
    bounds = np.concatenate([[0.0], (p[1:] + p[:-1]) / 2.0, [1.0]])
    error = y[:, None] - q
    losses = np.maximum(p * error, (p - 1.0) * error)
    return float(2.0 * (losses * np.diff(bounds)).sum(axis=1).mean())


def coverage(low: ArrayLike, high: ArrayLike, true: ArrayLike) -> float:
    """Return the share of true values in the closed interval; cases without interval or value don't count.

    >>> coverage([0.0, 0.0], [1.0, 1.0], [0.5, 2.0])
    0.5
    """
    a, b, y = (np.asarray(one, float) for one in (low, high, true))
    keep = ~(np.isnan(a) | np.isnan(b) | np.isnan(y))
    if not bool(keep.any()):
        return float("nan")
    return float(((a <= y) & (y <= b))[keep].mean())


def interval_width(low: ArrayLike, high: ArrayLike) -> float:
    """Return the mean width of intervals, in the unit of the values.

    >>> interval_width([0.0, 1.0], [1.0, 4.0])
    2.0
    """
    width = np.asarray(high, float) - np.asarray(low, float)
    width = width[~np.isnan(width)]
    return float(width.mean()) if width.size else float("nan")
