"""Profiles: quantiles of each asset and block of time, from a bounded sample; all that hypotheses are tested on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.labelled import times_of

__all__ = ["LEVELS", "Profiles", "labelled_table", "prepared", "profiles_of", "quantiles_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Quantiles of a profile.
LEVELS: Final = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
_DAY: Final = 86_400 * 10**9
#: Most blocks and most samples of a block: a year of minutes is read as 365 blocks of 96.
_MAX_BLOCKS: Final = 400
_SAMPLES: Final = 96
#: Fewest samples that make a profile.
_FEWEST: Final = 6


@dataclass(frozen=True)
class Profiles:
    """Quantiles of the values, [asset, block, quantile], NaN where a block has too few values."""

    assets: tuple[str, ...]
    edges: Ints
    """Begin of each block and end of the last, ns since 1970."""
    quantiles: Floats
    beside: Floats | None
    """The same of the coupled signal at the same times; None without one."""


def profiles_of(
    signal: xr.DataArray, coupled: xr.DataArray | None = None, *, counter: bool = False, signed: bool = False
) -> Profiles:
    """Return the profiles of a signal with dimensions time and asset, lazy or not.

    Of a counter they are profiles of its rises per hour. Unless ``signed``, of absolute values without zeros, which contain
    no evidence of scale: an engine at rest has speed 0 in every unit.

    Only a bounded number of samples is computed: at most 400 blocks of whole days (or quarters of a day, of less than six
    days) with 96 samples each, spread over the block.

    Raises
    ------
    SchemaError
        If dimensions or coordinates don't fit, or values aren't numbers.
    """
    table = labelled_table(signal)
    times = times_of(table)
    if not times.size:
        return Profiles(
            _names(table), np.zeros(1, dtype=np.int64), np.empty((table.sizes["asset"], 0, LEVELS.size)), None
        )
    long = _block_length(times)
    first = times[0] // long * long
    edges = np.arange(first, times[-1] + 1 + long, long)
    bounds = np.searchsorted(times, edges)
    picked = [_spread(begin, end, place) for place, (begin, end) in enumerate(pairwise(bounds.tolist()))]
    at = np.concatenate(picked)
    counts = [len(one) for one in picked]
    values = prepared(table.isel(time=at), times[at], counter=counter, signed=signed)
    if coupled is None:
        return Profiles(_names(table), edges, _by_block(values, counts), None)
    other = labelled_table(coupled).reindex(asset=table["asset"]).reindex(time=table["time"]).isel(time=at)
    beside = prepared(other, times[at], counter=counter, signed=signed)
    both = np.isfinite(values) & np.isfinite(beside)
    values, beside = np.where(both, values, np.nan), np.where(both, beside, np.nan)
    return Profiles(_names(table), edges, _by_block(values, counts), _by_block(beside, counts))


def quantiles_of(values: Floats) -> Floats:
    """Return the quantiles of the finite values along the last axis; NaN where there are fewer than 6.

    >>> quantiles_of(np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, np.nan]]))[0].tolist()
    [1.0, 2.0, 3.0, 5.0, 6.0]
    """
    known = np.isfinite(values)
    ordered = np.sort(values, axis=-1)
    count = known.sum(axis=-1)
    place = np.rint(LEVELS * np.maximum(count - 1, 0)[..., None]).astype(np.int64)
    found = np.take_along_axis(ordered, place, axis=-1)
    return np.where(count[..., None] >= _FEWEST, found, np.nan)


def prepared(table: xr.DataArray, times: Ints, *, counter: bool, signed: bool) -> Floats:
    """Return the numbers that profiles are made of, [time, asset]: rises per hour of a counter, absolute values."""
    values = np.array(table.to_numpy(), dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    if counter:
        values = _rises(values, times)
    if not signed:
        values = np.abs(values)
        values[values == 0.0] = np.nan
    return values


def _rises(values: Floats, times: Ints) -> Floats:
    """Return the rise per hour from the value before, [time, asset]; NaN without one, and where a counter falls."""
    rows = np.arange(len(values))[:, None]
    known = np.where(np.isfinite(values), rows, -1)
    before = np.vstack([np.full((1, values.shape[1]), -1), np.maximum.accumulate(known, axis=0)[:-1]])
    hours = (times[:, None] - times[np.maximum(before, 0)]) / 3.6e12
    rise = values - np.take_along_axis(values, np.maximum(before, 0), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((before >= 0) & (rise >= 0), rise / hours, np.nan)


def _by_block(values: Floats, counts: list[int]) -> Floats:
    """Return the quantiles of consecutive runs of rows, [asset, block, quantile]."""
    width = max(counts)
    padded = np.full((len(counts), width, values.shape[1]), np.nan)
    inside = np.arange(width)[None, :] < np.array(counts)[:, None]
    padded[inside] = values
    return quantiles_of(np.ascontiguousarray(padded.transpose(2, 0, 1)))


def labelled_table(signal: xr.DataArray) -> xr.DataArray:
    """Return a signal as [time, asset]; an array without assets gets one without a name."""
    if "time" not in signal.dims or not set(signal.dims) <= {"time", "asset"}:
        msg = f"expected dimensions 'time' and 'asset', got {list(signal.dims)}; rename, or select one of the others"
        raise SchemaError(msg)
    if signal.dtype.kind not in "fiu":
        msg = f"expected numbers (NaN for missing) in {signal.name!r}, got {signal.dtype}; convert them first"
        raise SchemaError(msg)
    wide = signal if "asset" in signal.dims else signal.expand_dims(asset=[str(signal.coords.get("asset", ""))])
    if "asset" not in wide.coords:
        msg = "expected a coordinate 'asset' with the assets' ids, got none; add it"
        raise SchemaError(msg)
    return wide.transpose("time", "asset")


def _names(table: xr.DataArray) -> tuple[str, ...]:
    return tuple(str(name) for name in table["asset"].to_numpy())


def _block_length(times: Ints) -> int:
    whole = int(times[-1] - times[0]) + 1
    if whole < 6 * _DAY:
        return _DAY // 4
    return _DAY * max(1, -(-whole // (_MAX_BLOCKS * _DAY)))


def _spread(begin: int, end: int, place: int) -> Ints:
    """Return at most 96 positions of a block, evenly spread; the offset differs from block to block."""
    step = max(1, (end - begin) // _SAMPLES)
    return np.arange(begin + place % step if step > 1 else begin, end, step, dtype=np.int64)[: _SAMPLES + step]
