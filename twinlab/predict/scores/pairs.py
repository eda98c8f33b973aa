"""Pairs of predicted and true values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinlab.errors import SchemaError

__all__ = ["pairs"]

Floats = NDArray[np.float64]


def pairs(predicted: ArrayLike, true: ArrayLike) -> tuple[Floats, Floats]:
    """Return the pairs without a missing value, in one dimension.

    Raises
    ------
    SchemaError
        If the shapes differ.
    """
    a, b = np.asarray(predicted, float), np.asarray(true, float)
    if a.shape != b.shape:
        msg = f"expected predicted and true values of one shape, got {a.shape} and {b.shape}"
        raise SchemaError(msg)
    both = ~(np.isnan(a) | np.isnan(b))
    return a[both], b[both]
