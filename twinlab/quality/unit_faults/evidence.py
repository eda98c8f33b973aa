"""The evidence for a hypothesis, as one sentence with numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twinlab.quality.unit_faults.hypotheses import Hypothesis
from twinlab.quality.unit_faults.profiles import Profiles
from twinlab.quality.unit_faults.scoring import Verdict

__all__ = ["sentence"]

Floats = npt.NDArray[np.float64]
_MIDDLE = 2


def sentence(
    profiles: Profiles,
    asset: int,
    verdict: Verdict,
    hypothesis: Hypothesis,
    *,
    others: npt.NDArray[np.int64],
    since: np.datetime64 | None,
    until: np.datetime64 | None,
    counter: bool,
) -> str:
    """Return the evidence for a hypothesis: the median as read and as it would be, and what it is compared with.

    Parameters
    ----------
    others : int64
        Assets that are normal.
    since, until : datetime64 or None
        The period's instants.
    """
    medians = profiles.quantiles[..., _MIDDLE]
    blocks = np.arange(medians.shape[1])
    period = verdict.period
    inside = (blocks >= 0) if period is None else (blocks >= period.first) & (blocks < period.stop)
    seen = _median(medians[asset, inside])
    right = float(hypothesis.apply(np.array([seen]))[0])
    what = "median rise an hour" if counter else "median"
    parts = [f"{what} {_number(seen)}{_when(since, until)}"]
    if period is not None:
        parts.append(
            f"{_number(_median(medians[asset, ~inside]))} {'outside' if since is not None and until is not None else 'before' if since is not None else 'after'} it"
        )
    if profiles.beside is not None:
        beside = _median(profiles.beside[asset, :, _MIDDLE][inside])
        parts.append(f"{_number(beside)} in the coupled signal")
    elif len(others):
        of_others = np.array([_median(row) for row in medians[np.ix_(others, inside)]])
        known = of_others[np.isfinite(of_others)]
        if known.size:
            low, high = np.quantile(known, [0.05, 0.95])
            parts.append(f"from {_number(low)} to {_number(high)} among {known.size} peers")
    times = "" if hypothesis.factor == 1.0 else f" times {hypothesis.factor:g}"
    return f"{', '.join(parts)}; read as {hypothesis.written}{times} instead of {hypothesis.declared} it is {_number(right)}"


def _when(since: np.datetime64 | None, until: np.datetime64 | None) -> str:
    start = "" if since is None else f" from {np.datetime_as_string(since, unit='m')}Z"
    return start + ("" if until is None else f" until {np.datetime_as_string(until, unit='m')}Z")


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _number(value: float) -> str:
    """Return a number with four digits.

    >>> _number(1234.56), _number(0.123456), _number(4.0)
    ('1235', '0.1235', '4')
    """
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"
