"""Changes of a scenario applied to a timetable: the same kinds and words as for a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch
from itertools import permutations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.network.calendars import DAYS
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.quantities import in_unit
from twinlab.simulate.network.transporters import Transporters
from twinlab.simulate.scenarios.change import Change, chosen
from twinlab.simulate.scenarios.kinds.close import Close
from twinlab.simulate.scenarios.kinds.departures import UseTimetable
from twinlab.simulate.scenarios.kinds.flows import DemandFactor
from twinlab.simulate.scenarios.kinds.links import Reroute, Storm
from twinlab.simulate.scenarios.kinds.transporters import Fleet, Speed
from twinlab.simulate.scenarios.windows import spans
from twinlab.simulate.timetable.model import TimetableModel
from twinlab.simulate.timetable.plans.plan import Plan, Window
from twinlab.simulate.timetable.weeks import local_seconds

__all__ = ["POSSIBLE_KINDS", "changed_plan"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

POSSIBLE_KINDS = ("close", "reroute", "storm", "demand", "speed", "transporters", "timetable")
#: What to use in place of kinds that a timetable can't have.
_IN_PLACE = {
    "servers": "how long sorting takes isn't in a timetable; `close` stops trips of a place, and a network has servers",
    "new_transporters": "`timetable` adds departures between two places that have some",
    "service": "`speed` and `storm` change times of travel",
}
_DAY = 86_400.0


def changed_plan(
    changes: Sequence[Change], model: TimetableModel, state: xr.Dataset, network: Network, *, until: np.datetime64
) -> tuple[TimetableModel, xr.Dataset]:
    """Return a model and a state with the changes of a scenario.

    Raises
    ------
    SchemaError
        If a timetable can't have a change of this kind; names it and what is possible.
    """
    plan = Plan(model, state, network)
    begin = pd.Timestamp(state["start"].item()).to_datetime64()
    for change in changes:
        held = spans(change.start, change.stop, first=begin, last=until)
        second = np.timedelta64(1, "s")
        windows = [(float((a - begin) / second), float((b - begin) / second)) for a, b in held]
        plan = _applied(change, plan, windows)
    return plan.model, plan.state


@singledispatch
def _applied(change: Change, plan: Plan, windows: Sequence[Window]) -> Plan:
    """Return the plan with one change in some windows, seconds since the start."""
    del plan, windows
    other = _IN_PLACE.get(change.kind, "a network (calibrated.network) can have it")
    msg = f"the kind {change.kind!r} isn't possible in a timetable: {other}; possible are {', '.join(POSSIBLE_KINDS)}"
    raise SchemaError(msg)


@_applied.register
def _(change: Close, plan: Plan, windows: Sequence[Window]) -> Plan:
    if change.instead is not None:
        return _diverted(plan, change.node, change.instead, windows)
    leaving = plan.at([change.node], "origin")
    coming = plan.at([change.node], "destination")
    if change.entities == "reroute":
        return plan.cancelled((leaving & plan.during(windows)) | (coming & plan.during(windows, "end")))
    # Who would leave or arrive in a window waits until it ends.
    earliest = np.asarray(plan.column("not_before"), dtype=np.float64)
    lasting = plan.state["trip_planned_end"].to_numpy() - plan.state["trip_planned_start"].to_numpy()
    for window in windows:
        earliest = np.where(leaving & plan.during([window]), np.maximum(earliest, window[1]), earliest)
        late = coming & plan.during([window], "end")
        earliest = np.where(late, np.maximum(earliest, window[1] - lasting), earliest)
    return plan.with_trips(not_before=earliest)


@_applied.register
def _(change: Reroute, plan: Plan, windows: Sequence[Window]) -> Plan:
    if change.preferred:
        msg = (
            "reroute: `preferred` isn't possible in a timetable, whose bookings arrive as early as planned trips allow; close the "
            "other links with `closed`, or add departures on the preferred one with the kind `timetable`"
        )
        raise SchemaError(msg)
    pairs = {*change.closed, *((b, a) for a, b in change.closed if change.both_ways)}
    return plan.cancelled(plan.on(pairs) & plan.during(windows))


@_applied.register
def _(change: Storm, plan: Plan, windows: Sequence[Window]) -> Plan:
    links = [plan.network.links[int(path.split(".")[1])] for path in change.effects(plan.network)]
    return plan.longer(
        plan.on({(link.origin, link.destination) for link in links}) & plan.during(windows), change.factor
    )


@_applied.register
def _(change: Speed, plan: Plan, windows: Sequence[Window]) -> Plan:
    groups = plan.network.transporters
    pairs = {pair for name in chosen(change.transporters, groups) for pair in _pairs(groups[name])}
    return plan.longer(plan.on(pairs) & plan.during(windows), 1 / change.factor)


@_applied.register
def _(change: DemandFactor, plan: Plan, windows: Sequence[Window]) -> Plan:
    demand = plan.model.demand
    if demand is None:
        msg = f"demand: the model {plan.model.name!r} has only trips, nothing that they carry"
        raise SchemaError(msg)
    place = {name: number for number, name in enumerate(plan.model.hubs)}
    nodes = [plan.network.demand[path.split(".")[1]].at for path in change.effects(plan.network)]
    more = tuple((place[node], *window, change.factor) for node in nodes for window in windows)
    return replace(plan, model=replace(plan.model, demand=replace(demand, more=(*demand.more, *more))))


@_applied.register
def _(change: Fleet, plan: Plan, windows: Sequence[Window]) -> Plan:
    if change.add >= 0:
        msg = (
            f"transporters {change.transporters!r}: more of them change nothing in a timetable, whose trips carry whatever is booked on "
            "them; state other departures with the kind `timetable`"
        )
        raise SchemaError(msg)
    booked = plan.booked()
    gone = np.zeros(len(booked), dtype=bool)
    for pair in _pairs(plan.network.transporters[change.transporters]):
        trips = np.flatnonzero(plan.on({pair}) & plan.during(windows))
        day = _local_day(plan, plan.column("planned_start")[trips])
        for one in np.unique(day).tolist():
            # The trips of a day with the least booked on them, of equals the latest.
            here = trips[day == one]
            order = np.lexsort((-plan.column("planned_start")[here].astype(np.float64), booked[here]))
            gone[here[order[: -change.add]]] = True
    return plan.cancelled(gone)


@_applied.register
def _(change: UseTimetable, plan: Plan, windows: Sequence[Window]) -> Plan:
    for pair in _pairs(plan.network.transporters[change.transporters]):
        planned = plan.on({pair}) & plan.during(windows)
        starts = _departures(change, plan, pair[0], windows)
        if starts is not None and plan.on({pair}).any():
            plan = plan.cancelled(planned).with_departures(pair, starts, name=change.transporters)
    return plan


def _pairs(group: Transporters) -> list[tuple[str, str]]:
    """Return the pairs of places between which transporters of a group go."""
    return [*permutations(group.route or (), 2), *(group.links or ())]


def _departures(change: UseTimetable, plan: Plan, node: str, windows: Sequence[Window]) -> Floats | None:
    """Return the departures from a place in some windows, seconds since the start; None if they stay as they are."""
    begin = pd.Timestamp(plan.state["start"].item())
    first, last = min(a for a, _ in windows), max(b for _, b in windows)
    if change.every is not None:
        step = in_unit(change.every, "s")
        starts = np.arange(np.ceil(max(first, 0.0) / step) * step, last, step)
    else:
        assert change.timetable is not None
        table = change.timetable
        if node not in table.departures:
            return None
        local = begin.tz_localize("UTC").tz_convert(table.zone)
        days = pd.date_range(local.normalize() - pd.Timedelta(days=1), periods=int((last + _DAY) // _DAY) + 3, freq="D")
        chosen = [day for day in days if DAYS[day.day_of_week] in table.days]
        times = [pd.Timestamp(f"{day.date()} {clock}").tz_localize(table.zone, ambiguous=True, nonexistent="shift_forward")
                 for day in chosen for clock in table.departures[node]]  # fmt: skip
        starts = np.array(sorted((time - local).total_seconds() for time in times))
    inside = np.any([(starts >= max(a, 0.0)) & (starts < b) for a, b in windows], axis=0)
    return np.asarray(starts[inside], dtype=np.float64)


def _diverted(plan: Plan, node: str, instead: str, windows: Sequence[Window]) -> Plan:
    """Return the plan with the trips from and to a place in some windows from and to another, at the same times.

    What is at the place waits there and is booked on trips after the windows. What is to be delivered at the place is delivered at the
    other, if its last trip goes there. A trip between the two is cancelled.
    """
    closed, other = plan.code(node), plan.code(instead)
    leaving = plan.at([node], "origin") & plan.during(windows)
    coming = plan.at([node], "destination") & plan.during(windows, "end")
    origin = np.where(leaving, other, plan.column("origin"))
    destination = np.where(coming, other, plan.column("destination"))
    before = plan.column("diverted") if "trip_diverted" in plan.state else np.zeros(len(origin), dtype=bool)
    diverted = np.asarray(before, dtype=bool) | leaving
    moved = plan.with_trips(origin=origin, destination=destination, diverted=diverted).cancelled(origin == destination)
    if "entity" not in plan.state.coords:
        return moved
    state = moved.state
    first = state["entity_first_leg"].to_numpy()
    last = state["leg_trip"].to_numpy()[np.maximum(first[1:] - 1, 0)]
    there = (state["entity_destination"].to_numpy() == closed) & coming[last]
    goal = np.where(there, other, state["entity_destination"].to_numpy())
    moved = replace(moved, state=state.assign(entity_destination=("entity", goal)))
    demand = plan.model.demand
    assert demand is not None
    hubs = plan.model.hubs
    more = tuple((hubs.index(node), hubs.index(instead), *window) for window in windows)
    return replace(moved, model=replace(plan.model, demand=replace(demand, moved=(*demand.moved, *more))))


def _local_day(plan: Plan, seconds: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Return the day of instants in seconds since the start, on the clocks of the model's zone."""
    begin = int(pd.Timestamp(plan.state["start"].item()).timestamp())
    clock = local_seconds(seconds.astype(np.float64) + begin, plan.model.zone)
    return np.asarray(clock // _DAY, dtype=np.int64)
