"""Changes of a scenario applied to a timetable: the same kinds and words as for a network."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from itertools import permutations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.network.network import Network
from twinlab.simulate.scenarios.change import Change, chosen
from twinlab.simulate.scenarios.kinds.close import Close
from twinlab.simulate.scenarios.kinds.flows import DemandFactor
from twinlab.simulate.scenarios.kinds.links import Reroute, Storm
from twinlab.simulate.scenarios.kinds.transporters import Speed
from twinlab.simulate.scenarios.windows import spans
from twinlab.simulate.timetable.model import TimetableModel

__all__ = ["POSSIBLE_KINDS", "Plan", "changed_plan"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Window = tuple[float, float]

POSSIBLE_KINDS = ("close", "reroute", "storm", "demand", "speed")


@dataclass(frozen=True)
class Plan:
    """A model with a state, and the network that a scenario's names are of."""

    model: TimetableModel
    state: xr.Dataset
    network: Network

    def column(self, name: str) -> npt.NDArray[np.generic]:
        """Return a column of the trips."""
        return np.asarray(self.state[f"trip_{name}"].to_numpy())

    def at(self, names: Sequence[str], end: str) -> Bools:
        """Return the trips whose origin or destination is one of these places."""
        hubs = self.state["hub"].to_numpy()
        return np.isin(hubs[self.state[f"trip_{end}"].to_numpy()], list(names))

    def on(self, pairs: Collection[tuple[str, str]]) -> Bools:
        """Return the trips from the first to the second place of a pair."""
        hubs = self.state["hub"].to_numpy()
        ends = (hubs[self.state[f"trip_{end}"].to_numpy()].tolist() for end in ("origin", "destination"))
        return np.array([pair in pairs for pair in zip(*ends, strict=True)], dtype=bool)

    def during(self, windows: Sequence[Window], end: str = "start") -> Bools:
        """Return the trips that haven't left, and are planned to start or end in one of the windows."""
        planned = self.state[f"trip_planned_{end}"].to_numpy()
        inside = np.any([(planned >= a) & (planned < b) for a, b in windows], axis=0)
        return np.asarray(inside & np.isnan(self.state["trip_known_start"].to_numpy()))

    def with_trips(self, **columns: npt.NDArray[np.generic]) -> Plan:
        """Return the plan with other columns of the trips."""
        return replace(self, state=self.state.assign({f"trip_{name}": ("trip", one) for name, one in columns.items()}))

    def cancelled(self, which: Bools) -> Plan:
        """Return the plan without some trips; what is booked on them is booked again."""
        known = np.asarray(self.column("known_cancelled"), dtype=bool) | which
        booked = np.asarray(self.column("confirmed"), dtype=bool) & ~which
        return self.with_trips(known_cancelled=known, cancelled=known, confirmed=booked)

    def longer(self, which: Bools, factor: float) -> Plan:
        """Return the plan with other times of travel of some trips."""
        return self.with_trips(link=np.where(which, self.column("link") + np.log(factor), self.column("link")))


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
    msg = f"the kind {change.kind!r} isn't possible in a timetable, which has no servers, shifts and groups; possible are {', '.join(POSSIBLE_KINDS)}"
    raise SchemaError(msg)


@_applied.register
def _(change: Close, plan: Plan, windows: Sequence[Window]) -> Plan:
    if change.instead is not None:
        msg = f"close {change.node!r}: `instead` isn't possible in a timetable; leave it out"
        raise SchemaError(msg)
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
        msg = "reroute: `preferred` isn't possible in a timetable, whose bookings arrive as early as planned trips allow; use `closed`"
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
    chosen_groups = [groups[name] for name in chosen(change.transporters, groups)]
    pairs = {pair for group in chosen_groups for pair in (*permutations(group.route or (), 2), *(group.links or ()))}
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
