"""Daily levels of sensors, and the level that similar sensors show: tables [day, asset]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit

from twinlab.errors import SchemaError
from twinlab.quality.labelled import times_of

__all__ = ["HOUR", "Levels", "daily_levels", "peer_levels", "without_outliers"]

Floats = npt.NDArray[np.float64]

HOUR: Final = 3600 * 10**9
#: Cells that are read at once.
_PIECE: Final = 32 * 2**20
#: Hours without a value that a day may have.
_FEWEST_HOURS: Final = 12
#: Most similar sensors that make a reference.
_PEERS: Final = 15


@dataclass(frozen=True)
class Levels:
    """Levels of sensors by day.

    Parameters
    ----------
    days : datetime64[ns] [day]
        Begin of each day, UTC, without gaps.
    table : float64 [day, asset]
        NaN where a day has less than 12 hours with values.
    assets : tuple of str
    """

    days: npt.NDArray[np.datetime64]
    table: Floats
    assets: tuple[str, ...]


@njit(cache=True, nogil=True, error_model="numpy")
def _add(values: Floats, hours: npt.NDArray[np.int64], total: Floats, count: Floats) -> None:
    for i in range(values.shape[0]):
        h = hours[i]
        for a in range(values.shape[1]):
            v = values[i, a]
            if np.isfinite(v):
                total[h, a] += v
                count[h, a] += 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _daily(hourly: Floats, fewest: int, out: Floats) -> None:
    """Write the median over each day's hours, each freed of the usual difference of its hour to the day."""
    days, assets = out.shape
    usual = np.empty(24)
    for a in range(assets):
        means = np.empty(days)
        for d in range(days):
            total, count = 0.0, 0
            for h in range(24):
                v = hourly[24 * d + h, a]
                if np.isfinite(v):
                    total += v
                    count += 1
            means[d] = total / count if count == 24 else np.nan
        found = np.empty(days)
        for h in range(24):
            k = 0
            for d in range(days):
                v = hourly[24 * d + h, a] - means[d]
                if np.isfinite(v):
                    found[k] = v
                    k += 1
            usual[h] = np.median(found[:k]) if k else 0.0
        some = np.empty(24)
        for d in range(days):
            k = 0
            for h in range(24):
                v = hourly[24 * d + h, a] - usual[h]
                if np.isfinite(v):
                    some[k] = v
                    k += 1
            out[d, a] = np.median(some[:k]) if k >= fewest else np.nan


