"""Judge tables of daily levels: which series have a slope that begins, by how much, and what can't be decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab.quality.drift.brokenline import (
    EDGE,
    Fit,
    Posterior,
    fit_columns,
    hinges,
    hinges_until,
    posterior_of,
    steps,
)
from twinlab.quality.drift.levels import Levels, without_outliers
from twinlab.quality.drift.verdict import MONTH, Drift, Method, Verdict

__all__ = ["YEAR", "Judged", "judge_levels"]

Floats = npt.NDArray[np.float64]

#: Days of a year, of which a season is harmonics.
YEAR: Final = 365.25
#: Fewest days with a level, and their least share between the first and the last.
_FEWEST: Final = 45
_COVERAGE: Final = 0.6
#: Rise of twice the log likelihood that a slope must bring. Series of wander alone (time constants of 2 to 40 days
#: beside white noise) reach 20 in one of a hundred.
_STRONG: Final = 22.0
#: Rise above a step's below which both explain the series.
_CLEARER: Final = 4.0
#: Rise that a reset must bring.
_RESET: Final = 16.0
#: Jump that may be a reset, in standard deviations of changes over three steps.
_JUMP: Final = 5.0
#: Steps of a series at most; longer ones are judged by blocks of days.
_LONGEST: Final = 300
#: Share of a slope that level, peers and season don't explain, below which it can't be separated from them.
_SEPARATE: Final = 0.02


@dataclass(frozen=True)
class Judged:
    """One series' judgement, in days from the first.

    Parameters
    ----------
    verdict, reason : str
        As of `Drift`.
    gain : float
        Twice the rise of the log likelihood by a slope that begins.
    posterior : Posterior, optional
        In days.
    until : float, optional
        Day of the reset.
    """

    verdict: Verdict
    reason: str = ""
    gain: float = 0.0
    posterior: Posterior | None = None
    until: float | None = None


def _filled(column: Floats) -> Floats:
    known = np.flatnonzero(np.isfinite(column))
    return np.interp(np.arange(column.size), known, column[known])


def _blocks(table: Floats, block: int) -> Floats:
    if block == 1:
        return table
    rows = len(table) // block * block
    found: Floats = table[:rows].reshape(-1, block, *table.shape[1:]).mean(axis=1)
    return found


def _base(columns: Sequence[Floats], n: int, block: int, season: float | None, first: int) -> Floats:
    """Return regressors [n, p]: level, the given columns, and the season."""
    day = (first + (np.arange(n) + 0.5) * block) / YEAR * 2 * np.pi
    parts = [np.ones(n)]
    for column in columns:
        centred = column - column.mean()
        if np.abs(centred).max() > 1e-9 * max(1.0, float(np.abs(column).max())):
            parts.append(centred / centred.std())
    if season is not None and n * block >= season:
        parts += [wave(k * day) for k in (1, 2) for wave in (np.cos, np.sin)]
    return np.stack(parts, axis=1)


def judge_levels(
    table: Floats, beside: Sequence[Floats], *, season: float | None, tolerance: float = 0.0
) -> list[Judged]:
    """Judge each series of a table [day, asset] of levels.

    Parameters
    ----------
    table : float64 [day, asset]
    beside : sequence of float64 [day, asset]
        Levels that explain the series, as that of its peers.
    season : float, optional
        Days from which on a season is among the regressors; None for no season.
    tolerance : float
        A smaller change in all is no drift.
    """
    clean = without_outliers(table - (beside[0] if beside else 0.0))
    out = [Judged("unknown", reason="no values")] * table.shape[1]
    spans: dict[tuple[int, int, int], list[int]] = {}
    for asset in range(table.shape[1]):
        known = np.flatnonzero(np.isfinite(clean[:, asset]))
        if known.size:
            # A few days less make series of the same length, which are judged together.
            first, last = int(known[0]), int(known[-1]) + 1
            first += (last - first) % 7 if last - first > 10 * _FEWEST else 0
            known = known[known >= first]
            if known.size >= _FEWEST and known.size >= _COVERAGE * (last - first):
                spans.setdefault((first, last, len(beside)), []).append(asset)
                continue
            out[asset] = Judged(
                "unknown", reason=f"{known.size} days with values in {last - first}, {_FEWEST} in a row are needed"
            )
    for (first, last, _), assets in spans.items():
        block = -(-(last - first) // _LONGEST)
        shown = clean[first:last, assets]
        raw = shown + (beside[0][first:last, assets] if beside else 0.0)
        series = _blocks(np.stack([_filled(column) for column in raw.T], axis=1), block)
        bases = [
            _base(
                [_blocks(_filled(one[first:last, asset]), block) for one in beside], len(series), block, season, first
            )
            for asset in assets
        ]
        # A difference that is constant to rounding errors has no noise to compare a slope with.
        still = np.nanmax(shown, 0) - np.nanmin(shown, 0) <= 1e-9 * np.nanmax(np.abs(raw), 0)
        for place, judged, constant in zip(assets, _judge_group(series, bases, tolerance), still, strict=True):
            out[place] = Judged("none") if constant else _shifted(judged, block, first)
    return out


def _shifted(judged: Judged, block: int, first: int) -> Judged:
    """Return a judgement in days from the first of the table, not in steps of its own series."""
    found = judged.posterior
    if found is None:
        return judged
    # The level of a day is that of its middle.
    middle = block / 2 + first
    low, high = found.onset_interval
    moved = replace(
        found,
        onset=found.onset * block + middle,
        onset_interval=(low * block + middle, high * block + middle),
        slope=found.slope / block,
        slope_interval=(found.slope_interval[0] / block, found.slope_interval[1] / block),
    )
    return replace(judged, posterior=moved, until=None if judged.until is None else judged.until * block + first)


def _judge_group(series: Floats, bases: list[Floats], tolerance: float) -> list[Judged]:
    """Judge series of one length, in steps."""
    out: list[Judged] = [Judged("none")] * series.shape[1]
    n = len(series)
    for width in sorted({base.shape[1] for base in bases}):
        same = [place for place, base in enumerate(bases) if base.shape[1] == width]
        for start in range(0, len(same), 100):
            some = same[start : start + 100]
            found = fit_columns(
                series[:, some], np.stack([bases[place] for place in some], axis=1), hinges(n, max(1, n // 120))
            )
            for place, gain in zip(some, found.gain.tolist(), strict=True):
                out[place] = (
                    # A drift that was reset is no slope to the end, but leaves a jump.
                    Judged("none", gain=gain)
                    if gain < _STRONG and not _jumps(series[:, place])
                    else _judge_one(series[:, place], bases[place], tolerance)
                )
    return out


def _judge_one(y: Floats, base: Floats, tolerance: float) -> Judged:
    """Judge a series in which a slope explains much: a drift, a drift that was reset, a step, or not to be separated."""
    n = len(y)
    one = (y[:, None], base[:, None, :])
    columns = hinges(n)
    found = fit_columns(*one, columns)
    until = _reset(y, base, found)
    if until is not None:
        columns = hinges_until(n, until)
        found = fit_columns(*one, columns)
    gain = float(found.gain[0])
    if gain < _STRONG:
        return Judged("none", gain=gain)
    posterior = posterior_of(y, base, columns)
    step = float(fit_columns(*one, steps(n)).gain[0])
    end = n if until is None else until
    change = abs(posterior.slope) * (end - posterior.onset)
    if step > gain + _CLEARER:
        return Judged("none", "the level shifts at once", gain=gain)
    if posterior.onset >= columns.onsets[-1]:
        return Judged("none", "a change within a week is no slow drift", gain=gain)
    if posterior.slope_interval[0] <= 0 <= posterior.slope_interval[1]:
        return Judged("unknown", "the interval of the slope contains zero", gain=gain)
    if change < max(tolerance, posterior.spread):
        return Judged("none", "the change is smaller than the daily noise or the tolerance", gain=gain)
    if step > gain - _CLEARER:
        return Judged("unknown", "a step explains the change as well as a slope", gain=gain)
    if _unexplained(base, columns.matrix[:, int(np.argmin(np.abs(columns.onsets - posterior.onset)))]) < _SEPARATE:
        return Judged("unknown", "the season isn't separable from a slope in these data", gain=gain)
    return Judged("drift", gain=gain, posterior=posterior, until=None if until is None else float(until))


def _jumps(y: Floats) -> list[int]:
    """Return up to three steps at which the level jumps far more than it usually changes, the largest jump first.

    >>> _jumps(np.r_[np.arange(30.0) % 3, 20 + np.arange(30.0) % 3])
    [30]
    """
    half = 3
    windows = np.median(np.lib.stride_tricks.sliding_window_view(y, half), axis=1)
    jump = np.abs(windows[half:] - windows[:-half])
    scale = 1.4826 * np.median(jump)
    found: list[int] = []
    for place in np.argsort(-jump)[:12].tolist():
        if jump[place] > _JUMP * scale and all(abs(place + half - other) > half for other in found):
            found.append(place + half)
    return found[:3]


def _reset(y: Floats, base: Floats, without: Fit) -> int | None:
    """Return the step at which a drift was reset, if that explains the series much better than one that goes on."""
    n = len(y)
    best, found = max(float(without.gain[0]) + _RESET, _STRONG), None
    for jump in _jumps(y):
        for until in range(max(3 * EDGE, jump - 1), min(n - 1, jump + 2)):
            here = float(fit_columns(y[:, None], base[:, None, :], hinges_until(n, until, 3)).gain[0])
            if here > best:
                best, found = here, until
    return found


def _unexplained(base: Floats, column: Floats) -> float:
    """Return the share of a column's variation that the regressors don't explain."""
    rest = column - base @ np.linalg.lstsq(base, column, rcond=None)[0]
    return float((rest**2).sum() / max(((column - column.mean()) ** 2).sum(), 1e-300))


def drift_of(judged: Judged, levels: Levels, place: int, *, method: Method, against: str, unit: str) -> Drift:
    """Return a judgement with times, units and words.

    Parameters
    ----------
    place : int
        Number of the asset in ``levels``.
    method : str
        As of `Drift`.
    against : str
        What the sensor was compared with, for the sentence.
    """
    name, reason = levels.assets[place], judged.reason
    last = levels.days[-1] + np.timedelta64(1, "D")
    found = judged.posterior
    confidence = float(1 / (1 + np.exp(-np.clip((judged.gain - 2 * np.log(len(levels.days))) / 2, -50, 50))))
    if judged.verdict != "drift" or found is None:
        sure = 0.0 if judged.verdict == "unknown" else 1 - confidence if not reason else 0.5
        return Drift(name, judged.verdict, method, last=last, confidence=sure, reason=reason, unit=unit)

    def at(day: float) -> np.datetime64:
        found_at: np.datetime64 = levels.days[0] + np.timedelta64(round(day * 86400), "s")
        return found_at

    end = last if judged.until is None else at(judged.until)
    slope = found.slope * MONTH
    low, high = sorted(bound * MONTH for bound in found.slope_interval)
    onset = at(found.onset)
    change = found.slope * float((end - onset) / np.timedelta64(1, "D"))
    suffix = f" {unit}" if unit else ""
    evidence = (
        f"drifts against {against} by {slope:+.3g}{suffix} a month (90 % interval {low:+.3g} to {high:+.3g}) since "
        f"{str(onset)[:10]} ({str(at(found.onset_interval[0]))[:10]} to {str(at(found.onset_interval[1]))[:10]}), "
        f"{change:+.3g}{suffix} in all; its daily level varies by {found.spread:.2g}{suffix}"
    )
    if judged.until is not None:
        evidence += f"; reset on {str(end)[:10]}"
    return Drift(
        name,
        "drift",
        method,
        onset,
        (at(found.onset_interval[0]), at(found.onset_interval[1])),
        None if judged.until is None else end,
        last,
        slope,
        (low, high),
        found.spread,
        min(confidence, 0.99),
        evidence,
        reason,
        unit,
        ((onset, 0.0), (end, -change)),
    )
