"""How much later or earlier an asset's values come than those of the others, by period, and the test that flags it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.clocks.kernels import bin_means, lagged_correlations, medians
from twinlab.quality.labelled import (
    Duration,
    along_time_together,
    nanoseconds,
    series_flags,
    series_table,
    times_of,
)

__all__ = ["clock_flags", "clock_shifts", "median_of_assets"]

#: Share of a period's bins that an asset and the reference need in common.
_COMMON: Final = 0.5
#: A shift counts if it explains at least this share of what differs without it.
_EXPLAINED: Final = 0.5


def median_of_assets(signal: xr.DataArray, *, least: int = 4, across: str = "asset") -> xr.DataArray:
    """Return the median of all assets at each time; NaN where fewer than ``least`` have a value; lazy if the signal is.

    >>> median_of_assets(xr.DataArray([[1.0, 2, 9, np.nan, 3]], dims=("time", "asset"))).values.tolist()
    [2.5]
    """
    if across not in signal.dims:
        msg = f"expected a dimension {across!r} of the assets to compare, got {list(signal.dims)}"
        raise SchemaError(msg)

    def block(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        out = np.empty(values.shape[:-1])
        medians(np.ascontiguousarray(values, dtype=np.float64).reshape(-1, values.shape[-1]), least, out.reshape(-1))
        return out

    given = signal if signal.chunks is None else signal.chunk({across: -1})
    found: xr.DataArray = xr.apply_ufunc(
        block, given, input_core_dims=[[across]], dask="parallelized", output_dtypes=[np.float64], keep_attrs=False
    )
    return found.rename("reference")


def clock_shifts(
    signal: xr.DataArray,
    *,
    reference: xr.DataArray | None = None,
    period: Duration = "7d",
    resolution: Duration = "10min",
    largest: Duration = "14h",
) -> xr.Dataset:
    """Return by how much each series comes later than a reference, period by period (by cross-correlation).

    A clock that is an hour ahead writes what happens at 12:00 as 13:00: its series fits the reference best if it is moved
    back by an hour. Only signals that assets share show it, such as the course of a day or of the weather.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
        Computed if lazy.
    reference : DataArray with dimension ``time``, optional
        On the same times; the median of all assets by default.
    period : duration
        Each period is compared by itself; periods are counted from 1970, UTC.
    resolution : duration
        Means over this length are compared; a shift is found to a fraction of it. The period is a multiple of it.
    largest : duration
        Largest shift that is looked for; above half a day, daily courses fit again.

    Returns
    -------
    Dataset
        ``shift`` (timedelta64; positive if the clock is ahead), ``correlation`` with this shift and
        ``correlation_unshifted``, along ``period`` (its start) and the other dimensions; NaT and NaN where fewer than
        half of a period's means are there in both.

    Raises
    ------
    SchemaError
        If durations or time axes don't fit.

    References
    ----------
    .. [1] C. H. Knapp and G. C. Carter, "The generalized correlation method for estimation of time delay", IEEE Trans.
       Acoust., Speech, Signal Process. 24 (1976), 320-327.

    >>> minutes = np.datetime64("2026-01-01", "ns") + np.arange(0, 7 * 1440, 10) * np.timedelta64(1, "m")
    >>> day = np.sin(np.arange(7 * 144) / 144 * 2 * np.pi)
    >>> ahead = xr.DataArray(np.roll(day, 6), {"time": minutes}, "time")
    >>> found = clock_shifts(ahead, reference=ahead.copy(data=day))
    >>> (found["shift"] / np.timedelta64(1, "m")).values.round().tolist()
    [60.0]
    """
    times = times_of(signal)
    spans = _checked(period, resolution, largest)
    compared = _reference(signal, reference)
    moved = signal.transpose(..., "time")
    table = series_table(moved.to_numpy())
    found, starts = _shifts(table, series_table(np.atleast_2d(compared.to_numpy())), times, *spans)
    dims = ("period", *(dim for dim in moved.dims if dim != "time"))
    shape = (starts.size, *moved.shape[:-1])
    coords = {name: one for name, one in signal.coords.items() if "time" not in one.dims}
    lags = np.where(np.isnan(found[0]), 0, np.rint(found[0] * spans[1])).astype("timedelta64[ns]")
    lags[np.isnan(found[0])] = np.timedelta64("NaT")
    data = {
        "shift": (dims, lags.reshape(shape)),
        "correlation": (dims, found[1].reshape(shape)),
        "correlation_unshifted": (dims, found[2].reshape(shape)),
    }
    return xr.Dataset(data, {**coords, "period": starts.view("datetime64[ns]")})


def clock_flags(
    signal: xr.DataArray,
    *,
    shift: Duration,
    reference: xr.DataArray | None = None,
    period: Duration = "7d",
    resolution: Duration = "10min",
    largest: Duration = "14h",
    correlation: float = 0.8,
) -> xr.DataArray:
    """Flag the values of periods in which an asset's clock seems shifted against the others': suspect.

    A shift is believed if with it the series correlates well with the reference, and if it explains at least half of what
    differs without it: an asset that is merely different from the others isn't evaluated.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    shift : duration
        Smallest shift, ahead or behind, that is suspect.
    reference, period, resolution, largest
        As for `clock_shifts`.
    correlation : float
        With a smaller one at the best shift, a period isn't evaluated.

    Raises
    ------
    SchemaError
        If durations, correlation or time axes don't fit.

    References
    ----------
    .. [1] C. H. Knapp and G. C. Carter, "The generalized correlation method for estimation of time delay", IEEE Trans.
       Acoust., Speech, Signal Process. 24 (1976), 320-327.

    >>> minutes = np.datetime64("2026-01-01", "ns") + np.arange(0, 7 * 1440, 10) * np.timedelta64(1, "m")
    >>> day = np.sin(np.arange(7 * 144) / 144 * 2 * np.pi)
    >>> both = xr.DataArray([day, np.roll(day, 6)], {"time": minutes}, ("asset", "time"))
    >>> np.unique(clock_flags(both, shift="30min", reference=both[0]), axis=1).ravel().tolist()
    [1, 3]
    """
    times = times_of(signal)
    smallest = nanoseconds(shift, "shift")
    spans = _checked(period, resolution, largest)
    if not 0 < correlation < 1 or smallest > spans[2]:
        msg = (
            f"expected 0 < correlation < 1 and shift <= largest, got correlation={correlation!r}, shift={shift!r}, "
            f"largest={largest!r}"
        )
        raise SchemaError(msg)

    def block(tables: Sequence[npt.NDArray[np.float64]], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        values = series_table(tables[0])
        (lags, best, plain), starts = _shifts(values, series_table(tables[1]), ns, *spans)
        believed = (np.abs(lags) * spans[1] >= smallest) & (1 - best <= (1 - _EXPLAINED) * (1 - plain))
        flags = np.where(believed, np.uint8(Flag.SUSPECT), np.uint8(Flag.PASS))
        # Comparing with NaN is false.
        flags = np.where(best >= correlation, flags, np.uint8(Flag.NOT_EVALUATED))
        rows = np.searchsorted(starts, ns // spans[0] * spans[0])
        return series_flags(np.where(np.isnan(values), np.uint8(Flag.MISSING), flags[rows]), tables[0].shape)

    reach = spans[0] + spans[2] + spans[1]
    return along_time_together(
        [signal, _reference(signal, reference)],
        block,
        times=times,
        before=reach,
        after=reach,
        standard_name="quality_flag",
    )


def _reference(signal: xr.DataArray, reference: xr.DataArray | None) -> xr.DataArray:
    found = median_of_assets(signal) if reference is None else reference
    return found.drop_vars([name for name, one in found.coords.items() if one.dims != ("time",)])


def _checked(period: Duration, resolution: Duration, largest: Duration) -> tuple[int, int, int]:
    """Return period, resolution and largest shift in ns."""
    given = {"period": period, "resolution": resolution, "largest": largest}
    length, step, reach = (nanoseconds(one, name) for name, one in given.items())
    if length % step or length < 24 * step or not step <= reach < length:
        msg = (
            "expected a period that is a multiple of the resolution (at least 24 of it) and longer than the largest shift, "
            f"got period={period!r}, resolution={resolution!r}, largest={largest!r}"
        )
        raise SchemaError(msg)
    return length, step, reach


def _shifts(  # noqa: PLR0917
    values: npt.NDArray[np.float64],
    reference: npt.NDArray[np.float64],
    times: npt.NDArray[np.int64],
    period: int,
    resolution: int,
    largest: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return lags in bins and correlations [3, period, series], and the start of each period."""
    bins = times // resolution
    first = int(bins[0]) if bins.size else 0
    size = int(bins[-1]) - first + 1 if bins.size else 0
    means = [np.empty((size, table.shape[1])) for table in (values, reference)]
    for table, out in zip((values, reference), means, strict=True):
        bin_means(table, bins - first, out)
    starts = np.unique(times // period) * period
    begins = np.maximum(starts // resolution - first, 0)
    ends = np.minimum((starts + period) // resolution - first, size)
    found = np.empty((3, starts.size, values.shape[1]))
    lagged_correlations(*means, begins, ends, -(-largest // resolution), _COMMON, found)
    return found, starts
