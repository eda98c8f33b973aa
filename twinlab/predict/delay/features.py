"""The features of planned events: the events before them, the delays of others, their surroundings, and the schedule."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.predict.delay.chains import Chain, Propagated
from twinlab.predict.delay.congestion import Congestion
from twinlab.predict.delay.plan import MINUTE, NEVER, Floats, Plan
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.delay.surroundings import signals_of_link
from twinlab.predict.features.cases import Cases
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.state import LeakError, State

__all__ = ["Planned", "groups_of", "groups_of_events", "stacked"]


def groups_of(settings: DelaySettings) -> dict[str, tuple[str, ...]]:
    """Return the groups of events whose delays are features: all, those of one link, and those of two."""
    pairs = combinations(settings.links, 2)
    return {"all": (), **{one: (one,) for one in settings.links}, **{f"{a} + {b}": (a, b) for a, b in pairs}}


class Planned:
    """The planned events of a state, with features of cases.

    Cases of `twinlab.predict.features.cases`; their ``ids`` are event ids, and ``lead`` is the span until the planned start.

    Parameters
    ----------
    state : State
    settings : DelaySettings
    """

    def __init__(self, state: State, settings: DelaySettings) -> None:
        self.state, self.settings = state, settings
        table = state.events[settings.event_type]
        self.plan = Plan.of(table, (settings.chain, *settings.links), what=settings.event_type)
        self.chain = Chain.of(self.plan, settings.chain, settings.places)

    def before(self, cases: Cases, turnaround: int) -> Propagated:
        """Return what the events before imply."""
        return self.chain.propagate(self._rows(cases), cases.issued.astype("int64"), turnaround=turnaround)

    def _rows(self, cases: Cases) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        found = self.plan.rows(cases.ids)[cases.asset]
        if bool((found < 0).any()):
            case = int(np.flatnonzero(found < 0)[0])
            msg = (
                f"the event {cases.ids[cases.asset[case]]!r} isn't known at its issue time {cases.issued[case]}: its plan becomes known later; "
                "use shorter leads"
            )
            raise LeakError(msg)
        return found

    def columns(self, cases: Cases, turnaround: int) -> dict[str, dict[str, Floats]]:
        """Return the features of cases: kind of reason -> name -> array (case,)."""
        settings, plan, rows = self.settings, self.plan, self._rows(cases)
        issued = cases.issued.astype("datetime64[ns]").astype("int64")
        planned, begun = plan.planned_start[rows], plan.start[rows] <= issued
        local = pd.DatetimeIndex(plan.table["planned_start"].to_numpy()[rows], tz="UTC").tz_convert(settings.zone)
        ahead = self.before(cases, turnaround)
        out: dict[str, dict[str, Floats]] = {
            "schedule": {
                "hour": np.asarray(local.hour + local.minute / 60, float),
                "weekday": np.asarray(local.day_of_week, float),
                "planned minutes": (plan.planned_end[rows] - planned) / MINUTE,
            },
            "own": {
                "minutes to planned start": (planned - issued) / MINUTE,
                "start delay so far": np.where(begun, plan.start[rows] - planned, np.maximum(issued - planned, 0))
                / MINUTE,
                "begun": begun.astype(float),
            },
            "before": {
                "delay of the one before": ahead.late,
                "phase of the one before": ahead.phase,
                "ready before planned start": np.where(
                    ahead.ready < NEVER, np.clip((planned - ahead.ready) / MINUTE, -600, 600), np.nan
                ),
            },
        }
        lateness = Congestion(plan, int(duration(settings.late, what="late") / np.timedelta64(1, "s")))
        out |= lateness.by_group(rows, issued, groups_of(settings))
        for link, (asset_type, names) in settings.surroundings.items():
            out[f"signals of {link}"] = signals_of_link(
                self.state, plan, rows, issued, link=link, asset_type=asset_type, names=names
            )
        return out


def groups_of_events(planned: Planned, cases: Cases) -> NDArray[np.str_]:
    """Return the group of the interval of each case: its event's value of ``settings.group``; empty without one."""
    column = planned.settings.group
    if column is None:
        return np.full(len(cases), "")
    return planned.plan.table[column].fillna("").to_numpy("str")[cases.asset]


def stacked(columns: Mapping[str, Mapping[str, Floats]]) -> tuple[list[str], list[str], Floats]:
    """Return names, kinds of reason, and an array (case, feature) of features."""
    names = [name for found in columns.values() for name in found]
    kinds = [kind for kind, found in columns.items() for _ in found]
    return names, kinds, np.stack([one for found in columns.values() for one in found.values()], axis=1)
