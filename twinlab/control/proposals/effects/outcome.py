"""What a command would change of one thing, and how that is judged."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Change", "Effect", "Unknown", "Verdict", "judge", "worst_verdict"]

Floats = npt.NDArray[np.float64]
Verdict = Literal["safe", "unsafe", "can't tell"]

#: Share of simulated futures that a command may make worse.
_TOLERATED = 0.05
#: A future that exceeds the limit by this share of what it does with the command would nearly be as bad without it.
_AS_MUCH = 0.8
#: 95 % of a normal distribution.
_Z = 1.96


class Change(NamedTuple):
    """A number without and with the command."""

    before: float
    after: float
    unit: str


@dataclass(frozen=True)
class Effect:
    """One thing that a command changes, without and with it."""

    kind: str
    """``queue``, ``room``, ``trip`` or ``stopping``."""
    title: str
    """What it is, for people: "chilled parcels that wait at DTM"."""
    unit: str
    """Unit of the futures and of the limit; "" for a count."""
    verdict: Verdict
    reason: str
    """Why, in a sentence with numbers."""
    limit: float | None = None
    """What may not be exceeded."""
    minutes: tuple[float, ...] = ()
    """Minutes from now of each point of the futures."""
    before: tuple[float, ...] = ()
    """Median future without the command."""
    after: tuple[float, ...] = ()
    """Median future with it."""
    low: tuple[float, ...] = ()
    """With it, the 5th percentile."""
    high: tuple[float, ...] = ()
    """With it, the 95th percentile."""
    kpis: dict[str, Change] = field(default_factory=dict)
    """Numbers of the span by name."""


class Unknown(NamedTuple):
    """Something that an effect needs isn't known."""

    reason: str

    def effect(self, kind: str, title: str) -> Effect:
        """Return it as an effect of which nothing can be said."""
        return Effect(kind, title, "", "can't tell", self.reason)


def judge(before: Floats, after: Floats, limit: float, *, what: str, unit: str) -> tuple[Verdict, str]:
    """Return a verdict on the worst value of each simulated future.

    A future counts as made worse by the command if it exceeds the limit with it, and without it doesn't, or by less than four
    fifths as much. Safe if at most 5 % are, unsafe if surely more than 5 % are (Wilson interval of 95 %). In between it can't
    tell.

    Parameters
    ----------
    before, after : ndarray, shape (replication,)
        Worst value of each future without and with the command; the same replication has the same random numbers.
    limit : float
        Same unit. Greater is worse.
    what, unit : str
        For the sentence.
    """
    if np.isnan(before).any() or np.isnan(after).any():
        return "can't tell", f"the simulation has no value of {what} in some futures"
    excess, usual = after - limit, np.maximum(before - limit, 0.0)
    worse, count = int(((excess > 0) & (usual < _AS_MUCH * excess)).sum()), len(after)
    said = (
        f"{what} {_number(float(np.median(after)))}{unit} with the command, {_number(float(np.median(before)))}{unit} without it "
        f"(medians), limit {_number(limit)}{unit}; beyond it in {int((after > limit).sum())} of {count} futures, "
        f"{int((before > limit).sum())} without the command, which makes {worse} worse"
    )
    if worse <= _TOLERATED * count:
        return "safe", said
    return ("unsafe" if _at_least(worse, count) > _TOLERATED else "can't tell"), said


def worst_verdict(effects: tuple[Effect, ...]) -> Verdict:
    """Return the verdict of several effects: unsafe if one is, else "can't tell" if one is that, or if there is none."""
    found = {effect.verdict for effect in effects}
    if "unsafe" in found:
        return "unsafe"
    return "safe" if found == {"safe"} else "can't tell"


def _at_least(successes: int, count: int) -> float:
    """Return the lower end of Wilson's 95 % interval of a share."""
    share, square = successes / count, _Z**2
    centre = share + square / (2 * count)
    width = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return (centre - width) / (1 + square / count)


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
