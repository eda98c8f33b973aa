"""Visits: instants at which several sensors of one asset depart from their level at once, since somebody handles them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.drift.departures import departures, marked, smallest_change
from twinlab.quality.drift.rolling import Bools, Floats, regular_step
from twinlab.quality.drift.together import together
from twinlab.quality.signals.climatology import known_zone

__all__ = ["find_visits", "same_probe", "visit_flags", "visited"]

#: Samples around a value whose median is its level, and distance from it in usual ones, that is noticed at a visit only.
_COUNT: Final = 9
_NOTICED: Final = 4.0
#: Share of the signals, and least number, that depart at a visit.
_SHARE: Final = 0.4
_LEAST: Final = 2


def _noticed(values: Floats) -> Bools:
    known = np.where(np.isfinite(values), values, np.nan)
    found: Bools = departures(known, _COUNT, smallest_change(known)) > _NOTICED
    # A failed reading in the midst of others is a departure; so are the first and the last of a long gap.
    gap = np.isnan(known)
    return found | (gap & ~_inner(gap))


def _inner(gap: Bools) -> Bools:
    edges = np.flatnonzero(np.diff(np.r_[0, gap.astype(np.int8), 0]))
    out = np.zeros(gap.size, dtype=np.bool_)
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if stop - start >= _COUNT:
            out[start + 1 : stop - 1] = True
    return out


def visited(several: Sequence[Floats]) -> tuple[Bools, list[Bools]]:
    """Return when a visit was, and what each signal shows by itself."""
    seen = [_noticed(values) for values in several]
    at_once = np.sum([marked(one) for one in seen], axis=0) >= max(_LEAST, np.ceil(_SHARE * len(seen)))
    return at_once, seen


def find_visits(dataset: xr.Dataset, *, hours: tuple[int, int] | None = None, zone: str = "UTC") -> xr.DataArray:
    """Return when somebody handled the sensors of each asset: at least 40 % of its signals, and two, depart at once.

    Cleaning or calibrating a probe takes all its sensors out of what they measure. A reading that fails counts as a
    departure, and of a long gap its first and last. Give values out of a sensor's span as NaN.

    Parameters
    ----------
    dataset : Dataset
        Numeric signals of one probe with the dimension ``time`` (a regular cadence) and perhaps ``asset``.
    hours : (int, int), optional
        Half-open span of local hours of work, 0 to 24: the middle of a visit is in it. Clouds and ice move several signals at once, too.
    zone : str
        Time zone of ``hours``.

    Returns
    -------
    DataArray, bool
        True at the visits; dimensions of the signals.

    Raises
    ------
    SchemaError
        If there are less than two signals, times aren't regular, or hours or zone don't fit.

    >>> quarters = np.datetime64("2026-01-01", "ns") + np.arange(200) * np.timedelta64(15, "m")
    >>> noise = np.random.default_rng(0).normal(0, 0.1, (3, 200))
    >>> noise[:, 100] += (5, -7, 4)
    >>> data = xr.Dataset({n: ("time", v) for n, v in zip("abc", noise)}, {"time": quarters})
    >>> np.flatnonzero(find_visits(data)).tolist()
    [99, 100, 101]
    >>> find_visits(data, hours=(8, 18), zone="Asia/Tokyo").any().item()
    True
    >>> find_visits(data, hours=(8, 18), zone="Europe/Berlin").any().item()
    False
    """
    signals = [array for array in dataset.data_vars.values() if array.dtype.kind in "fiu" and "time" in array.dims]
    if len(signals) < _LEAST:
        msg = f"expected at least two signals with the dimension time, got {[str(one.name) for one in signals]}"
        raise SchemaError(msg)
    for one in signals:
        regular_step(one)
    working = None if hours is None else _working(signals[0], hours, zone)

    def judge(*several: Floats) -> Bools:
        found = visited([np.asarray(one, dtype=np.float64) for one in several])[0]
        return found if working is None else _in_the_middle_of(found, working)

    found: xr.DataArray = xr.apply_ufunc(
        judge,
        *(one.chunk(time=-1) if one.chunks is not None else one for one in signals),
        input_core_dims=[["time"]] * len(signals),
        output_core_dims=[["time"]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.bool_],
    )
    return found.transpose(*max((one.dims for one in signals), key=len)).rename("visit")


def _working(signal: xr.DataArray, hours: tuple[int, int], zone: str) -> Bools:
    first, end = hours
    if not (0 <= first < 24 and 0 <= end <= 24 and first != end):
        msg = f"expected hours as [from, to) with from in 0 to 23 and to in 0 to 24, got {hours!r}"
        raise SchemaError(msg)
    local = pd.DatetimeIndex(signal["time"].to_numpy(), tz="UTC").tz_convert(known_zone(zone)).hour
    found: Bools = (local - first) % 24 < ((end - first) % 24 or 24)
    return found


def _in_the_middle_of(visits: Bools, working: Bools) -> Bools:
    """Return the visits whose middle is at a time of work."""
    edges = np.flatnonzero(np.diff(np.r_[0, visits.astype(np.int8), 0]))
    out = visits.copy()
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        out[start:stop] = working[(start + stop) // 2]
    return out


def visit_flags(signal: xr.DataArray, others: xr.Dataset, *, signals: Sequence[str] | None = None) -> xr.DataArray:
    """Flag values that depart a little from their level while other signals of the asset do, too: suspect.

    The departure by itself would be too small to be flagged.

    Parameters
    ----------
    signal : DataArray with dimension ``time``, at a regular cadence
    others : Dataset
        Other signals of the asset on the same coordinates; see `find_visits`.
    signals : sequence of str, optional
        Those of ``others`` that are of the same probe; all by default.

    Raises
    ------
    SchemaError
        If coordinates differ, a signal isn't there, or times aren't regular.

    >>> quarters = np.datetime64("2026-01-01", "ns") + np.arange(200) * np.timedelta64(15, "m")
    >>> noise = np.random.default_rng(0).normal(0, 0.1, (3, 200))
    >>> noise[:, 100] += (5, -7, 0.9)
    >>> a, b, c = (xr.DataArray(v, {"time": quarters}, "time", name=n) for n, v in zip("abc", noise))
    >>> np.flatnonzero(visit_flags(c, xr.Dataset({"a": a, "b": b})) == 3).tolist()
    [100]
    """
    given = same_probe(signal, others, signals)

    def judge(*several: Floats) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        numbers = [np.asarray(one, dtype=np.float64) for one in several]
        at_once, seen = visited(numbers)
        out = np.where(at_once & seen[0], Flag.SUSPECT.value, Flag.PASS.value).astype(np.uint8)
        out[np.isnan(numbers[0])] = Flag.MISSING.value
        return out

    return together(judge, given, signal)


def same_probe(signal: xr.DataArray, others: xr.Dataset, signals: Sequence[str] | None) -> list[xr.DataArray]:
    """Return a signal and others of its probe, all of ``others`` by default.

    Raises
    ------
    SchemaError
        If coordinates differ, a signal isn't there, or times aren't regular.
    """
    regular_step(signal)
    try:
        xr.align(signal, others, join="exact", copy=False)
    except ValueError as error:
        msg = f"expected the other signals on the coordinates of {signal.name!r}, got others ({error})"
        raise SchemaError(msg) from error
    names = list(others.data_vars) if signals is None else list(signals)
    missing = [name for name in names if name not in others.data_vars]
    if missing or not names:
        msg = f"expected other signals out of {sorted(map(str, others.data_vars))}, got {missing or 'none'}; correct the names"
        raise SchemaError(msg)
    return [signal, *(others[name] for name in names)]
