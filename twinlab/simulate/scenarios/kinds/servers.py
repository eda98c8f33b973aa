"""Other numbers of servers and docks: a number more or less, other shifts, another calendar, a breakdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from twinlab.model.check import Finding
from twinlab.simulate.network.calendars import DAYS, Calendar, Clock, Day, Shift
from twinlab.simulate.network.network import Network
from twinlab.simulate.scenarios.change import Change, Effect, changed, fault, unknown

__all__ = ["AddShift", "Breakdown", "Docks", "Servers", "UseCalendar", "WithoutShift"]


class _OfNode(Change):
    node: str
    """The node."""

    def faults(self, network: Network) -> Iterator[Finding]:
        yield from unknown("node", "node", [self.node], network.nodes)

    def effects(self, network: Network) -> Mapping[str, Effect]:
        del network
        return {f"nodes.{self.node}.servers": "adjust"}

    def _named(self, network: Network) -> str:
        return f"{network.nodes[self.node].type} {self.node}"


class Servers(_OfNode):
    """Add servers to a node, or remove them, in all of its shifts.

    >>> hub = Network(name="one", nodes={"north": {"type": "hub", "servers": 2}})
    >>> Servers(node="north", add=3).applied(hub).nodes["north"].servers
    5
    """

    kind: Literal["servers"] = "servers"
    add: int | None = None
    """How many more; negative for fewer."""
    number: int | None = Field(default=None, ge=0, le=100_000)
    """How many there are, at all times."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.add is None) == (self.number is None):
            msg = "expected exactly one of `add` and `number`"
            raise ValueError(msg)
        return self

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from super().faults(network)
        if self.node in network.nodes and self.add is not None:
            yield from _too_few(network, self.node, -self.add, "add")

    def applied(self, network: Network) -> Network:  # noqa: D102
        if self.add is not None:
            return _with_more(network, self.node, self.add)
        return _served_by(network, self.node, self.number or 0)

    def summary(self, network: Network) -> str:  # noqa: D102
        what = f"{self.number} servers" if self.add is None else f"{self.add:+d} servers"
        return f"{self._named(network)}: {what}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"nodes.{self.node}.servers": "adjust" if self.number is None else "set"}


class Docks(_OfNode):
    """Open more docks of a node, or close some; who loads or unloads at one finishes first.

    >>> hubs = Network(name="two", nodes={"north": {"type": "hub", "docks": 2}, "south": {"type": "hub"}},
    ...     links=[{"from": "north", "to": "south", "both_ways": True, "travel": "2 h"}],
    ...     transporters={"line": {"type": "truck", "route": ("north", "south"), "capacity": 9}})
    >>> Docks(node="north", add=1).applied(hubs).nodes["north"].docks
    3
    """

    kind: Literal["docks"] = "docks"
    add: int
    """How many more; negative for fewer."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from super().faults(network)
        if self.node in network.nodes:
            docks = network.nodes[self.node].docks
            if docks is None:
                yield fault(
                    "node", f"{self.node!r} states no `docks`, so that there are enough; state them in the network"
                )
            elif docks + self.add < 1:
                yield fault("add", f"expected at most {docks - 1} fewer, so that one is left; got {self.add}")

    def applied(self, network: Network) -> Network:  # noqa: D102
        node = network.nodes[self.node]
        more = node.model_copy(update={"docks": (node.docks or 0) + self.add})
        return changed(network, nodes={**network.nodes, self.node: more})

    def summary(self, network: Network) -> str:  # noqa: D102
        return f"{self._named(network)}: {self.add:+d} dock{'s' * (abs(self.add) != 1)}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"nodes.{self.node}.docks": "adjust"}


class Breakdown(_OfNode):
    """Take some servers of a node out of service for a window.

    >>> hub = Network(name="one", nodes={"north": {"type": "hub", "servers": 2}})
    >>> Breakdown(node="north", servers=1, start="2h", stop="5h").words(hub)
    'hub north: breakdown of 1 server 2h-5h after the start'
    """

    kind: Literal["breakdown"] = "breakdown"
    servers: int = Field(default=1, ge=1, le=100_000)
    """How many are out of service."""

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if not self.windowed:
            msg = "expected a window with `start` and `stop`; for the whole run use `servers`"
            raise ValueError(msg)
        return self

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from super().faults(network)
        if self.node in network.nodes:
            yield from _too_few(network, self.node, self.servers, "servers")

    def applied(self, network: Network) -> Network:  # noqa: D102
        return _with_more(network, self.node, -self.servers)

    def summary(self, network: Network) -> str:  # noqa: D102
        return f"{self._named(network)}: breakdown of {self.servers} server{'s' * (self.servers > 1)}"


class AddShift(_OfNode):
    """Add a shift to a node, beside those that it has.

    >>> hub = Network(name="one", nodes={"north": {"type": "hub", "servers": 2}})
    >>> AddShift(node="north", begin="22:00", end="06:00", servers=3, days=["sat"]).words(hub)
    'hub north: a shift more 22:00-06:00 sat with 3 servers'
    """

    kind: Literal["add_shift"] = "add_shift"
    begin: Clock
    """When the shift begins, time of day in the zone of the node's calendar."""
    end: Clock
    """When it ends; before `begin`: on the next day."""
    servers: int = Field(ge=1, le=100_000)
    """How many work in it."""
    days: tuple[Day, ...] = DAYS
    """Days on which it begins."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self._shift()
        return self

    def _shift(self) -> Shift:
        return Shift(start=self.begin, stop=self.end, servers=self.servers, days=self.days)

    def applied(self, network: Network) -> Network:  # noqa: D102
        calendar = _calendar(network, self.node)
        return _with_shifts(network, self.node, calendar, (*calendar.shifts, self._shift()))

    def summary(self, network: Network) -> str:  # noqa: D102
        return f"{self._named(network)}: a shift more {_shift_words(self._shift())}"


class WithoutShift(_OfNode):
    """Remove a shift of a node."""

    kind: Literal["remove_shift"] = "remove_shift"
    begin: Clock
    """When the shift begins, as the calendar states it."""
    days: tuple[Day, ...] = DAYS
    """Days on which it doesn't take place; on others it does."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from super().faults(network)
        if self.node not in network.nodes:
            return
        servers = network.nodes[self.node].servers
        shifts = network.calendars[servers].shifts if isinstance(servers, str) else ()
        if not any(shift.start == self.begin and set(shift.days) & set(self.days) for shift in shifts):
            there = ", ".join(_shift_words(shift) for shift in shifts) or "no shift"
            yield fault("begin", f"expected a shift of {self.node!r} that begins at {self.begin}; there is {there}")

    def applied(self, network: Network) -> Network:  # noqa: D102
        calendar = _calendar(network, self.node)
        rest = []
        for shift in calendar.shifts:
            gone = shift.start == self.begin
            days = tuple(day for day in shift.days if not gone or day not in self.days)
            if days:
                rest.append(shift.model_copy(update={"days": days}))
        return _with_shifts(network, self.node, calendar, tuple(rest))

    def summary(self, network: Network) -> str:  # noqa: D102
        days = "" if len(self.days) == len(DAYS) else " on " + ", ".join(self.days)
        return f"{self._named(network)}: without the shift that begins at {self.begin}{days}"


