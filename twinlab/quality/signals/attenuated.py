"""The attenuated signal test: values that vary less than they should."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.labelled import (
    Duration,
    along_time,
    extreme_steps,
    nanoseconds,
    series_flags,
    series_table,
    step_of,
    times_of,
)
from twinlab.quality.signals.kernels import variation_in_window
from twinlab.quality.signals.regular_windows import variation_of_rows

__all__ = ["attenuated_flags"]


def attenuated_flags(
    signal: xr.DataArray,
    *,
    window: Duration,
    suspect: float,
    fail: float = 0.0,
    by: Literal["std", "range"] = "std",
    least: int | None = None,
) -> xr.DataArray:
    """Flag values before which the signal varied less than it should (attenuated signal test).

    A sensor that is fouled, iced or disconnected often still moves by its own noise, which `flat_line_flags` lets pass.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    window : duration
        How long before a value its signal's variation is taken; the window is open at its start.
    suspect, fail : float
        A variation below is suspect, and fails, in the signal's unit.
    by : {"std", "range"}
        Standard deviation (of the values as they are, divided by their number), or difference of the largest and the
        smallest value.
    least : int, optional
        With fewer values in its window, a value isn't evaluated; by default half of those that fit into it.

    Raises
    ------
    SchemaError
        If limits, window or the time axis don't fit.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1,
       test 10, Attenuated Signal Test.

    >>> hours = np.datetime64("2026-01-01T00", "ns") + np.arange(7) * np.timedelta64(1, "h")
    >>> x = xr.DataArray([1.0, 4, 2, 5.0, 5.1, 5.0, 5.1], {"time": hours}, "time")
    >>> attenuated_flags(x, window="3h", suspect=1, by="range", least=3).values.tolist()
    [2, 2, 1, 1, 1, 3, 3]
    """
    if not 0 <= fail <= suspect or not 0 < suspect < np.inf or by not in {"std", "range"}:
        msg = (
            "expected limits 0 <= fail <= suspect with suspect > 0, and by='std' or 'range', "
            f"got suspect={suspect!r}, fail={fail!r}, by={by!r}"
        )
        raise SchemaError(msg)
    times = times_of(signal)
    length = nanoseconds(window, "window")
    smallest = max(2, length // step_of(times) // 2) if least is None else int(least)
    if smallest < 2:
        msg = f"expected least >= 2 values in a window, since one value doesn't vary, got {least!r}"
        raise SchemaError(msg)

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        table = series_table(values)
        out = np.empty(table.shape, dtype=np.uint8)
        limits = (smallest, float(suspect), float(fail), by == "range")
        step, longest = extreme_steps(ns)
        rows = -(-length // step)
        if step == longest and rows <= len(ns):
            variation_of_rows(table, rows, *limits, out)
        else:
            variation_in_window(table, np.ascontiguousarray(ns), length, *limits, out)
        return series_flags(out, values.shape)

    name = "attenuated_signal_test_quality_flag"
    return along_time(signal, block, times=times, before=length, after=0, standard_name=name)
