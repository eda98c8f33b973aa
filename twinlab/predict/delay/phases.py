"""Phases of planned events, and the cases of past ones: what is predicted at which instant."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.delay.plan import GIVEN_UP, MINUTE, NEVER, Floats, Ints, Plan
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.features.cases import Cases
from twinlab.predict.protocol.durations import duration

__all__ = ["PHASES", "STAGES", "delays", "open_rows", "past_cases", "phases", "stages"]

#: Names of phases, by number.
PHASES: Final = ("before the planned start", "overdue", "under way")
#: Names of stages, by number: of those before the planned start, errors differ by how far ahead it is.
STAGES: Final = (*PHASES, "more than 3 h before the planned start")
_FAR: Final = np.timedelta64(3, "h")
#: Training cases of overdue events are issued so long after the planned start.
_OVERDUE: Final = (5 * MINUTE, 20 * MINUTE, 60 * MINUTE)
#: Those of events under way, at an instant between the start and so many times the planned duration, if they haven't ended: of an event that takes
#: longer than planned as many cases are seen as there would be at any instant.
_UNDER_WAY: Final = 1.5
#: Multiples of it, less whole numbers, are spread evenly (golden ratio).
_SPREAD: Final = 0.6180339887498949


def phases(plan: Plan, cases: Cases) -> Ints:
    """Return the phase of each case at its issue time; of cases of this plan."""
    rows = cases.asset
    issued = cases.issued.astype("datetime64[ns]").astype("int64")
    return np.where(plan.start[rows] <= issued, 2, np.where(plan.planned_start[rows] < issued, 1, 0)).astype("int64")


def stages(plan: Plan, cases: Cases) -> Ints:
    """Return the stage of each case at its issue time: its phase, or that it is far ahead."""
    return np.where(cases.leads > _FAR, 3, phases(plan, cases))


def delays(plan: Plan, settings: DelaySettings) -> Floats:
    """Return the delay of each event in minutes; NaN where it isn't known."""
    actual, planned = (plan.end, plan.planned_end) if settings.of == "end" else (plan.start, plan.planned_start)
    return np.where(actual < NEVER, (actual - planned) / MINUTE, np.nan)


def open_rows(plan: Plan, settings: DelaySettings, at: np.datetime64) -> NDArray[np.intp]:
    """Return the events that are predicted at an instant: planned to start within ``ahead``, or overdue or under way."""
    now = int(at.astype("datetime64[ns]").astype("int64"))
    until = now + int(duration(settings.ahead, what="ahead").astype("int64"))
    begun, over = plan.start <= now, plan.end <= now
    rows = ~over & ~begun & (plan.planned_start >= now) & (plan.planned_start <= until)
    if settings.under_way:
        rows |= ~begun & ~over & (plan.planned_start < now) & (plan.planned_end >= now - GIVEN_UP)
        if settings.of == "end":
            rows |= begun & ~over & (plan.planned_end >= now - GIVEN_UP)
    return np.flatnonzero(rows)


def past_cases(plan: Plan, settings: DelaySettings, *, since: np.datetime64 | None = None) -> tuple[Cases, Floats]:
    """Return cases of past events with their delays: at each of the leads, overdue, and at an instant under way.

    Parameters
    ----------
    plan : Plan
    settings : DelaySettings
    since : datetime64, optional
        Planned start of the first event.
    """
    true = delays(plan, settings)
    known = ~np.isnan(true)
    if since is not None:
        known &= plan.planned_start >= int(since.astype("datetime64[ns]").astype("int64"))
    rows, issued = [], []
    instants = [plan.planned_start - int(duration(lead, what="leads").astype("int64")) for lead in settings.leads]
    if settings.under_way:
        instants += [plan.planned_start + span for span in _OVERDUE]
    for when in instants:
        found = np.flatnonzero(known & (plan.start > when))
        rows.append(found)
        issued.append(when[found])
    if settings.under_way and settings.of == "end":
        # Of the planned start, so that it is the same whatever else is in the plan.
        share = np.mod(plan.planned_start // MINUTE * _SPREAD, 1.0) * _UNDER_WAY
        when = plan.start + (share * (plan.planned_end - plan.planned_start)).astype("int64")
        found = np.flatnonzero(known & (plan.start < NEVER) & (plan.end > when))
        rows.append(found)
        issued.append(when[found])
    row, at = np.concatenate(rows), np.concatenate(issued)
    leads = (plan.planned_start[row] - at).astype("timedelta64[ns]")
    ids = tuple(map(str, plan.table["event_id"]))
    return Cases(at.astype("datetime64[ns]"), leads, row, ids), true[row]
