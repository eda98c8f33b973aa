"""Log odds of trees to probabilities that are right on average: a line with a bend."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.protocol.sklearn import library

__all__ = ["calibrated", "corrected", "logistic", "scaled"]

Floats = NDArray[np.float64]
#: Log odds above which calibration has a slope of its own: probabilities from about a quarter on.
_BEND: Final = -1.0


def logistic(raw: Floats) -> Floats:
    """Return the probabilities of log odds."""
    return 1.0 / (1.0 + np.exp(-np.clip(raw, -40.0, 40.0)))


def scaled(raw: Floats, scale: tuple[float, ...]) -> Floats:
    """Return calibrated log odds: a line that may be steeper or flatter above the bend."""
    steeper = scale[2] if len(scale) > 2 else 0.0
    found: Floats = scale[0] * raw + scale[1] + steeper * np.maximum(raw - _BEND, 0.0)
    return found


def calibrated(raw: Floats, happened: Floats) -> tuple[float, float, float]:
    """Return factor and offset of log odds that fit outcomes best [1]_, and what the factor is larger by above the bend.

    Those that change nothing if there is one outcome alone. Few failures announce themselves at all, so that one line for low and high risks made
    middling probabilities too high: 0.27 where 0.08 was observed.

    References
    ----------
    .. [1] J. Platt, "Probabilistic outputs for support vector machines", Advances in Large Margin Classifiers (1999).
    """
    total = happened.sum()
    if not 0 < total < len(happened):
        return 1.0, 0.0, 0.0
    regression = library("sklearn.linear_model").LogisticRegression
    for columns in (np.column_stack([raw, np.maximum(raw - _BEND, 0.0)]), raw[:, None]):
        model = regression(C=1e6).fit(columns, happened > 0)
        factor, steeper = (*map(float, model.coef_[0]), 0.0)[:2]
        # A factor of 0 or less would turn the order around: too few cases.
        if factor > 0 and factor + steeper > 0:
            return factor, float(model.intercept_[0]), steeper
    return 1.0, 0.0, 0.0


def corrected(scale: tuple[float, ...], offset: float, slope: float) -> tuple[float, float, float]:
    """Return the line whose log odds are ``offset + (1 + slope) * scaled``.

    >>> corrected((1.0, 0.0, 0.5), -0.5, 1.0)
    (2.0, -0.5, 1.0)
    """
    factor, added, steeper = (*scale, 0.0)[:3]
    return (1 + slope) * factor, (1 + slope) * added + offset, (1 + slope) * steeper
