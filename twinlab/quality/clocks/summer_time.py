"""The test of hours that are missing, or there twice, where clocks change for summer time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.labelled import along_time, series_flags, series_table, times_of

__all__ = ["clock_changes", "summer_time_flags"]

_HOUR: Final = 3600 * 10**9
_QUARTER: Final = _HOUR // 4
# Hours before and after that say how many observations are usual.
_AROUND: Final = 6
# So many times the usual number of observations: the hour is there twice.
_TWICE: Final = 1.6


def clock_changes(zone: str, start_ns: int, stop_ns: int) -> list[tuple[int, int, int]]:
    """Return when the clocks of a zone changed in [start, stop): (instant, offset before, offset after) in ns.

    Raises
    ------
    SchemaError
        If the zone isn't known.

    >>> year = [int(np.datetime64(day, "ns").astype(np.int64)) for day in ("2026-01-01", "2027-01-01")]
    >>> [(str(np.datetime64(at, "ns"))[:16], after // 3600_000_000_000) for at, _, after in clock_changes("Europe/Berlin", *year)]
    [('2026-03-29T01:00', 2), ('2026-10-25T01:00', 1)]
    """
    days = np.arange(start_ns // (24 * _HOUR) - 1, stop_ns // (24 * _HOUR) + 3) * 24 * _HOUR
    found = []
    for day in days[:-1][np.diff(_offsets(zone, days)) != 0].tolist():
        quarters = day + np.arange(97) * _QUARTER
        offsets = _offsets(zone, quarters)
        for place in np.flatnonzero(np.diff(offsets)).tolist():
            instant = int(quarters[place + 1])
            if start_ns <= instant < stop_ns:
                found.append((instant, int(offsets[place]), int(offsets[place + 1])))
    return found


def _offsets(zone: str, instants: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    try:
        local = pd.DatetimeIndex(instants.view("datetime64[ns]"), tz="UTC").tz_convert(zone).tz_localize(None)
    except (KeyError, ValueError, OSError, TypeError) as error:
        msg = f"expected a time zone such as 'Europe/Berlin', got {zone!r}"
        raise SchemaError(msg) from error
    found: npt.NDArray[np.int64] = local.to_numpy().astype("datetime64[ns]").astype(np.int64) - instants
    return found


def summer_time_flags(signal: xr.DataArray, *, zone: str) -> xr.DataArray:
    """Flag observations in hours that are there twice, and those after an hour without any, where clocks change: suspect.

    Local times that are read with a fixed offset, or as UTC, repeat an hour in autumn and lack one in spring. The hour is
    looked for where it would be under each of these readings: at the change itself, an hour earlier, and shifted by
    the zone's offset. It is there twice if it has 1.6 times the usual number of observations, or more, and is missing if it
    has none, while hours around it have.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
        The exact times of observations (UTC as they were understood), which may repeat; NaN isn't an observation.
    zone : str
        The zone whose summer time may have got into the data, such as ``"Europe/Berlin"``.

    Raises
    ------
    SchemaError
        If the zone isn't known, or the times aren't in order.

    References
    ----------
    .. [1] P. Eggert et al., "Theory and pragmatics of the tz code and data", IANA Time Zone Database.

    >>> quarters = np.datetime64("2026-03-28T20:00", "ns") + np.arange(40) * np.timedelta64(15, "m")
    >>> x = xr.DataArray(np.ones(40), {"time": quarters}, "time").isel(time=[*range(20), *range(24, 40)])
    >>> flags = summer_time_flags(x, zone="Europe/Berlin")
    >>> flags.time.values[flags == 3].tolist() == [quarters[24].astype(np.int64)]
    True
    """
    times = times_of(signal, repeated=True)
    span = (int(times[0]) - 48 * _HOUR, int(times[-1]) + 48 * _HOUR) if times.size else (0, 0)
    hours = _hours(clock_changes(zone, *span))

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        present = ~np.isnan(series_table(values))
        out = np.where(present, np.uint8(Flag.PASS), np.uint8(Flag.MISSING))
        # Most pieces have no change of clocks near them.
        near = [
            (start, length)
            for start, length in hours
            if ns.size and ns[0] - 2 * _AROUND * length <= start <= ns[-1] + 2 * _AROUND * length
        ]
        if not near:
            return series_flags(out, values.shape)
        for flags, seen in zip(out.T, present.T, strict=True):
            rows = np.flatnonzero(seen)
            for start, length in near:
                flags[rows[_wrong_rows(ns[rows], start, length)]] = Flag.SUSPECT
        return series_flags(out, values.shape)

    reach = (_AROUND + 3) * _HOUR
    return along_time(signal, block, times=times, before=reach, after=reach, standard_name="quality_flag")


def _hours(changes: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return start and length of each hour that a wrong reading of local times would repeat or lack."""
    found = set()
    for instant, before, after in changes:
        length = abs(after - before)
        low, high = min(before, after), max(before, after)
        # Local times read with the one and the other offset, and as UTC, from the changed clock's view.
        found |= {(instant - length, length), (instant, length), (instant + low, length), (instant + high, length)}
    return sorted(found)


def _wrong_rows(times: npt.NDArray[np.int64], start: int, length: int) -> slice:
    """Return the rows of the observations that are suspect because of one hour."""
    edges = start + np.arange(-_AROUND, _AROUND + 2) * length
    rows = np.searchsorted(times, edges)
    counts = np.diff(rows)
    around = np.delete(counts, _AROUND)
    usual = float(np.median(around))
    first, stop = int(rows[_AROUND]), int(rows[_AROUND + 1])
    nothing = slice(0, 0)
    # Hours on both sides have observations, otherwise it is a longer gap or the end of the data.
    if usual < 1 or not counts[_AROUND - 1] or not counts[_AROUND + 1]:
        return nothing
    if counts[_AROUND] == 0:
        return slice(first, first + 1)
    return slice(first, stop) if counts[_AROUND] >= _TWICE * usual and counts[_AROUND] > around.max() else nothing
