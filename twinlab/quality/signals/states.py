"""Tests of how a state changes: transitions that can't be, and changes that are too frequent."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.cells import NEIGHBOUR_REACH
from twinlab.quality.labelled import Duration, along_time, nanoseconds, series_flags, series_table, step_of, times_of
from twinlab.quality.signals.kernels import forbidden_changes, frequent_changes

__all__ = ["allowed_changes", "chatter_flags", "transition_flags"]

_MOST_CODES = 2**12


def allowed_changes(allowed: Mapping[int, Collection[int]]) -> npt.NDArray[np.bool_]:
    """Return a table of bool [from, to] of the changes that are allowed; a state may always stay.

    >>> allowed_changes({0: [1], 1: [0]}).tolist()
    [[True, True], [True, True]]
    """
    codes = {*allowed, *(code for following in allowed.values() for code in following)}
    if not codes or any(isinstance(code, bool) or not 0 <= code < _MOST_CODES for code in codes):
        msg = f"expected state codes in 0..{_MOST_CODES - 1}, each with those that may follow it, got {dict(allowed)}"
        raise SchemaError(msg)
    table = np.eye(max(codes) + 1, dtype=np.bool_)
    for code, following in allowed.items():
        table[code, list(following)] = True
    return table


def transition_flags(
    signal: xr.DataArray, *, allowed: Mapping[int, Collection[int]], within: Duration | None = None
) -> xr.DataArray:
    """Flag states that can't follow the state before them: fail.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
        State codes; NaN means missing.
    allowed : mapping of int to collection of int
        Code -> the codes that may follow it directly. A state may always be reported again; a code that is in no list
        isn't evaluated (see `state_flags`).
    within : duration, optional
        Largest distance of the state before; by default 64 usual steps. After a longer gap a state isn't evaluated:
        another one may have been in between.

    Raises
    ------
    SchemaError
        If codes, duration or the time axis don't fit.

    References
    ----------
    .. [1] ISO/IEC 19505-2:2012 (UML), clause 15, state machines: a state is entered only over a transition.

    >>> minutes = np.datetime64("2026-01-01", "ns") + np.arange(5) * np.timedelta64(1, "m")
    >>> door = xr.DataArray([0.0, 1, 2, 0, 2], {"time": minutes}, "time")
    >>> transition_flags(door, allowed={0: [1], 1: [0, 2], 2: [0, 1]}).values.tolist()
    [2, 1, 1, 1, 4]
    """
    table = allowed_changes(allowed)
    times = times_of(signal)
    reach = step_of(times) * NEIGHBOUR_REACH if within is None else nanoseconds(within, "within")

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        states = series_table(values)
        out = np.empty(states.shape, dtype=np.uint8)
        forbidden_changes(states, np.ascontiguousarray(ns), table, reach, out)
        return series_flags(out, values.shape)

    return along_time(signal, block, times=times, before=reach, after=0, standard_name="quality_flag")


def chatter_flags(signal: xr.DataArray, *, window: Duration, most: int, within: Duration | None = None) -> xr.DataArray:
    """Flag states that changed too often in a short time: suspect.

    A limit switch that bounces, or a threshold without hysteresis, makes a state chatter.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
        State codes; NaN means missing.
    window : duration
        Changes in the time up to a value, open at its start, are counted.
    most : int
        Largest number of changes that is normal.
    within : duration, optional
        Two values further apart than this don't show a change; by default 64 usual steps.

    Raises
    ------
    SchemaError
        If the number, a duration or the time axis don't fit.

    References
    ----------
    .. [1] ANSI/ISA-18.2-2016, "Management of Alarm Systems for the Process Industries", chattering alarms: three or more
       activations in a minute.

    >>> seconds = np.datetime64("2026-01-01", "ns") + np.arange(6) * np.timedelta64(10, "s")
    >>> door = xr.DataArray([0.0, 1, 0, 1, 1, 1], {"time": seconds}, "time")
    >>> chatter_flags(door, window="30s", most=2).values.tolist()
    [2, 1, 1, 3, 1, 1]
    """
    if not 1 <= most < 10_000:
        msg = f"expected most as a number of changes from 1 to 9999, got {most!r}"
        raise SchemaError(msg)
    times = times_of(signal)
    length = nanoseconds(window, "window")
    reach = step_of(times) * NEIGHBOUR_REACH if within is None else nanoseconds(within, "within")

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        states = series_table(values)
        out = np.empty(states.shape, dtype=np.uint8)
        frequent_changes(states, np.ascontiguousarray(ns), length, int(most), reach, out)
        return series_flags(out, values.shape)

    return along_time(signal, block, times=times, before=length + reach, after=0, standard_name="quality_flag")