def daily_levels(values: xr.DataArray) -> Levels:
    """Return the level of each asset on each day: the median of its hourly means without the usual course of a day.

    Parameters
    ----------
    values : DataArray with dimension ``time`` (datetime64, rising, UTC), and ``asset`` if there are several
        Any cadence up to a day; lazy values are read a span of time at a time.

    Raises
    ------
    SchemaError
        If there are other dimensions, or the time axis doesn't fit.

    >>> hours = np.datetime64("2026-03-01", "ns") + np.arange(48) * np.timedelta64(1, "h")
    >>> daily_levels(xr.DataArray(np.arange(48.0), {"time": hours}, "time")).table[:, 0].tolist()
    [11.5, 35.5]
    """
    times = times_of(values)
    if not set(values.dims) <= {"time", "asset"}:
        msg = f"expected the dimensions time and asset, got {list(values.dims)}; select one of the others"
        raise SchemaError(msg)
    if times.size == 0:
        msg = "expected at least one day of values, got none"
        raise SchemaError(msg)
    table = values.transpose("time", "asset") if "asset" in values.dims else values.expand_dims("asset", axis=1)
    names = tuple(map(str, table["asset"].to_numpy())) if "asset" in table.coords else ("",) * table.sizes["asset"]
    first = times[0] // (24 * HOUR) * 24 * HOUR
    hours = (times - first) // HOUR
    days = int(hours[-1]) // 24 + 1
    total, count = np.zeros((2, 24 * days, table.shape[1]))
    rows = max(1, _PIECE // max(1, table.shape[1]))
    for start in range(0, times.size, rows):
        piece = np.ascontiguousarray(table[start : start + rows].to_numpy(), dtype=np.float64)
        _add(piece, hours[start : start + rows], total, count)
    with np.errstate(invalid="ignore"):
        hourly = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    sampled = np.unique(hours % 24).size
    out = np.empty((days, table.shape[1]))
    # A logger with less than 24 readings a day has the level of those that there are.
    _daily(hourly, min(_FEWEST_HOURS, max(1, sampled // 2)), out)
    labels = (first + np.arange(days) * 24 * HOUR).view("datetime64[ns]")
    return Levels(labels, out, names)


def _median(table: Floats, axis: int) -> Floats:
    with np.errstate(all="ignore"):
        import warnings  # noqa: PLC0415

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            found: Floats = np.nanmedian(table, axis=axis)
    return found


def without_outliers(table: Floats, *, window: int = 9, limit: float = 5.0) -> Floats:
    """Return a table [day, asset] in which single days far off the median of the days around them are NaN.

    >>> table = np.array([[1.0], [1.1], [0.9], [9.0], [1.0], [1.1], [0.9], [1.0], [1.1], [1.0]])
    >>> np.flatnonzero(np.isnan(without_outliers(table)[:, 0])).tolist()
    [3]
    """
    half = window // 2
    padded = np.pad(table, ((half, half), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=0)
    # Without the day itself, which on a steady slope is the median and would have no distance.
    around = _median(np.delete(windows, half, axis=-1), -1)
    off = np.abs(table - around)
    scale = 1.4826 * _median(off, 0)
    # At an end, the days on one side alone can't show a slope from an outlier.
    known = np.isfinite(windows)
    off[(known[..., :half].sum(-1) < 2) | (known[..., half + 1 :].sum(-1) < 2)] = 0
    return np.where(off > limit * np.maximum(scale, 1e-12 * np.abs(around)), np.nan, table)


def peer_levels(table: Floats, *, excluded: Sequence[int] = (), groups: Sequence[object] | None = None) -> Floats:
    """Return for each sensor the median level of the sensors most similar to it, each relative to its own median.

    Similar are the fifteen of its group whose changes from day to day correlate most; a drift doesn't change that.

    Parameters
    ----------
    table : float64 [day, asset]
    excluded : sequence of int
        Assets that are nobody's peers, since they drift.
    groups : sequence, optional
        A label for each asset; peers have the same one.

    Returns
    -------
    float64 [day, asset]
        NaN where less than three peers have a level.

    >>> level = np.array([1.0, 2, 4, 3])[:, None] + np.array([0.0, 5, 7, 9])
    >>> peer_levels(level)[:, 0].tolist()
    [-1.5, -0.5, 1.5, 0.5]
    """
    count = table.shape[1]
    own = table - _median(table, 0)
    change = np.diff(table, axis=0)
    spread = 1.4826 * _median(np.abs(change), 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.clip(np.nan_to_num(change / spread, nan=0.0, posinf=0.0, neginf=0.0), -3, 3)
    length = np.sqrt((change**2).sum(0))
    unit = change / np.where(length > 0, length, 1.0)
    alike = unit.T @ unit
    alike[:, list(excluded)] = -np.inf
    np.fill_diagonal(alike, -np.inf)
    if groups is not None:
        labels = np.unique(np.array([repr(group) for group in groups]), return_inverse=True)[1]
        alike[labels[:, None] != labels[None, :]] = -np.inf
    chosen = min(_PEERS, count - 1)
    out = np.full(table.shape, np.nan)
    if chosen < 3:
        return out
    nearest = np.argpartition(-alike, chosen - 1, axis=1)[:, :chosen]
    for asset in range(count):
        peers = nearest[asset][np.isfinite(alike[asset, nearest[asset]])]
        if peers.size >= 3:
            seen = own[:, peers]
            enough = np.isfinite(seen).sum(1) >= 3
            out[enough, asset] = np.nanmedian(seen[enough], axis=1)
    return out
