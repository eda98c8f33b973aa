"""The score of the Numenta Anomaly Benchmark: early detections within labelled windows count, false ones cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.errors import SchemaError

__all__ = ["NabProfile", "NabSeries", "nab_score"]

_Floats = npt.NDArray[np.float64]

#: The first rows of a series aren't scored: this share of it, of at most so many rows.
_PROBATION, _LONGEST = 0.15, 5000


@dataclass(frozen=True)
class NabProfile:
    """Weights of a detection, a false one and a missed window; by default the standard profile."""

    detected: float = 1.0
    false: float = 0.11
    missed: float = 1.0


@dataclass(frozen=True)
class NabSeries:
    """A series' scores of each row, higher is more anomalous, and its labelled windows: first and last row, inclusive."""

    scores: _Floats
    windows: Sequence[tuple[int, int]]


def nab_score(series: Sequence[NabSeries], *, profile: NabProfile | None = None) -> tuple[float, float]:
    """Return the normalised score of a detector on all series, and the threshold with which it is reached.

    The threshold is one number for all series, the one that gives the best score, as in the benchmark's own optimiser. 0 is a
    detector that never alarms, 100 one that alarms at the first row of each window only.

    Raises
    ------
    SchemaError
        If no series has a window, or a window isn't within its series.

    References
    ----------
    .. [1] A. Lavin, S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly Benchmark", ICMLA 2015.

    Examples
    --------
    >>> scores = np.zeros(100)
    >>> scores[40] = 1.0
    >>> nab_score([NabSeries(scores, [(40, 59)])])
    (100.0, 1.0)
    """
    weights, windows = profile or NabProfile(), sum(len(one.windows) for one in series)
    if not windows:
        msg = "expected at least one labelled window in the series"
        raise SchemaError(msg)
    scores, values, places, before = [], [], [], 0
    for one in series:
        value, window = _row_values(len(one.scores), one.windows, weights)
        scored = slice(int(_PROBATION * min(len(one.scores), _LONGEST)), None)
        scores.append(np.asarray(one.scores, dtype=float)[scored])
        values.append(value[scored])
        places.append(np.where(window >= 0, window + before, -1)[scored])
        before += len(one.windows)
    total, threshold = _best(
        np.concatenate(scores), np.concatenate(values), np.concatenate(places), missed=weights.missed, windows=windows
    )
    least, most = -weights.missed * windows, weights.detected * windows
    return 100 * (total - least) / (most - least), threshold


def _sigmoid(position: _Floats) -> _Floats:
    """Return the value of a detection by its position: 0 at the end of a window, -1 at its begin, above 0 after it."""
    return np.where(position > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, 3.0))) - 1)


def _row_values(
    rows: int, windows: Sequence[tuple[int, int]], weights: NabProfile
) -> tuple[_Floats, npt.NDArray[np.int64]]:
    """Return what a detection at each row is worth, and the window of each row (-1: none)."""
    value, window = np.full(rows, -weights.false), np.full(rows, -1)
    ordered = sorted(windows)
    for place, (first, last) in enumerate(ordered):
        if not 0 <= first <= last < rows:
            msg = f"expected windows within the rows 0 to {rows - 1}, got {first} to {last}"
            raise SchemaError(msg)
        width = last - first + 1
        within = np.arange(first, last + 1)
        best = float(_sigmoid(np.array([-1.0]))[0])
        value[within] = weights.detected * _sigmoid(-(last - within + 1) / width) / best
        window[within] = place
        after = np.arange(last + 1, ordered[place + 1][0] if place + 1 < len(ordered) else rows)
        value[after] = weights.false * _sigmoid((after - last) / max(width - 1, 1))
    return value, window


def _best(
    scores: _Floats, values: _Floats, places: npt.NDArray[np.int64], *, missed: float, windows: int
) -> tuple[float, float]:
    """Return the best sum of values over all thresholds, and that threshold; of a window the best detection counts."""
    never, order = -missed * windows, np.argsort(-scores, kind="stable")
    scores, values, places = scores[order], values[order], places[order]
    # What a row adds: outside of windows its value, within one only what it is better than the rows before it.
    added = np.where(places < 0, values, 0.0)
    for place in range(windows):
        rows = np.flatnonzero(places == place)
        # The first detection makes up for the window being missed, too.
        reached = np.maximum.accumulate(values[rows])
        added[rows] = np.diff(np.concatenate([[-missed], reached]))
    sums = never + np.cumsum(added)
    # Rows of equal scores are detected together.
    last = np.append(scores[1:] != scores[:-1], True) if len(scores) else np.zeros(0, dtype=bool)
    ends = np.flatnonzero(last)
    if not len(ends) or sums[ends].max() <= never:
        return never, float("inf")
    top = ends[int(np.argmax(sums[ends]))]
    return float(sums[top]), float(scores[top])
