"""Tests of what arrived: enough values a period, values at their cadence, the source's own status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.labelled import (
    Duration,
    along_time,
    cell_by_cell_with,
    nanoseconds,
    series_flags,
    series_table,
    step_of,
    times_of,
)
from twinlab.quality.signals.kernels import irregular_intervals, sparse_periods

__all__ = ["cadence_flags", "completeness_flags", "opc_ua_flag", "status_flags"]

_NAMES: Final = {flag.name.lower(): flag.value for flag in Flag}
#: What the first two bits of an OPC UA status code say; 0b11 is reserved.
_SEVERITIES: Final = (Flag.PASS, Flag.SUSPECT, Flag.FAIL, Flag.FAIL)
_SYMBOLS: Final = re.compile(r"(good|uncertain|bad)(?![a-z])|(?-i:(Good|Uncertain|Bad))(?=[A-Z_])", re.IGNORECASE)


def completeness_flags(
    signal: xr.DataArray, *, period: Duration, least: float = 0.75, cadence: Duration | None = None
) -> xr.DataArray:
    """Flag the values of periods in which too few of the expected values arrived: suspect.

    A mean of a day that was seen only at night says little about the day. Periods are counted from 1970, UTC. Neither
    a period that isn't wholly in the data is evaluated, nor one after which no value arrived within another period: it may
    not be over yet.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    period : duration
    least : float
        Smallest share of the expected values, 0 to 1.
    cadence : duration, optional
        Distance of two expected values; the usual step of the time axis by default.

    Raises
    ------
    SchemaError
        If the share, a duration or the time axis don't fit.

    References
    ----------
    .. [1] U.S. 40 CFR Part 50, Appendix N, section 4: a day counts with 75 percent of its hours.

    >>> hours = np.datetime64("2026-01-01T00", "ns") + np.arange(7) * np.timedelta64(1, "h")
    >>> x = xr.DataArray([1.0, np.nan, 2, 3, 4, np.nan, 5], {"time": hours}, "time")
    >>> completeness_flags(x, period="2h").values.tolist()
    [3, 9, 1, 1, 3, 9, 2]
    """
    if not 0 < least <= 1:
        msg = f"expected least as a share above 0 and up to 1, got {least!r}"
        raise SchemaError(msg)
    times = times_of(signal)
    length = nanoseconds(period, "period")
    step = step_of(times) if cadence is None else nanoseconds(cadence, "cadence")
    if length < 2 * step:
        msg = f"expected a period of at least two values, got {period!r} with a value every {step / 1e9:g} s"
        raise SchemaError(msg)

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        table = series_table(values)
        out = np.empty(table.shape, dtype=np.uint8)
        # A share that is met to the last digit is met.
        sparse_periods(table, np.ascontiguousarray(ns), ns // length * length, step, length, least - 1e-9, out)
        return series_flags(out, values.shape)

    return along_time(signal, block, times=times, before=length, after=2 * length, standard_name="quality_flag")


def cadence_flags(
    signal: xr.DataArray,
    *,
    expected: Duration | None = None,
    tolerance: Duration | None = None,
    gap: Duration | None = None,
) -> xr.DataArray:
    """Flag observations that come too early or too late after the one before: suspect.

    Judges exact times, as ``twin.observations`` returns them; in the cells of a history an early value has replaced
    another one.

    Parameters
    ----------
    signal : DataArray with dimension ``time``
        The times of observations; two may have the same.
    expected : duration, optional
        Distance of two observations; the usual one by default.
    tolerance : duration, optional
        Largest deviation from it; half of it by default.
    gap : duration, optional
        A longer interval is a gap, and the observation after it isn't evaluated (see `gap_flags`).

    Raises
    ------
    SchemaError
        If a duration or the time axis doesn't fit.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1,
       test 1, Timing/Gap Test.

    >>> seconds = np.array([0, 60, 121, 122, 180, 400]).astype("datetime64[s]").astype("datetime64[ns]")
    >>> x = xr.DataArray(np.ones(6), {"time": seconds}, "time")
    >>> cadence_flags(x, expected="1min", tolerance="5s").values.tolist()
    [2, 1, 1, 3, 1, 3]
    """
    times = times_of(signal, repeated=True)
    step = step_of(times) if expected is None else nanoseconds(expected, "expected")
    margin = step // 2 if tolerance is None else nanoseconds(tolerance, "tolerance")
    longest = 2**61 if gap is None else nanoseconds(gap, "gap")
    if longest < step + margin:
        msg = f"expected a gap longer than a late observation ({(step + margin) / 1e9:g} s), got {gap!r}"
        raise SchemaError(msg)

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        table = series_table(values)
        out = np.empty(table.shape, dtype=np.uint8)
        irregular_intervals(table, np.ascontiguousarray(ns), step - margin, step + margin, longest, out)
        return series_flags(out, values.shape)

    span = int(times[-1] - times[0]) if times.size else 0
    reach = min(longest, span) + 1
    return along_time(signal, block, times=times, before=reach, after=0, standard_name="gap_test_quality_flag")


def opc_ua_flag(code: object) -> int:
    """Return the flag of an OPC UA status code: good 1, uncertain 3, bad 4; 2 for what isn't one.

    Parameters
    ----------
    code : object
        A number, or text with a number (``"2157903872"``, ``"0x80AB0000"``) or a symbol (``"Bad"``, ``"GoodClamped"``).

    References
    ----------
    .. [1] IEC 62541-4 (OPC UA Part 4, Services), clause 7.39, StatusCode: bits 30 and 31 are the severity.

    >>> [opc_ua_flag(code) for code in (0, "0x40930000", "2157903872", "BadSensorFailure", "closed")]
    [1, 3, 4, 4, 2]
    """
    text = str(code).strip()
    match = _SYMBOLS.match(text)
    if match:
        word = (match[1] or match[2]).casefold()
        return {"good": Flag.PASS, "uncertain": Flag.SUSPECT, "bad": Flag.FAIL}[word].value
    try:
        number = float(text) if not text.casefold().startswith("0x") else float(int(text, 16))
    except ValueError:
        return Flag.NOT_EVALUATED.value
    if number != number or not -(2**31) <= number < 2**32 or number % 1:  # noqa: PLR0124  (NaN differs from itself)
        return Flag.NOT_EVALUATED.value
    # Some clients have the code as a signed integer.
    return _SEVERITIES[(int(number) % 2**32) >> 30].value


def status_flags(
    signal: xr.DataArray, *, codes: Mapping[str, str] | None = None, other: str = "not_evaluated"
) -> xr.DataArray:
    """Flag observations by the status that their source gave them.

    Parameters
    ----------
    signal : DataArray
        With a coordinate ``status`` of numbers or text, along one or more of its dimensions. NaN means missing.
    codes : mapping of str to str, optional
        Status as text -> "pass", "not_evaluated", "suspect" or "fail"; the severity of OPC UA status codes by default.
    other : str
        The flag of a status that isn't in ``codes``, and of none.

    Raises
    ------
    SchemaError
        If there is no such coordinate, or a flag isn't one of these.

    References
    ----------
    .. [1] IEC 62541-4 (OPC UA Part 4, Services), clause 7.39, StatusCode.

    >>> x = xr.DataArray([1.0, 2, 3], {"status": ("time", ["0", "1073741824", "2147483648"])}, "time")
    >>> status_flags(x).values.tolist()
    [1, 3, 4]
    >>> status_flags(x, codes={"0": "pass"}, other="suspect").values.tolist()
    [1, 3, 3]
    """
    if "status" not in signal.coords:
        msg = f"expected a coordinate 'status' with the source's codes, got {sorted(map(str, signal.coords))}"
        raise SchemaError(msg)
    for flag in (*(codes or {}).values(), other):
        if flag not in _NAMES or flag == "missing":
            msg = f"expected a flag 'pass', 'not_evaluated', 'suspect' or 'fail', got {flag!r}"
            raise SchemaError(msg)
    given = signal.coords["status"]
    places, kinds = pd.factorize(given.to_numpy().ravel())
    # The last one is for no status.
    table = np.array([*(_flag_of(_text(kind), codes, other) for kind in kinds), _NAMES[other]], dtype=np.uint8)
    flags = xr.DataArray(table[places].reshape(given.shape), dims=given.dims)
    return cell_by_cell_with(signal, flags, standard_name="quality_flag")


def _text(code: object) -> str:
    # 3.0 is the code 3.
    whole = isinstance(code, (float, np.floating)) and float(code).is_integer()
    return str(int(code)) if whole else str(code).strip()  # type: ignore[call-overload]


def _flag_of(text: str, codes: Mapping[str, str] | None, other: str) -> int:
    if codes is not None:
        return _NAMES[codes.get(text, other)]
    found = opc_ua_flag(text)
    return _NAMES[other] if found == Flag.NOT_EVALUATED.value else found
