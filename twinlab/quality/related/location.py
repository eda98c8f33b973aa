"""Location and speed tests: where an asset can be, and how fast it can get there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.cells import NEIGHBOUR_REACH
from twinlab.quality.labelled import (
    Duration,
    along_time_together,
    nanoseconds,
    series_flags,
    series_table,
    step_of,
    times_of,
)
from twinlab.quality.related.kernels import positions
from twinlab.quality.related.others import other_signal

__all__ = ["checked_box", "location_flags", "speed_flags"]

Box = tuple[float, float, float, float]

#: Mean radius of the Earth in metres; a great circle on this sphere is within 0.6 % of the distance on WGS 84.
EARTH_RADIUS: Final = 6_371_008.8
WORLD: Final[Box] = (-180.0, -90.0, 180.0, 90.0)


def checked_box(box: Sequence[float]) -> Box:
    """Return a box (west, south, east, north) in degrees.

    Raises
    ------
    SchemaError
        If it isn't one.

    >>> checked_box([-75, 40, -72, 42])
    (-75.0, 40.0, -72.0, 42.0)
    """
    numbers = tuple(map(float, box))
    if len(numbers) == 4:
        west, south, east, north = numbers
        if -90 <= south < north <= 90 and -180 <= west <= 180 and -180 <= east <= 180 and west != east:
            return west, south, east, north
    msg = f"expected a box [west, south, east, north] in degrees with south < north, got {list(box)}; reorder it"
    raise SchemaError(msg)


def location_flags(
    latitude: xr.DataArray,
    others: xr.Dataset,
    *,
    longitude: str,
    box: Box = WORLD,
    jump: float | None = None,
    within: Duration | None = None,
) -> xr.DataArray:
    """Flag positions outside a box (fail) and those far from the position before (suspect) (location test).

    Parameters
    ----------
    latitude : DataArray with dimension ``time``
        Degrees. The flags are those of the position.
    others : Dataset
        Has the longitude, on the same coordinates. Where it is missing, the position isn't evaluated.
    longitude : str
        Name of the longitude, in degrees.
    box : (float, float, float, float)
        West, south, east and north of where an asset can be, degrees; west > east for a box over the date line. The
        whole Earth by default. A position outside it is ignored by the comparison with the next one.
    jump : float, optional
        Distance from the position before, in metres, above which a position is suspect. After a wrong position that is
        inside the box, the next right one is suspect too.
    within : duration, optional
        Largest age of the position before; by default 64 usual steps.

    Raises
    ------
    SchemaError
        If box, distance, duration or the time axis don't fit.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1,
       test 3, Location Test.

    >>> minutes = {"time": np.datetime64("2026-01-01", "ns") + np.arange(3) * np.timedelta64(1, "m")}
    >>> east = xr.Dataset({"lon": ("time", [-73.8, -73.8, 73.8])}, minutes)
    >>> north = xr.DataArray([40.6, 41.6, 40.6], minutes, "time")
    >>> location_flags(north, east, longitude="lon", box=(-75, 40, -72, 42), jump=2_000).values.tolist()
    [2, 3, 4]
    """
    if jump is not None and not 0 < jump < math.inf:
        msg = f"expected jump as a positive number of metres, got {jump!r}"
        raise SchemaError(msg)
    distance = np.array([math.inf if jump is None else jump / EARTH_RADIUS, math.inf])
    never = np.array([math.inf, math.inf])
    return _positions(
        latitude,
        other_signal(others, longitude),
        checked_box(box),
        distance,
        never,
        within,
        "location_test_quality_flag",
    )


def speed_flags(
    latitude: xr.DataArray,
    others: xr.Dataset,
    *,
    longitude: str,
    suspect: float,
    fail: float | None = None,
    within: Duration | None = None,
) -> xr.DataArray:
    """Flag positions that the asset can't have reached in the time since the one before (impossible speed test).

    Parameters
    ----------
    latitude : DataArray with dimension ``time``
        Degrees. The flags are those of the position. One that isn't on the Earth fails.
    others : Dataset
        Has the longitude, on the same coordinates. Where it is missing, the position isn't evaluated.
    longitude : str
        Name of the longitude, in degrees.
    suspect : float
        Speed over the great circle, in metres **a second**, above which a position is suspect.
    fail : float, optional
        Speed above which it fails; never by default.
    within : duration, optional
        Largest age of the position before; by default 64 usual steps.

    Raises
    ------
    SchemaError
        If a speed, the duration or the time axis don't fit.

    References
    ----------
    .. [1] A. Wong et al., "Argo Quality Control Manual for CTD and Trajectory Data", test 5, Impossible speed test.

    >>> minutes = {"time": np.datetime64("2026-01-01", "ns") + np.arange(3) * np.timedelta64(1, "m")}
    >>> east = xr.Dataset({"lon": ("time", [-73.8, -73.8, -73.8])}, minutes)
    >>> north = xr.DataArray([40.6, 40.61, 41.6], minutes, "time")
    >>> speed_flags(north, east, longitude="lon", suspect=40, fail=300).values.tolist()
    [2, 1, 4]
    """
    highest = math.inf if fail is None else float(fail)
    if not 0 < suspect <= highest:
        msg = f"expected speeds 0 < suspect <= fail in metres a second, got suspect={suspect!r}, fail={fail!r}"
        raise SchemaError(msg)
    slow = np.array([math.inf, suspect / EARTH_RADIUS / 1e9])
    fast = np.array([math.inf, highest / EARTH_RADIUS / 1e9])
    name = "speed_test_quality_flag"
    return _positions(latitude, other_signal(others, longitude), WORLD, slow, fast, within, name)


def _positions(  # noqa: PLR0917
    latitude: xr.DataArray,
    longitude: xr.DataArray,
    box: Box,
    suspect: npt.NDArray[np.float64],
    fail: npt.NDArray[np.float64],
    within: Duration | None,
    standard_name: str,
) -> xr.DataArray:
    times = times_of(latitude)
    reach = step_of(times) * NEIGHBOUR_REACH if within is None else nanoseconds(within, "within")
    corners = np.array(box)

    def block(tables: Sequence[npt.NDArray[np.float64]], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        north, east = (series_table(each) for each in tables)
        out = np.empty(north.shape, dtype=np.uint8)
        positions(north, east, np.ascontiguousarray(ns), corners, suspect, fail, reach, out)
        return series_flags(out, tables[0].shape)

    compared = bool(np.isfinite(suspect).any())
    return along_time_together(
        [latitude, longitude],
        block,
        times=times,
        before=reach if compared else 0,
        after=0,
        standard_name=standard_name,
    )
