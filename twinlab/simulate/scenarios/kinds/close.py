"""Close a node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Literal

from twinlab.model.check import Finding
from twinlab.simulate.network.flows import Demand
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.routing import detours, next_nodes
from twinlab.simulate.scenarios.change import Change, Effect, changed, fault, unknown

__all__ = ["Close"]


class Close(Change):
    """Close a node: nobody is served there.

    >>> hubs = Network(name="two", nodes={"north": {"type": "hub", "servers": 2}, "south": {"type": "hub"}})
    >>> Close(node="north", stop="6h").applied(hubs).nodes["north"].servers
    0
    """

    kind: Literal["close"] = "close"
    node: str
    """The node."""
    entities: Literal["wait", "reroute"] = "wait"
    """What becomes of entities that would pass through: they wait there, or take the quickest way around it."""
    instead: str | None = None
    """Node where entities arrive and go that would arrive at this node, or go to it; without it they wait."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from unknown("node", "node", [self.node], network.nodes)
        if self.instead is not None:
            yield from unknown("instead", "node", [self.instead], network.nodes)
        if self.node not in network.nodes or self.instead not in {None, *network.nodes}:
            return
        if self.instead == self.node:
            yield fault("instead", f"expected another node than {self.node!r}")
        passing = list(_ways_through(network, self.node))
        if self.entities == "reroute":
            around = next_nodes(network, avoid=frozenset({self.node}))
            for name, origin, destination in passing:
                if origin not in around[destination]:
                    yield fault(
                        "entities",
                        f"demand.{name} can't be rerouted: the only way from {origin!r} to {destination!r} is through "
                        f"{self.node!r}; use `entities: wait`, or add a link",
                    )
        elif passing and not self.windowed:
            name, origin, destination = passing[0]
            yield fault(
                "entities",
                f"demand.{name} passes {self.node!r} on its way from {origin!r} to {destination!r} and would wait there "
                "for ever; use `entities: reroute`, or state a window with `start` and `stop`",
            )
        if not self.windowed:
            yield from self._for_ever(network)
        elif self.instead is not None:
            yield from self._other_routes(network, self.instead)

    def _other_routes(self, network: Network, instead: str) -> Iterator[Finding]:
        for name, demand in network.demand.items():
            if demand.route is not None and _moved(demand, self.node, instead).route != demand.route:
                yield fault(
                    "instead",
                    f"demand.{name} has a fixed route through {self.node!r}, which can't be another one for a window only; "
                    "remove `instead`, so that its entities wait",
                )

    def _for_ever(self, network: Network) -> Iterator[Finding]:
        for name, demand in network.demand.items():
            if self.instead is None and self.node in {demand.at, *(demand.to or {}), *(demand.route or ())}:
                yield fault(
                    "node",
                    f"demand.{name} arrives at, goes to or has a route through {self.node!r}, which is closed in the whole "
                    "run; state another node with `instead`, or a window with `start` and `stop`",
                )

    def applied(self, network: Network) -> Network:  # noqa: D102
        nodes = dict(network.nodes)
        nodes[self.node] = nodes[self.node].model_copy(update={"servers": 0})
        hops = network.next_hops
        if self.entities == "reroute":
            hops = detours(network, avoid=frozenset({self.node}))
        if self.instead is None:
            return changed(network, nodes=nodes, next_hops=hops)
        demand = {name: _moved(one, self.node, self.instead) for name, one in network.demand.items()}
        return changed(network, nodes=nodes, next_hops=hops, demand=demand)

    def summary(self, network: Network) -> str:  # noqa: D102
        text = f"{network.nodes[self.node].type} {self.node}: closed"
        text += ", entities go around it" if self.entities == "reroute" else ""
        return text + (f", {self.instead} instead" if self.instead else "")

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"nodes.{self.node}.servers": "set"}


def _ways_through(network: Network, node: str) -> Iterator[tuple[str, str, str]]:
    """Return demand, origin and destination of each quickest way that passes a node."""
    hops = next_nodes(network)
    for name, demand in network.demand.items():
        for destination, share in (demand.to or {}).items():
            at = demand.at
            while share > 0 and at != destination:
                at = hops[destination][at]
                if at == node != destination:
                    yield name, demand.at, destination
                    break


def _moved(demand: Demand, old: str, new: str) -> Demand:
    """Return demand with another node instead of one."""
    at = new if demand.at == old else demand.at
    update: dict[str, object] = {"at": at}
    if demand.to is not None and old in demand.to:
        to = {name: share for name, share in demand.to.items() if name != old}
        update["to"] = to | {new: to.get(new, 0.0) + demand.to[old]}
    if demand.route is not None:
        route = [new if name == old else name for name in demand.route]
        # A node that would follow itself is visited once; who has nowhere else to go leaves after `at`.
        update["route"] = tuple(name for before, name in pairwise([at, *route]) if name != before) or None
    return demand.model_copy(update=update)
