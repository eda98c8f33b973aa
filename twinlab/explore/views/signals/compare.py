"""Comparison periods: shifted by the clock of a time zone, or aligned by the starts of events."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.languages import tr
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.explore.charts.reading import Window

__all__ = ["Period", "Shift", "align_period", "parse_shift", "period_text"]

_PATTERN = re.compile(r"([+-])(\d+)(y|mo|w|d|h|min|s|ns)(?:@(\S+))?")
_CALENDAR = ("y", "mo", "w", "d")
_UNITS = {"y": "year", "mo": "month", "w": "week", "d": "day", "h": "hour", "min": "minute", "s": "second"}
_NANOSECONDS = {
    "w": 604_800_000_000_000,
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "min": 60_000_000_000,
    "s": 1_000_000_000,
    "ns": 1,
}


@dataclass(frozen=True)
class Shift:
    """Distance of a comparison period from the shown one, and the clock by which it is counted."""

    # "-7d": earlier by seven days; "+1y": a year later.
    text: str
    count: int
    unit: str
    # IANA zone by whose clock days are counted; None: UTC.
    zone: str | None = None

    @cached_property
    def title(self) -> str:
        """The shift as text: ``a week earlier``."""
        count, unit = abs(self.count), self.unit
        if unit == "d" and count % 7 == 0:
            count, unit = count // 7, "w"
        side = "earlier" if self.count < 0 else "later"
        if unit == "ns":
            return f"{pd.Timedelta(count, 'ns')} {side}".replace("0 days ", "")
        article = "an" if unit == "h" else "a"
        return f"{article if count == 1 else count} {_UNITS[unit]}{'' if count == 1 else 's'} {side}"

    def own_times(self, shown: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
        """Return the instants of the comparison period for the shown ones, both naive UTC; NaT where the clock skips them.

        An ambiguous local time means its first occurrence.

        >>> parse_shift("-7d@Europe/Berlin").own_times(np.array(["2026-03-30T08:00"], "datetime64[ns]"))
        array(['2026-03-23T09:00:00.000000000'], dtype='datetime64[ns]')
        """
        shown = shown.astype("datetime64[ns]")
        if self.unit not in _CALENDAR:
            return shown + np.timedelta64(self.count * _NANOSECONDS[self.unit], "ns")
        if self.zone is None and self.unit in ("w", "d"):
            return shown + np.timedelta64(self.count * _NANOSECONDS[self.unit], "ns")
        count = {unit: self.count if unit == self.unit else 0 for unit in _CALENDAR}
        offset = pd.DateOffset(years=count["y"], months=count["mo"], weeks=count["w"], days=count["d"])
        index = pd.DatetimeIndex(shown)
        if self.zone is None:
            return (index + offset).to_numpy().astype("datetime64[ns]")
        wall = index.tz_localize("UTC").tz_convert(self.zone).tz_localize(None) + offset
        first = np.ones(len(wall), bool)
        utc = wall.tz_localize(self.zone, ambiguous=first, nonexistent="NaT").tz_convert("UTC").tz_localize(None)
        return utc.to_numpy().astype("datetime64[ns]")


@dataclass(frozen=True)
class Period:
    """A comparison period, drawn with the shown one."""

    shift: Shift
    # Label in the legend.
    label: str


def parse_shift(text: str) -> Shift:
    """Parse a shift such as ``-7d``, ``-1y`` or, by the clock of a zone, ``-7d@Europe/Berlin``.

    Raises
    ------
    SchemaError
        If it isn't a sign, an integer and a unit (y, mo, w, d, h, min, s), or the zone is unknown.

    >>> parse_shift("-28d").title
    '4 weeks earlier'
    """
    found = _PATTERN.fullmatch(text.strip())
    if found is None or int(found[2]) == 0:
        msg = tr("expected a shift such as -7d, -1y or -7d@Europe/Berlin, got {text!r}", text=text)
        raise SchemaError(msg)
    sign, number, unit, zone = found.groups()
    if zone is not None:
        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            msg = tr("there is no IANA time zone {zone!r}; expected one such as Europe/Berlin", zone=zone)
            raise SchemaError(msg) from None
    count = -int(number) if sign == "-" else int(number)
    return Shift(text.strip(), count, unit, None if zone == "UTC" else zone)


def align_period(
    data: xr.Dataset, *, start: object, stop: object, cell_ns: int, shift: str | None = None
) -> xr.Dataset:
    """Align the cells of a comparison period with the times of the shown one.

    Parameters
    ----------
    data : Dataset, dims ``time, asset``
        Cells of the comparison period, every ``cell_ns``.
    start, stop : instants
        The shown period, half-open, UTC.
    cell_ns : int
        Width of a cell, nanoseconds.
    shift : str, optional
        Distance of the comparison period from the shown one; see `parse_shift`. None fills the missing cells of the
        shown period.

    Returns
    -------
    Dataset
        All cells of the shown period; one that is missing in ``data`` is NaN, its flag *not evaluated*.
    """
    grid = cell_times(start, stop, cell_ns)
    own = grid if shift is None else parse_shift(shift).own_times(grid)
    return at_times(data, own, cell_ns=cell_ns).assign_coords(time=grid)


def cell_times(start: object, stop: object, cell_ns: int) -> NDArray[np.datetime64]:
    """Return the starts of all cells that overlap ``[start, stop)``, multiples of their width since 1970."""
    first, last = (pd.Timestamp(t).as_unit("ns").value for t in (start, stop))  # type: ignore[arg-type]
    return (np.arange(first // cell_ns, -(-last // cell_ns)) * cell_ns).astype("datetime64[ns]")


def at_times(data: xr.Dataset, wanted: NDArray[np.datetime64], *, cell_ns: int) -> xr.Dataset:
    """Return the cells nearest to some instants, at most half a cell away; others are NaN or zero."""
    import xarray as xr  # noqa: PLC0415

    have = data["time"].values.astype("datetime64[ns]").astype("int64")
    missing = np.isnat(wanted)
    target = np.where(missing, np.datetime64(0, "ns"), wanted).astype("int64")
    place = np.searchsorted(have, target - cell_ns // 2)
    inside = np.minimum(place, max(len(have) - 1, 0))
    missing |= place >= len(have)
    if len(have):
        missing |= np.abs(have[inside] - target) > cell_ns // 2
    out: dict[str, tuple[tuple[str, ...], NDArray[np.generic], dict[str, object]]] = {}
    for name, array in data.data_vars.items():
        array = array.transpose("time", ...)  # noqa: PLW2901
        values = array.values[inside] if len(have) else np.empty((len(wanted), *array.shape[1:]), array.dtype)
        values[missing] = _fill_value(str(name), values.dtype)
        out[str(name)] = (tuple(map(str, array.dims)), values, dict(array.attrs))
    coords = {name: coord for name, coord in data.coords.items() if "time" not in coord.dims}
    return xr.Dataset(out, coords={"time": wanted, **coords})


def _fill_value(name: str, dtype: np.dtype[np.generic]) -> float | int:
    if name.endswith("_qc"):
        return Flag.NOT_EVALUATED
    return np.nan if dtype.kind == "f" else 0


def period_text(window: Window) -> str:
    """Return the days of a span as short, unambiguous text.

    >>> period_text((np.datetime64("2026-03-05", "ns"), np.datetime64("2026-03-12", "ns")))
    '5–11 Mar 2026'
    """
    first, last = (pd.Timestamp(t) for t in window)
    last = max(first, last - pd.Timedelta(1, "ns"))
    if first.date() == last.date():
        return f"{first.day} {first:%b %Y}, {first:%H:%M}–{window_end(window):%H:%M}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%b %Y}"
    if first.year == last.year:
        return f"{first.day} {first:%b} – {last.day} {last:%b %Y}"
    return f"{first.day} {first:%b %Y} – {last.day} {last:%b %Y}"


def window_end(window: Window) -> pd.Timestamp:
    """Return the end of a window, as a timestamp."""
    return pd.Timestamp(window[1])
