"""Other transporters: more, fewer, slower, new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from twinlab.model.check import Finding
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.routing import legs
from twinlab.simulate.network.transporters import Transporters
from twinlab.simulate.scenarios.change import Change, Effect, changed, chosen, fault, percent, unknown

__all__ = ["Fleet", "NewTransporters", "Speed"]


class Speed(Change):
    """Multiply the speed of transporters by a factor.

    >>> yard = Network(name="yard", nodes={"dock": {"type": "dock"}, "store": {"type": "store"}},
    ...     links=[{"from": "dock", "to": "store", "both_ways": True, "travel": "2 min"}],
    ...     transporters={"lifts": {"type": "forklift", "route": ("dock", "store"), "capacity": 1}})
    >>> Speed(transporters="forklift", factor=0.5).applied(yard).transporters["lifts"].speed_factor
    0.5
    """

    kind: Literal["speed"] = "speed"
    transporters: str
    """Name of a group of transporters, or a type for all of that type."""
    factor: float = Field(gt=0, le=100)
    """0.5 is half as fast."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from _unknown_group(self.transporters, network)
        for name in chosen(self.transporters, network.transporters):
            if not 0 < network.transporters[name].speed_factor * self.factor <= 100:
                yield fault("factor", f"expected at most 100 times the speed of {name!r} in all")

    def applied(self, network: Network) -> Network:  # noqa: D102
        groups = dict(network.transporters)
        for name in chosen(self.transporters, groups):
            factor = groups[name].speed_factor * self.factor
            groups[name] = groups[name].model_copy(update={"speed_factor": factor})
        return changed(network, transporters=groups)

    def summary(self, network: Network) -> str:  # noqa: D102
        each = "" if self.transporters in network.transporters else "each "
        return f"{each}{self.transporters}: speed {percent(self.factor)}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        return {f"transporters.{name}.speed": "adjust" for name in chosen(self.transporters, network.transporters)}


class Fleet(Change):
    """Add transporters to a group, or take some out of service; these finish their trip first."""

    kind: Literal["transporters"] = "transporters"
    transporters: str
    """Name of a group of transporters."""
    add: int
    """How many more; negative for fewer."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from unknown("transporters", "group of transporters", [self.transporters], network.transporters)
        group = network.transporters.get(self.transporters)
        if group is not None and group.count - group.out_of_service + self.add < 0:
            yield fault(
                "add",
                f"expected at most {group.count - group.out_of_service} fewer, because there are no more; got {self.add}",
            )

    def applied(self, network: Network) -> Network:  # noqa: D102
        groups = dict(network.transporters)
        group = groups[self.transporters]
        # Who is out of service remains a transporter, so that states of both networks have the same ones.
        update = (
            {"count": group.count + self.add} if self.add > 0 else {"out_of_service": group.out_of_service - self.add}
        )
        groups[self.transporters] = group.model_copy(update=update)
        return changed(network, transporters=groups)

    def summary(self, network: Network) -> str:  # noqa: D102
        kind = network.transporters[self.transporters].type
        return f"{self.transporters}: {self.add:+d} {kind}{'s' * (abs(self.add) != 1)}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"transporters.{self.transporters}.count": "adjust"}


class NewTransporters(Change):
    """Add a group of transporters."""

    kind: Literal["new_transporters"] = "new_transporters"
    name: str
    """Name of the group."""
    group: Transporters
    """What it is."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        nodes = dict.fromkeys(node for pair in legs(self.group) for node in pair)
        yield from unknown("group", "node", [*nodes, *([self.group.home] if self.group.home else [])], network.nodes)
        if self.name in network.transporters:
            yield fault(
                "name", f"there are transporters {self.name!r} already; use another name, or the kind `transporters`"
            )

    def applied(self, network: Network) -> Network:  # noqa: D102
        return changed(network, transporters={**network.transporters, self.name: self.group})

    def summary(self, network: Network) -> str:  # noqa: D102
        del network
        group = self.group
        ways = [group.route] if group.route is not None else group.links or ()
        where = ", ".join(" -> ".join(way) for way in ways)
        return f"new {self.name}: {group.count} x {group.type} on {where}, {group.capacity} entities each"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"transporters.{self.name}": "set"}


def _unknown_group(name: str, network: Network) -> Iterator[Finding]:
    if not chosen(name, network.transporters):
        known = {*network.transporters, *(group.type for group in network.transporters.values())}
        yield from unknown("transporters", "group or type of transporters", [name], known)
