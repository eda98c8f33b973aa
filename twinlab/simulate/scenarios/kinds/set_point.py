"""Another set-point of a cold room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from twinlab.model.basics import yaml_text
from twinlab.model.check import Finding
from twinlab.simulate.network.climate import Climate
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.quantities import in_unit
from twinlab.simulate.scenarios.change import Change, Effect, changed, chosen, fault, unknown

__all__ = ["SetPoint"]


def _difference(text: str) -> str:
    in_unit(text, "K")
    return text


class SetPoint(Change):
    """Raise or lower the temperatures at which the compressor of a node goes on and off.

    >>> room = {"ambient": "20 degC", "coldest": "-5 degC", "time_constant": "3 h", "switch_on": "5 degC", "switch_off": "3 degC"}
    >>> cold = Network(name="cold", nodes={"store": {"type": "cold_room", "climate": room}})
    >>> SetPoint(node="store", by="-1 K").applied(cold).nodes["store"].climate.switch_on
    '4 degC'
    """

    kind: Literal["set_point"] = "set_point"
    node: str
    """A node, or a type of nodes for all of that type."""
    by: Annotated[str, BeforeValidator(yaml_text), AfterValidator(_difference)]
    """By how much, such as "-2 K"."""

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        names = chosen(self.node, network.nodes)
        if not names:
            known = {*network.nodes, *(node.type for node in network.nodes.values())}
            yield from unknown("node", "node or type of nodes", [self.node], known)
        for name in names:
            if network.nodes[name].climate is None:
                yield fault("node", f"{name!r} has no temperature in the network; add `climate` to it")

    def applied(self, network: Network) -> Network:  # noqa: D102
        nodes = dict(network.nodes)
        for name in chosen(self.node, nodes):
            climate = nodes[name].climate
            if climate is not None:
                stated = {field: getattr(climate, field) for field in Climate.model_fields}
                moved = {field: self._moved(stated[field]) for field in ("switch_on", "switch_off")}
                nodes[name] = nodes[name].model_copy(update={"climate": Climate(**(stated | moved))})
        return changed(network, nodes=nodes)

    def _moved(self, temperature: str) -> str:
        return f"{in_unit(temperature, 'degC') + in_unit(self.by, 'K'):.12g} degC"

    def summary(self, network: Network) -> str:  # noqa: D102
        what = f"{network.nodes[self.node].type} {self.node}" if self.node in network.nodes else f"each {self.node}"
        return f"{what}: set-point {in_unit(self.by, 'K'):+g} K"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        return {f"nodes.{name}.climate": "adjust" for name in chosen(self.node, network.nodes)}
