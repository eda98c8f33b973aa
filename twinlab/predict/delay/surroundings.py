"""Signals of an asset that an event links to, such as the weather of the airport a flight leaves from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.predict.delay.plan import Floats, Ints, Plan
from twinlab.predict.protocol.state import State

__all__ = ["signals_of_link"]

#: Cells that a missing one is taken from.
_FILL = 3
#: Cells of the mean beside the latest value.
_MEAN = 6


def signals_of_link(
    state: State, plan: Plan, rows: NDArray[np.intp], issued: Ints, *, link: str, asset_type: str, names: Sequence[str]
) -> dict[str, Floats]:
    """Return the latest value and the mean of the last six cells that had ended and arrived at issue times, by name of the feature.

    Parameters
    ----------
    state : State
        With the history of ``asset_type`` among ``others``.
    plan : Plan
    rows, issued : array (case,)
    link : str
        Column of the events with the asset.
    asset_type : str
    names : sequence of str
        Variables of its history.
    """
    data = state.others[asset_type]
    ends = data["time"].values + (state.step + state.latency)
    cell = np.searchsorted(ends.astype("datetime64[ns]").astype("int64"), issued, side="right") - 1
    column = pd.Index(data["asset"].values).get_indexer(pd.Index(plan.table[link]))[rows]
    known = (cell >= 0) & (column >= 0)
    out = {}
    for name in names:
        values = pd.DataFrame(data[name].transpose("time", "asset").values)
        for what, cells in (
            ("", values.ffill(limit=_FILL)),
            (", mean of 6 cells", values.rolling(_MEAN, min_periods=1).mean().round(9)),
        ):
            found = cells.to_numpy(float)
            taken = np.full(len(rows), np.nan)
            taken[known] = found[cell[known], column[known]]
            out[f"{link} {name}{what}"] = taken
    return out
