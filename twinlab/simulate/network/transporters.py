"""Transporters: trucks, forklifts and whatever else carries entities along links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from twinlab.model.basics import Term
from twinlab.simulate.definition import Definition
from twinlab.simulate.network.breakdowns import Breakdowns
from twinlab.simulate.network.calendars import DAYS, Clock, Day, Zone
from twinlab.simulate.network.distributions import Constant, Distribution
from twinlab.simulate.network.quantities import EnergyPerDistance, Speed, Time

__all__ = ["Dispatch", "Timetable", "Transporters"]


def _pair(given: object) -> object:
    if isinstance(given, Mapping) and given.keys() == {"from", "to"}:
        return given["from"], given["to"]
    if isinstance(given, (list, tuple)) and len(given) == 2:
        return given
    msg = f"expected a link as [origin, destination], such as [dock, store], got {given!r}"
    raise ValueError(msg)


#: A link of a network, as [origin, destination] or as a mapping with `from` and `to`.
Pair = Annotated[tuple[str, str], BeforeValidator(_pair)]


class Timetable(Definition):
    """Departures by time of day; each takes one transporter."""

    zone: Zone = "UTC"
    """Time zone of the departures."""
    departures: dict[str, tuple[Clock, ...]] = Field(min_length=1)
    """Node -> times of day. At other nodes of the route a transporter leaves as soon as it can."""
    days: tuple[Day, ...] = Field(default=DAYS, min_length=1)
    """Days with these departures."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for node, times in self.departures.items():
            if not times or "24:00" in times:
                msg = f"expected departures from '00:00' to '23:59' at {node!r}, got {list(times)}"
                raise ValueError(msg)
        return self


class Dispatch(Definition):
    """When a transporter that could load leaves: at once, with enough entities, or at stated times."""

    at_least: int = Field(default=0, ge=0)
    """Number of entities that it waits for; 0 leaves at once, even empty. With `links`: number that calls one."""
    wait_at_most: Time | None = None
    """Longest wait for them; then it leaves, or is called, with what there is."""
    every: Time | None = None
    """Departures at multiples of this time from the start on; each takes one transporter."""
    timetable: Timetable | None = None
    """Departures by time of day."""
    order: Literal["fifo", "priority", "due", "nearest"] = "fifo"
    """With `links`: which request is served next: the one that has waited longest, the highest priority, the earliest due, or
    the one that a free transporter reaches soonest."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.wait_at_most is not None and self.at_least == 0:
            msg = "`wait_at_most` belongs to `at_least`; state how many to wait for"
            raise ValueError(msg)
        if (self.at_least > 0) + (self.every is not None) + (self.timetable is not None) > 1:
            msg = "expected at most one of `at_least`, `every` and `timetable`"
            raise ValueError(msg)
        return self


class Transporters(Definition):
    """Alike transporters that go round the same nodes (`route`), or are called to the links that they serve (`links`).

    Of the second kind, a pool, a transporter that is free drives empty to the entities that called it, loads, drives over their
    link, unloads, and is free again where it is. It is called when `dispatch.at_least` entities wait at a link (1 if that isn't
    stated), or the first of them has waited for `dispatch.wait_at_most`; of those that are free, the one that gets there
    soonest is called.

    >>> Transporters(type="forklift", links=[("saw", "mill"), ("mill", "paint")], capacity=1, home="saw").links
    (('saw', 'mill'), ('mill', 'paint'))
    """

    type: Term
    """Asset type; signals of the transporters are named after it."""
    count: int = Field(default=1, ge=1, le=100_000)
    """How many; they are named "<group>/1", "<group>/2", …"""
    out_of_service: int = Field(default=0, ge=0)
    """How many of them, the last ones, wait at their next stop, empty, until they are in service again."""
    calendar: str | None = None
    """Name of a calendar of how many work, the first ones; the others finish their trip and wait. Without it all work."""
    route: tuple[str, ...] | None = Field(default=None, min_length=2)
    """Nodes that each visits in turn, again and again; two nodes are a shuttle."""
    links: tuple[Pair, ...] | None = Field(default=None, min_length=1)
    """Links to which they are called, as [origin, destination], instead of a route."""
    home: str | None = None
    """With `links`: node where they are at first, and where they wait while no entity calls them; without it they begin at the
    origin of the first link, and wait where they are."""
    one_way: bool = False
    """With `links`: whether empty ones drive links in their direction only; else they take every link both ways."""
    avoid: tuple[Pair, ...] = ()
    """With `links`: links, as [origin, destination], that empty ones don't drive."""
    capacity: int = Field(ge=1, le=1_000_000)
    """Entities that one carries."""
    loading: Distribution = Constant(value="0 s")
    """Time from the beginning of loading to departure."""
    unloading: Distribution = Constant(value="0 s")
    """Time from arrival until the load is at the node."""
    turnaround: Distribution = Constant(value="0 s")
    """Time from then until it can load again."""
    first_ready: Distribution = Constant(value="0 s")
    """Time from the start of the simulation until it can load for the first time."""
    dispatch: Dispatch = Dispatch()
    """When it leaves."""
    speed: Speed | None = None
    """Speed on links that state a distance and no travel time."""
    speed_factor: float = Field(default=1.0, gt=0, le=100)
    """Factor on the speed on all links: 0.5 is half as fast."""
    breakdowns: Breakdowns | None = None
    """Breakdowns of each transporter."""
    energy_per_distance: EnergyPerDistance | None = None
    """Energy for a distance, such as "1.2 kWh/km"."""
    profile: str | None = None
    """Name of a profile that multiplies travel times by hour of the week, at departure."""

    @property
    def pooled(self) -> bool:
        """Whether they are called to links, instead of going round a route."""
        return self.links is not None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.route is None) == (self.links is None):
            msg = "expected exactly one of `route` (nodes in turn, again and again) and `links` (served when entities call)"
            raise ValueError(msg)
        wrong = [name for name in ("home", "one_way", "avoid") if getattr(self, name)]
        if self.dispatch.order != "fifo":
            wrong.append("dispatch.order")
        if self.route is not None and wrong:
            msg = f"`{wrong[0]}` belongs to `links`; transporters with a `route` go round it in turn"
            raise ValueError(msg)
        timed = "every" if self.dispatch.every is not None else "timetable" if self.dispatch.timetable else None
        if self.links is not None and timed:
            msg = f"`dispatch.{timed}` belongs to a `route`; transporters with `links` leave when entities call them"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _timetable_fits(self) -> Self:
        for node in self.dispatch.timetable.departures if self.dispatch.timetable else ():
            if self.route is not None and node not in self.route:
                msg = f"`dispatch.timetable` has departures at {node!r}, which isn't in the route {list(self.route)}"
                raise ValueError(msg)
        return self
