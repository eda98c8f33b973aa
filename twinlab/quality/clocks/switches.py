"""The instant at which a clock was put wrong, or right again, near the edge of a period."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.quality.labelled import step_of, times_of

__all__ = ["clock_switch"]


def clock_switch(
    series: xr.DataArray, reference: xr.DataArray, shift: np.timedelta64, near: np.datetime64, *, within: np.timedelta64,
    back: bool = False,
) -> np.datetime64:  # fmt: skip
    """Return the time of the first value with another clock: where two courses, with and without the shift, fit best.

    Parameters
    ----------
    series, reference : DataArray with dimension ``time``
        Means of one asset and of those it is compared with, regular in time.
    shift : timedelta64
        By how much values with the wrong clock come late.
    near : datetime64
        About when it happened.
    within : timedelta64
        How far from ``near`` it is looked for; that much before and after has to be there, or ends with the data.
    back : bool
        Whether the clock was put right then, instead of wrong.

    >>> hours = np.datetime64("2026-01-01", "ns") + np.arange(14 * 24) * np.timedelta64(1, "h")
    >>> right = np.cumsum(np.random.default_rng(1).normal(size=14 * 24))
    >>> seen = np.where(np.arange(14 * 24) < 200, right, np.roll(right, 2))
    >>> both = [xr.DataArray(one, {"time": hours}, "time") for one in (seen, right)]
    >>> at = clock_switch(*both, np.timedelta64(2, "h"), np.datetime64("2026-01-08"), within=np.timedelta64(7, "D"))
    >>> int((at - hours[0]) / np.timedelta64(1, "h"))
    200
    """
    times = times_of(series)
    about, reach = (int(one.astype(kind).astype(np.int64)) for one, kind in ((near, "M8[ns]"), (within, "m8[ns]")))
    lag = round(int(shift.astype("m8[ns]").astype(np.int64)) / step_of(times))
    first, middle, stop = np.searchsorted(times, [about - reach, about, about + reach]).tolist()
    seen = series.to_numpy().astype(np.float64)[first:stop]
    course = reference.to_numpy().astype(np.float64)
    late = np.arange(first, stop) - lag
    moved = np.where((late >= 0) & (late < len(course)), course[np.clip(late, 0, len(course) - 1)], np.nan)
    unshifted, shifted = _errors(seen - course[first:stop]), _errors(seen - moved)
    before, after = (shifted, unshifted) if back else (unshifted, shifted)
    # Least squares of one course before and the other one after: where the running gain is lowest.
    gain = np.nan_to_num(before - after)
    total = np.concatenate([[0.0], np.cumsum(gain)])
    best = np.flatnonzero(total == total.min())
    at = int(best[np.abs(best - (middle - first)).argmin()])
    # The first value after it: where a clock was put ahead, there is a gap.
    later = np.flatnonzero(np.isfinite(seen[at:]))
    found = int(times[first + at + int(later[0])]) if later.size else about
    return np.datetime64(found, "ns")


def _errors(difference: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return squared differences from their median: assets have levels of their own."""
    known = difference[np.isfinite(difference)]
    level = float(np.median(known)) if known.size else 0.0
    return np.square(difference - level)
