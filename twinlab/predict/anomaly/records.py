"""An index for single series without a usual span to learn from: by how much a value is further out than all before it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.anomaly.values import Floats

__all__ = ["record_index"]

#: Rows before the first index.
_WARM_UP = 60


def record_index(values: xr.DataArray, *, window: int = 30) -> xr.DataArray:
    """Return by how much each value departs further from usual than any before it.

    Three departures count: of the value from the median so far, of the mean of the last ``window`` rows from that of ten times as many
    before them, and of the value from the one a day earlier (where the cadence is shorter than a day). Of each, the excess over
    its largest value so far is measured in mean deviations so far; the index is the sum of log(1 + excess). Only earlier rows count.

    Parameters
    ----------
    values : DataArray
        Dim time, at a regular cadence, and any other dims.
    window : int
        At least 2 rows.

    Returns
    -------
    DataArray
        Same shape: 0 as unusual as before or less; more the further a value is beyond.

    Examples
    --------
    >>> steps = xr.DataArray([*np.sin(np.arange(200.0)), 9.0], dims="time", coords={"time": np.arange(201).astype("M8[h]")})
    >>> int(np.argmax(record_index(steps).values))
    200
    """
    if window < 2 or "time" not in values.dims or values.sizes["time"] < 2:
        msg = f"expected a dim time with at least two rows and a window of at least 2, got the dims {values.dims} and {window}"
        raise SchemaError(msg)
    step = np.median(np.diff(values["time"].values.astype("M8[ns]")).astype(np.int64))
    day = round(86_400e9 / step)
    across = values.transpose("time", ...)
    flat = across.values.reshape(len(across), -1).astype(float)
    found = np.column_stack([_index(column, window, day) for column in flat.T])
    return across.copy(data=found.reshape(across.shape)).drop_attrs().transpose(*values.dims)


def _index(column: Floats, window: int, day: int) -> Floats:
    series = pd.Series(column)
    departures = [(series - series.expanding(20).median().shift(1)).abs()]
    before = series.rolling(10 * window, min_periods=window).mean().shift(window)
    departures.append((series.rolling(window, min_periods=max(window // 2, 1)).mean() - before).abs())
    if day > 1:
        departures.append((series - series.shift(day)).abs())
    found = np.sum([np.log1p(_excess(one.fillna(0.0).to_numpy())) for one in departures], axis=0)
    return np.where(np.isnan(column), 0.0, found)


def _excess(departure: Floats) -> Floats:
    """Return the excess of each departure over the largest before it, in mean deviations of those before it."""
    rows = np.arange(1, len(departure) + 1)
    mean = np.cumsum(departure) / rows
    spread = np.cumsum(np.abs(departure - mean)) / rows
    largest, before = np.maximum.accumulate(departure)[:-1], spread[:-1]
    found = np.zeros(len(departure))
    found[1:] = np.where(before > 0, np.maximum(departure[1:] - largest, 0.0) / np.where(before > 0, before, 1.0), 0.0)
    found[: _WARM_UP + 1] = 0.0
    return found
