"""Values far off the level around them, and noise far above the usual: limits come from the series itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.drift.rolling import Bools, Floats, each_series, regular_step, robust_spread, rolling
from twinlab.quality.labelled import Duration, nanoseconds

__all__ = [
    "departure_flags",
    "departures",
    "marked",
    "resolution_of",
    "samples",
    "smallest_change",
    "variability_flags",
]


def samples(duration: Duration, name: str, step: int, *, least: int = 3) -> int:
    """Return a duration in samples, an odd number so that a window has a middle.

    Raises
    ------
    SchemaError
        If it has less than ``least`` samples.

    >>> samples("1h", "window", 900 * 10**9)
    5
    """
    count = nanoseconds(duration, name) // step // 2 * 2 + 1
    if count < least:
        msg = f"expected {name} of at least {least} steps, got {duration!r} at a step of {step / 1e9:g} s; lengthen it"
        raise SchemaError(msg)
    return int(count)


def smallest_change(values: Floats) -> float:
    """Return the smallest change that means something: the usual one between neighbours, and at least the resolution.

    >>> smallest_change(np.array([1.0, 1.5, 1.0, 1.5, np.nan]))
    0.7413
    """
    return max(robust_spread(np.diff(values[np.isfinite(values)])), resolution_of(values))


def resolution_of(values: Floats) -> float:
    """Return the usual distance of two different values next to each other in size; 0 if there is none.

    >>> round(resolution_of(np.array([1.0, 1.2, 1.1, 1.1, np.nan])), 6)
    0.1
    """
    levels = np.unique(np.round(values[np.isfinite(values)], 6))
    return float(np.median(np.diff(levels))) if levels.size > 1 else 0.0


def departures(values: Floats, count: int, floor: float) -> Floats:
    """Return how far each value is from the median of the ``count`` around it, in usual distances of that part.

    The usual distance is that of thrice the window, of 289 values at least, between half and twice the one of the whole series.
    """
    off = np.abs(values - rolling(values, count, least=max(2, count // 3)))
    around = 1.4826 * rolling(off, max(3 * count, 289), least=10)
    known = around[np.isfinite(around)]
    usual = float(np.median(known)) if known.size else 0.0
    scale = np.maximum(np.clip(around, 0.5 * usual, 2 * usual), max(floor, 1e-12))
    found: Floats = np.nan_to_num(off / scale)
    return found


def departure_flags(
    signal: xr.DataArray, *, window: Duration, limit: float = 15.0, resolution: float | None = None
) -> xr.DataArray:
    """Flag values far from the median of the time around them: suspect (Hampel's identifier, [1]_).

    Unlike `spike_flags` it needs no limits in the signal's unit, finds excursions of several values (up to half of the
    window), and looks at later values, too.

    Parameters
    ----------
    signal : DataArray with dimension ``time``, at a regular cadence
    window : duration
        Time around a value whose median is its level; at least three steps.
    limit : float
        Largest distance, in robust standard deviations of the distances of that part of the series.
    resolution : float, optional
        Smallest standard deviation that is assumed, in the signal's unit; by default the usual change of a value.

    Raises
    ------
    SchemaError
        If limit, window or times don't fit.

    References
    ----------
    .. [1] F. R. Hampel, "The influence curve and its role in robust estimation", Journal of the American Statistical
       Association 69 (1974) 383.

    >>> hours = np.datetime64("2026-01-01", "ns") + np.arange(60) * np.timedelta64(1, "h")
    >>> values = xr.DataArray(np.sin(np.arange(60.0)), {"time": hours}, "time")
    >>> values[20:22] = 30
    >>> np.flatnonzero(departure_flags(values, window="9h", limit=8) == 3).tolist()
    [20, 21]
    """
    _positive(limit, "limit")
    count = samples(window, "window", regular_step(signal))

    def judge(values: Floats) -> Bools:
        floor = smallest_change(values) if resolution is None else resolution
        return departures(values, count, floor) > limit

    return each_series(signal, judge, standard_name="quality_flag")


def variability_flags(
    signal: xr.DataArray, *, window: Duration, limit: float = 10.0, resolution: float | None = None
) -> xr.DataArray:
    """Flag times at which neighbouring values differ far more than they usually do: suspect (high variability).

    Fouling, air bubbles, a loose contact or a wet connector make a sensor noisy long before it fails. The noise of a value
    is its distance from the straight line between its neighbours; its mean over the window is compared with the median
    of the 30 days around, and of the whole series.

    Parameters
    ----------
    signal : DataArray with dimension ``time``, at a regular cadence
    window : duration
        Time over which the noise is averaged; at least three steps.
    limit : float
        Largest multiple of the usual noise.
    resolution : float, optional
        Smallest usual noise that is assumed, in the signal's unit; by default the resolution of the values.

    Raises
    ------
    SchemaError
        If limit, window or times don't fit.

    References
    ----------
    .. [1] J. S. Horsburgh et al., "Open source software for visualization and quality control of continuous hydrologic
       and water quality sensor data", Environmental Modelling & Software 70 (2015) 32 (high variability).

    >>> hours = np.datetime64("2026-01-01", "ns") + np.arange(400) * np.timedelta64(1, "h")
    >>> values = xr.DataArray(np.random.default_rng(0).normal(0, 0.1, 400), {"time": hours}, "time")
    >>> values[200:240] *= 30
    >>> found = np.flatnonzero(variability_flags(values, window="9h") == 3)
    >>> int(found.min()) > 195, int(found.max()) < 245, found.size > 30
    (True, True, True)
    """
    _positive(limit, "limit")
    step = regular_step(signal)
    count, month = samples(window, "window", step), samples("30d", "30 days", step, least=1)

    def judge(values: Floats) -> Bools:
        noise = np.full(values.size, np.nan)
        noise[1:-1] = np.abs(values[1:-1] - (values[:-2] + values[2:]) / 2)
        known = noise[np.isfinite(noise)]
        if known.size < count:
            return np.zeros(values.size, dtype=np.bool_)
        # One spike isn't noise: it counts as 20 times the usual.
        noise = np.minimum(noise, 20 * float(np.median(known)) + (resolution or 0.0))
        now = rolling(noise, count, "mean", least=count // 2)
        usual = rolling(now, month, least=count)
        finest = resolution_of(values) if resolution is None else resolution
        scale = np.fmax(usual, max(float(np.nanmedian(now)), finest, 1e-12))
        return now > limit * scale

    return each_series(signal, judge, standard_name="quality_flag")


def _positive(value: float, name: str) -> None:
    if not 0 < value < np.inf:
        msg = f"expected {name} as a positive number, got {value!r}"
        raise SchemaError(msg)


def marked(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return a mask with the neighbour before and after each mark.

    >>> marked(np.array([False, False, True, False, False])).tolist()
    [False, True, True, True, False]
    """
    out = mask.copy()
    out[1:] |= mask[:-1]
    out[:-1] |= mask[1:]
    return out
