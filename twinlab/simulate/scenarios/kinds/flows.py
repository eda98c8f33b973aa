"""Other demand, other service times, other buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from twinlab.model.check import Finding
from twinlab.simulate.network.distributions import TimeDistribution
from twinlab.simulate.network.flows import Demand
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.scaling import scaled, scaled_text
from twinlab.simulate.scenarios.change import Change, Effect, changed, chosen, fault, percent, unknown

__all__ = ["Buffer", "DemandFactor", "ServiceFactor"]


class DemandFactor(Change):
    """Multiply demand by a factor.

    >>> bank = Network(name="bank", nodes={"counter": {"type": "counter"}}, demand={"calm": {"at": "counter", "rate": "10 /h"}})
    >>> DemandFactor(factor=1.2).applied(bank).demand["calm"].rate
    '12 /h'
    """

    kind: Literal["demand"] = "demand"
    factor: float = Field(gt=0, le=1000)
    """1.2 is 20 % more."""
    kinds: tuple[str, ...] = ()
    """Kinds of entities; empty for all."""
    nodes: tuple[str, ...] = ()
    """Nodes where they arrive; empty for all."""
    sources: tuple[str, ...] = ()
    """Names in the network's `demand`; empty for all."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from unknown("kinds", "kind of entity", self.kinds, {one.kind for one in network.demand.values()})
        yield from unknown("nodes", "node", self.nodes, network.nodes)
        yield from unknown("sources", "demand", self.sources, network.demand)

    def _chosen(self, network: Network) -> list[str]:
        return [
            name
            for name, one in network.demand.items()
            if (not self.kinds or one.kind in self.kinds)
            and (not self.nodes or one.at in self.nodes)
            and (not self.sources or name in self.sources)
        ]

    def applied(self, network: Network) -> Network:  # noqa: D102
        demand = dict(network.demand)
        for name in self._chosen(network):
            demand[name] = _times(demand[name], self.factor)
        return changed(network, demand=demand)

    def summary(self, network: Network) -> str:  # noqa: D102
        del network
        parts = [", ".join(self.kinds or self.sources), "at " + ", ".join(self.nodes) if self.nodes else ""]
        return f"demand {' '.join(filter(None, parts))}".rstrip() + f": {percent(self.factor)}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        return {f"demand.{name}.rate": "adjust" for name in self._chosen(network)}


def _times(demand: Demand, factor: float) -> Demand:
    if demand.rate is not None:
        return demand.model_copy(update={"rate": scaled_text(demand.rate, factor)})
    assert demand.interval is not None
    return demand.model_copy(update={"interval": scaled(demand.interval, 1 / factor)})


class ServiceFactor(Change):
    """Multiply service times by a factor.

    >>> bank = Network(name="bank", nodes={"counter": {"type": "counter", "service": "4 min"}})
    >>> ServiceFactor(node="counter", factor=0.5).applied(bank).nodes["counter"].service.value
    '2 min'
    """

    kind: Literal["service"] = "service"
    node: str
    """A node, or a type of nodes for all of that type."""
    factor: float = Field(gt=0, le=1000)
    """0.8 is 20 % quicker."""
    kinds: tuple[str, ...] = ()
    """Kinds of entities, where service times are stated by kind; empty for all."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        places = chosen(self.node, network.nodes)
        if not places:
            known = {*network.nodes, *(node.type for node in network.nodes.values())}
            yield from unknown("node", "node or type of nodes", [self.node], known)
        for place in places if self.kinds else ():
            service = network.nodes[place].service
            if not isinstance(service, dict):
                yield fault("kinds", f"{place!r} has one service time for all kinds; remove `kinds`")
            else:
                yield from unknown("kinds", f"service time at {place!r} of", self.kinds, service)

    def applied(self, network: Network) -> Network:  # noqa: D102
        nodes = dict(network.nodes)
        for place in chosen(self.node, nodes):
            service = nodes[place].service
            new: TimeDistribution | dict[str, TimeDistribution]
            if isinstance(service, dict):
                new = {
                    kind: scaled(one, self.factor if kind in (self.kinds or service) else 1)
                    for kind, one in service.items()
                }
            else:
                new = scaled(service, self.factor)
            nodes[place] = nodes[place].model_copy(update={"service": new})
        return changed(network, nodes=nodes)

    def summary(self, network: Network) -> str:  # noqa: D102
        what = f"{network.nodes[self.node].type} {self.node}" if self.node in network.nodes else f"each {self.node}"
        of = f" of {', '.join(self.kinds)}" if self.kinds else ""
        return f"{what}: service times{of} {percent(self.factor)}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        return {f"nodes.{name}.service": "adjust" for name in chosen(self.node, network.nodes)}


class Buffer(Change):
    """Give a node another buffer."""

    kind: Literal["buffer"] = "buffer"
    node: str
    """The node."""
    size: int | None = Field(ge=0)
    """How many may wait; None is without a limit."""
    when_full: Literal["block", "reject"] | None = None
    """What happens if it is full; None leaves it as it is."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from unknown("node", "node", [self.node], network.nodes)

    def applied(self, network: Network) -> Network:  # noqa: D102
        nodes = dict(network.nodes)
        update: dict[str, object] = {"buffer": self.size}
        if self.when_full is not None:
            update["when_full"] = self.when_full
        nodes[self.node] = nodes[self.node].model_copy(update=update)
        return changed(network, nodes=nodes)

    def summary(self, network: Network) -> str:  # noqa: D102
        size = "without a limit" if self.size is None else f"of {self.size}"
        return f"{network.nodes[self.node].type} {self.node}: a buffer {size}" + (
            f", {self.when_full} when full" if self.when_full else ""
        )

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"nodes.{self.node}.buffer": "set"}
