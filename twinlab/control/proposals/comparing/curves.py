"""A predicted curve with its band, compared with values that came. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from twinlab.control.proposals.effects.outcome import Effect

__all__ = ["EffectComparison", "Match", "compare_curve", "worst_match"]

Match = Literal["as predicted", "otherwise", "not yet", "can't tell"]

#: Share of the values that has to be within a band of 90 %: neighbouring values depend on one another, so that fewer are in it by chance.
_INSIDE = 0.8
#: Fewer values show nothing.
_FEWEST = 3
_ORDER: tuple[Match, ...] = ("otherwise", "not yet", "as predicted", "can't tell")


@dataclass(frozen=True)
class EffectComparison:
    """One effect of a command, as it was predicted and as it came."""

    kind: str
    """``setpoint``, or the kind of the effect: ``queue``, ``room``, ``trip``, ``stopping``."""
    title: str
    unit: str
    match: Match
    reason: str
    """Why, in a sentence with numbers."""
    minutes: tuple[float, ...] = ()
    """Minutes since the state was looked at, of each value that came."""
    came: tuple[float, ...] = ()
    """Values that came, in `unit`."""
    effect: Effect | None = None
    """What was predicted, for the picture; None of what was reported."""


def worst_match(found: Sequence[Match]) -> Match:
    """Return the match of several effects; one of which nothing can be said counts only if there is no other.

    >>> worst_match(["as predicted", "can't tell", "not yet"])
    'not yet'
    """
    return min(found, key=_ORDER.index, default="can't tell")


def compare_curve(
    kind: str,
    title: str,
    unit: str,
    *,
    predicted: tuple[Sequence[float], Sequence[float]],
    band: tuple[Sequence[float], Sequence[float]],
    came: tuple[Sequence[float], Sequence[float]],
    tolerance: float = 0.0,
    complete: bool,
) -> EffectComparison:
    """Compare values that came with a predicted curve and its band.

    Parameters
    ----------
    kind, title, unit : str
    predicted : (sequence of float, sequence of float)
        Minutes, ascending, and the predicted value at each.
    band : (sequence of float, sequence of float)
        Lowest and highest value that was expected at the same minutes.
    came : (sequence of float, sequence of float)
        Minutes and values; those outside the predicted minutes aren't compared.
    tolerance : float
        By how much a value may be beyond the band, in the same unit: the resolution of what measures it.
    complete : bool
        Whether no more values can come.

    Returns
    -------
    EffectComparison
        "as predicted" if at least 80 % of three or more values are within the band.
    """
    minutes, curve = (np.asarray(one, dtype=np.float64) for one in predicted)
    when, values = (np.asarray(one, dtype=np.float64) for one in came)
    used = np.isfinite(values) & (when >= minutes[0]) & (when <= minutes[-1])
    when, values = when[used], values[used]
    shown = tuple(when.tolist()), tuple(values.tolist())
    if len(values) < _FEWEST:
        few = f"{len(values)} value{'' if len(values) == 1 else 's'} came, at least {_FEWEST} are needed"
        return EffectComparison(kind, title, unit, "can't tell" if complete else "not yet", few, *shown)
    low, high = (np.interp(when, minutes, np.asarray(one, dtype=np.float64)) for one in band)
    slack = tolerance + 1e-9
    inside = int(((values >= low - slack) & (values <= high + slack)).sum())
    error = float((values - np.interp(when, minutes, curve)).mean())
    after = f"{error:+.2g}{f' {unit}' if unit else ''} from the predicted curve on average"
    reason = f"{inside} of {len(values)} values were within the predicted band, {after}"
    return EffectComparison(
        kind, title, unit, "as predicted" if inside >= _INSIDE * len(values) else "otherwise", reason, *shown
    )
