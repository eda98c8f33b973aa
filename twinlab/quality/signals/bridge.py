"""Values between two bad ones: what a test of single values can't see."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.model.flags import Flag
from twinlab.quality.labelled import Duration, along_time, nanoseconds, series_flags, series_table, times_of

__all__ = ["bridge_flags"]

_GOOD: Final = (Flag.PASS.value, Flag.NOT_EVALUATED.value)
_BAD: Final = (Flag.SUSPECT.value, Flag.FAIL.value)


def bridge_flags(flags: xr.DataArray, *, gap: Duration) -> xr.DataArray:
    """Return flags in which the values between two bad ones are suspect, too.

    A sensor that fails twice within a short time failed between as well, though some readings happen to be near the
    true value: bad values close to each other are one event [1]_.

    Parameters
    ----------
    flags : DataArray, uint8, with dimension ``time``
        As any test or `aggregate_flags` returns them; suspect and fail are bad.
    gap : duration
        Largest distance of two bad values that belong together.

    Raises
    ------
    SchemaError
        If the duration or the time axis doesn't fit.

    References
    ----------
    .. [1] A. S. Jones et al., "Toward automating post processing of aquatic sensor data", Environmental Modelling & Software
       151 (2022) 105364, anomaly events.

    >>> hours = np.datetime64("2026-01-01", "ns") + np.arange(8) * np.timedelta64(1, "h")
    >>> flags = xr.DataArray(np.uint8([1, 3, 1, 9, 4, 1, 1, 3]), {"time": hours}, "time")
    >>> bridge_flags(flags, gap="3h").values.tolist()
    [1, 3, 3, 9, 4, 3, 3, 3]
    >>> bridge_flags(flags, gap="2h").values.tolist()
    [1, 3, 1, 9, 4, 1, 1, 3]
    """
    times = times_of(flags)
    longest = nanoseconds(gap, "gap")

    def block(given: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        out = series_table(given).astype(np.uint8)
        for series in out.T:
            bad = np.flatnonzero(np.isin(series, _BAD))
            near = np.flatnonzero((np.diff(bad) > 1) & (np.diff(ns[bad]) <= longest))
            for first, last in zip(bad[near].tolist(), bad[near + 1].tolist(), strict=True):
                between = series[first:last]
                between[np.isin(between, _GOOD)] = Flag.SUSPECT.value
        return series_flags(out, given.shape)

    name = str(flags.attrs.get("standard_name", "aggregate_quality_flag"))
    found = along_time(flags, block, times=times, before=longest, after=longest, standard_name=name)
    found = found.rename(flags.name)
    found.attrs = dict(flags.attrs) or found.attrs
    return found
