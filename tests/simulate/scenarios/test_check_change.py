"""The conformance check of kinds of changes: ours pass, and each kind that breaks a rule is found."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import pytest

from twinlab.model.check import Finding
from twinlab.simulate.network import Network
from twinlab.simulate.scenarios.change import Change, Effect, changed, unknown
from twinlab.simulate.scenarios.registry import parse_change
from twinlab.testing import check_change

from .test_scenario import KINDS


class Doubled(Change):
    """A kind of somebody else that conforms."""

    kind: Literal["doubled"] = "doubled"
    node: str

    def faults(self, network: Network) -> Iterator[Finding]:
        yield from unknown("node", "node", [self.node], network.nodes)

    def applied(self, network: Network) -> Network:
        node = network.nodes[self.node]
        return changed(network, nodes=network.nodes | {self.node: node.model_copy(update={"servers": 8})})

    def summary(self, network: Network) -> str:
        return f"{network.nodes[self.node].type} {self.node}: 8 servers"

    def effects(self, network: Network) -> Mapping[str, Effect]:
        del network
        return {f"nodes.{self.node}.servers": "set"}


class Silent(Doubled):
    def summary(self, network: Network) -> str:
        del network
        return ""


class Careless(Doubled):
    def faults(self, network: Network) -> Iterator[Finding]:
        del network
        return iter(())


class InPlace(Doubled):
    def applied(self, network: Network) -> Network:
        network.nodes[self.node] = network.nodes[self.node].model_copy(update={"servers": 8})
        return network


class Idle(Doubled):
    def applied(self, network: Network) -> Network:
        return network


class Open(Doubled):
    model_config: ClassVar[Any] = {"extra": "ignore"}


class Vague(Doubled):
    def effects(self, network: Network) -> Mapping[str, Effect]:
        del network
        return {}


class Hidden(Doubled):
    def applied(self, network: Network) -> Network:
        return changed(super().applied(network), transporters={"second": network.transporters["second"]})


class Building(Doubled):
    def applied(self, network: Network) -> Network:
        return changed(network, nodes=network.nodes | {"annex": network.nodes[self.node]})


@pytest.mark.parametrize("kind", KINDS)
def test_our_kinds_conform(hubs: Network, kind: str) -> None:
    check_change(parse_change({"kind": kind, **KINDS[kind][0]}), hubs)


def test_a_kind_of_somebody_else_conforms(hubs: Network) -> None:
    check_change(Doubled(node="north"), hubs)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Silent, "summary of one line"),
        (Careless, "isn't a fault"),
        (InPlace, "changed the network that it was given"),
        (Idle, "changes nothing"),
        (Open, "unknown key"),
        (Vague, "names nothing"),
        (Hidden, r"begins with 'transporters\.'"),
        (Building, "adds or removes nodes"),
    ],
)
def test_what_breaks_a_rule_is_found(hubs: Network, kind: type[Doubled], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_change(kind(node="north"), hubs)


def test_a_change_that_does_not_fit_is_named(hubs: Network) -> None:
    with pytest.raises(AssertionError, match="node: there is no node 'nroth'"):
        check_change(Doubled(node="nroth"), hubs)
