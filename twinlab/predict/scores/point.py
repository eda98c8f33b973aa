"""Scores of one predicted value for each true value."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinlab.errors import SchemaError
from twinlab.predict.scores.pairs import pairs

__all__ = ["mae", "mase", "nasa_score", "rmse", "smape"]


def mae(predicted: ArrayLike, true: ArrayLike) -> float:
    """Return the mean absolute error, in the unit of the values.

    >>> mae([1.0, 2.0, 9.0], [2.0, 2.0, float("nan")])
    0.5
    """
    a, b = pairs(predicted, true)
    return float(np.abs(a - b).mean()) if a.size else float("nan")


def rmse(predicted: ArrayLike, true: ArrayLike) -> float:
    """Return the root of the mean squared error, in the unit of the values.

    >>> rmse([0.0, 0.0], [3.0, 3.0])
    3.0
    """
    a, b = pairs(predicted, true)
    return float(np.sqrt(((a - b) ** 2).mean())) if a.size else float("nan")


def smape(predicted: ArrayLike, true: ArrayLike) -> float:
    """Return the symmetric mean absolute percentage error of the M4 competition, 0 to 200 [1]_.

    A pair of two zeros has no error.

    References
    ----------
    .. [1] S. Makridakis, E. Spiliotis, V. Assimakopoulos, "The M4 Competition: 100,000 time series and 61 forecasting methods",
       International Journal of Forecasting 36 (2020) 54-74.

    >>> smape([1.0], [3.0]), smape([0.0], [0.0])
    (100.0, 0.0)
    """
    a, b = pairs(predicted, true)
    if not a.size:
        return float("nan")
    size = np.abs(a) + np.abs(b)
    return float((200.0 * np.abs(a - b) / np.where(size == 0.0, 1.0, size)).mean())


def mase(predicted: ArrayLike, true: ArrayLike, *, training: ArrayLike, season: int) -> float:
    """Return the mean absolute scaled error of one series [1]_.

    Parameters
    ----------
    predicted, true : array
        Of the forecast's span.
    training : array
        The series before, regular; missing values are left out.
    season : int
        Length of the season in steps: the scale is the in-sample error of the seasonal naive forecast.

    Raises
    ------
    SchemaError
        If the training series isn't longer than a season.

    References
    ----------
    .. [1] R. J. Hyndman, A. B. Koehler, "Another look at measures of forecast accuracy", International Journal of Forecasting 22 (2006)
       679-688.

    >>> mase([5.0], [6.0], training=[1.0, 3.0, 5.0], season=1)
    0.5
    """
    series: NDArray[np.float64] = np.asarray(training, float).ravel()
    if season < 1 or series.size <= season:
        msg = f"expected a training series longer than its season of {season} steps, got {series.size}"
        raise SchemaError(msg)
    steps = np.abs(series[season:] - series[:-season])
    scale = float(np.nanmean(steps)) if not np.isnan(steps).all() else float("nan")
    # A constant series has no scale.
    return mae(predicted, true) / scale if scale > 0 else float("nan")


def nasa_score(predicted: ArrayLike, true: ArrayLike) -> float:
    """Return the score of the PHM 2008 challenge for remaining lives, a sum [1]_.

    A life that is predicted too long counts more: ``exp(d / 10) - 1`` of an error d > 0, ``exp(-d / 13) - 1`` of one below.

    References
    ----------
    .. [1] A. Saxena, K. Goebel, D. Simon, N. Eklund, "Damage propagation modeling for aircraft engine run-to-failure simulation", PHM
       2008.

    >>> round(nasa_score([110.0, 87.0], [100.0, 100.0]), 3) == round(2 * (np.e - 1), 3)
    True
    """
    a, b = pairs(predicted, true)
    error = a - b
    return float(np.where(error < 0, np.expm1(-error / 13.0), np.expm1(error / 10.0)).sum()) if a.size else float("nan")
