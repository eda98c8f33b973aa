"""The quality tests on labelled arrays, one function per test; none changes a value.

Every function takes numbers with NaN for missing and returns flags of the same shape: lazy if the signal came lazy,
with CF flag attributes and none of the signal's own. A missing value gets flag 9 from every test. Where a test can't
be run (no neighbour, no history) the flag is *not evaluated*, so that other tests decide in `aggregate_flags`.

References
----------
.. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1, tests
   1 (gap), 4 (gross range), 6 (spike), 7 (rate of change), 8 (flat line).
.. [2] CF Standard Name Table, ``*_test_quality_flag``.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.twinmodel import Signal
from twinlab.quality.aggregate import aggregate_flags
from twinlab.quality.cells import NEIGHBOUR_REACH, codes_of, limits_of, margins
from twinlab.quality.few_series import rates_of_few, spikes_of_few
from twinlab.quality.kernels import Limits, gap_runs
from twinlab.quality.labelled import (
    Duration,
    along_time,
    cell_by_cell,
    judged,
    nanoseconds,
    series_flags,
    series_table,
    step_of,
    times_of,
)
from twinlab.quality.signal_tests import flags_of_tests

__all__ = [
    "counter_flags",
    "flat_line_flags",
    "gap_flags",
    "missing_flags",
    "range_flags",
    "rate_flags",
    "signal_flags",
    "spike_flags",
    "state_flags",
]

Span = tuple[float, float]
Table = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]


def _span(given: Span, name: str) -> Span:
    low, high = map(float, given)
    if not low < high:
        msg = f"expected {name} as (low, high) with low < high, got {given!r}; swap or widen it"
        raise SchemaError(msg)
    return low, high


def _thresholds(suspect: float, fail: float) -> Span:
    if not 0 <= suspect <= fail:
        msg = f"expected thresholds 0 <= suspect <= fail, got suspect={suspect!r}, fail={fail!r}; swap or correct them"
        raise SchemaError(msg)
    return float(suspect), float(fail)


def missing_flags(signal: xr.DataArray) -> xr.DataArray:
    """Flag missing values: 9 where the value is NaN, 1 elsewhere.

    Parameters
    ----------
    signal : DataArray, any shape

    >>> missing_flags(xr.DataArray([1.0, np.nan])).values.tolist()
    [1, 9]
    """
    return cell_by_cell(signal, Limits(present=1, fail_low=-math.inf, fail_high=math.inf), standard_name="quality_flag")


def range_flags(signal: xr.DataArray, *, fail_span: Span, suspect_span: Span | None = None) -> xr.DataArray:
    """Flag values outside a sensor's or an operator's span (gross range test).

    Parameters
    ----------
    signal : DataArray, any shape
        Values in the unit of ``signal.attrs["units"]``; NaN means missing.
    fail_span : (float, float)
        Closed span the sensor can report, same unit. Outside it: fail. Infinite values always fail.
    suspect_span : (float, float), optional
        Closed span that operation normally shows. Outside it, inside ``fail_span``: suspect.

    Raises
    ------
    SchemaError
        If a span is empty, or ``suspect_span`` isn't inside ``fail_span``.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control", test 4, Gross Range Test.

    >>> range_flags(xr.DataArray([7.0, 60.0, 1048.0]), fail_span=(0, 150), suspect_span=(0, 50)).values.tolist()
    [1, 3, 4]
    """
    low, high = _span(fail_span, "fail_span")
    normal = (low, high) if suspect_span is None else _span(suspect_span, "suspect_span")
    if normal[0] < low or normal[1] > high:
        msg = (
            f"expected suspect_span inside fail_span {fail_span!r}, got {suspect_span!r}; widen one or narrow the other"
        )
        raise SchemaError(msg)
    off = Limits()
    limits = Limits(
        range_on=True,
        fail_low=max(low, off.fail_low),
        fail_high=min(high, off.fail_high),
        suspect_low=normal[0],
        suspect_high=normal[1],
    )
    return cell_by_cell(signal, limits, standard_name="gross_range_test_quality_flag")


def state_flags(signal: xr.DataArray, *, codes: Collection[int]) -> xr.DataArray:
    """Flag state codes that the model doesn't know: fail.

    Parameters
    ----------
    signal : DataArray, any shape
        Code numbers; NaN means missing.
    codes : collection of int
        The known codes, 0 to 32767.

    Raises
    ------
    SchemaError
        If there is no code, or one is out of bounds.

    >>> state_flags(xr.DataArray([0.0, 2.0]), codes={0, 1}).values.tolist()
    [1, 4]
    """
    if not codes or any(not 0 <= code < 2**15 for code in codes):
        msg = f"expected state codes in 0..32767, got {sorted(codes)}"
        raise SchemaError(msg)
    known = np.zeros(max(codes) + 1, dtype=np.bool_)
    known[list(codes)] = True
    return cell_by_cell(signal, Limits(states_on=True), codes=known, standard_name="quality_flag")


def spike_flags(signal: xr.DataArray, *, suspect: float, fail: float, within: Duration | None = None) -> xr.DataArray:
    """Flag values that differ too much from the straight line between their two neighbours (spike test).

    For equal distances that is QARTOD's ``|v[k] - (v[k-1] + v[k+1]) / 2|``. The first and the last value, and those
    with a neighbour missing, aren't evaluated. As in QARTOD, a spike of height h also lifts its neighbours by h/2: set
    ``suspect`` above half of what you expect spikes to be, and screen absurd values by `range_flags` first.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    suspect, fail : float
        Heights above which a value is suspect and fails, in the signal's unit.
    within : duration, optional
        Nearest values this close are neighbours, missing ones between them are skipped. By default one usual step
        (and half of one more, for clocks that jitter).

    Raises
    ------
    SchemaError
        If thresholds, duration or the time axis don't fit.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control", test 6, Spike Test.

    >>> hours = np.datetime64("2013-01-01T00", "ns") + np.arange(5) * np.timedelta64(1, "h")
    >>> spike_flags(xr.DataArray([1.0, 1, 9, 1, 1], {"time": hours}, "time"), suspect=5, fail=20).values.tolist()
    [2, 1, 3, 1, 2]
    """
    low, high = _thresholds(suspect, fail)
    times = times_of(signal)
    reach = step_of(times) * 3 // 2 if within is None else nanoseconds(within, "within")
    limits = Limits(spike_on=True, spike_suspect=low, spike_fail=high, spike_reach=reach)

    def few(values: Table, ns: Times, out: Flags) -> None:
        spikes_of_few(values, ns, low, high, reach, out)

    name = "spike_test_quality_flag"
    return judged(signal, limits, times=times, before=reach, after=reach, standard_name=name, few=few)


def rate_flags(signal: xr.DataArray, *, suspect: float, fail: float, within: Duration | None = None) -> xr.DataArray:
    """Flag values that were reached faster than the quantity can change (rate of change test).

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    suspect, fail : float
        Rates ``|v - v_previous| / dt`` above which a value is suspect and fails, in the signal's unit **a second**.
    within : duration, optional
        Largest distance of the previous value; by default 64 usual steps. If the mean rate over a gap is
        too high, the rate was too high somewhere in it.

    Raises
    ------
    SchemaError
        If thresholds, duration or the time axis don't fit.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control", test 7, Rate of Change Test.

    >>> seconds = np.datetime64("2013-01-01T00:00", "ns") + np.arange(3) * np.timedelta64(2, "s")
    >>> rate_flags(xr.DataArray([0.0, 1, 5], {"time": seconds}, "time"), suspect=1, fail=10).values.tolist()
    [2, 1, 3]
    """
    low, high = _thresholds(suspect, fail)
    times = times_of(signal)
    reach = step_of(times) * NEIGHBOUR_REACH if within is None else nanoseconds(within, "within")
    limits = Limits(rate_on=True, rate_suspect=low, rate_fail=high, rate_reach=reach)

    def few(values: Table, ns: Times, out: Flags) -> None:
        rates_of_few(values, ns, low, high, reach, out)

    name = "rate_of_change_test_quality_flag"
    return judged(signal, limits, times=times, before=reach, after=0, standard_name=name, few=few)


def counter_flags(
    signal: xr.DataArray, *, wraps_at: float | None = None, within: Duration | None = None
) -> xr.DataArray:
    """Flag transient zeros and spikes of a counter (fail), and decreases that neither a wrap nor a reset explains (suspect).

    A zero or another low reading, repeated or not, is transient if the counter then goes on from where it was; so is a
    single high reading (see `twinlab.quality.transients`). Both are ignored by the comparison with the reading before. A
    decrease is a wrap if going on over ``wraps_at`` is the shorter way, and a reset if the counter reads at most half of
    what it read before.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    wraps_at : float, optional
        Value at which the counter starts again from zero.
    within : duration, optional
        Largest distance of the previous value, and of the readings before and after a transient; by default 64 usual
        steps.

    Raises
    ------
    SchemaError
        If ``wraps_at`` isn't positive, or duration or time axis don't fit.

    References
    ----------
    .. [1] RFC 1982, "Serial Number Arithmetic", section 3.2, for the shorter way round.

    >>> hours = np.datetime64("2013-01-01T00", "ns") + np.arange(5) * np.timedelta64(1, "h")
    >>> counter_flags(xr.DataArray([90.0, 95, 3, 2, 0], {"time": hours}, "time"), wraps_at=100).values.tolist()
    [2, 1, 1, 3, 1]
    >>> counter_flags(xr.DataArray([90.0, 0, 91, 0, 1], {"time": hours}, "time")).values.tolist()
    [2, 4, 1, 1, 1]
    """
    if wraps_at is not None and not 0 < wraps_at < math.inf:
        msg = f"expected wraps_at as a positive number, got {wraps_at!r}"
        raise SchemaError(msg)
    times = times_of(signal)
    reach = step_of(times) * NEIGHBOUR_REACH if within is None else nanoseconds(within, "within")
    limits = Limits(counter_on=True, wraps_at=float(wraps_at or 0.0), rate_reach=reach, transient_reach=reach)
    return judged(signal, limits, times=times, before=3 * reach, after=2 * reach, standard_name="quality_flag")


def flat_line_flags(
    signal: xr.DataArray, *, duration: Duration, resolution: float | None = None, within: Duration | None = None
) -> xr.DataArray:
    """Flag values that haven't changed for a long time (flat line test): suspect.

    A value is flagged once all values of the last ``duration`` equal it; the first
    values of such a run aren't flagged. A run shorter than that whose beginning isn't seen is not evaluated.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    duration : duration
    resolution : float, optional
        Values are compared in whole steps of this, in the signal's unit; exactly by default.
    within : duration, optional
        A gap longer than this ends a run; by default 64 usual steps.

    Raises
    ------
    SchemaError
        If duration, resolution or the time axis don't fit.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control", test 8, Flat Line Test.

    >>> hours = np.datetime64("2013-01-01T00", "ns") + np.arange(6) * np.timedelta64(1, "h")
    >>> flat_line_flags(xr.DataArray([1.0, 2, 2, 2, 2, 3], {"time": hours}, "time"), duration="2h").values.tolist()
    [2, 1, 1, 3, 3, 1]
    """
    if resolution is not None and not 0 < resolution < math.inf:
        msg = f"expected resolution as a positive number, got {resolution!r}"
        raise SchemaError(msg)
    lasting = nanoseconds(duration, "duration")
    times = times_of(signal)
    reach = step_of(times) * NEIGHBOUR_REACH if within is None else nanoseconds(within, "within")
    limits = Limits(flat_on=True, flat_after=lasting, flat_reach=reach)
    name = "flat_line_test_quality_flag"
    return judged(
        signal, limits, times=times, before=lasting + reach, after=0, standard_name=name, rounded_to=resolution
    )


def gap_flags(signal: xr.DataArray, *, gap: Duration) -> xr.DataArray:
    """Flag holes that last longer than ``gap`` (gap test): 9 in the whole hole, 1 where there are values.

    Shorter holes are not evaluated here; `missing_flags` has them. The value that ends a gap isn't marked: QARTOD's
    test judges what failed to arrive, not what arrived next. A hole lasts from its first missing sample to the next
    value.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
        Regular in time, with NaN where nothing came.
    gap : duration

    Raises
    ------
    SchemaError
        If duration or the time axis don't fit.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control", test 1, Timing/Gap Test.

    >>> hours = np.datetime64("2013-01-01T00", "ns") + np.arange(6) * np.timedelta64(1, "h")
    >>> x = xr.DataArray([1, np.nan, 2, np.nan, np.nan, 3], {"time": hours}, "time")
    >>> gap_flags(x, gap="1h").values.tolist()
    [1, 2, 1, 9, 9, 1]
    """
    longest = nanoseconds(gap, "gap")
    times = times_of(signal)
    step = step_of(times)

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        table = series_table(values)
        out = np.empty(table.shape, dtype=np.uint8)
        gap_runs(table, np.append(ns, ns[-1:] + step), longest, out)
        return series_flags(out, values.shape)

    reach = longest + step
    return along_time(signal, block, times=times, before=reach, after=reach, standard_name="gap_test_quality_flag")


def signal_flags(values: xr.DataArray, *, signal: Signal) -> xr.DataArray:
    """Return the aggregate flag as the build of history gives it, on an array in the signal's unit.

    The tests that the signal names under ``tests`` are among those that are aggregated.

    Parameters
    ----------
    values : DataArray with dimension ``time``
        At the signal's cadence; NaN means missing.
    signal : Signal
        With one span for all series; `flag_cells` judges by the limits of each asset.

    Raises
    ------
    SchemaError
        If the time axis doesn't fit, or a span of the signal depends on the asset.

    >>> hours = np.datetime64("2013-01-01T00", "ns") + np.arange(2) * np.timedelta64(1, "h")
    >>> wind = Signal(cadence="1h", resolution=1, sensor_span=(0, 150))
    >>> signal_flags(xr.DataArray([7.0, 1048], {"time": hours}, "time"), signal=wind).values.tolist()
    [1, 4]
    """
    if signal.limits_of_assets:
        msg = (
            f"expected one span for all assets, got {' and '.join(signal.limits_of_assets)} that depends on the asset; "
            "read the flags from history, or give the signal the span of one asset"
        )
        raise SchemaError(msg)
    before, after = (cells * signal.cadence_ns for cells in margins(signal))
    flags = judged(
        values,
        limits_of(signal),
        times=times_of(values),
        before=before,
        after=after,
        standard_name="aggregate_quality_flag",
        codes=codes_of(signal),
    )
    named = flags_of_tests(values, signal=signal)
    return aggregate_flags(flags, *named) if named else flags
