"""How late the other events are: of the same place, carrier or way, in the last hours and weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.delay.plan import HOUR, NEVER, Floats, Ints, Plan, Sums, shown

__all__ = ["Congestion"]

_SECOND: Final = 10**9
#: Delays are cut at these, minutes: a single one of a day says little.
_LEAST, _MOST = -60 * 60, 240 * 60
_SHORT: Final = (HOUR, 3 * HOUR)
_LONG: Final = 21 * 24 * HOUR
#: An event that hasn't begun so long after its planned start is no longer counted as waiting.
_WAITS: Final = 3 * HOUR


@dataclass(frozen=True)
class Congestion:
    """Delays of other events, by group.

    Parameters
    ----------
    plan : Plan
    late : int
        Delay from which an event is late, seconds.
    """

    plan: Plan
    late: int

    def by_group(
        self, rows: NDArray[np.intp], issued: Ints, groups: Mapping[str, tuple[str, ...]]
    ) -> dict[str, dict[str, Floats]]:
        """Return the features of events as known at issue times: group -> name -> array (case,).

        Parameters
        ----------
        rows : array of int (case,)
        issued : array of int64 (case,)
        groups : mapping of str to columns
            Name of a group, and the columns that its events share; no columns are all events.
        """
        plan = self.plan
        found: dict[str, dict[str, Floats]] = {}
        begun, ended = (
            np.clip(np.where(one < NEVER, one - planned, 0) // _SECOND, _LEAST, _MOST)
            for one, planned in ((plan.start, plan.planned_start), (plan.end, plan.planned_end))
        )
        # From the planned start until it begins, an event waits; one that began early never did.
        until = np.minimum(plan.start, plan.planned_start + _WAITS)
        waits = until > plan.planned_start
        since = plan.planned_start // _SECOND
        for name, columns in groups.items():
            code = plan.codes(*columns)
            out = found[name] = {}
            mine = code[rows]
            starts, ends = Sums(code, plan.start, begun), Sums(code, plan.end, ended)
            for span in _SHORT:
                hours = span // HOUR
                out[f"{name}: start delay, {hours} h"] = shown(*starts.between(mine, issued - span, issued))
                out[f"{name}: end delay, {hours} h"] = shown(*ends.between(mine, issued - span, issued))
            out[f"{name}: end delay, 21 d"] = shown(*ends.between(mine, issued - _LONG, issued))
            late = Sums(code, plan.end, (ended >= self.late).astype("int64"))
            out[f"{name}: share late, 21 d"] = shown(*late.between(mine, issued - _LONG, issued), unit=1)
            come = Sums(code[waits], plan.planned_start[waits], since[waits]).until(mine, issued)
            gone = Sums(code[waits], until[waits], since[waits]).until(mine, issued)
            count = come[1] - gone[1]
            out[f"{name}: waiting"] = count.astype(float)
            out[f"{name}: waiting for"] = shown(count * (issued // _SECOND) - (come[0] - gone[0]), count)
            planned = plan.planned_start[rows]
            load = Sums(code, plan.planned_start, since)
            out[f"{name}: planned in 2 h"] = load.between(mine, planned - HOUR, planned + HOUR)[1].astype(float)
        return found
