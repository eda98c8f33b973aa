"""Find drifting sensors: from peers, from a second sensor, from their own past, from reference measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.drift.judge import YEAR, Judged, drift_of, judge_levels
from twinlab.quality.drift.levels import Levels, daily_levels, peer_levels
from twinlab.quality.drift.verdict import Drift

__all__ = ["drift_from_past", "drift_from_peers", "drift_from_redundancy", "find_drift"]

#: Passes in which sensors that drift are taken out of the references of the others.
_PASSES: Final = 3
#: Share of the sensors that may be taken out.
_MOST_OUT: Final = 0.4


def _unit(values: xr.DataArray) -> str:
    return str(values.attrs.get("units", ""))


def drift_from_peers(
    values: xr.DataArray, *, groups: Sequence[object] | None = None, tolerance: float = 0.0
) -> tuple[Drift, ...]:
    """Judge each sensor by its difference to the median of similar sensors.

    The daily level of a sensor is explained by that of its peers (the fifteen whose changes from day to day are most
    alike), by the season if there is a year of data, and by a slope that begins at an unknown onset, in noise that is a slow
    wander and white noise (see `twinlab.quality.drift.brokenline`, after [1]_). A change that most of the peers share
    isn't a drift. Sensors that drift are taken out of the references of the others.

    Parameters
    ----------
    values : DataArray, dimensions ``time`` (datetime64, UTC) and ``asset``
        One signal in ``values.attrs["units"]``; NaN is missing. Any cadence up to a day: hourly means are enough.
    groups : sequence, optional
        A label for each asset, such as its site: only assets of one label are peers.
    tolerance : float
        A smaller change in all is no drift, in the signal's unit.

    Returns
    -------
    tuple of Drift
        One for each asset, in their order. "unknown" with less than three peers, 45 days, or where a step explains
        the data as well.

    Raises
    ------
    SchemaError
        If dimensions or the time axis don't fit.

    References
    ----------
    .. [1] D. V. Hinkley, "Inference in two-phase regression", Journal of the American Statistical Association 66 (1971).

    >>> rng = np.random.default_rng(0)
    >>> days = np.datetime64("2026-01-01", "ns") + np.arange(120) * np.timedelta64(1, "D")
    >>> table = rng.normal(5, 0.05, (120, 6)) + rng.normal(0, 1, (120, 1))
    >>> table[60:, 2] += 0.01 * np.arange(60)
    >>> values = xr.DataArray(table, {"time": days, "asset": list("abcdef")}, ("time", "asset"), attrs={"units": "degC"})
    >>> [drift.verdict for drift in drift_from_peers(values)]
    ['none', 'none', 'drift', 'none', 'none', 'none']
    """
    if "asset" not in values.dims:
        msg = f"expected the dimensions time and asset, got {list(values.dims)}; peers are other assets"
        raise SchemaError(msg)
    if groups is not None and len(groups) != values.sizes["asset"]:
        msg = f"expected a group for each of {values.sizes['asset']} assets, got {len(groups)}"
        raise SchemaError(msg)
    levels = daily_levels(values)
    judged = _by_peers(levels, groups, tolerance)
    count = levels.table.shape[1] - 1
    against = f"the median of {min(15, count)} peers" if groups is None else "the median of its peers"
    return tuple(
        drift_of(one, levels, place, method="peers", against=against, unit=_unit(values))
        for place, one in enumerate(judged)
    )


def _by_peers(levels: Levels, groups: Sequence[object] | None, tolerance: float) -> list[Judged]:
    table = levels.table
    excluded: list[int] = []
    judged: list[Judged] = []
    for _ in range(_PASSES):
        reference = peer_levels(table, excluded=excluded, groups=groups)
        known = np.isfinite(reference).any(0)
        places = np.flatnonzero(known)
        judged = [Judged("unknown", reason="less than three peers with values")] * table.shape[1]
        found = judge_levels(table[:, places], [reference[:, places]], season=YEAR, tolerance=tolerance)
        for place, one in zip(places.tolist(), found, strict=True):
            judged[place] = one
        moving = sorted((one.gain, place) for place, one in enumerate(judged) if one.posterior is not None)
        most = int(_MOST_OUT * table.shape[1])
        now = sorted(place for _, place in moving[::-1][:most])
        if now == excluded:
            break
        excluded = now
    return judged


def drift_from_redundancy(values: xr.DataArray, other: xr.DataArray, *, tolerance: float = 0.0) -> tuple[Drift, ...]:
    """Judge each sensor by its difference to a second sensor of the same quantity at the same place.

    Parameters
    ----------
    values, other : DataArray, dimension ``time``, perhaps ``asset``
        In the same unit; their times needn't be the same.
    tolerance : float
        As in `drift_from_peers`.

    Returns
    -------
    tuple of Drift
        One for each asset of ``values``; its reason says that the difference doesn't show which of the two drifts.

    Raises
    ------
    SchemaError
        If the two have no day or not the same assets.

    >>> days = np.datetime64("2026-01-01", "ns") + np.arange(100) * np.timedelta64(1, "D")
    >>> first = xr.DataArray(np.sin(np.arange(100.0)), {"time": days}, "time")
    >>> second = first + np.random.default_rng(1).normal(0, 0.01, 100) - 0.01 * np.maximum(np.arange(100) - 40, 0)
    >>> round(drift_from_redundancy(first, second)[0].slope, 1)
    0.3
    """
    mine, its = daily_levels(values), daily_levels(other)
    if mine.assets != its.assets:
        msg = f"expected two sensors of the same assets, got {list(mine.assets)[:5]} and {list(its.assets)[:5]}"
        raise SchemaError(msg)
    days, here, there = np.intersect1d(mine.days, its.days, return_indices=True)
    if not days.size:
        msg = "expected two sensors with values on the same days, got none in common; check their times"
        raise SchemaError(msg)
    levels = Levels(days, mine.table[here] - its.table[there], mine.assets)
    judged = judge_levels(levels.table, [], season=None, tolerance=tolerance)
    either = "their difference doesn't show which of the two drifts"
    return tuple(
        drift_of(
            Judged(one.verdict, either, one.gain, one.posterior, one.until) if one.verdict == "drift" else one,
            levels,
            place,
            method="redundancy",
            against="the second sensor" + (f" {other.name}" if other.name is not None else ""),
            unit=_unit(values),
        )
        for place, one in enumerate(judged)
    )


def drift_from_past(values: xr.DataArray, *, season: bool = True, tolerance: float = 0.0) -> tuple[Drift, ...]:
    """Judge each sensor by its own past: a slope that begins, beside a season of two harmonics.

    Parameters
    ----------
    values : DataArray, dimension ``time``, perhaps ``asset``
    season : bool
        Whether the quantity may have a season. Then a year of data is needed: before, a season is a slope.
    tolerance : float
        As in `drift_from_peers`.

    Returns
    -------
    tuple of Drift
        "unknown" where a season can't be separated from a slope.

    Raises
    ------
    SchemaError
        If dimensions or the time axis don't fit.

    >>> days = np.datetime64("2026-01-01", "ns") + np.arange(100) * np.timedelta64(1, "D")
    >>> values = xr.DataArray(np.random.default_rng(1).normal(0, 0.1, 100), {"time": days}, "time")
    >>> print(*drift_from_past(values), *drift_from_past(values, season=False), sep="; ")
    sensor: undecided (the season isn't separable: 100 days, 365 are needed); sensor: no drift
    """
    levels = daily_levels(values)
    days = len(levels.days)
    if season and days < YEAR:
        judged = [Judged("unknown", reason=f"the season isn't separable: {days} days, {int(YEAR)} are needed")] * len(
            levels.assets
        )
    else:
        judged = judge_levels(levels.table, [], season=YEAR if season else None, tolerance=tolerance)
    return tuple(
        drift_of(one, levels, place, method="past", against="its own past", unit=_unit(values))
        for place, one in enumerate(judged)
    )


def find_drift(
    values: xr.DataArray,
    *,
    groups: Sequence[object] | None = None,
    other: xr.DataArray | None = None,
    season: bool = True,
    tolerance: float = 0.0,
) -> tuple[Drift, ...]:
    """Judge each sensor by the strongest comparison that the data allow: peers, then a second sensor, then its own past.

    Parameters
    ----------
    values : DataArray, dimension ``time``, perhaps ``asset``
    groups : sequence, optional
        As in `drift_from_peers`.
    other : DataArray, optional
        A second sensor of the same assets, as in `drift_from_redundancy`.
    season : bool
        As in `drift_from_past`.
    tolerance : float
        As in `drift_from_peers`.

    Returns
    -------
    tuple of Drift
        For each asset the first judgement that isn't "unknown", otherwise one "unknown" with all reasons.

    >>> days = np.datetime64("2026-01-01", "ns") + np.arange(30) * np.timedelta64(1, "D")
    >>> print(find_drift(xr.DataArray(np.ones(30), {"time": days}, "time"))[0])
    sensor: undecided (no peers; the season isn't separable: 30 days, 365 are needed)
    """
    ways: list[tuple[Drift, ...]] = []
    several = "asset" in values.dims
    if several:
        ways.append(drift_from_peers(values, groups=groups, tolerance=tolerance))
    if other is not None:
        ways.append(drift_from_redundancy(values, other, tolerance=tolerance))
    ways.append(drift_from_past(values, season=season, tolerance=tolerance))
    out = []
    for found in zip(*ways, strict=True):
        known = next((one for one in found if one.verdict != "unknown"), None)
        if known is None:
            reasons = ([] if several else ["no peers"]) + [one.reason for one in found]
            known = Drift(
                found[0].asset,
                "unknown",
                found[0].method,
                last=found[0].last,
                reason="; ".join(reasons),
                unit=_unit(values),
            )
        out.append(known)
    return tuple(out)
