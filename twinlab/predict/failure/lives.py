"""What came after each instant: the remaining life of each asset, as far as it is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.predict.failure.settings import DAY

__all__ = ["Lives", "lives_of"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Lives:
    """Remaining lives, arrays (instant, asset).

    Parameters
    ----------
    days : array of float
        Days until the next failure; if none is known, days without one: the life is longer.
    ended : array of bool
        Whether a failure ended it.
    down : array of bool
        Whether the asset had failed and wasn't repaired.
    failure : array of int
        Row of the failure in the table; -1 if none is known.
    """

    days: Floats
    ended: Bools
    down: Bools
    failure: NDArray[np.intp]


def lives_of(
    failures: pd.DataFrame, instants: NDArray[np.datetime64], assets: list[str], *, known: np.datetime64
) -> Lives:
    """Return the lives of assets from some instants on, as they are known at a later one.

    Parameters
    ----------
    failures : DataFrame
        Events with ``asset, start, end``; one without an end isn't repaired.
    instants : array (instant,) of datetime64
    assets : list of str
    known : datetime64
        When they are known.

    >>> table = pd.DataFrame({"asset": ["A"], "start": [pd.Timestamp("2026-01-05")], "end": [pd.Timestamp("2026-01-06")]})
    >>> when = np.array(["2026-01-02", "2026-01-07"], "datetime64[ns]")
    >>> lives_of(table, when, ["A"], known=np.datetime64("2026-01-10")).days.ravel()
    array([3., 3.])
    """
    when = instants.astype("datetime64[ns]").astype("int64")
    shape = (len(when), len(assets))
    days = np.repeat(((known.astype("datetime64[ns]") - instants) / DAY)[:, None], len(assets), axis=1)
    ended, down = np.zeros((2, *shape), bool)
    failure = np.full(shape, -1, np.intp)
    begun = failures[failures["start"].notna()]
    rows = {
        str(asset): np.asarray(places, np.intp)
        for asset, places in begun.groupby("asset", observed=True).indices.items()
    }
    starts = begun["start"].to_numpy("datetime64[ns]").astype("int64")
    ends = begun["end"].to_numpy("datetime64[ns]")
    stops = np.where(np.isnat(ends), np.iinfo("int64").max, ends.astype("int64"))
    labels = np.flatnonzero(failures["start"].notna().to_numpy())
    for place, asset in enumerate(assets):
        own = rows.get(asset)
        if own is None:
            continue
        own = own[np.argsort(starts[own], kind="stable")]
        after = np.searchsorted(starts[own], when, side="right")
        has = after < len(own)
        following = own[np.minimum(after, len(own) - 1)]
        days[has, place] = (starts[following] - when)[has] / (86_400 * 1e9)
        ended[has, place] = True
        failure[has, place] = labels[following[has]]
        # Repairs may overlap: the latest end of those that have begun.
        latest = np.concatenate([[np.iinfo("int64").min], np.maximum.accumulate(stops[own])])
        down[:, place] = latest[after] > when
    return Lives(days, ended, down, failure)
