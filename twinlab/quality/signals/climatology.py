"""The climatology test: spans that depend on the month and on the hour of day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.labelled import along_time, series_flags, series_table, times_of
from twinlab.quality.signals.kernels import outside_spans

__all__ = ["SeasonSpan", "calendar_runs", "climatology_flags"]

Span = tuple[float, float]

# Offsets of zones from UTC are whole quarters of an hour (those of the 19th century aside).
_QUARTER_NS: Final = 15 * 60 * 10**9
# 27 hours of quarters.
_DAY_AND_MORE: Final = 108
_NOWHERE: Final = (np.nan, np.nan)


@dataclass(frozen=True)
class SeasonSpan:
    """What is normal in some months and at some hours.

    Parameters
    ----------
    suspect : (float, float)
        Closed span, in the signal's unit; values outside it are suspect.
    fail : (float, float), optional
        Closed span around it; values outside it fail.
    months : sequence of int
        1 to 12; all by default.
    hours : (int, int)
        Half-open span of local hours, 0 to 24; ``(22, 6)`` goes over midnight.
    """

    suspect: Span
    fail: Span | None = None
    months: Sequence[int] = tuple(range(1, 13))
    hours: tuple[int, int] = (0, 24)

    def __post_init__(self) -> None:
        outer = self.suspect if self.fail is None else self.fail
        if not (outer[0] <= self.suspect[0] < self.suspect[1] <= outer[1]):
            msg = (
                f"expected suspect as (low, high) with low < high inside fail, got suspect={list(self.suspect)}, "
                f"fail={self.fail and list(self.fail)}; swap or widen them"
            )
            raise SchemaError(msg)
        if not self.months or not set(self.months) <= set(range(1, 13)):
            msg = f"expected months out of 1 to 12, got {list(self.months)}"
            raise SchemaError(msg)
        first, end = self.hours
        if not (0 <= first < 24 and 0 <= end <= 24 and first != end):
            msg = f"expected hours as [from, to) with from in 0 to 23 and to in 0 to 24, got {list(self.hours)}"
            raise SchemaError(msg)

    def covers(self, months: npt.NDArray[np.int64], hours: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return whether the span is that of some months and hours.

        >>> SeasonSpan((0, 1), hours=(22, 6)).covers(np.array([1, 1, 1]), np.array([23, 5, 6])).tolist()
        [True, True, False]
        """
        first, end = self.hours
        inside = (hours >= first) & (hours < end) if first < end else (hours >= first) | (hours < end)
        return np.isin(months, list(self.months)) & inside


def climatology_flags(signal: xr.DataArray, *, spans: Sequence[SeasonSpan], zone: str = "UTC") -> xr.DataArray:
    """Flag values that are outside what is normal in their month and at their hour of day (climatology test).

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    spans : sequence of SeasonSpan
        In the signal's unit. If several cover a value, the last one counts; where none does, the value isn't evaluated.
    zone : str
        Time zone of months and hours, such as ``"Europe/Berlin"``.

    Raises
    ------
    SchemaError
        If there is no span, the zone isn't known, or the time axis doesn't fit.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1,
       test 5, Climatology Test. Seasons may be of any size there; here they are months and hours of day.

    >>> days = np.array(["2026-01-15T12", "2026-07-15T12", "2026-10-15T12"], "datetime64[ns]")
    >>> seasons = [SeasonSpan((-10, 8), months=[12, 1, 2]), SeasonSpan((12, 35), fail=(0, 45), months=[6, 7, 8])]
    >>> climatology_flags(xr.DataArray([20.0, 20.0, 20.0], {"time": days}, "time"), spans=seasons).values.tolist()
    [3, 1, 2]
    """
    if not spans:
        msg = "expected at least one span of a season, got none"
        raise SchemaError(msg)
    times = times_of(signal)
    limits = np.array([[*(each.fail or (-np.inf, np.inf)), *each.suspect] for each in spans] + [2 * _NOWHERE])
    rows_of_month = _rows_of_months(spans)
    # Fails here rather than in a worker.
    known_zone(zone)

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        table = series_table(values)
        out = np.empty(table.shape, dtype=np.uint8)
        edges, rows = calendar_runs(ns, rows_of_month, zone)
        outside_spans(table, edges, limits[rows], out)
        return series_flags(out, values.shape)

    name = "climatology_test_quality_flag"
    return along_time(signal, block, times=times, before=0, after=0, standard_name=name)


def _rows_of_months(spans: Sequence[SeasonSpan]) -> npt.NDArray[np.int32]:
    """Return the number of the span of each month and hour, int32 [13, 24]; ``len(spans)`` for none."""
    months, hours = np.divmod(np.arange(13 * 24), 24)
    found = np.full(months.size, len(spans), dtype=np.int32)
    for number, span in enumerate(spans):
        found[span.covers(months, hours)] = number
    return found.reshape(13, 24)


def known_zone(zone: str) -> ZoneInfo:
    """Return a time zone by its name.

    Raises
    ------
    SchemaError
        If there is none of this name.

    >>> known_zone("Europe/Berlin").key
    'Europe/Berlin'
    """
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        msg = f"expected a time zone such as 'Europe/Berlin' or 'UTC', got {zone!r}"
        raise SchemaError(msg) from error


def calendar_runs(
    times: npt.NDArray[np.int64], table: npt.NDArray[np.int32], zone: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return the runs of times (ns since 1970, UTC, sorted) with one entry of ``table`` [13, 24] by local month and hour.

    Returns
    -------
    edges : int64 [run + 1]
        Where each run begins, and the number of times.
    rows : int32 [run]
        Its entry.

    >>> table = np.arange(13 * 24, dtype=np.int32).reshape(13, 24)
    >>> edges, rows = calendar_runs(np.array([0, 60, 4000]) * 10**9, table, "America/New_York")
    >>> edges.tolist(), [divmod(row, 24) for row in rows.tolist()]
    ([0, 2, 3], [(12, 19), (12, 20)])
    """
    if not times.size:
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    quarters = _quarters(times, by_hour=bool((table != table[:, :1]).any()))
    instants = pd.DatetimeIndex((quarters * _QUARTER_NS).view("datetime64[ns]"))
    if zone != "UTC":
        instants = instants.tz_localize("UTC").tz_convert(zone)
    rows = table[instants.month, instants.hour]
    begins = np.flatnonzero(np.diff(rows, prepend=-1))
    edges = np.searchsorted(times, quarters[begins] * _QUARTER_NS)
    edges[0] = 0
    return np.append(edges, times.size), rows[begins]


def _quarters(times: npt.NDArray[np.int64], *, by_hour: bool) -> npt.NDArray[np.int64]:
    """Return the quarters of an hour since 1970 at which the local month, or else the hour too, may change, sorted.

    The first one isn't later than the first time.
    """
    first, last = int(times[0]) // _QUARTER_NS, int(times[-1]) // _QUARTER_NS
    if by_hour and last - first < times.size:
        return np.arange(first, last + 1)
    if by_hour:
        found = times // _QUARTER_NS
        return found[np.flatnonzero(np.diff(found, prepend=found[:1] - 1))]
    around = np.array([first, last]) * _QUARTER_NS
    low, high = around.view("datetime64[ns]").astype("datetime64[M]").astype(int)
    months = np.arange(low, high + 2).astype("datetime64[M]").astype("datetime64[m]").astype(np.int64) // 15
    # A month begins up to a day earlier or later than in UTC.
    near = (months[:, None] + np.arange(-_DAY_AND_MORE, _DAY_AND_MORE + 1)).reshape(-1)
    return np.append(first, near[(near > first) & (near <= last)])
