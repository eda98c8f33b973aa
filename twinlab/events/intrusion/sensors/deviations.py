"""Where a sensor deviates from what is usual for it, and by how much: statistics, and limits learnt on a usual span."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.events.intrusion.sensors.models import change_features, expect, level_features, rolling_mean
from twinlab.events.intrusion.sensors.repeats import longest_runs, repeated, runs_before

__all__ = ["Deviation", "Windows", "deviations"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
#: A frozen value stays this many times as long as the longest usual time, and at least so many rows.
_STAYS, _STAYS_ROWS = 3, 6


@dataclass(frozen=True)
class Windows:
    """Lengths, in rows."""

    change: int
    """Over which squared errors of changes are averaged."""
    level: int
    """Over which errors of levels are averaged."""
    repeat: int
    """Of values that repeat earlier ones."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A span of rows of one asset, half-open."""

    kind: str
    """"repeats earlier values", "stays", "changes against physics", "level against physics and peers"."""
    asset: int
    first: int
    stop: int
    amount: float
    """Largest statistic in its limit; of values that repeat or stay, rows."""


def deviations(values: Floats, others: Floats, *, usual: int, windows: Windows, factor: float) -> list[Deviation]:
    """Return where values deviate after the usual rows.

    Parameters
    ----------
    values : array, shape (time, asset)
    others : array, shape (time, asset, signal)
        Other signals of the same assets, numbers.
    usual : int
        Rows from the first on that models and limits are learnt from.
    windows : Windows
    factor : float
        A limit is so many times the largest statistic of the usual rows.
    """
    found: list[Deviation] = []
    marks = repeated(values, window=windows.repeat)
    marks[:usual] = False
    found += _spans("repeats earlier values", marks, np.cumsum(marks, axis=0).astype(float))
    runs = runs_before(values)
    longest = np.maximum(longest_runs(values[:usual]) * _STAYS, _STAYS_ROWS)
    stays = _whole_runs(runs, runs > longest)
    stays[:usual] = False
    found += _spans("stays", stays, runs.astype(float))
    change = np.full_like(values, np.nan)
    change[1:] = values[1:] - values[:-1]
    features = change_features(values, others)
    error = expect(change[:usual], features[:usual]).residuals(change, features)
    found += _beyond("changes against physics", rolling_mean(error**2, windows.change), usual, factor**2)
    features = level_features(values, others, rows=windows.level)
    smooth = rolling_mean(values, windows.level)
    error = expect(smooth[:usual], features[:usual]).residuals(smooth, features)
    found += _beyond("level against physics and peers", np.abs(error), usual, factor)
    return sorted(found, key=lambda one: (one.asset, one.first))


def _beyond(kind: str, statistic: Floats, usual: int, factor: float) -> list[Deviation]:
    with np.errstate(all="ignore"):
        known = np.isfinite(statistic[:usual])
        limit = np.where(
            known.sum(axis=0) * 2 >= usual, np.max(np.where(known, statistic[:usual], -np.inf), axis=0), np.inf
        )
        ratio = statistic / (np.maximum(limit, 1e-12) * factor)
    marks = np.nan_to_num(ratio, nan=0.0, posinf=0.0) > 1.0
    marks[:usual] = False
    return _spans(kind, marks, ratio)


def _whole_runs(runs: NDArray[np.int64], marks: Booleans) -> Booleans:
    """Return marks from the beginning of each run of which a later row is marked."""
    out = marks.copy()
    for row, asset in zip(
        *np.nonzero(marks & (np.vstack([runs[1:], np.zeros((1, runs.shape[1]), int)]) <= runs)), strict=True
    ):
        out[row - runs[row, asset] + 1 : row + 1, asset] = True
    return out


def _spans(kind: str, marks: Booleans, amounts: Floats) -> list[Deviation]:
    return [
        Deviation(kind, asset, first, stop, float(np.nanmax(amounts[first:stop, asset])))
        for asset in range(marks.shape[1])
        for first, stop in _runs(marks[:, asset])
    ]


def _runs(line: Booleans) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
