"""Rates of arrivals by hour of the week, and where what arrives goes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2

from twinlab.errors import SchemaError
from twinlab.simulate.timetable.weeks import HOURS, hour_of_week

__all__ = ["ArrivalRates", "arrival_rates", "hours_in"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class ArrivalRates:
    """Rates of arrivals of several groups by hour of the week."""

    groups: tuple[str, ...]
    """Names of the groups, such as hubs or pairs of hubs."""
    rate: Floats
    """Arrivals an hour, shape ``(group, 168)``; hour 0 begins on Monday 00:00 UTC."""
    count: Ints
    """Number of arrivals of each group in the window."""
    weeks: float
    """Length of the window in weeks."""
    weight: float
    """Hours of observation that the common pattern counts as: 0 trusts each cell alone."""
    dispersion: float
    """Variance of the counts an hour over their mean, 1 for Poisson arrivals; more if they come in bursts."""
    p_value: float
    """Chance of at least this dispersion if arrivals were Poisson with these rates."""
    words: str
    """The same in words."""

    def expected(self, start: object, stop: object) -> Floats:
        """Return the expected number of arrivals of each group in a span."""
        return np.asarray(self.rate @ hours_in(start, stop))


def hours_in(start: object, stop: object) -> Floats:
    """Return how many hours of a span fall into each hour of the week, shape ``(168,)``.

    >>> hours_in(np.datetime64("2026-03-23T00:30"), np.datetime64("2026-03-23T02:00"))[:3].tolist()
    [0.5, 1.0, 0.0]
    """
    begin, end = _instant(start), _instant(stop)
    edges = np.arange(begin.astype("M8[h]"), end.astype("M8[h]") + 2 * _HOUR, _HOUR).astype("M8[ns]")
    hours = np.diff(np.clip(edges, begin, end)) / _HOUR
    return np.bincount(hour_of_week(edges[:-1]), weights=hours, minlength=HOURS).astype(np.float64)


def _instant(time: object) -> np.datetime64:
    return pd.Timestamp(time).to_datetime64()  # type: ignore[arg-type]


def arrival_rates(
    times: npt.ArrayLike,
    groups: Sequence[str] | npt.NDArray[np.str_] | pd.Series | None = None,
    *,
    start: object,
    stop: object,
) -> ArrivalRates:
    """Return the rates of arrivals by group and hour of the week.

    A cell of one group and hour has few arrivals in a few weeks, so it is shrunk to the common pattern of all groups, scaled to
    the group: the mean of a gamma posterior whose prior is that pattern [1]_. How strongly is estimated from how much the cells
    differ beyond chance.

    Parameters
    ----------
    times : array_like of datetime64
        Arrivals; those outside ``[start, stop)`` are left out.
    groups : sequence of str, optional
        The group of each arrival; one group "all" by default.
    start, stop : instants
        The window; naive is UTC.

    Raises
    ------
    SchemaError
        If the window is empty or without arrivals.

    References
    ----------
    .. [1] Robbins (1956), "An empirical Bayes approach to statistics"; the gamma–Poisson case.

    Examples
    --------
    >>> times = np.arange("2026-03-02T00:30", "2026-03-30", 60, dtype="M8[m]")
    >>> rates = arrival_rates(times, start="2026-03-02", stop="2026-03-30")
    >>> rates.rate.shape, rates.rate.round(2).min()
    ((1, 168), np.float64(1.0))
    """
    begin, end = _instant(start), _instant(stop)
    if not begin < end:
        msg = f"arrival_rates: expected a start before the stop, got {begin} and {end}"
        raise SchemaError(msg)
    when = np.asarray(times, dtype="M8[ns]")
    names = np.full(len(when), "all") if groups is None else np.asarray(groups, dtype=str)
    if len(names) != len(when):
        msg = f"arrival_rates: expected a group for each of {len(when)} arrivals, got {len(names)}"
        raise SchemaError(msg)
    inside = (when >= begin) & (when < end)
    when, names = when[inside], names[inside]
    if not len(when):
        msg = f"arrival_rates: there are no arrivals from {begin} to {end}; take a window with arrivals"
        raise SchemaError(msg)
    found, code = np.unique(names, return_inverse=True)
    exposure = hours_in(begin, end)
    counts = np.bincount(code * HOURS + hour_of_week(when), minlength=len(found) * HOURS).reshape(len(found), HOURS)
    rate, weight = _shrunk(counts.astype(np.float64), exposure)
    dispersion, p_value = _dispersion(when, code, rate, begin, end)
    words = (
        f"{len(when)} arrivals of {len(found)} groups in {exposure.sum() / HOURS:.1f} weeks; "
        f"{'as random as' if p_value >= 0.01 else 'more scattered than'} Poisson arrivals (dispersion {dispersion:.2f})"
    )
    return ArrivalRates(
        tuple(found.tolist()),
        rate,
        counts.sum(axis=1),
        float(exposure.sum() / HOURS),
        weight,
        dispersion,
        p_value,
        words,
    )


def _shrunk(counts: Floats, exposure: Floats) -> tuple[Floats, float]:
    """Return rates of cells shrunk to the common pattern, and the hours that the pattern counts as."""
    total = counts.sum(axis=0)
    common, _ = _towards(total, exposure, _weekday_times_hour(total, exposure))
    of_group = counts.sum(axis=1) / max(float(total.sum()), 1.0)
    return _towards(counts, exposure, of_group[:, None] * common)


def _weekday_times_hour(total: Floats, exposure: Floats) -> Floats:
    """Return the product of a weekday's rate and the share of an hour of the day; hours that the window lacks get the mean."""
    many, hours = total.reshape(7, 24), exposure.reshape(7, 24)
    overall = total.sum() / exposure.sum()

    def ratio(axis: int) -> Floats:
        seen = hours.sum(axis=axis)
        return np.where(seen > 0, many.sum(axis=axis) / np.where(seen > 0, seen, 1.0) / overall, 1.0)

    return np.asarray(overall * np.outer(ratio(1), ratio(0)).ravel(), dtype=np.float64)


