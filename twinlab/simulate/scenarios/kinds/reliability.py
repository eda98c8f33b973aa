"""Breakdowns that are rarer or more frequent, and repairs that are quicker or slower."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from twinlab.model.check import Finding
from twinlab.simulate.network.breakdowns import Breakdowns
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.nodes import Node
from twinlab.simulate.network.scaling import scaled
from twinlab.simulate.network.transporters import Transporters
from twinlab.simulate.scenarios.change import Change, Effect, changed, chosen, fault, percent, unknown

__all__ = ["Reliability"]


class Reliability(Change):
    """Multiply times between breakdowns, or repair times, by a factor; in the whole run.

    >>> shop = Network(name="shop", nodes={"mill": {"type": "machine", "breakdowns": {"uptime": "10 h", "repair": "1 h"}}})
    >>> Reliability(of="mill", repair=0.5).applied(shop).nodes["mill"].breakdowns.repair.value
    '0.5 h'
    """

    windows: ClassVar[bool] = False
    kind: Literal["reliability"] = "reliability"
    of: str
    """A node, a group of transporters, or a type for all of that type."""
    uptime: float = Field(default=1.0, gt=0, le=1000)
    """Factor on the times between breakdowns: 2 is half as many."""
    repair: float = Field(default=1.0, gt=0, le=1000)
    """Factor on repair times: 0.5 is half as long."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        parts = _parts(network)
        names = chosen(self.of, parts)
        if not names:
            known = {*parts, *(part.type for part in parts.values())}
            yield from unknown("of", "node, group of transporters or type", [self.of], known)
        elif not any(parts[name].breakdowns for name in names):
            yield fault("of", f"{self.of!r} has no breakdowns in the network; add `breakdowns` to it")

    def applied(self, network: Network) -> Network:  # noqa: D102
        nodes, groups = dict(network.nodes), dict(network.transporters)
        for name in chosen(self.of, nodes):
            nodes[name] = nodes[name].model_copy(update={"breakdowns": self._times(nodes[name].breakdowns)})
        for name in chosen(self.of, groups):
            groups[name] = groups[name].model_copy(update={"breakdowns": self._times(groups[name].breakdowns)})
        return changed(network, nodes=nodes, transporters=groups)

    def _times(self, breakdowns: Breakdowns | None) -> Breakdowns | None:
        if breakdowns is None:
            return None
        return Breakdowns(uptime=scaled(breakdowns.uptime, self.uptime), repair=scaled(breakdowns.repair, self.repair))

    def summary(self, network: Network) -> str:  # noqa: D102
        each = "" if self.of in network.nodes or self.of in network.transporters else "each "
        parts = (("time between breakdowns", self.uptime), ("repair time", self.repair))
        return f"{each}{self.of}: " + ", ".join(f"{what} {percent(factor)}" for what, factor in parts if factor != 1)

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        return {f"{name}.breakdowns": "adjust" for name in chosen(self.of, _parts(network))}


def _parts(network: Network) -> dict[str, Node | Transporters]:
    return {**network.nodes, **network.transporters}
