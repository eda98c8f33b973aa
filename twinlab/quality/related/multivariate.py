"""Multi-variate tests: a signal against what other signals of the same asset say about it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.labelled import along_time_together, series_flags, series_table, times_of
from twinlab.quality.related.kernels import far_from_expected, outside_conditional_spans
from twinlab.quality.related.others import other_signal

__all__ = ["ConditionalSpan", "conditional_flags", "multivariate_flags"]

_IN_CACHE: Final = 2**15

Span = tuple[float, float]
Tables = Sequence[npt.NDArray[np.float64]]


def multivariate_flags(
    signal: xr.DataArray,
    others: xr.Dataset,
    *,
    coefficients: Mapping[str, float],
    intercept: float = 0.0,
    suspect: float,
    fail: float | None = None,
) -> xr.DataArray:
    """Flag values that are far from a linear combination of other signals (multi-variate test).

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    others : Dataset
        The other signals, on the same coordinates. Where one of them is missing, the value isn't evaluated.
    coefficients : mapping of str to float
        Name of another signal -> its coefficient, in the signal's unit per unit of the other.
    intercept : float
        In the signal's unit.
    suspect : float
        Distance from the combination above which a value is suspect, in the signal's unit.
    fail : float, optional
        Distance above which it fails; never by default.

    Raises
    ------
    SchemaError
        If there is no coefficient, a threshold doesn't fit, or another signal isn't there.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1,
       test 9, Multi-Variate Test (which leaves the relation to the operator).

    >>> x = xr.Dataset({"power": ("time", [0.0, 1.0, 2.0])}, {"time": np.arange(3).astype("datetime64[ns]")})
    >>> flow = xr.DataArray([0.1, 2.0, 9.0], x.coords, "time")
    >>> multivariate_flags(flow, x, coefficients={"power": 2}, suspect=1, fail=8).values.tolist()
    [1, 1, 3]
    """
    highest = math.inf if fail is None else float(fail)
    if not coefficients or not 0 < suspect <= highest:
        msg = (
            "expected a coefficient for at least one other signal, and 0 < suspect <= fail, "
            f"got {dict(coefficients)}, suspect={suspect!r}, fail={fail!r}"
        )
        raise SchemaError(msg)
    factors = np.array([float(factor) for factor in coefficients.values()])

    def block(tables: Tables, ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        del ns
        values = series_table(tables[0])
        given = [series_table(each) for each in tables[1:]]
        out = np.empty(values.shape, dtype=np.uint8)
        # So many rows at once that what is expected of them stays in the cache.
        rows = max(1, _IN_CACHE // max(1, values.shape[1]))
        for start in range(0, len(values), rows):
            part = slice(start, start + rows)
            expected = np.full(values[part].shape, float(intercept))
            for factor, other in zip(factors, given, strict=True):
                expected += factor * other[part]
            far_from_expected(values[part], expected, float(suspect), highest, out[part])
        return series_flags(out, tables[0].shape)

    name = "multi_variate_test_quality_flag"
    together = [signal, *(other_signal(others, each) for each in coefficients)]
    return along_time_together(together, block, times=times_of(signal), before=0, after=0, standard_name=name)


@dataclass(frozen=True)
class ConditionalSpan:
    """What is normal for a signal while another one is in a span.

    Parameters
    ----------
    when : (float, float)
        Closed span of the other signal, in its unit.
    suspect : (float, float)
        Closed span, in the signal's unit; values outside it are suspect.
    fail : (float, float), optional
        Closed span around it; values outside it fail.
    """

    when: Span
    suspect: Span
    fail: Span | None = None

    def __post_init__(self) -> None:
        outer = self.suspect if self.fail is None else self.fail
        if not (self.when[0] <= self.when[1] and outer[0] <= self.suspect[0] < self.suspect[1] <= outer[1]):
            msg = (
                "expected when as (low, high), and suspect as (low, high) inside fail, got "
                f"when={list(self.when)}, suspect={list(self.suspect)}, fail={self.fail and list(self.fail)}"
            )
            raise SchemaError(msg)


def conditional_flags(
    signal: xr.DataArray, others: xr.Dataset, *, given: str, spans: Sequence[ConditionalSpan]
) -> xr.DataArray:
    """Flag values outside what is normal while another signal is in a span (multi-variate test).

    Parameters
    ----------
    signal : DataArray with dimension ``time``
    others : Dataset
        Has the other signal, on the same coordinates.
    given : str
        The other signal.
    spans : sequence of ConditionalSpan
        The last one whose ``when`` covers the other signal's value counts; without one, or without a value, the signal
        isn't evaluated.

    Raises
    ------
    SchemaError
        If there is no span, or the other signal isn't there.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1,
       test 9, Multi-Variate Test.

    >>> x = xr.Dataset({"on": ("time", [0.0, 1.0, 1.0])}, {"time": np.arange(3).astype("datetime64[ns]")})
    >>> current = xr.DataArray([5.0, 5.0, 0.0], x.coords, "time")
    >>> normal = [ConditionalSpan((0, 0), (0, 0.5)), ConditionalSpan((1, 1), (2, 12))]
    >>> conditional_flags(current, x, given="on", spans=normal).values.tolist()
    [3, 1, 3]
    """
    if not spans:
        msg = "expected at least one span of values with the span of the other signal, got none"
        raise SchemaError(msg)
    limits = np.array([[*each.when, *(each.fail or (-np.inf, np.inf)), *each.suspect] for each in spans], dtype=float)

    def block(tables: Tables, ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        del ns
        values = series_table(tables[0])
        out = np.empty(values.shape, dtype=np.uint8)
        outside_conditional_spans(values, series_table(tables[1]), limits, out)
        return series_flags(out, tables[0].shape)

    name = "multi_variate_test_quality_flag"
    together = [signal, other_signal(others, given)]
    return along_time_together(together, block, times=times_of(signal), before=0, after=0, standard_name=name)
