"""What the shifts of clocks mean: a constant shift, a clock that drifts, or one in another zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.findings import Finding

__all__ = ["ClockDrift", "ClockFault", "clock_drift", "clock_faults", "clock_findings"]

_DAY: Final = 86_400.0
_HALF_HOUR: Final = 1800.0
#: Quantile of the standard normal distribution for an interval of 90 %.
_Z90: Final = 1.6448536269514722
_FEWEST: Final = 4
#: What is still a zone's offset, and not just any shift, in seconds.
_TOLERANCE: Final = 360.0


@dataclass(frozen=True)
class ClockDrift:
    """How fast a clock gains, in seconds a day; negative if it loses."""

    rate: float
    """The median of the slopes between all pairs of periods (Theil and Sen)."""
    low: float
    """Lower end of the 90 % interval."""
    high: float
    """Upper end of the 90 % interval."""


@dataclass(frozen=True)
class ClockFault:
    """An asset's clock that seems wrong, in a period."""

    asset: str
    signal: str
    shift: np.timedelta64 | None
    """By how much values come late (negative: early); None for a clock that drifts, whose shift changes."""
    zone: str
    """The offset of the zone that the clock seems to be in, relative to the one that is stated now; empty if it is no zone's."""
    since: np.datetime64 | None
    until: np.datetime64 | None
    confidence: float
    evidence: str

    def finding(self) -> Finding:
        """Return the fault as a finding of the kind "clock"."""
        fix = f'zone: "{self.zone}"' if self.zone else ""
        return Finding(
            "clock", "", "", self.asset, self.signal, self.since, self.until, self.confidence, self.evidence, fix
        )


def clock_drift(shifts: xr.DataArray) -> ClockDrift | None:
    """Return how fast a clock gains, from its shifts by period; None with fewer than four shifts.

    Parameters
    ----------
    shifts : DataArray with dimension ``period``, timedelta64
        ``clock_shifts(…)["shift"]`` of one series; NaT where nothing is known.

    Raises
    ------
    SchemaError
        If there are other dimensions.

    References
    ----------
    .. [1] P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968), 1379-1389.

    >>> weeks = np.datetime64("2026-01-01", "ns") + np.arange(6) * np.timedelta64(7, "D")
    >>> gained = np.arange(6) * np.timedelta64(70, "s").astype("timedelta64[ns]")
    >>> clock_drift(xr.DataArray(gained, {"period": weeks}, "period")).rate
    10.0
    """
    if shifts.dims != ("period",):
        msg = f"expected the shifts of one series along 'period', got {list(shifts.dims)}; select one"
        raise SchemaError(msg)
    known = shifts.dropna("period")
    n = known.sizes["period"]
    if n < _FEWEST:
        return None
    days = known.period.to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9 / _DAY
    seconds = known.to_numpy() / np.timedelta64(1, "s")
    first, second = np.triu_indices(n, 1)
    slopes = np.sort((seconds[second] - seconds[first]) / (days[second] - days[first]))
    # Sen's interval: the variance of Kendall's statistic without ties.
    width = _Z90 * np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = int(max(np.floor((slopes.size - width) / 2), 0))
    high = int(min(np.ceil((slopes.size + width) / 2), slopes.size - 1))
    return ClockDrift(float(np.median(slopes)), float(slopes[low]), float(slopes[high]))


