"""Chains of planned events of one asset: how late the event before makes the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.predict.delay.plan import GIVEN_UP, HOUR, MINUTE, NEVER, Floats, Ints, Plan

__all__ = ["Chain", "Propagated", "chain_column", "usual_turnaround"]

#: An event before that was planned to end longer ago isn't one that makes the next one late.
_LONGEST_GAP: Final = 24 * HOUR
#: What does one event after another has at most this share of plans that overlap.
_OVERLAP: Final = 0.05
#: Events before that are followed back.
_DEPTH: Final = 4


@dataclass(frozen=True)
class Propagated:
    """What the events before imply for events, as known at issue times.

    Parameters
    ----------
    before : array of int (case,)
        Row of the event before; -1 of none.
    ready : array of int64 (case,)
        Earliest possible start, ns; `NEVER` of none before.
    late : array (case,)
        Minutes that the event before is late, as far as is known; NaN of none.
    phase : array (case,)
        0, the event before hasn't begun; 1, it is under way; 2, it is over; NaN of none.
    """

    before: NDArray[np.intp]
    ready: Ints
    late: Floats
    phase: Floats

    def take(self, place: int) -> Propagated:
        """Return that of one case."""
        one = slice(place, place + 1)
        return Propagated(self.before[one], self.ready[one], self.late[one], self.phase[one])


@dataclass(frozen=True)
class Chain:
    """The event before each one, of the same asset.

    Parameters
    ----------
    plan : Plan
    before : array of int (event,)
        Row of the latest event of the same asset that was planned to end before this one's planned start; -1 of none.
    travel : array of int64 (event,)
        Time in which the asset comes from where the event before ended to where this one begins, ns. Where that isn't an event itself,
        the planned duration of the event before: the way back.
    """

    plan: Plan
    before: NDArray[np.intp]
    travel: Ints

    @classmethod
    def of(cls, plan: Plan, column: str, places: tuple[str, str] | None) -> Chain:
        """Return the chains of a plan.

        Parameters
        ----------
        plan : Plan
        column : str
            Column with what the events of a chain share, such as ``"asset"``.
        places : pair of str, optional
            Columns with where events begin and end.
        """
        code = plan.codes(column)
        order = np.lexsort((plan.planned_end, code))
        # Per group a range of rows in this order; the last of them that was planned to end by the planned start.
        both = np.concatenate([plan.planned_end[order], plan.planned_start])
        group = np.concatenate([code[order], code])
        query = np.repeat([0, 1], len(plan))
        merged = np.lexsort((query, both, group))
        place = np.where(query[merged] == 0, merged, -1)
        latest = np.maximum.accumulate(np.where(place >= 0, np.arange(len(place)), -1)) if len(place) else place
        found = np.full(len(plan), -1, np.intp)
        asked = query[merged] == 1
        at = latest[asked]
        row = np.where(at >= 0, order[place[np.maximum(at, 0)]], -1) if len(plan) else at
        found[merged[asked] - len(plan)] = row
        safe = np.maximum(found, 0)
        fits = (
            (found >= 0)
            # Events without an asset are no chain.
            & (code >= 0)
            & (code[safe] == code)
            & (plan.planned_start[safe] < plan.planned_start)
            & (plan.planned_start - plan.planned_end[safe] <= _LONGEST_GAP)
        )
        before = np.where(fits, found, -1)
        travel = np.zeros(len(plan), "int64")
        if places is not None:
            begin, until = (plan.table[name].to_numpy(object) for name in places)
            apart = (before >= 0) & (until[safe] != begin)
            travel = np.where(apart, (plan.planned_end - plan.planned_start)[safe], 0)
        return cls(plan, before, travel)

    def propagate(self, rows: NDArray[np.intp], issued: Ints, *, turnaround: int) -> Propagated:
        """Return the earliest possible starts of events as known at issue times: the end of the one before + the turnaround.

        An event before that hasn't begun is itself made late by the one before it; one that is overdue can't begin before the issue time.
        """
        steps = [rows]
        for _ in range(_DEPTH):
            last = steps[-1]
            steps.append(np.where(last >= 0, self.before[np.maximum(last, 0)], -1))
        ready = np.full(len(rows), -1, "int64")
        for place in range(_DEPTH, 0, -1):
            row, following = steps[place], np.maximum(steps[place - 1], 0)
            until = self._end(np.maximum(row, 0), issued, ready) + turnaround + self.travel[following]
            ready = np.where(row >= 0, until, -1)
        row = np.maximum(steps[1], 0)
        has, plan = steps[1] >= 0, self.plan
        begun, over = plan.start[row] <= issued, plan.end[row] <= issued
        overdue = np.maximum(issued - plan.planned_start[row], 0)
        overdue = np.where(overdue > GIVEN_UP, 0, overdue)
        late = np.where(begun, plan.start[row] - plan.planned_start[row], overdue)
        late = np.where(over, plan.end[row] - plan.planned_end[row], late)
        return Propagated(
            steps[1],
            np.where(has, ready, NEVER),
            np.where(has, late / MINUTE, np.nan),
            np.where(has, begun.astype(float) + over, np.nan),
        )

    def _end(self, row: NDArray[np.intp], issued: Ints, ready: Ints) -> Ints:
        """Return the earliest end of events as known at issue times; ``ready`` is when their asset can begin."""
        plan = self.plan
        lasting = plan.planned_end[row] - plan.planned_start[row]
        begun, over = plan.start[row] <= issued, plan.end[row] <= issued
        given_up = ~begun & (issued - plan.planned_start[row] > GIVEN_UP)
        waiting = np.maximum(plan.planned_start[row], ready)
        waiting = np.where(plan.planned_start[row] < issued, np.maximum(waiting, issued), waiting)
        first = np.where(begun, plan.start[row], waiting)
        until = np.maximum(first + lasting, issued)
        # What never began, or never ended where it was planned to, says nothing.
        lost = given_up | (begun & ~over & (issued - plan.planned_end[row] > GIVEN_UP))
        return np.where(over, plan.end[row], np.where(lost, plan.planned_end[row], until))


def usual_turnaround(chain: Chain, known: np.datetime64) -> int:
    """Return the span between the end of one event and the start of the next that one in ten stays below, ns; at least 0.

    Of gaps that were known at an instant; 0 without any.
    """
    rows = np.flatnonzero(chain.before >= 0)
    plan, at = chain.plan, int(known.astype("datetime64[ns]").astype("int64"))
    rows = rows[(plan.start[rows] <= at) & (plan.end[chain.before[rows]] <= at)]
    gaps = plan.start[rows] - plan.end[chain.before[rows]] - chain.travel[rows]
    return max(0, int(np.quantile(gaps, 0.1))) if len(gaps) else 0


def chain_column(table: pd.DataFrame, candidates: Sequence[str]) -> str:
    """Return the column with what does one event after another: the candidate whose plans don't overlap and follow each other most often.

    Parameters
    ----------
    table : DataFrame
        Events with their plan.
    candidates : sequence of str
        Columns, the first one of which is returned if none fits.
    """
    shares = {name: _following(table, name) for name in candidates}
    best = max(candidates, key=lambda name: shares[name])
    return best if shares[best] > 0 else candidates[0]


def _following(table: pd.DataFrame, column: str) -> float:
    """Return the share of journeys that follow another one within a day; -1 where plans overlap."""
    plans = table[[column, "planned_start", "planned_end"]].dropna().drop_duplicates()
    plans = plans.sort_values([column, "planned_start", "planned_end"])
    same = (plans[column] == plans[column].shift()).to_numpy(bool)
    if not same.any():
        return 0.0
    gap = (plans["planned_start"] - plans["planned_end"].shift()).to_numpy("timedelta64[ns]").astype("int64")
    if (gap[same] < 0).mean() > _OVERLAP:
        return -1.0
    return float((same & (gap >= 0) & (gap <= _LONGEST_GAP)).mean())
