"""Deviations of indicators from what is usual for the asset, and from those of its peers."""

from __future__ import annotations

import warnings
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["LEAST_ROWS", "deviations", "usual_values"]

Floats = NDArray[np.float64]
#: Rows with a value below which nothing is usual.
LEAST_ROWS: Final = 4


def usual_values(values: Floats, *, of: Literal["window", "begin"], rows: int) -> Floats:
    """Return what is usual for each asset at each row, from rows up to it.

    Parameters
    ----------
    values : array (row, asset, indicator)
    of : "window" or "begin"
        Median of the rows before and including it, or of the asset's first rows.
    rows : int
        How many, at most.

    Returns
    -------
    array (row, asset, indicator)
        NaN with fewer than four values.
    """
    flat = values.reshape(len(values), -1)
    least = min(LEAST_ROWS, rows)
    if of == "window":
        found = pd.DataFrame(flat).rolling(rows, min_periods=least).median().to_numpy()
        return np.asarray(found, float).reshape(values.shape)
    known = ~np.isnan(flat)
    nth = np.cumsum(known, axis=0)
    first = np.where(known & (nth <= rows), flat, np.nan)
    # Until there are so many rows, the median of those there are.
    running = pd.DataFrame(first).expanding(min_periods=least).median().to_numpy()
    return np.asarray(running, float).reshape(values.shape)


def deviations(
    values: Floats, *, of: Literal["window", "begin"], rows: int, groups: NDArray[np.intp] | None = None
) -> Floats:
    """Return the differences to what is usual, less the median difference of the assets in the same group.

    Parameters
    ----------
    values : array (row, asset, indicator)
    of, rows
        As in `usual_values`.
    groups : array (asset,) of int, optional
        Without them, no asset is a peer of another.
    """
    found = values - usual_values(values, of=of, rows=rows)
    if groups is None:
        return found
    out = found.copy()
    with warnings.catch_warnings():
        # Rows in which no asset of the group has a value.
        warnings.simplefilter("ignore", RuntimeWarning)
        for group in np.unique(groups):
            own = groups == group
            if own.sum() >= LEAST_ROWS:
                out[:, own] = found[:, own] - np.nanmedian(found[:, own], axis=1, keepdims=True)
    return out
