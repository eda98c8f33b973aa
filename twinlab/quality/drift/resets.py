"""Drift between visits: a sensor that is cleaned or calibrated jumps back by what it had drifted since the visit before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.calibration.pieces import Calibration
from twinlab.model.flags import Flag
from twinlab.quality.drift.rolling import Bools, regular_step
from twinlab.quality.drift.steps import Shift, Step, find_shifts, find_steps
from twinlab.quality.drift.together import together
from twinlab.quality.drift.verdict import MONTH, Drift, six_digits
from twinlab.quality.drift.visits import same_probe, visited
from twinlab.quality.labelled import Duration, nanoseconds

__all__ = ["drift_from_visits", "reset_flags", "visit_calibrations"]

_DAY = 86400 * 10**9


def _series(values: xr.DataArray, visits: xr.DataArray) -> tuple[npt.NDArray[np.float64], Bools, int]:
    if values.dims != ("time",) or visits.dims != ("time",) or visits.sizes["time"] != values.sizes["time"]:
        msg = (
            f"expected values and visits of one asset on the same times, got {dict(values.sizes)}, {dict(visits.sizes)}"
        )
        raise SchemaError(msg)
    numbers = values.to_numpy().astype(np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan), visits.to_numpy().astype(np.bool_), regular_step(values)


def _ramps(steps: list[Step], shifts: list[Shift], visits: Bools, step: int, shortest: int) -> list[tuple[int, Step]]:
    """Return (begin, step at the visit that ended it) of each drift; the begin is the visit before, or the series' begin."""
    day = max(1, _DAY // step)
    out: list[tuple[int, Step]] = []
    # A visit may touch several samples; its last one is when the sensor was right again.
    ends = np.flatnonzero(visits & ~np.r_[visits[1:], False]) + 1
    for one in steps:
        inside = any(shift.start <= one.at <= shift.stop for shift in shifts)
        if not one.visit or inside:
            continue
        marks = [0, *ends[ends < one.at - day // 2].tolist(), *(last.at for _, last in out)]
        begin = max([*marks, *(shift.stop for shift in shifts if shift.stop < one.at)])
        if (one.at - begin) * step >= shortest:
            out.append((begin, one))
    return out


def drift_from_visits(values: xr.DataArray, visits: xr.DataArray, *, shortest: Duration = "3d") -> tuple[Drift, ...]:
    """Return the drifts of one sensor that visits ended: each from the visit before, linear in time [1]_.

    Parameters
    ----------
    values : DataArray, dimension ``time``, at a regular cadence
        One asset; NaN is missing, also out of the sensor's span.
    visits : DataArray, bool, dimension ``time``
        From a log of maintenance, or from `find_visits`.
    shortest : duration
        Least time from a visit to the next for a drift.

    Returns
    -------
    tuple of Drift
        In order of time; none where a visit changes the level by less than three usual changes of the days around.

    Raises
    ------
    SchemaError
        If dimensions or times don't fit.

    References
    ----------
    .. [1] R. J. Wagner et al., "Guidelines and Standard Procedures for Continuous Water-Quality Monitors", U.S. Geological
       Survey Techniques and Methods 1-D3, 2006.

    >>> hours = np.datetime64("2026-01-01", "ns") + np.arange(24 * 40) * np.timedelta64(1, "h")
    >>> true = 8 + np.random.default_rng(0).normal(0, 0.01, 960)
    >>> values = xr.DataArray(true, {"time": hours}, "time")
    >>> values[240:720] += 0.001 * np.arange(480)
    >>> visits = xr.zeros_like(values, dtype=bool)
    >>> visits[[239, 719]] = True
    >>> [(str(one.onset)[:10], str(one.until)[:10], round(one.slope, 1)) for one in drift_from_visits(values, visits)]
    [('2026-01-11', '2026-01-31', 0.7)]
    """
    numbers, seen, step = _series(values, visits)
    steps = find_steps(numbers, step, seen)
    times = values.coords["time"].to_numpy().astype("datetime64[ns]")
    name = str(values.coords["asset"].item()) if "asset" in values.coords else ""
    unit = str(values.attrs.get("units", ""))
    suffix = f" {unit}" if unit else ""
    out = []
    for begin, one in _ramps(steps, find_shifts(steps, seen.size), seen, step, nanoseconds(shortest, "shortest")):
        months = (one.at - begin) * step / _DAY / MONTH
        slope, half = -one.size / months, 1.645 * one.spread / months
        evidence = (
            f"jumps by {one.size:+.3g}{suffix} at the visit of {str(times[one.at])[:10]}, {abs(one.size) / one.spread:.0f} times its "
            f"usual change; drifted by {slope:+.3g}{suffix} a month since the visit of {str(times[begin])[:10]}"
        )
        confidence = 1 - 1 / (1 + (one.size / one.spread) ** 2)
        ends = ((times[begin], 0.0), (times[one.at], one.size))
        out.append(
            Drift(
                name,
                "drift",
                "visits",
                times[begin],
                None,
                times[one.at],
                times[-1],
                slope,
                (slope - half, slope + half),
                one.spread,
                confidence,
                evidence,
                "",
                unit,
                ends,
            )
        )
    return tuple(out)


def reset_flags(
    signal: xr.DataArray,
    others: xr.Dataset,
    *,
    limit: float | None = None,
    share: float | None = None,
    signals: Sequence[str] | None = None,
    shortest: Duration = "3d",
) -> xr.DataArray:
    """Flag values that a visit shows to have drifted further than can be corrected: suspect.

    What cleaning or calibrating a sensor changes has built up since the visit before, linearly in time. Up to a limit it can
    be corrected (`visit_calibrations`); the guidelines [1]_ don't report conductivity off by more than 30 %, oxygen by
    2 mg/L, pH by 2 units, temperature by 2 °C, turbidity by 30 %.

    Parameters
    ----------
    signal : DataArray with dimension ``time``, at a regular cadence
    others : Dataset
        Other signals of the asset on the same coordinates, by which visits are found; see `find_visits`.
    limit : float, optional
        Largest drift, in the signal's unit.
    share : float, optional
        Largest drift as a share of the value; with both, a value is flagged beyond the larger one.
    signals : sequence of str, optional
        Those of ``others`` that are of the same probe; all by default.
    shortest : duration
        As of `drift_from_visits`.

    Raises
    ------
    SchemaError
        If no limit is given, coordinates differ, a signal isn't there, or times aren't regular.

    References
    ----------
    .. [1] R. J. Wagner et al., "Guidelines and Standard Procedures for Continuous Water-Quality Monitors", U.S. Geological
       Survey Techniques and Methods 1-D3, 2006, maximum allowable limits for reporting.

    >>> hours = np.datetime64("2026-01-01", "ns") + np.arange(24 * 40) * np.timedelta64(1, "h")
    >>> noise = np.random.default_rng(0).normal(0, 0.01, (3, 960))
    >>> noise[:, [240, 720]] += 5
    >>> noise[0, 240:720] += 0.005 * np.arange(480)
    >>> a, b, c = (xr.DataArray(8 + v, {"time": hours}, "time", name=n) for n, v in zip("abc", noise))
    >>> found = np.flatnonzero(reset_flags(a, xr.Dataset({"b": b, "c": c}), limit=2) == 3)
    >>> bool(620 < found[0] < 680 and 718 < found[-1] < 723)
    True
    """
    if (limit is None and share is None) or not all(one is None or one > 0 for one in (limit, share)):
        msg = f"expected a positive limit or share, got limit={limit!r}, share={share!r}"
        raise SchemaError(msg)
    given = same_probe(signal, others, signals)
    step, least = regular_step(signal), nanoseconds(shortest, "shortest")

    def judge(*several: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
        numbers = [np.where(np.isfinite(one), one, np.nan) for one in several]
        seen, values = visited(numbers)[0], numbers[0]
        steps = find_steps(values, step, seen)
        allowed = np.fmax(limit or 0.0, (share or 0.0) * np.abs(values))
        out = np.where(np.isnan(several[0]), Flag.MISSING.value, Flag.PASS.value).astype(np.uint8)
        for begin, one in _ramps(steps, find_shifts(steps, seen.size), seen, step, least):
            off = abs(one.size) * np.arange(1, one.at - begin + 1) / (one.at - begin)
            part = out[begin : one.at]
            part[(off > allowed[begin : one.at]) & (part == Flag.PASS.value)] = Flag.SUSPECT.value
        return out

    return together(judge, given, signal)


def visit_calibrations(
    values: xr.DataArray, visits: xr.DataArray, *, asset: str, signal: str, longest: Duration = "30d"
) -> tuple[Calibration, ...]:
    """Return the corrections of one sensor: of drifts that visits ended, and of level shifts that went away again.

    Parameters
    ----------
    values, visits : DataArray
        As of `drift_from_visits`.
    asset : str
        The asset as type/id.
    signal : str
    longest : duration
        Of a level shift; see `level_shift_flags`.

    Raises
    ------
    SchemaError
        If dimensions or times don't fit.

    >>> hours = np.datetime64("2026-01-01", "ns") + np.arange(480) * np.timedelta64(1, "h")
    >>> values = xr.DataArray(np.random.default_rng(0).normal(0, 0.1, 480), {"time": hours}, "time")
    >>> values[200:300] += 4
    >>> (found,) = visit_calibrations(values, xr.zeros_like(values, dtype=bool), asset="river/1", signal="ph")
    >>> round(found.offset), str(found.since)[:10]
    (-4, '2026-01-09')
    """
    numbers, seen, step = _series(values, visits)
    steps = find_steps(numbers, step, seen)
    times = values.coords["time"].to_numpy().astype("datetime64[s]")
    unit = f" {values.attrs['units']}" if "units" in values.attrs else ""
    shifts = find_shifts(steps, nanoseconds(longest, "longest") // step)
    found = [
        Calibration.model_validate(
            {
                "asset": asset,
                "signal": signal,
                "from": f"{times[one.start]}Z",
                "until": f"{times[one.stop]}Z",
                "offset": six_digits(-one.size),
                "reason": f"the level shifts by {one.size:+.3g}{unit} and back",
            }
        )
        for one in shifts
    ]
    for drift in drift_from_visits(values, visits):
        made = drift.calibration(asset, signal)
        if made is not None and not any(made.overlaps(other) for other in found):
            found.append(made)
    return tuple(sorted(found, key=lambda one: one.span_ns))
