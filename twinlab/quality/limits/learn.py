"""Learn what is normal for a signal, by season and hour of day."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.labelled import times_of
from twinlab.quality.limits.learnt import LearntLimits
from twinlab.quality.signals.climatology import SeasonSpan, known_zone

__all__ = ["learn_limits"]

Part = Literal["month", "season", "hour"]

_SEASONS: Final = ((12, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11))
#: Of more values, only evenly spread times are used: quantiles of so many are known well enough.
_MOST: Final = 20_000_000


def learn_limits(
    data: xr.DataArray,
    *,
    by: Collection[Part] = ("month", "hour"),
    hours: int = 4,
    quantiles: tuple[float, float] = (0.05, 0.95),
    margin: float = 3.0,
    least: int = 100,
    zone: str = "UTC",
    flags: xr.DataArray | None = None,
) -> LearntLimits:
    """Return spans of what is normal for a signal, by season and hour of day.

    A span reaches from the median to the lower and to the upper quantile, times ``margin`` on each side: up to 5 % of wrong
    values on either side leave it as it is, and a skewed signal has a skewed span. For a normal distribution the
    defaults give 4.9 standard deviations.

    Parameters
    ----------
    data : DataArray with dimension ``time``
        Values of one signal, of all assets alike; NaN means missing.
    by : collection of {"month", "season", "hour"}
        What spans depend on; seasons are December to February, and so on. Without any there is one span.
    hours : int
        Length of the parts of the day, a divisor of 24.
    quantiles : (float, float)
        Lower and upper quantile.
    margin : float
        By how much they are moved away from the median.
    least : int
        A part with fewer values has no span of its own, but that of its season, or of all values.
    zone : str
        Time zone of months and hours.
    flags : DataArray, optional
        Flags of the values; those that are suspect or fail aren't learnt from.

    Raises
    ------
    SchemaError
        If a parameter doesn't fit, or there are fewer than ``least`` values.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1,
       test 5, Climatology Test (spans from the local records).
    .. [2] M. Hubert and E. Vandervieren, "An adjusted boxplot for skewed distributions", Computational Statistics & Data
       Analysis 52 (2008), 5186-5201, for limits of each side by itself.

    >>> hours = np.datetime64("2026-01-01", "ns") + np.arange(31 * 24) * np.timedelta64(1, "h")
    >>> day = 4 + 2 * (hours.astype("datetime64[h]").astype(int) % 24 >= 12) + np.tile([0.0, 0.1, 0.2], 248)
    >>> found = learn_limits(xr.DataArray(day, {"time": hours}, "time"), by=["hour"], hours=12)
    >>> [(span.hours, span.suspect) for span in found.spans]
    [((0, 12), (3.8, 4.4)), ((12, 24), (5.8, 6.4))]
    """
    _check(by, hours, quantiles, margin, least)
    times = times_of(data)
    known = data if flags is None else data.where(flags.isin([Flag.PASS, Flag.NOT_EVALUATED]))
    stride = max(1, math.ceil(known.size / _MOST))
    if stride > 1:
        known, times = known.isel(time=slice(None, None, stride)), times[::stride]
    values = known.transpose("time", ...).to_numpy().reshape(times.size, -1)
    months, parts = _calendar(times, zone)
    step = hours if "hour" in by else 24
    finite = np.isfinite(values)
    if int(finite.sum()) < least:
        msg = f"expected at least {least} values to learn limits from, got {int(finite.sum())}; choose a longer period"
        raise SchemaError(msg)
    found: list[SeasonSpan] = []
    seasons = _seasons(by)
    for group in (tuple(range(1, 13)), *(seasons if len(seasons) > 1 else ())):
        for length in {24: (24,)}.get(step, (24, step)):
            for start in range(0, 24, length):
                rows = np.isin(months, group) & (parts >= start) & (parts < start + length)
                inside = values[rows][finite[rows]]
                if inside.size >= least:
                    found.append(SeasonSpan(_span(inside, quantiles, margin), None, group, (start, start + length)))
    spans = _needed(found, months, parts)
    outside = _outside(values, spans, months, parts)
    return LearntLimits(
        spans=tuple(spans),
        zone=zone,
        unit=str(data.attrs.get("units", "1")),
        start=np.datetime64(int(times[0]), "ns"),
        stop=np.datetime64(int(times[-1]), "ns"),
        samples=int(finite.sum()),
        series=int(finite.any(axis=0).sum()),
        share_outside=outside / int(finite.sum()),
        method=f"the {quantiles[0]:g} and {quantiles[1]:g} quantiles, {margin:g} times as far from the median",
    )


def _check(by: Collection[str], hours: int, quantiles: tuple[float, float], margin: float, least: int) -> None:
    unknown = set(by) - {"month", "season", "hour"}
    if unknown or {"month", "season"} <= set(by):
        msg = f"expected by as a choice of 'month' or 'season', and 'hour', got {list(by)}"
        raise SchemaError(msg)
    if not (1 <= hours <= 24 and 24 % hours == 0):
        msg = f"expected hours as a divisor of 24, got {hours!r}"
        raise SchemaError(msg)
    if not (0 <= quantiles[0] < 0.5 < quantiles[1] <= 1 and margin >= 1 and least >= 10):
        msg = (
            "expected quantiles below and above 0.5, margin >= 1 and least >= 10, "
            f"got quantiles={quantiles!r}, margin={margin!r}, least={least!r}"
        )
        raise SchemaError(msg)


def _seasons(by: Collection[str]) -> Sequence[tuple[int, ...]]:
    if "month" in by:
        return [(month,) for month in range(1, 13)]
    return _SEASONS if "season" in by else [tuple(range(1, 13))]


def _calendar(times: npt.NDArray[np.int64], zone: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the local month and hour of each time."""
    known_zone(zone)
    local = pd.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC").tz_convert(zone)
    return np.asarray(local.month, dtype=np.int64), np.asarray(local.hour, dtype=np.int64)


def _span(values: npt.NDArray[np.float64], quantiles: tuple[float, float], margin: float) -> tuple[float, float]:
    low, middle, high = np.quantile(values, [quantiles[0], 0.5, quantiles[1]]).tolist()
    low, high = middle - margin * (middle - low), middle + margin * (high - middle)
    # Outwards to three digits of the span; a constant signal has a span of its last digit.
    width = high - low if high > low else max(abs(middle), 1.0) * 1e-3
    digits = 2 - math.floor(math.log10(width))
    step = 10.0**-digits
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return round(first * step, digits), round(max(last, first + 1) * step, digits)


def _needed(
    spans: Sequence[SeasonSpan], months: npt.NDArray[np.int64], parts: npt.NDArray[np.int64]
) -> list[SeasonSpan]:
    """Leave out the coarser spans that finer ones cover wherever there are data."""
    kept: list[SeasonSpan] = []
    left = np.ones(months.size, dtype=np.bool_)
    for span in reversed(spans):
        mine = span.covers(months, parts)
        if (mine & left).any():
            kept.append(span)
            left &= ~mine
    return kept[::-1]


def _outside(
    values: npt.NDArray[np.float64],
    spans: Sequence[SeasonSpan],
    months: npt.NDArray[np.int64],
    parts: npt.NDArray[np.int64],
) -> int:
    count = 0
    left = np.ones(months.size, dtype=np.bool_)
    for span in reversed(spans):
        rows = span.covers(months, parts) & left
        left &= ~rows
        with np.errstate(invalid="ignore"):
            count += int(((values[rows] < span.suspect[0]) | (values[rows] > span.suspect[1])).sum())
    return count
