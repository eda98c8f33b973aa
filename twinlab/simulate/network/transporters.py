"""Transporters: trucks, forklifts and whatever else carries entities along links."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from twinlab.model.basics import Term
from twinlab.simulate.definition import Definition
from twinlab.simulate.network.breakdowns import Breakdowns
from twinlab.simulate.network.calendars import DAYS, Clock, Day, Zone
from twinlab.simulate.network.distributions import Constant, Distribution
from twinlab.simulate.network.quantities import EnergyPerDistance, Speed, Time

__all__ = ["Dispatch", "Timetable", "Transporters"]


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
    """Number of entities that it waits for; 0 leaves at once, even empty."""
    wait_at_most: Time | None = None
    """Longest wait for them; then it leaves with what there is."""
    every: Time | None = None
    """Departures at multiples of this time from the start on; each takes one transporter."""
    timetable: Timetable | None = None
    """Departures by time of day."""

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
    """Alike transporters that go round the same nodes."""

    type: Term
    """Asset type; signals of the transporters are named after it."""
    count: int = Field(default=1, ge=1, le=100_000)
    """How many; they are named "<group>/1", "<group>/2", …"""
    out_of_service: int = Field(default=0, ge=0)
    """How many of them, the last ones, wait at their next stop, empty, until they are in service again."""
    route: tuple[str, ...] = Field(min_length=2)
    """Nodes that each visits in turn, again and again; two nodes are a shuttle."""
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

    @model_validator(mode="after")
    def _timetable_fits(self) -> Self:
        for node in self.dispatch.timetable.departures if self.dispatch.timetable else ():
            if node not in self.route:
                msg = f"`dispatch.timetable` has departures at {node!r}, which isn't in the route {list(self.route)}"
                raise ValueError(msg)
        return self
