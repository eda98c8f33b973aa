"""How much later or earlier an asset's values come than those of the others, by period, and the test that flags it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.clocks.by_period import Grid, pieces_of
from twinlab.quality.clocks.kernels import medians
from twinlab.quality.labelled import Duration, labelled_flags, nanoseconds, on_the_same, times_of

__all__ = ["clock_flags", "clock_shifts", "median_of_assets"]

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
    grid = Grid(times_of(signal), *_checked(period, resolution, largest))
    moved = signal.transpose("time", ...)
    found = grid.fits_in_memory(moved.to_numpy(), _reference(moved, reference).to_numpy())
    starts = np.unique(grid.times // grid.period)
    found = found[:, starts - grid.first]
    shape = (starts.size, *moved.shape[1:])
    lags = np.where(np.isnan(found[0]), 0, np.rint(found[0] * grid.resolution)).astype("timedelta64[ns]")
    lags[np.isnan(found[0])] = np.timedelta64("NaT")
    dims = ("period", *moved.dims[1:])
    coords = {name: one for name, one in signal.coords.items() if "time" not in one.dims}
    data = {
        "shift": (dims, lags.reshape(shape)),
        "correlation": (dims, found[1].reshape(shape)),
        "correlation_unshifted": (dims, found[2].reshape(shape)),
    }
    return xr.Dataset(data, {**coords, "period": (starts * grid.period).view("datetime64[ns]")})


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
    smallest = nanoseconds(shift, "shift")
    grid = Grid(times_of(signal), *_checked(period, resolution, largest))
    if not 0 < correlation < 1 or smallest > grid.largest:
        msg = (
            f"expected 0 < correlation < 1 and shift <= largest, got correlation={correlation!r}, shift={shift!r}, "
            f"largest={largest!r}"
        )
        raise SchemaError(msg)

    def judge(fits: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
        lags, best, plain = fits
        believed = (np.abs(lags) * grid.resolution >= smallest) & (1 - best <= (1 - _EXPLAINED) * (1 - plain))
        flags = np.where(believed, np.uint8(Flag.SUSPECT), np.uint8(Flag.PASS))
        # Comparing with NaN is false.
        return np.where(best >= correlation, flags, np.uint8(Flag.NOT_EVALUATED))

    moved = signal.transpose("time", ...)
    if moved.chunks is not None and grid.count:
        pieces = pieces_of(grid, moved.chunks[0])
        moved = moved.chunk(time=pieces.sizes)
        compared = _reference(moved, reference).chunk(time=pieces.sizes)
        return labelled_flags(pieces.flags(moved.data, compared.data, judge), signal, moved.dims, "quality_flag")
    values = moved.to_numpy()
    flags = judge(grid.fits_in_memory(values, _reference(moved, reference).to_numpy()))
    flags = flags[grid.times // grid.period - grid.first].reshape(values.shape)
    found = np.where(np.isnan(values), np.uint8(Flag.MISSING), flags)
    return labelled_flags(found, signal, moved.dims, "quality_flag")


def _reference(signal: xr.DataArray, reference: xr.DataArray | None) -> xr.DataArray:
    """Return the reference in the order of the signal's dimensions; one of length 1 for those that it lacks."""
    found = on_the_same(median_of_assets(signal) if reference is None else reference, signal, broadcast=False)
    return found.expand_dims([dim for dim in signal.dims if dim not in found.dims]).transpose(*signal.dims)


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