class UseCalendar(_OfNode):
    """Have the servers of a node work by another calendar."""

    kind: Literal["calendar"] = "calendar"
    calendar: str | Calendar
    """Name of a calendar of the network, or a calendar."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from super().faults(network)
        if isinstance(self.calendar, str):
            yield from unknown("calendar", "calendar", [self.calendar], network.calendars)

    def applied(self, network: Network) -> Network:  # noqa: D102
        if isinstance(self.calendar, str):
            return _served_by(network, self.node, self.calendar)
        return _with_shifts(network, self.node, self.calendar, self.calendar.shifts)

    def summary(self, network: Network) -> str:  # noqa: D102
        if isinstance(self.calendar, str):
            return f"{self._named(network)}: calendar {self.calendar}"
        return f"{self._named(network)}: shifts {'; '.join(map(_shift_words, self.calendar.shifts))}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"nodes.{self.node}.servers": "set"}


def _shift_words(shift: Shift) -> str:
    days = "" if len(shift.days) == len(DAYS) else " " + ", ".join(shift.days)
    return f"{shift.start}-{shift.stop}{days} with {shift.servers} servers"


def _served_by(network: Network, node: str, servers: int | str) -> Network:
    nodes = dict(network.nodes)
    nodes[node] = nodes[node].model_copy(update={"servers": servers})
    return changed(network, nodes=nodes)


def _calendar(network: Network, node: str) -> Calendar:
    servers = network.nodes[node].servers
    if isinstance(servers, str):
        return network.calendars[servers]
    return Calendar(shifts=(Shift(start="00:00", stop="24:00", servers=servers),))


def _with_shifts(network: Network, node: str, calendar: Calendar, shifts: tuple[Shift, ...]) -> Network:
    """Return the network in which a node has a calendar of its own."""
    if not any(shift.servers for shift in shifts):
        return _served_by(network, node, 0)
    number = 1
    while (name := f"calendar_{number}") in network.calendars:
        number += 1
    calendars = {**network.calendars, name: calendar.model_copy(update={"shifts": shifts})}
    nodes = dict(network.nodes)
    nodes[node] = nodes[node].model_copy(update={"servers": name})
    return changed(network, nodes=nodes, calendars=calendars)


def _with_more(network: Network, node: str, add: int) -> Network:
    servers = network.nodes[node].servers
    if isinstance(servers, int):
        return _served_by(network, node, servers + add)
    calendar = network.calendars[servers]
    shifts = tuple(
        shift.model_copy(update={"servers": max(shift.servers + add, 0)}) if shift.servers else shift
        for shift in calendar.shifts
    )
    return _with_shifts(network, node, calendar, shifts)


def _too_few(network: Network, node: str, fewer: int, field: str) -> Iterator[Finding]:
    """Return a fault if a node hasn't as many servers as are to be removed."""
    servers = network.nodes[node].servers
    most = servers if isinstance(servers, int) else max(shift.servers for shift in network.calendars[servers].shifts)
    if fewer > most:
        yield fault(field, f"expected at most {most} servers fewer, because {node!r} has no more; got {fewer}")
