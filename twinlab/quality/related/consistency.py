"""Physical consistency: a rate with its counter, and a quantity with the states that drive it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError, UnitError
from twinlab.model.units import convert
from twinlab.quality.cells import NEIGHBOUR_REACH
from twinlab.quality.labelled import (
    Duration,
    along_time_together,
    nanoseconds,
    on_the_same,
    series_flags,
    series_table,
    step_of,
    times_of,
)
from twinlab.quality.related.others import other_signal
from twinlab.quality.related.windows import out_of_balance, reports_of, require_state, wrong_trend

__all__ = ["consistency_flags", "response_flags"]

Tables = Sequence[npt.NDArray[np.float64]]


def consistency_flags(
    signal: xr.DataArray,
    others: xr.Dataset,
    *,
    counter: str,
    over: Duration,
    suspect: float,
    fail: float | None = None,
    kind: Literal["rate", "increase"] = "rate",
    within: Duration | None = None,
) -> xr.DataArray:
    """Flag values of a rate that contradict the counter they belong to: GPS speed against the odometer.

    The mean rate of the last ``over`` (by the trapezoidal rule), or the sum of the increases, is compared with what
    the counter counted in the same time. All values of a window share in a contradiction, so the flag is that of its
    last value; which of both signals is wrong, the test can't say.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    others : Dataset
        Has the counter, on the same coordinates, with ``attrs["units"]`` unless it is in the unit of the signal times
        seconds.
    counter : str
        Name of the other signal.
    over : duration
        Length of a window: long enough for the counter to count many times its resolution.
    suspect : float
        Difference of the rates, or of the increase, above which a value is suspect, in the signal's unit.
    fail : float, optional
        Difference above which it fails; never by default.
    kind : {"rate", "increase"}
        Whether a value is the counter's rate (power and energy, speed and distance) or its increase since the value before
        (energy of an hour and the meter).
    within : duration, optional
        Largest distance of two times with both values; by default 64 usual steps. No window reaches over a longer
        gap, nor over a reset of the counter; what has no whole window isn't evaluated.

    Raises
    ------
    SchemaError
        If thresholds, durations or the time axis don't fit, or the counter isn't there.
    UnitError
        If the units don't fit.

    References
    ----------
    .. [1] E. Kreyszig, "Advanced Engineering Mathematics", 10th edition, section 19.5, trapezoidal rule.
    .. [2] R. Isermann, "Fault-Diagnosis Systems", Springer 2006, chapter 10, parity equations.

    >>> minutes = {"time": np.datetime64("2026-01-01", "ns") + np.arange(4) * np.timedelta64(1, "m")}
    >>> x = xr.Dataset({"odometer": ("time", [10.0, 11, 12, 13], {"units": "km"})}, minutes)
    >>> speed = xr.DataArray([60.0, 60, 60, 90], minutes, "time", attrs={"units": "km/h"})
    >>> consistency_flags(speed, x, counter="odometer", over="1min", suspect=5).values.tolist()
    [2, 1, 1, 3]
    """
    highest = math.inf if fail is None else float(fail)
    if not 0 < suspect <= highest or kind not in {"rate", "increase"}:
        msg = (
            "expected 0 < suspect <= fail and kind='rate' or 'increase', "
            f"got suspect={suspect!r}, fail={fail!r}, kind={kind!r}"
        )
        raise SchemaError(msg)
    other = other_signal(others, counter)
    rates = kind == "rate"
    factor = _factor(signal, other, rates=rates)
    times = times_of(signal)
    length = nanoseconds(over, "over")
    reach = step_of(times) * NEIGHBOUR_REACH if within is None else nanoseconds(within, "within")

    def block(tables: Tables, ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        values = series_table(tables[0])
        out = np.empty(values.shape, dtype=np.uint8)
        counts = series_table(tables[1])
        limits = (rates, length, reach, float(suspect), highest)
        out_of_balance(values, counts, factor, np.ascontiguousarray(ns), *limits, out)
        return series_flags(out, tables[0].shape)

    return along_time_together(
        [signal, other], block, times=times, before=length + reach, after=0, standard_name="quality_flag"
    )


def _factor(signal: xr.DataArray, counter: xr.DataArray, *, rates: bool) -> float:
    """Return how many units of the signal (times seconds for rates) one unit of the counter is."""
    unit, counted = signal.attrs.get("units"), counter.attrs.get("units")
    if unit is None or counted is None:
        return 1.0
    try:
        return float(convert([1.0], f"{counted}/s" if rates else str(counted), str(unit))[0])
    except UnitError as error:
        what = "a rate" if rates else "an increase"
        msg = f"expected {signal.name!r} in {unit!r} to be {what} of {counter.name!r} in {counted!r}: {error}"
        raise UnitError(msg) from error


def response_flags(
    signal: xr.DataArray,
    others: xr.Dataset,
    *,
    when: Mapping[str, Collection[int]],
    never: Literal["rises", "falls"],
    by: float,
    lasting: Duration,
    held: Duration = "1d",
    within: Duration | None = None,
) -> xr.DataArray:
    """Flag values that moved the wrong way although states drive them the other way: suspect.

    A cold room with its door closed and its compressor on doesn't warm up; if the temperature rises for a quarter of an
    hour, then the sensor, the door contact or the compressor's state is wrong, or the compressor is.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    others : Dataset
        Has the states, as code numbers on the same coordinates. A state is valid until the next one is reported.
    when : mapping of str to collection of int
        Name of a state -> its codes; all states must have one of theirs.
    never : {"rises", "falls"}
        How the signal doesn't move then.
    by : float
        Largest change in this direction that is normal, in the signal's unit.
    lasting : duration
        How long the states last before a value is compared with the one so long before. Otherwise it isn't evaluated.
    held : duration
        How long a state is valid if no other one is reported.
    within : duration, optional
        How much older the value before may be; by default 64 usual steps.

    Raises
    ------
    SchemaError
        If a parameter or the time axis doesn't fit, or a state isn't there.

    References
    ----------
    .. [1] J. Schein, S. T. Bushby, N. S. Castro and J. M. House, "A rule-based fault detection method for air handling
       units", Energy and Buildings 38 (2006), 1485-1492.

    >>> minutes = {"time": np.datetime64("2026-01-01", "ns") + np.arange(5) * np.timedelta64(1, "m")}
    >>> states = xr.Dataset({"compressor": ("time", [0.0, 1, 1, 1, 1]), "door": ("time", [0.0, 0, 0, 0, 0])}, minutes)
    >>> room = xr.DataArray([4.0, 4, 4, 4, 6], minutes, "time")
    >>> on = {"compressor": [1], "door": [0]}
    >>> response_flags(room, states, when=on, never="rises", by=0.5, lasting="2min").values.tolist()
    [2, 2, 2, 1, 3]
    """
    if not when or not all(when.values()) or never not in {"rises", "falls"} or not 0 <= by < math.inf:
        msg = (
            "expected a state with its codes in when, never='rises' or 'falls', and by >= 0, "
            f"got when={dict(when)}, never={never!r}, by={by!r}"
        )
        raise SchemaError(msg)
    times = times_of(signal)
    length, valid = nanoseconds(lasting, "lasting"), nanoseconds(held, "held")
    reach = step_of(times) * NEIGHBOUR_REACH if within is None else nanoseconds(within, "within")
    sign = 1.0 if never == "rises" else -1.0

    def met(tables: Sequence[npt.NDArray[Any]], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        out = np.ones(tables[0].shape, dtype=np.uint8)
        for reports in tables:
            require_state(_table(reports), np.ascontiguousarray(ns), valid, _table(out))
        return out

    def block(tables: Sequence[npt.NDArray[Any]], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        values = series_table(tables[0])
        out = np.empty(values.shape, dtype=np.uint8)
        wrong_trend(values, _table(tables[1]), np.ascontiguousarray(ns), length, reach, float(by), sign, out)
        return series_flags(out, tables[0].shape)

    # A state is looked for much longer than a value: as a byte instead of a float, pieces with their past are small.
    states = [on_the_same(_reports(other_signal(others, name), codes), signal) for name, codes in when.items()]
    together = partial(along_time_together, times=times, after=0, standard_name="quality_flag")
    return together([signal, together(states, met, before=valid)], block, before=length + reach)


def _reports(states: xr.DataArray, codes: Collection[int]) -> xr.DataArray:
    """Return what each entry of a signal reports: 0 nothing, 1 one of the codes, 2 another state."""

    def block(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        table = series_table(np.atleast_1d(values))
        out = np.empty(table.shape, dtype=np.uint8)
        reports_of(table, np.array(sorted(codes), dtype=np.float64), out)
        return out.reshape(values.shape)

    found: xr.DataArray = xr.apply_ufunc(block, states, dask="parallelized", output_dtypes=[np.uint8])
    return found


def _table(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return bytes of shape [time, ...] as [time, series]."""
    return np.ascontiguousarray(values.reshape(len(values), math.prod(values.shape[1:])))
