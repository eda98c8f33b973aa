"""Lifetimes of assets, as their properties state them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["NO_END", "NO_START", "lifetime_table", "lifetimes"]

#: An asset without a stated start or end exists always, in nanoseconds since 1970.
NO_START, NO_END = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def lifetimes(twin: TwinReader, asset_type: str, assets: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return start and end of each asset's lifetime in nanoseconds since 1970, `NO_START` and `NO_END` if not stated.

    An asset exists in ``[start, end)``; see ``lifetime:`` in ``twin.yaml``.

    >>> from twinlab.testing import FakeTwin
    >>> starts, ends = lifetimes(FakeTwin.example(days=2, trips=10), "station", ["ST1"])
    >>> bool(starts[0] == NO_START), bool(ends[0] == NO_END)
    (True, True)
    """
    bounds = [np.full(len(assets), one, dtype=np.int64) for one in (NO_START, NO_END)]
    stated = twin.model.asset_types[asset_type].lifetime
    if stated is None:
        return bounds[0], bounds[1]
    table = twin.assets(asset_type)
    place = pd.Index(table.index.astype(str)).get_indexer(pd.Index(list(assets)))
    for bound, name in zip(bounds, (stated.start, stated.until), strict=True):
        if name is not None and name in table and len(table):
            found = pd.to_datetime(table[name]).to_numpy(dtype="datetime64[ns]")[place]
            known = (place >= 0) & ~np.isnat(found)
            bound[known] = found[known].astype("int64")
    return bounds[0], bounds[1]


def lifetime_table(twin: TwinReader, asset_type: str) -> pd.DataFrame:
    """Return when each asset of a type exists as a table with ``asset``, ``start`` and ``end``, NaT if not stated.

    For `twinlab.events.complement`.

    >>> from twinlab.testing import FakeTwin
    >>> lifetime_table(FakeTwin.example(days=2, trips=10), "station").isna().sum().tolist()
    [0, 3, 3]
    """
    assets = [str(one) for one in twin.assets(asset_type).index]
    start, end = lifetimes(twin, asset_type, assets)
    nat = np.datetime64("NaT", "ns")
    return pd.DataFrame(
        {
            "asset": pd.Series(assets, dtype="str"),
            "start": np.where(start == NO_START, nat, start.view("datetime64[ns]")),
            "end": np.where(end == NO_END, nat, end.view("datetime64[ns]")),
        }
    )
