"""Missing cells, filled from earlier ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["filled", "padded"]

Floats = NDArray[np.float64]


def filled(values: Floats, seasons: Sequence[int]) -> Floats:
    """Return values (asset, time) whose missing cells have the value a season before, the longest season first, else the last known one.

    A cell is filled from earlier cells alone; those before the first known one stay NaN.

    >>> filled(np.array([[1.0, 2.0, np.nan, 4.0]]), [2])
    array([[1., 2., 1., 4.]])
    """
    out = values.copy()
    for season in sorted(seasons, reverse=True):
        if not bool(np.isnan(out).any()):
            return out
        # Block by block, since a filled cell fills the next one.
        for start in range(season, out.shape[1], season):
            block = out[:, start : start + season]
            before = out[:, start - season : start - season + block.shape[1]]
            np.copyto(block, before, where=np.isnan(block))
    known = ~np.isnan(out)
    last = np.maximum.accumulate(np.where(known, np.arange(out.shape[1]), 0), axis=1)
    return np.take_along_axis(out, last, axis=1)


def padded(values: Floats, cells: int) -> Floats:
    """Return values with missing cells before them, so that a lag of up to ``cells`` can be read."""
    return np.concatenate([np.full((len(values), cells), np.nan), values], axis=1)
