"""Whether inputs have drifted: the newest values beside those of training, by size (PSI) and against what training itself shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from twinlab.errors import SchemaError

__all__ = ["LARGE_SHIFT", "Reference", "distance_between", "drift_table", "normal_scores", "population_stability"]

Floats = NDArray[np.float64]
#: A population stability index from which a shift is large [1]_ of `population_stability`.
LARGE_SHIFT: Final = 0.25
#: Shares below this count as this, so that an empty bin has a finite index.
_LEAST_SHARE: Final = 1e-4
#: Values of each input that are kept, and bins of the index.
_KEPT, _BINS = 1000, 10
#: Spans of training with which a newer span is compared; with fewer, more than one check in twenty would be a false alarm.
_LEAST_SPANS, _MOST_SPANS = 20, 40
_DAY: Final = 86400 * 10**9
#: Distances of training below this count as this: an input may be constant there.
_FLOOR: Final = 0.02


def population_stability(before: Floats, after: Floats, *, bins: int = _BINS) -> float:
    """Return the population stability index (PSI) of two samples: below 0.1 a small shift, from 0.25 on a large one [1]_.

    Parameters
    ----------
    before, after : array
        NaN, a missing value, is a class of its own.
    bins : int
        Classes between quantiles of ``before``.

    References
    ----------
    .. [1] N. Siddiqi, "Credit risk scorecards", Wiley 2006, chapter 10: the index and its thresholds.

    >>> rng = np.random.default_rng(0)
    >>> population_stability(rng.normal(size=5000), rng.normal(1, size=5000)) > LARGE_SHIFT
    True
    """
    known = before[~np.isnan(before)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if known.size else np.empty(0)
    one, two = (_shares(values, edges) for values in (before, after))
    return float(((two - one) * np.log(two / one)).sum())


def _shares(values: Floats, edges: Floats) -> Floats:
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    found: Floats = np.append(counts, values.size - known.size) / max(values.size, 1)
    return np.maximum(found, _LEAST_SHARE)


def normal_scores(values: Floats, sample: Floats) -> Floats:
    """Return the normal deviates with the ranks of values in a sample, so that inputs of any unit and any distribution are comparable; NaN stays.

    >>> normal_scores(np.array([2.0, 9.0]), np.array([1.0, 2.0, 3.0])).round(2)
    array([0.  , 0.97])
    """
    known = np.sort(sample[~np.isnan(sample)])
    if not known.size:
        return np.where(np.isnan(values), np.nan, 0.0)
    below, until = (np.searchsorted(known, values, side=side) for side in ("left", "right"))
    share = np.clip((below + until) / (2 * known.size), 0.5 / known.size, 1 - 0.5 / known.size)
    return np.where(np.isnan(values), np.nan, stats.norm.ppf(share))


def distance_between(before: Floats, after: Floats) -> float:
    """Return the earth mover's (Wasserstein) distance of two samples; missing values don't count.

    Kolmogorov's and Smirnov's distance is at most 1, so that of an input whose days differ much it can't show more; this one grows with the shift.
    Without a value in one of them it is infinite, without any in both 0.

    >>> distance_between(np.array([1.0, 2.0]), np.array([4.0, 5.0]))
    3.0
    """
    one, two = (values[~np.isnan(values)] for values in (before, after))
    if not one.size or not two.size:
        return float("inf") if one.size != two.size else 0.0
    return float(stats.wasserstein_distance(one, two))


@dataclass(frozen=True)
class Reference:
    """Inputs of training: a sample of each, and how much spans of training differ from the rest of it.

    Parameters
    ----------
    names : tuple of str
        Inputs.
    span : int
        Length of the spans that are compared, ns; whole days.
    sample : array (input, value)
        Drawn from all rows; NaN is a missing value.
    distances : array (span, input)
        `distance_between` the `normal_scores` of each span of training and those of the rest of it.
    """

    names: tuple[str, ...]
    span: int
    sample: Floats
    distances: Floats

    @classmethod
    def of(cls, names: Sequence[str], times: NDArray[np.int64], values: Floats) -> Reference:
        """Return the reference of the inputs of training.

        Parameters
        ----------
        names : sequence of str
        times : array (row,)
            Instants of the rows, ns.
        values : array (row, input)

        Raises
        ------
        SchemaError
            If the rows are of fewer than 20 days: the shortest span is a day, so that all have all hours.
        """
        lasting = int(times.max() - times.min()) if len(times) else 0
        days = max(1, lasting // _MOST_SPANS // _DAY)
        spans = (times - times.min()) // (days * _DAY) if len(times) else times
        # A row that begins the last, incomplete one would be a span of its own.
        complete = (
            (spans.max() + 1 if lasting % (days * _DAY) >= (days * _DAY) * 9 // 10 else spans.max())
            if len(times)
            else 0
        )
        if complete < _LEAST_SPANS:
            msg = f"inputs of {lasting / _DAY:.3g} days of training are known; at least {_LEAST_SPANS} days are needed to see what is usual"
            raise SchemaError(msg)
        rng = np.random.default_rng(0)
        sample = _drawn(values, rng).T.copy()
        scores = np.stack([normal_scores(values[:, place], one) for place, one in enumerate(sample)], axis=1)
        distances = np.empty((int(complete), len(names)))
        for number in range(int(complete)):
            inside = spans == number
            rest = _drawn(scores[~inside], rng)
            for place in range(len(names)):
                distances[number, place] = distance_between(rest[:, place], scores[inside, place])
        return cls(tuple(names), days * _DAY, sample, distances)

    @property
    def false_alarms(self) -> float:
        """Share of checks without a drift that find one: one more span is the most different of all with this chance."""
        return 1 / (len(self.distances) + 1)


def _drawn(values: Floats, rng: np.random.Generator) -> Floats:
    return values if len(values) <= _KEPT else values[np.sort(rng.choice(len(values), _KEPT, replace=False))]


def drift_table(reference: Reference, values: Floats) -> pd.DataFrame:
    """Return how inputs of the newest span differ from those of training.

    An input has drifted if its shift is large, a PSI of at least 0.25, and it is further from training, as a multiple of the furthest span of training, than
    any input of any span of training is as a multiple of the furthest other one. So a model without a drift is reported in about one of (spans + 1)
    checks at most, however many inputs it has and however their values are correlated in time, as long as spans of training and the newest one are
    exchangeable.

    Parameters
    ----------
    reference : Reference
    values : array (row, input)
        Of a span as long as those of the reference.

    Returns
    -------
    DataFrame
        A row for each input, the most different first: ``input, psi, distance`` (of normal scores), ``most`` (its largest of a span of training), ``times``
        (distance / most), ``limit`` (of ``times``), ``missing`` and ``missing_before`` (shares), ``drifted``.
    """
    # A span of training without a value has no distance.
    known = np.maximum(np.where(np.isfinite(reference.distances), reference.distances, 0.0), _FLOOR)
    ranked = np.sort(known, axis=0)
    most, second = ranked[-1], ranked[-2]
    # Each span against the others: only the furthest one is further than the furthest other one.
    limit = float(np.maximum(most / second, 1.0).max())
    rows = []
    for place, name in enumerate(reference.names):
        before, after = reference.sample[place], values[:, place]
        distance = distance_between(*(normal_scores(one, before) for one in (before, after)))
        psi = population_stability(before, after)
        times = distance / most[place]
        missing = (float(np.isnan(after).mean()) if len(after) else 1.0, float(np.isnan(before).mean()))
        drifted = bool(psi >= LARGE_SHIFT and times > limit)
        rows.append((name, psi, distance, most[place], times, limit, *missing, drifted))
    columns = ["input", "psi", "distance", "most", "times", "limit", "missing", "missing_before", "drifted"]
    return pd.DataFrame(rows, columns=columns).sort_values("times", ascending=False, ignore_index=True, kind="stable")
