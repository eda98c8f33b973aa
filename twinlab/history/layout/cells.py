"""Rows of a table as cells: what the history would have if each row were an observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError

if TYPE_CHECKING:
    from twinlab.model.signal import Signal

__all__ = ["cells_of_rows"]


def cells_of_rows(rows: pd.DataFrame, signals: Mapping[str, Signal], *, origin_ns: int) -> xr.Dataset:
    """Return rows of any times as cells of one cadence, combined as the signals state.

    Parameters
    ----------
    rows : DataFrame
        ``time`` (naive is UTC), ``asset``, and a column for each signal; NaN is no value.
    signals : mapping of str to Signal
        All of one cadence.
    origin_ns : int
        Start of cell 0.

    Returns
    -------
    Dataset
        dims ``time`` (start of the cell), ``asset``: the cells that the rows cover in full, NaN where there is no row. The first
        cell counts if the first row is at its start; that of the last row doesn't, since a later row could be in it.

    Raises
    ------
    SchemaError
        If the signals have several cadences.

    Examples
    --------
    >>> from twinlab.model.signal import Signal
    >>> rows = pd.DataFrame({"time": pd.to_datetime(["2026-03-01T00:00", "2026-03-01T00:04", "2026-03-01T00:05"]),
    ...                      "asset": "R1", "temperature": [4.0, 4.2, 4.3]})
    >>> signals = {"temperature": Signal(unit="degC", resolution=0.1, cadence="5min")}
    >>> cells_of_rows(rows, signals, origin_ns=0).temperature.values.tolist()
    [[4.2]]
    """
    cadences = {one.cadence_ns for one in signals.values()}
    if len(cadences) != 1:
        msg = f"expected signals of one cadence, got {sorted(signals)} of {len(cadences)}"
        raise SchemaError(msg)
    (cadence,) = cadences
    times = pd.DatetimeIndex(pd.to_datetime(rows["time"], utc=True)).as_unit("ns").asi8 - origin_ns
    first, stop = (-(-int(times.min()) // cadence), int(times.max()) // cadence) if len(times) else (0, 0)
    table = rows.assign(cell=times // cadence, at=times).sort_values("at", kind="stable")
    grouped = table.groupby(["cell", "asset"])
    cells = np.arange(first, max(first, stop))
    assets = sorted(rows["asset"].astype(str).unique())
    found = {}
    for name, signal in signals.items():
        combined = grouped[name].agg(signal.combine)
        grid = pd.MultiIndex.from_product([cells, assets], names=["cell", "asset"])
        values = combined.reindex(grid).to_numpy(dtype=np.float64).reshape(len(cells), len(assets))
        found[name] = (("time", "asset"), values)
    labels = (origin_ns + cells * cadence).astype("datetime64[ns]")
    return xr.Dataset(found, coords={"time": labels, "asset": np.array(assets, dtype=object)})
