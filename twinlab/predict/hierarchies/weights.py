"""Covariances of the errors of forecasts, from few cases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["projection", "shrunk_covariance"]

Floats = NDArray[np.float64]


def shrunk_covariance(errors: Floats) -> Floats:
    """Return the covariance (series, series) of errors (case, series), its correlations shrunk towards 0 [1]_.

    The share of shrinking is estimated from the errors; with few cases it is large. A series whose errors are all 0 gets a small variance, so that the
    covariance can be inverted.

    References
    ----------
    .. [1] J. Schäfer, K. Strimmer, "A shrinkage approach to large-scale covariance matrix estimation", Statistical Applications in Genetics and Molecular
       Biology 4 (2005).

    >>> shrunk_covariance(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])).round(3).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    count = len(errors)
    variance = np.mean(errors**2, axis=0)
    # Below it, rounding decides.
    variance = np.maximum(variance, 1e-9 * max(float(variance.max(initial=0.0)), 1e-300))
    ratio = errors / np.sqrt(variance)
    products = ratio[:, :, None] * ratio[:, None, :]
    correlation = products.mean(axis=0)
    spread = ((products - correlation) ** 2).sum(axis=0) * count / max(count - 1, 1) ** 3
    apart = ~np.eye(errors.shape[1], dtype=bool)
    squares = float((correlation[apart] ** 2).sum())
    share = min(1.0, float(spread[apart].sum()) / squares) if squares > 0 else 1.0
    correlation = np.where(apart, (1 - share) * correlation, 1.0)
    deviation = np.sqrt(variance)
    return np.asarray(correlation * deviation[:, None] * deviation[None, :], float)


def projection(summing: Floats, covariance: Floats) -> Floats:
    """Return the matrix (part, series) from forecasts of all series to those of the parts with the least variance [1]_.

    Parameters
    ----------
    summing : array (series, part)
    covariance : array (series, series)

    References
    ----------
    .. [1] S. Wickramasuriya, G. Athanasopoulos, R. Hyndman, "Optimal forecast reconciliation for hierarchical and grouped time series through trace
       minimization", Journal of the American Statistical Association 114 (2019), theorem 1.

    >>> projection(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.eye(3)).round(3)[0].tolist()
    [0.667, -0.333, 0.333]
    """
    weighted = np.linalg.solve(covariance, summing).T
    return np.asarray(np.linalg.solve(weighted @ summing, weighted), float)
