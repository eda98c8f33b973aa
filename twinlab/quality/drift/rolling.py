"""Whole series at a regular cadence: windows in samples, and a judgement of each series by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.labelled import along_time, series_flags, series_table, step_of, times_of

__all__ = ["Bools", "Floats", "each_series", "regular_step", "robust_spread", "rolling"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Standard deviations in a median absolute deviation of normal noise.
MAD = 1.4826


def regular_step(signal: xr.DataArray) -> int:
    """Return the cadence of a signal in ns.

    Raises
    ------
    SchemaError
        If its times aren't regular.
    """
    times = times_of(signal)
    step = step_of(times)
    if times.size > 1 and (np.diff(times) != step).any():
        msg = (
            f"expected {signal.name!r} at a regular cadence with NaN for missing values, got uneven times; resample it"
        )
        raise SchemaError(msg)
    return step


def rolling(
    values: Floats, count: int, how: Literal["median", "mean"] = "median", *, centred: bool = True, least: int = 2
) -> Floats:
    """Return the median or mean of the ``count`` values around each value, or of those that end with it.

    >>> rolling(np.array([1.0, 5, 2, np.nan, 3]), 3).tolist()
    [3.0, 2.0, 3.5, 2.5, nan]
    """
    import pandas as pd  # noqa: PLC0415  (takes a third of a second)

    windows = pd.Series(values).rolling(count, center=centred, min_periods=min(least, count))
    found: Floats = (windows.median() if how == "median" else windows.mean()).to_numpy(dtype=np.float64)
    return found


def robust_spread(values: Floats) -> float:
    """Return the median of absolute values as the standard deviation of normal noise; 0 if there is none.

    >>> round(robust_spread(np.array([-1.0, 1, 50, np.nan])), 4)
    1.4826
    """
    known = np.abs(values[np.isfinite(values)])
    return MAD * float(np.median(known)) if known.size else 0.0


def each_series(signal: xr.DataArray, judge: Callable[[Floats], Bools], *, standard_name: str) -> xr.DataArray:
    """Flag each series of a signal as a whole: suspect where ``judge`` says so.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
        At a regular cadence.
    judge : callable
        ``judge(values [time]) -> bool [time]``; infinite values are given as NaN.

    Returns
    -------
    DataArray, uint8
        3 suspect, 1 pass, 9 missing; lazy if the signal is, one piece for all times.
    """
    times = times_of(signal)
    whole = int(times[-1] - times[0]) if times.size else 0

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        del ns
        table = series_table(values)
        out = np.full(table.shape, Flag.PASS.value, dtype=np.uint8)
        for place, series in enumerate(table.T):
            known = np.where(np.isfinite(series), series, np.nan)
            out[judge(known), place] = Flag.SUSPECT.value
        out[np.isnan(table)] = Flag.MISSING.value
        return series_flags(out, values.shape)

    return along_time(signal, block, times=times, before=whole, after=whole, standard_name=standard_name)
