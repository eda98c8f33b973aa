"""Steps of a series: a level that changes at once. Pairs of them are level shifts, those at visits end a drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.drift.departures import resolution_of, samples
from twinlab.quality.drift.rolling import Bools, Floats, each_series, regular_step, rolling
from twinlab.quality.labelled import Duration

__all__ = ["Shift", "Step", "find_shifts", "find_steps", "level_shift_flags"]

_DAY: Final = 86400 * 10**9
#: Days on either side with which the change at the same time of day is compared.
_DAYS: Final = 3
#: Sizes of two steps that cancel differ by at most this share of the larger one; steps between are smaller than this
#: share of it.
_EQUAL: Final = 0.35
_BETWEEN: Final = 0.5
#: Usual changes of the days around that a step at a visit has at least: at random times without a visit, one in twenty has.
_AT_VISIT: Final = 3.0


@dataclass(frozen=True)
class Step:
    """A change of level: the first sample with the new level, the size, whether it was at a visit, the usual change."""

    at: int
    size: float
    visit: bool
    spread: float = 0.0


@dataclass(frozen=True)
class Shift:
    """Samples [start, stop) whose level is off by ``size``."""

    start: int
    stop: int
    size: float


def _net(values: Floats, count: int, day: int) -> Floats:
    """Return the change of level at each sample, without the one usual at that time of day.

    Level: the median of ``count`` samples that end, or begin, one sample away from it.
    """
    before = np.r_[np.nan, rolling(values, count, centred=False, least=count // 2)[:-1]]
    after = np.r_[rolling(values[::-1], count, centred=False, least=count // 2)[::-1][1:], np.nan]
    change: Floats = after - before
    if day < 4 or values.size < 3 * day:
        return change
    others = np.full((2 * _DAYS, values.size), np.nan)
    for row, days in enumerate([*range(-_DAYS, 0), *range(1, _DAYS + 1)]):
        apart = days * day
        if 0 < apart < values.size:
            others[row, apart:] = change[:-apart]
        elif -values.size < apart < 0:
            others[row, :apart] = change[-apart:]
    known = np.isfinite(others).any(0)
    usual = np.zeros(values.size)
    usual[known] = np.nanmedian(others[:, known], axis=0)
    net: Floats = change - usual
    return net


def find_steps(values: Floats, step: int, visits: Bools | None = None, *, limit: float = 12.0) -> list[Step]:
    """Return the steps of a series in order of time.

    A step is a change of the level within two samples that persists for eight hours, and is larger than ``limit`` usual
    changes of the days around. At visits, where a probe is away for a while, three are enough.

    Parameters
    ----------
    values : float64 [time]
    step : int
        Cadence, ns.
    visits : bool [time], optional
    limit : float

    >>> level = np.where(np.arange(400) < 200, 0.0, 3.0) + np.random.default_rng(0).normal(0, 0.05, 400)
    >>> [(one.at, round(one.size)) for one in find_steps(level, 900 * 10**9)]
    [(200, 3)]
    """
    day = round(_DAY / step)
    short, long = max(4, day // 24), max(8, day // 3)
    if values.size < 2 * long:
        return []
    change, lasting = _net(values, short, day), _net(values, long, day)
    size = np.abs(change)
    scale = np.fmax(1.4826 * rolling(size, 2 * day + 1, least=20), resolution_of(values))
    score = np.nan_to_num(size / np.maximum(scale, 1e-12))
    score[~((lasting * change > 0) & (np.abs(lasting) > 0.5 * size))] = 0
    one, two = np.abs(np.diff(values, prepend=np.nan)), np.full(values.size, np.nan)
    two[1:-1] = np.abs(values[2:] - values[:-2])
    sharp = np.nan_to_num(np.fmax(one, two))
    sharp = np.max([sharp, np.r_[0, sharp[:-1]], np.r_[sharp[1:], 0]], axis=0) > 0.6 * size
    score[~sharp] = 0
    found: list[Step] = []
    if visits is not None:
        score[_widened(visits, 4)] = 0
        found = _steps_at(values, visits, day, scale)
    for place in np.argsort(-score).tolist():
        if score[place] <= limit:
            break
        if all(abs(place - other.at) > day // 2 for other in found):
            size_here = float(change[place])
            found.append(Step(_sharpest(values, place, size_here), size_here, visit=False, spread=float(scale[place])))
    return sorted(found, key=lambda each: each.at)


def _steps_at(values: Floats, visits: Bools, day: int, scale: Floats) -> list[Step]:
    """Return the steps at visits: from the level before one to the level after it."""
    short, long = max(4, day // 24), max(8, day // 3)
    edges = np.flatnonzero(np.diff(np.r_[0, visits.astype(np.int8), 0]))
    spans = [[int(edges[0]), int(edges[1])]] if edges.size else []
    for first, last in zip(edges[2::2].tolist(), edges[3::2].tolist(), strict=True):
        # Two of them within a quarter of a day are one visit.
        if first - spans[-1][1] < day // 4:
            spans[-1][1] = last
        else:
            spans.append([first, last])

    def change(first: int, last: int, count: int) -> float:
        before, after = values[max(first - count, 0) : max(first, 0)], values[max(last, 0) : max(last + count, 0)]
        before, after = before[np.isfinite(before)], after[np.isfinite(after)]
        return float(np.median(after) - np.median(before)) if before.size and after.size else np.nan

    def net(first: int, last: int, count: int) -> float:
        others = [change(first + k * day, last + k * day, count) for k in range(-_DAYS, _DAYS + 1) if k]
        known = [each for each in others if np.isfinite(each)]
        return change(first, last, count) - (float(np.median(known)) if known else 0.0)

    out = []
    for first, last in spans:
        size, lasting = net(first, last, short), net(first, last, long)
        usual = float(np.nanmedian(scale[max(first - day, 0) : last + day]))
        if abs(size) > _AT_VISIT * usual and size * lasting > 0 and abs(lasting) > 0.5 * abs(size):
            out.append(Step(last, size, visit=True, spread=usual))
    return out


def _sharpest(values: Floats, place: int, size: float) -> int:
    """Return the sample near a place at which neighbours differ most in the direction of a step."""
    first = max(1, place - 2)
    around = np.nan_to_num(np.sign(size) * np.diff(values[first - 1 : place + 3]))
    return first + int(np.argmax(around)) if around.size else place


def _widened(mask: Bools, count: int) -> Bools:
    found: Bools = np.convolve(mask, np.ones(2 * count + 1), "same") > 0.5
    return found


def find_shifts(steps: list[Step], longest: int) -> list[Shift]:
    """Return the pairs of steps that cancel: the level went away by itself, and came back.

    >>> find_shifts([Step(10, 3.0, False), Step(15, 0.2, False), Step(30, -2.9, True)], 100)
    [Shift(start=10, stop=30, size=3.0)]
    """
    out: list[Shift] = []
    used = -1
    for number, first in enumerate(steps):
        # What begins at a visit was done by somebody: the level after it is the right one.
        if number <= used or first.visit:
            continue
        for later in range(number + 1, len(steps)):
            last = steps[later]
            if last.at - first.at > longest:
                break
            cancel = abs(first.size + last.size) < _EQUAL * max(abs(first.size), abs(last.size))
            quiet = all(abs(each.size) < _BETWEEN * abs(first.size) for each in steps[number + 1 : later])
            if cancel and quiet and first.size * last.size < 0:
                out.append(Shift(first.at, last.at, first.size))
                used = later
                break
    return out


def level_shift_flags(signal: xr.DataArray, *, longest: Duration = "30d", limit: float = 12.0) -> xr.DataArray:
    """Flag values between two steps that cancel, at which the level went away at once and came back: suspect.

    Unlike a spike it may last for weeks: a probe that was moved or knocked, a logger with another setting. A step without
    a step back flags nothing: which of the levels is the right one isn't known.

    Parameters
    ----------
    signal : DataArray with dimension ``time``, at a regular cadence
    longest : duration
        Largest distance of the two steps.
    limit : float
        Smallest step, in usual changes of the days around it.

    Raises
    ------
    SchemaError
        If limit, duration or times don't fit.

    References
    ----------
    .. [1] J. S. Horsburgh et al., "Open source software for visualization and quality control of continuous hydrologic
       and water quality sensor data", Environmental Modelling & Software 70 (2015) 32 (level shifts).

    >>> hours = np.datetime64("2026-01-01", "ns") + np.arange(480) * np.timedelta64(1, "h")
    >>> values = xr.DataArray(np.random.default_rng(0).normal(0, 0.1, 480), {"time": hours}, "time")
    >>> values[200:300] += 4
    >>> found = np.flatnonzero(level_shift_flags(values) == 3)
    >>> int(found[0]), int(found[-1]), found.size
    (200, 299, 100)
    """
    if not 0 < limit < np.inf:
        msg = f"expected limit as a positive number, got {limit!r}"
        raise SchemaError(msg)
    step = regular_step(signal)
    most = samples(longest, "longest", step, least=1)

    def judge(values: Floats) -> Bools:
        out = np.zeros(values.size, dtype=np.bool_)
        for shift in find_shifts(find_steps(values, step, limit=limit), most):
            out[shift.start : shift.stop] = True
        return out

    return each_series(signal, judge, standard_name="quality_flag")
