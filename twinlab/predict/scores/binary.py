"""Scores of probabilities of outcomes that are 0 or 1."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from twinlab.errors import SchemaError
from twinlab.predict.scores.pairs import Floats, pairs

__all__ = ["auc", "brier", "reliability"]


def _outcomes(probability: ArrayLike, outcome: ArrayLike) -> tuple[Floats, Floats]:
    p, y = pairs(probability, outcome)
    if not bool(np.isin(y, (0.0, 1.0)).all()):
        msg = f"expected outcomes 0 or 1, got {sorted(set(y.tolist()))[:5]}"
        raise SchemaError(msg)
    return p, y


def auc(score: ArrayLike, outcome: ArrayLike) -> float:
    """Return the area under the ROC curve: the chance that a case with outcome 1 has the higher score; equal scores count half.

    Without cases of both outcomes it is NaN.

    >>> auc([0.9, 0.4, 0.4, 0.1], [1, 1, 0, 0])
    0.875
    """
    p, y = _outcomes(score, outcome)
    ones = int(y.sum())
    zeros = y.size - ones
    if not ones or not zeros:
        return float("nan")
    ranks = stats.rankdata(p)
    return float((ranks[y == 1.0].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def brier(probability: ArrayLike, outcome: ArrayLike) -> float:
    """Return the Brier score, the mean squared error of probabilities, 0 to 1.

    >>> brier([1.0, 0.5], [1, 0])
    0.125
    """
    p, y = _outcomes(probability, outcome)
    return float(((p - y) ** 2).mean()) if p.size else float("nan")


def reliability(probability: ArrayLike, outcome: ArrayLike, *, bins: int = 10) -> pd.DataFrame:
    """Return predicted probability against observed frequency, in bins of equal width.

    Returns
    -------
    DataFrame
        Columns ``low, high`` (the bin), ``cases, predicted`` (mean) and ``observed`` (share of outcome 1). Empty bins are left out.

    >>> reliability([0.1, 0.9, 0.95], [0, 1, 0], bins=2)["observed"].tolist()
    [0.0, 0.5]
    """
    p, y = _outcomes(probability, outcome)
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, bins - 1)
    rows = [
        (edges[k], edges[k + 1], int(inside.sum()), float(p[inside].mean()), float(y[inside].mean()))
        for k in range(bins)
        if bool((inside := place == k).any())
    ]
    return pd.DataFrame(rows, columns=["low", "high", "cases", "predicted", "observed"])
