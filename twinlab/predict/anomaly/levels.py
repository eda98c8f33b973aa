"""Levels: what a signal is compared with. Most have one level; of one that drifts, the level follows slowly and with a delay.

A signal whose level of a while ago predicts it better than its mean so far, in the rows learnt from, is one that drifts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.predict.anomaly.values import Floats

__all__ = ["LevelState", "Levels", "fit_levels", "mean_of", "start_levels"]

#: Shares by which a level may follow each row.
_SHARES = (1 / 1000, 1 / 300, 1 / 100, 1 / 30, 1 / 10)


@dataclass(frozen=True)
class Levels:
    """Levels of all columns, [asset, column]."""

    mean: Floats
    """Of the rows learnt from."""
    first: Floats
    """Mean of the first quarter of them: where a level that follows starts."""
    share: Floats
    """By which the level follows each row (exponential smoothing); 0: it stays at the mean."""
    delay: int
    """Rows by which a level that follows is older than the row compared with it."""


@dataclass(frozen=True)
class LevelState:
    """Levels after some rows, [asset, column]: the newest, and those of the last ``delay`` rows, oldest first."""

    newest: Floats
    earlier: tuple[Floats, ...]


def mean_of(values: Floats) -> Floats:
    """Return the means over the first axis of the values that aren't missing; NaN where all are."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    found: Floats = np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return found


def fit_levels(values: Floats, *, delay: int, better: float) -> Levels:
    """Return the levels learnt from rows [time, asset, column].

    A level follows if that reduces the mean squared error at ``delay`` rows ahead below ``better`` times the one of the
    mean so far; with ``better`` 0 none does.
    """
    mean: Floats = mean_of(values)
    share: Floats = np.zeros(mean.shape)
    first = max(1, len(values) // 4)
    early = mean_of(values[:first])
    before: Floats = np.where(np.isfinite(early), early, mean)
    if better <= 0 or len(values) < first + 2 * delay:
        return Levels(mean, before, share, delay)
    rest = values[first:]
    known = np.isfinite(values)
    so_far = np.cumsum(np.where(known, values, 0.0), axis=0) / np.maximum(np.cumsum(known, axis=0), 1)
    least = better * mean_of((rest[delay:] - so_far[first:][:-delay]) ** 2)
    for one in _SHARES:
        level, kept = before, np.empty(rest.shape)
        for row, now in enumerate(rest):
            level = np.where(np.isfinite(now), level + one * (now - level), level)
            kept[row] = level
        errors = mean_of((rest[delay:] - kept[:-delay]) ** 2)
        found = errors < least
        share, least = np.where(found, one, share), np.where(found, errors, least)
    return Levels(mean, before, share, delay)


def start_levels(levels: Levels) -> LevelState:
    """Return the state before the first row that is learnt from."""
    return LevelState(levels.first, (levels.mean,) * levels.delay)