def _towards(counts: Floats, exposure: Floats, prior: Floats) -> tuple[Floats, float]:
    """Return rates shrunk to a prior, and the hours of observation that the prior counts as."""
    expected = prior * exposure
    # Excess of the squared deviations over the Poisson variance (method of moments, relative variance v): E[(k-m)^2] = m + v m^2.
    squares = float((expected**2).sum())
    excess = float(((counts - expected) ** 2 - expected).sum()) / squares if squares else 0.0
    if excess <= 0:
        return prior, float("inf")
    # A gamma prior with mean m and relative variance v has the shape 1/v: it counts as 1/(v m) hours, here of the mean cell.
    shape = 1 / excess
    mean = np.where(prior > 0, prior, 1.0)
    rate = np.where(prior > 0, (counts + shape) / (exposure + shape / mean), 0.0)
    return rate, float(shape / prior[prior > 0].mean())


def _dispersion(
    when: npt.NDArray[np.datetime64],
    code: npt.NDArray[np.intp],
    rate: Floats,
    start: np.datetime64,
    stop: np.datetime64,
) -> tuple[float, float]:
    """Return the variance of counts over their mean, by group and six hours, and the p-value of at least that (chi squared).

    The rates come from the same counts, so that both are slightly too good.
    """
    block = np.timedelta64(6, "h")
    edges = np.arange(start.astype("M8[h]"), stop + block, block).astype("M8[ns]")
    edges = edges[edges <= stop]
    if len(edges) < 3:
        return 1.0, 1.0
    expected = np.stack([rate @ hours_in(a, b) for a, b in itertools.pairwise(edges)], axis=1)
    slot = np.searchsorted(edges, when, side="right") - 1
    inside = (slot >= 0) & (slot < len(edges) - 1)
    counts = np.bincount(code[inside] * (len(edges) - 1) + slot[inside], minlength=expected.size).reshape(
        expected.shape
    )
    enough = expected >= 1
    free = np.count_nonzero(enough)
    if free < 2:
        return 1.0, 1.0
    value = float(((counts - expected)[enough] ** 2 / expected[enough]).sum())
    return value / free, float(chi2.sf(value, free))
