"""Values that leave their level while another signal shows conditions that impair the measurement, such as ice."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.drift.departures import samples, smallest_change
from twinlab.quality.drift.rolling import Bools, Floats, regular_step, rolling
from twinlab.quality.drift.together import together
from twinlab.quality.labelled import Duration, nanoseconds, on_the_same
from twinlab.quality.related.others import other_signal

__all__ = ["affected_flags"]

#: Least share of values outside the conditions from which a level is known.
_FREE = 0.1


def affected_flags(
    signal: xr.DataArray,
    others: xr.Dataset,
    *,
    given: str,
    span: tuple[float, float],
    lasting: Duration = "1h",
    after: Duration = "12h",
    window: Duration = "7d",
    limit: float = 5.0,
    resolution: float | None = None,
) -> xr.DataArray:
    """Flag values that leave their level while another signal is in a span that impairs the measurement: suspect.

    The level of a river rises under ice without more water in it ([1]_, backwater from ice); a sensor of weight or of
    vibration is unreliable beside a running engine. Neither limits nor a departure by themselves show it: both are normal
    at other times. The level is the median of the time around, of values outside such conditions only, and is interpolated
    over them; a value is compared with the usual distance from it in the 30 days around.

    Parameters
    ----------
    signal : DataArray with dimension ``time``, at a regular cadence
    others : Dataset
        Has the other signal, on the same coordinates.
    given : str
        Name of the other signal.
    span : (float, float)
        Closed span of the other signal, in its unit.
    lasting : duration
        How long the other signal is in the span before that counts: a reading that fails is no ice.
    after : duration
        How long the conditions count after the other signal has left the span: ice melts slowly.
    window : duration
        Time whose median is the level; at least three steps.
    limit : float
        Largest distance from the level, in robust standard deviations.
    resolution : float, optional
        Smallest standard deviation that is assumed, in the signal's unit; by default the usual change of a value.

    Raises
    ------
    SchemaError
        If a parameter, the coordinates or the times don't fit, or the other signal isn't there.

    References
    ----------
    .. [1] S. E. Rantz et al., "Measurement and Computation of Streamflow", U.S. Geological Survey Water-Supply Paper 2175
       (1982), chapter 10, discharge during periods of backwater from ice.

    >>> hours = {"time": np.datetime64("2026-01-01", "ns") + np.arange(480) * np.timedelta64(1, "h")}
    >>> level = xr.DataArray(20 + np.random.default_rng(0).normal(0, 0.1, 480), hours, "time")
    >>> level[100:110] += 8
    >>> level[300:310] += 8
    >>> water = xr.Dataset({"temperature": ("time", np.where(np.arange(480) // 100 == 3, 0.0, 4.0))}, hours)
    >>> np.flatnonzero(affected_flags(level, water, given="temperature", span=(-1, 0.1)) == 3).tolist()
    [300, 301, 302, 303, 304, 305, 306, 307, 308, 309]
    """
    low, high = map(float, span)
    if not low <= high or not 0 < limit < np.inf:
        msg = f"expected span as (low, high) and limit > 0, got span={span!r}, limit={limit!r}"
        raise SchemaError(msg)
    step = regular_step(signal)
    other = on_the_same(other_signal(others, given), signal)
    least, held = nanoseconds(lasting, "lasting") // step, nanoseconds(after, "after") // step
    count, month = samples(window, "window", step), samples("30d", "30 days", step, least=1)

    def judge(values: Floats, conditions: Floats) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        known = np.where(np.isfinite(values), values, np.nan)
        inside = _held((conditions >= low) & (conditions <= high), least, held)
        floor = smallest_change(known) if resolution is None else resolution
        off = _departed(known, inside, (count, month), limit, floor)
        out = np.where(off, Flag.SUSPECT.value, Flag.PASS.value).astype(np.uint8)
        out[np.isnan(values)] = Flag.MISSING.value
        return out

    return together(judge, [signal, other], signal)


def _held(inside: Bools, least: int, count: int) -> Bools:
    """Return a mask without its runs shorter than ``least`` samples, and each of the others held for ``count`` more.

    >>> _held(np.array([True, False, False, True, True, False, False]), 2, 1).tolist()
    [False, False, False, True, True, True, False]
    """
    edges = np.flatnonzero(np.diff(np.r_[0, inside.astype(np.int8), 0]))
    inside = inside.copy()
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        inside[start:stop] = stop - start >= least
    places = np.where(inside, np.arange(inside.size), -count - 1)
    held: Bools = np.arange(inside.size) - np.maximum.accumulate(places) <= count
    return held


def _departed(values: Floats, inside: Bools, counts: tuple[int, int], limit: float, floor: float) -> Bools:
    """Return which values inside the conditions are far from the level of those outside."""
    free = np.where(inside, np.nan, values)
    if np.isfinite(free).sum() < max(counts[0], _FREE * values.size):
        return np.zeros(values.size, dtype=np.bool_)
    around = partial(_between, inside=inside)
    level = around(rolling(free, counts[0], least=counts[0] // 8))
    usual = around(1.4826 * rolling(np.abs(free - level), counts[1], least=counts[1] // 8))
    with np.errstate(invalid="ignore"):
        found: Bools = inside & (np.abs(values - level) > limit * np.fmax(usual, max(floor, 1e-12)))
    return found


def _between(values: Floats, *, inside: Bools) -> Floats:
    """Return values interpolated in time from those outside the conditions; the first and last known one at the ends."""
    known = np.flatnonzero(np.isfinite(values) & ~inside)
    known = known if known.size else np.flatnonzero(np.isfinite(values))
    if not known.size:
        return values
    found: Floats = np.interp(np.arange(values.size), known, values[known])
    return found