def clock_findings(
    found: xr.Dataset, *, shift: np.timedelta64, signal: str = "", correlation: float = 0.8
) -> list[Finding]:
    """Return a finding for each asset whose clock seems wrong.

    Parameters
    ----------
    found : Dataset
        As `clock_shifts` returns it, with the dimensions ``period`` and ``asset``.
    shift : timedelta64
        Smallest shift that counts.
    signal : str
        The signal that was compared.
    correlation : float
        Smallest correlation at the best shift that counts.

    Returns
    -------
    list of Finding
        Of the kind "clock". A drift is proposed where the 90 % interval of its rate excludes zero and it exceeds
        ``shift`` over the periods; a zone where the shift is within six minutes of whole half hours (the median of the
        others is shifted a little itself if several are).

    >>> periods = np.datetime64("2026-01-01", "ns") + np.arange(5) * np.timedelta64(7, "D")
    >>> late = np.full((5, 1), np.timedelta64(7200, "s").astype("timedelta64[ns]"))
    >>> data = {name: (("period", "asset"), np.full((5, 1), level)) for name, level in
    ...         (("correlation", 0.99), ("correlation_unshifted", 0.6))}
    >>> weeks = xr.Dataset({"shift": (("period", "asset"), late), **data}, {"period": periods, "asset": ["T7"]})
    >>> [(one.asset, one.fix) for one in clock_findings(weeks, shift=np.timedelta64(30, "m"))]
    [('T7', 'zone: "+02:00"')]
    """
    return [one.finding() for one in clock_faults(found, shift=shift, signal=signal, correlation=correlation)]


def clock_faults(
    found: xr.Dataset, *, shift: np.timedelta64, signal: str = "", correlation: float = 0.8
) -> list[ClockFault]:
    """Return the faults behind `clock_findings`, with the shift as a number; parameters as there."""
    made = []
    for place, asset in enumerate(found.asset.to_numpy().tolist()):
        one = found.isel(asset=place, drop=True)
        explained = 1 - one["correlation"] <= 0.5 * (1 - one["correlation_unshifted"])
        wrong = ((abs(one["shift"]) >= shift) & (one["correlation"] >= correlation) & explained).to_numpy()
        if wrong.any():
            made.append(_fault(one, wrong, shift, str(asset), signal))
    return made


def _fault(one: xr.Dataset, wrong: npt.NDArray[np.bool_], shift: np.timedelta64, asset: str, signal: str) -> ClockFault:
    rows = np.flatnonzero(wrong)
    seconds = one["shift"].to_numpy()[rows] / np.timedelta64(1, "s")
    centre = float(np.median(seconds))
    periods = one.period.to_numpy()
    best, plain = (float(one[name].to_numpy()[rows].mean()) for name in ("correlation", "correlation_unshifted"))
    fits = f"correlation with the others {best:.2f} instead of {plain:.2f} in {rows.size} of {periods.size} periods"
    drift = clock_drift(one["shift"].isel(period=slice(int(rows[0]), None)).where(one["correlation"] >= 0.5))
    span = float((periods[-1] - periods[rows[0]]) / np.timedelta64(1, "D"))
    offset = round(centre / _HALF_HOUR) * _HALF_HOUR
    zone = ""
    constant: np.timedelta64 | None = np.timedelta64(60 * round(centre / 60), "s")
    if drift is not None and drift.low * drift.high > 0 and abs(drift.rate) * span >= shift / np.timedelta64(1, "s"):
        what = f"the clock gains {drift.rate:.0f} s a day ({drift.low:.0f} to {drift.high:.0f})"
        constant = None
    elif abs(centre - offset) <= _TOLERANCE and offset:
        minutes = int(abs(offset)) // 60
        zone = f"{'+' if offset > 0 else '-'}{minutes // 60:02d}:{minutes % 60:02d}"
        what = f"values come {_text(centre)}, as if the clock were in another zone ({zone} relative to the one that is stated now)"
        constant = np.timedelta64(int(offset), "s")
    else:
        what = f"values come {_text(centre)}"
    last = int(rows[-1])
    return ClockFault(
        asset=asset,
        signal=signal,
        shift=constant,
        zone=zone,
        since=periods[rows[0]] if rows[0] > 0 else None,
        until=periods[last + 1] if last + 1 < periods.size else None,
        confidence=float(np.clip(best * rows.size / (last - rows[0] + 1), 0, 1)),
        evidence=f"{what}; {fits}",
    )


def _text(seconds: float) -> str:
    minutes = round(abs(seconds) / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min too {'late' if seconds > 0 else 'early'}"
