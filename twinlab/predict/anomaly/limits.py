"""The limit of a model: from a budget of false alarms on a quiet span, and from what people have accepted and rejected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.anomaly.tracking import Hysteresis

__all__ = ["Budget", "limit_within", "retuned"]

#: Values of which each is tried as a limit.
_LARGEST = 500
_WEEK = np.timedelta64(7, "D") / np.timedelta64(1, "ns")


@dataclass(frozen=True)
class Budget:
    """A limit that keeps a budget of false alarms on a quiet span."""

    limit: float
    """For `AnomalyModel.with_limit`."""
    alarms: int
    """With it, on the quiet span."""
    allowed: float
    """Alarms that the budget allows on the span."""
    asset_weeks: float
    """Length of the span."""

    @property
    def proven(self) -> bool:
        """Whether the span is long enough to prove the budget: it would allow at least three alarms (rule of three)."""
        return self.allowed >= 3


def limit_within(scores: xr.Dataset, *, per_100_asset_weeks: float, hysteresis: Hysteresis | None = None) -> Budget:
    """Return the lowest limit with at most so many alarms on a span in which nothing was wrong.

    Parameters
    ----------
    scores : Dataset
        Scores of the quiet span by a model with the limit 1; not the span that the model was learnt from.
    per_100_asset_weeks : float
        Alarms per 100 weeks of an asset, at least 0.
    hysteresis : Hysteresis, optional
        As it will be used.

    Raises
    ------
    SchemaError
        If there are fewer than two rows, or the budget is negative.
    """
    index = scores["index"].transpose("time", "asset").values
    if len(index) < 2 or not per_100_asset_weeks >= 0 or not np.isfinite(index).any():
        msg = f"expected at least two rows with an index and a budget of at least 0, got {len(index)} rows and {per_100_asset_weeks!r}"
        raise SchemaError(msg)
    step = float(np.median(np.diff(scores["time"].values.astype("M8[ns]")).astype(np.int64)))
    weeks = float(np.isfinite(index).sum()) * step / float(_WEEK)
    allowed, rule = per_100_asset_weeks * weeks / 100, hysteresis or Hysteresis()

    def alarms(limit: float) -> int:
        active, _ = rule.active(index / limit)
        return int((active & ~np.concatenate([np.zeros((1, active.shape[1]), dtype=bool), active[:-1]])).sum())

    # Just above quantiles, and above each of the largest values; 1 where nothing is above 0.
    known = np.sort(index[np.isfinite(index)])
    grid = np.quantile(known, 1 - np.geomspace(1, 1 / len(known), 60))
    tried = np.unique(np.concatenate([grid, known[-_LARGEST:]]))[::-1] * (1 + 1e-9)
    tried = tried[tried > 0] if known[-1] > 0 else np.ones(1)
    best = _last_within(lambda place: alarms(float(tried[place])) <= allowed, len(tried))
    return Budget(float(tried[best]), alarms(float(tried[best])), allowed, weeks)


def _last_within(within: Callable[[int], bool], count: int) -> int:
    """Return the last place before the first that isn't within, from 0 on, which is.

    In steps that double and then by halves. Not by halves alone: far down events merge, so that few alarms say nothing there.
    """
    low, high = 0, 1
    while high < count and within(high):
        low, high = high, 2 * high
    high = min(high, count)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if within(middle) else (low, middle)
    return low


def retuned(limit: float, peaks: Sequence[float], accepted: Sequence[bool]) -> float:
    """Return a limit with which the events that people rejected wouldn't have been found, and all that they accepted would.

    Parameters
    ----------
    limit : float
        The present one.
    peaks : sequence of float
        Of each judged event the index up to which a limit finds it, with the present limit: the ``sustained`` of `find_events`.
    accepted : sequence of bool
        Whether a person accepted it.

    Returns
    -------
    float
        Between the highest peak rejected and the lowest accepted, never above the latter: an accepted event isn't lost. If they overlap,
        where fewest rejected ones are still found, the lowest such limit. The present one if nothing was rejected.

    Examples
    --------
    >>> retuned(1.0, [1.2, 1.4, 3.0], [False, False, True])
    2.2
    """
    heights, right = np.asarray(peaks, dtype=float), np.asarray(accepted, dtype=bool)
    if heights.shape != right.shape or (len(heights) and not np.isfinite(heights).all()):
        msg = f"expected a finite peak and a verdict for each event, got {len(heights)} peaks and {len(right)} verdicts"
        raise SchemaError(msg)
    if right.all():
        return limit
    tops = np.unique(heights)
    highest = heights[right].min() if right.any() else np.inf
    between = [1.0, *((tops[:-1] + tops[1:]) / 2).tolist(), float(tops[-1]) * 1.05]
    between = [one for one in between if one <= highest]
    wrong = [int((~right & (heights >= one)).sum()) for one in between]
    return float(round(limit * between[int(np.argmin(wrong))], 12))
