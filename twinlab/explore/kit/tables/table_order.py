"""Sorting of a table by its headers; pure, and fast at hundreds of thousands of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["sort_rows"]


def sort_rows(
    table: pd.DataFrame, places: NDArray[np.intp], sorters: Sequence[Mapping[str, object]]
) -> NDArray[np.intp]:
    """Return positions of rows sorted by Tabulator's sorters; the first sorter is the primary key.

    Text is sorted case-insensitively, missing values come last in either direction, and the sort is stable.

    Parameters
    ----------
    places : array of int
        Positions of rows in ``table``.
    sorters : sequence of ``{"field": …, "dir": "asc" or "desc"}``

    >>> table = pd.DataFrame({"late": [5.0, np.nan, 7.0]})
    >>> sort_rows(table, np.arange(3), [{"field": "late", "dir": "desc"}]).tolist()
    [2, 0, 1]
    """
    known = [one for one in sorters if one["field"] in table]
    if not known or not len(places):
        return places
    keys = [_key(table[str(one["field"])].iloc[places], descending=one["dir"] == "desc") for one in known]
    order = np.argsort(keys[0], kind="stable") if len(keys) == 1 else np.lexsort(keys[::-1])
    return places[order]


def _key(column: pd.Series, *, descending: bool) -> NDArray[np.generic]:
    """Return numbers that sort like the column."""
    values: NDArray[np.generic]
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = np.asarray(column.cat.codes)
        ranks = np.append(_ranks(column.cat.categories), -1)
        values, missing = ranks[codes], codes < 0
    elif column.dtype.kind in "mM":
        values, missing = column.to_numpy().view("int64"), column.isna().to_numpy()
    elif column.dtype.kind in "iufb":
        values = column.to_numpy()
        values = values.astype("int8") if values.dtype.kind == "b" else values
        missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    else:
        return _key(column.astype("category"), descending=descending)
    if descending:
        # Of integers the complement: the smallest integer has no negative.
        values = np.negative(values) if values.dtype.kind == "f" else ~values.astype("int64")
    if missing.any():
        last = np.inf if values.dtype.kind == "f" else np.iinfo("int64").max
        values = np.where(missing, last, values)
    return values


def _ranks(texts: pd.Index) -> NDArray[np.int64]:
    """Return the case-insensitive rank of each text; equal texts share one."""
    lower = pd.Index([str(text).lower() for text in texts])
    return np.asarray(pd.factorize(lower, sort=True)[0], dtype="int64")
