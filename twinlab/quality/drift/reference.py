"""Drift from reference measurements: readings of a trusted instrument beside the sensor, a few at known times."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.drift.verdict import MONTH, Drift
from twinlab.quality.labelled import Duration, nanoseconds, times_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["drift_from_reference"]

#: Student's t, 95 % one-sided, by degrees of freedom; 1.645 beyond.
_T: Final = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753)


def _student(freedom: int) -> float:
    if freedom <= len(_T):
        return _T[freedom - 1]
    return 1.645 + (1.645**3 + 1.645) / (4 * freedom)


def drift_from_reference(
    values: xr.DataArray, reference: pd.Series[float], *, within: Duration = "2h", tolerance: float = 0.0
) -> Drift:
    """Judge one sensor by reference measurements: a straight line through its errors, and a correction through each.

    Parameters
    ----------
    values : DataArray, dimension ``time``
        One asset.
    reference : Series
        Measured values in the signal's unit by time (DatetimeIndex; UTC if it has no zone).
    within : duration
        The sensor's reading is the median of its values this close to the measurement.
    tolerance : float
        A smaller change in all is no drift.

    Returns
    -------
    Drift
        "unknown" with less than three measurements beside values: their errors then have no interval. `Drift.points` are
        offsets at each measurement, linear between them.

    Raises
    ------
    SchemaError
        If dimensions or times don't fit.

    References
    ----------
    .. [1] R. J. Wagner et al., "Guidelines and Standard Procedures for Continuous Water-Quality Monitors", U.S. Geological
       Survey Techniques and Methods 1-D3, 2006 (drift between visits is corrected linearly in time).

    >>> import pandas as pd
    >>> hours = pd.date_range("2026-01-01", periods=24 * 90, freq="h", unit="ns")
    >>> values = xr.DataArray(5 + np.arange(24 * 90) / 2400, {"time": hours}, "time", attrs={"units": "pH"})
    >>> visits = pd.Series([5.0, 5.0, 5.0, 5.0], hours[[12, 500, 1100, 2000]])
    >>> round(drift_from_reference(values, visits).slope, 2)
    0.3
    """
    if values.dims != ("time",):
        msg = f"expected one asset with the dimension time, got {list(values.dims)}; select an asset"
        raise SchemaError(msg)
    times, at, measured = times_of(values), *_measurements(reference)
    reach = nanoseconds(within, "within")
    numbers = values.to_numpy().astype(np.float64)
    errors = np.full(at.size, np.nan)
    for place, instant in enumerate(at.tolist()):
        first, last = np.searchsorted(times, (instant - reach, instant + reach + 1))
        near = numbers[first:last][np.isfinite(numbers[first:last])]
        if near.size:
            errors[place] = float(np.median(near)) - measured[place]
    known = np.isfinite(errors)
    count = int(known.sum())
    if count < 3:
        reason = f"{count} reference measurements beside values, three are needed for an interval"
        return Drift(_name(values), "unknown", "reference", last=_end(values), reason=reason, unit=_unit(values))
    return _line(at[known], errors[known], values, tolerance)


def _name(values: xr.DataArray) -> str:
    return str(values.coords["asset"].item()) if "asset" in values.coords else ""


def _unit(values: xr.DataArray) -> str:
    return str(values.attrs.get("units", ""))


def _end(values: xr.DataArray) -> np.datetime64 | None:
    last: list[np.datetime64] = list(values.coords["time"].to_numpy()[-1:])
    return last[0] if last else None


def _measurements(reference: pd.Series[float]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    import pandas as pd  # noqa: PLC0415  (takes a third of a second)

    if not isinstance(reference.index, pd.DatetimeIndex):
        msg = f"expected reference measurements by time (DatetimeIndex), got {type(reference.index).__name__}"
        raise SchemaError(msg)
    known = reference.dropna().sort_index()
    index = pd.DatetimeIndex(known.index)
    index = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
    times: npt.NDArray[np.int64] = index.to_numpy().astype("datetime64[ns]").view(np.int64)
    return times, np.asarray(known.to_numpy(), dtype=np.float64)


def _line(at: npt.NDArray[np.int64], errors: npt.NDArray[np.float64], values: xr.DataArray, tolerance: float) -> Drift:
    """Return the judgement on errors at three or more times, by ordinary least squares."""
    name, unit, end = _name(values), _unit(values), _end(values)
    day = (at - at[0]) / (86400 * 10**9)
    centred = day - day.mean()
    slope = float((centred * errors).sum() / (centred**2).sum())
    rest = errors - errors.mean() - slope * centred
    freedom = at.size - 2
    spread = math.sqrt(float((rest**2).sum()) / freedom)
    half = _student(freedom) * spread / math.sqrt(float((centred**2).sum()))
    labels = at.view("datetime64[ns]")
    suffix = f" {unit}" if unit else ""
    low, high, monthly = (slope - half) * MONTH, (slope + half) * MONTH, slope * MONTH
    change = slope * float(day[-1])
    evidence = (
        f"drifts against {at.size} reference measurements by {monthly:+.3g}{suffix} a month (90 % interval {low:+.3g} to "
        f"{high:+.3g}) from {str(labels[0])[:10]} to {str(labels[-1])[:10]}, {change:+.3g}{suffix} in all; its errors vary "
        f"by {spread:.2g}{suffix} around the line"
    )
    if low <= 0 <= high or abs(change) < tolerance:
        # Errors that don't grow are an offset, not a drift.
        reason = f"its error is {float(np.median(errors)):+.3g}{suffix} throughout"
        return Drift(name, "none", "reference", last=end, spread=spread, confidence=0.9, reason=reason, unit=unit)
    points = tuple((label, -float(error)) for label, error in zip(labels, errors, strict=True))
    return Drift(
        name,
        "drift",
        "reference",
        labels[0],
        None,
        None,
        end,
        monthly,
        (low, high),
        spread,
        0.95,
        evidence,
        "",
        unit,
        points,
    )
