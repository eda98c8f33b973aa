"""Margins of the bounds by stage and group, from past errors; and the groups of which nothing can be said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from twinlab.errors import SchemaError
from twinlab.predict.conformal.pools import Errors, Pools, needed_cases
from twinlab.predict.delay.phases import STAGES
from twinlab.predict.delay.plan import Floats, Ints

__all__ = ["Intervals", "PastErrors"]

#: The pool of all groups.
_ALL: Final = ""
#: A group is answered for unless less than this share of its past events was inside ...
_LEAST_INSIDE: Final = 0.75
#: ... and chance would give so few inside less often than this.
_CHANCE: Final = 0.001


@dataclass(frozen=True)
class PastErrors:
    """Errors of past predictions, as columns of one length.

    Parameters
    ----------
    issued : array of int64
        Issue time, ns.
    stage : array of int64
    group : array of str
        Group of each event, such as its carrier; empty without groups.
    below, above : array
        Minutes by which the true value was below the lower bound, and above the upper one; negative inside.
    """

    issued: Ints
    stage: Ints
    group: NDArray[np.str_]
    below: Floats
    above: Floats

    def __len__(self) -> int:
        return len(self.issued)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> PastErrors:
        """Return some of them."""
        return PastErrors(self.issued[rows], self.stage[rows], self.group[rows], self.below[rows], self.above[rows])

    def joined(self, other: PastErrors, *, since: int) -> PastErrors:
        """Return these and others, those that were issued before an instant (ns) left out."""
        pairs = zip(self.columns, other.columns, strict=True)
        both = PastErrors(*(np.concatenate(pair) for pair in pairs))
        return both.take(both.issued >= since)

    @property
    def columns(self) -> tuple[Ints, Ints, NDArray[np.str_], Floats, Floats]:
        """The columns."""
        return self.issued, self.stage, self.group, self.below, self.above


@dataclass(frozen=True)
class Intervals:
    """Margins of the bounds, by stage and group.

    A group with enough past errors in a stage has margins of its own; others have those of all groups together. A group whose past events were
    inside far less often than promised gets no number: with margins of its own those of its newer half, else all of them.

    Parameters
    ----------
    errors : PastErrors
    alpha : float
        Share that the interval may leave out.
    least_cases : int
        Past errors that a pool needs.
    pools : Pools
        By stage and group; the group "" is all of them.
    refused : tuple of (stage, group, text)
        Why a group gets no number.
    """

    errors: PastErrors
    alpha: float
    least_cases: int
    pools: Pools
    refused: tuple[tuple[int, str, str], ...]

    @classmethod
    def of(cls, errors: PastErrors, *, alpha: float, least_cases: int) -> Intervals:
        """Return the margins of past errors.

        Raises
        ------
        SchemaError
            If there is no error.
        """
        order = np.argsort(errors.issued, kind="stable")
        errors = errors.take(order)
        pools = _pools(errors, alpha, least_cases)
        found = cls(errors, alpha, least_cases, pools, ())
        return replace(found, refused=found._unreliable())

    def margins(self, stage: Ints, group: NDArray[np.str_]) -> tuple[Floats, Floats]:
        """Return how far the bounds of cases move outwards; infinite where there are too few errors."""
        key = self._place(stage, group)
        low, high = self.pools.margins(np.maximum(key, 0))
        return np.where(key >= 0, low, np.inf), np.where(key >= 0, high, np.inf)

    def reasons(self, stage: Ints, group: NDArray[np.str_]) -> dict[int, str]:
        """Return why cases get no number, by place."""
        key = self._place(stage, group)
        count = np.where(key >= 0, self.pools.count[np.maximum(key, 0)], 0)
        out = {
            int(
                place
            ): f"{count[place]} past events {STAGES[stage[place]]} were compared; at least {self.least_cases} are needed"
            for place in np.flatnonzero(count < self.least_cases)
        }
        for one, name, text in self.refused:
            out |= dict.fromkeys(map(int, np.flatnonzero((stage == one) & (group == name))), text)
        return out

    def _place(self, stage: Ints, group: NDArray[np.str_]) -> NDArray[np.intp]:
        """Return the pool of each case: its group's, else that of all; -1 of none."""
        code, names = pd.factorize(group)
        pools = {(int(one), str(name)): place for place, (one, name) in enumerate(self.pools.keys)}
        table = np.array(
            [
                [pools.get((one, name), pools.get((one, _ALL), -1)) for name in map(str, names)]
                for one in range(len(STAGES))
            ],
            np.intp,
        )
        return table[stage, code] if len(stage) else np.empty(0, np.intp)

    def _unreliable(self) -> tuple[tuple[int, str, str], ...]:
        """Return the groups whose past events were inside far less often than promised."""
        errors, out = self.errors, []
        low, high = self.margins(errors.stage, errors.group)
        for (stage, name), rows in _groups(errors).items():
            if name == _ALL or len(rows) < needed_cases(1 - self.alpha):
                continue
            mine = errors.take(rows)
            below, above = low[rows], high[rows]
            if len(rows) >= self.least_cases:
                # Own margins fit their own errors: those of the older half have to fit the newer one.
                half = len(rows) // 2
                old = _pools(mine.take(np.arange(half)), self.alpha, 1)
                below, above = old.margins(np.zeros(len(rows) - half, np.intp))
                mine = mine.take(np.arange(half, len(rows)))
            inside = (mine.below <= below) & (mine.above <= above)
            if _too_few(inside, 1 - self.alpha):
                text = (
                    f"{inside.mean():.0%} of the last {len(inside)} events {STAGES[stage]} of {name} were inside their interval, and "
                    f"{1 - self.alpha:.0%} should have been"
                )
                out.append((stage, name, text))
        return tuple(out)


def _groups(errors: PastErrors) -> dict[tuple[int, str], NDArray[np.intp]]:
    """Return the rows of each stage and group."""
    # Whole numbers, since a backtest does this at each issue time.
    code, names = pd.factorize(errors.group, sort=True)
    key = errors.stage * max(len(names), 1) + code
    order = np.argsort(key, kind="stable")
    values, first = np.unique(key[order], return_index=True)
    parts = np.split(order, first[1:])
    return {
        (int(value) // len(names), str(names[value % len(names)])): rows
        for value, rows in zip(values.tolist(), parts, strict=True)
    }


def _pools(errors: PastErrors, alpha: float, least_cases: int) -> Pools:
    """Return the pools of all groups together, and of each one with enough errors.

    Raises
    ------
    SchemaError
        If there is no error.
    """
    if not len(errors):
        msg = "expected past events to calibrate an interval, got none; give a longer calibration= or a longer training span"
        raise SchemaError(msg)
    found = {(int(one), _ALL): np.flatnonzero(errors.stage == one) for one in np.unique(errors.stage)}
    found |= {key: rows for key, rows in _groups(errors).items() if key[1] != _ALL and len(rows) >= least_cases}
    rows = np.concatenate(list(found.values()))
    place = np.repeat(np.arange(len(found)), [len(one) for one in found.values()])
    keys = pd.MultiIndex.from_tuples(list(found))
    return Pools.of(keys, Errors(errors.issued[rows], place, errors.below[rows], errors.above[rows]), alpha=alpha)


def _too_few(inside: NDArray[np.bool_], level: float) -> bool:
    """Whether so few were inside that it isn't chance."""
    count = len(inside)
    return bool(inside.mean() < _LEAST_INSIDE and stats.binom.cdf(int(inside.sum()), count, level) < _CHANCE)
