"""Other ways: links that are closed or preferred, and links on which a journey takes longer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from twinlab.model.check import Finding
from twinlab.simulate.network.flows import Link
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.pools.ways import drives
from twinlab.simulate.network.quantities import Distance, in_unit
from twinlab.simulate.network.routing import detours, legs, next_nodes
from twinlab.simulate.network.transporters import Transporters
from twinlab.simulate.scenarios.change import Change, Effect, changed, fault, percent, unknown

__all__ = ["Reroute", "Storm"]

Pair = tuple[str, str]
Degrees = Annotated[float, Field(ge=-180, le=180)]


class Reroute(Change):
    """Send entities on other ways: not over closed links, or over preferred ones.

    Transporters whose route has a closed link finish their trip and are out of service; those that are called to `links` take
    other ways. Entities with a fixed `route` keep it.
    """

    kind: Literal["reroute"] = "reroute"
    closed: tuple[Pair, ...] = ()
    """Links that nobody uses: [origin, destination]."""
    preferred: tuple[Pair, ...] = ()
    """Links that are used wherever they lead on: [origin, destination]."""
    both_ways: bool = True
    """Whether each pair means both directions, where there are both."""

    @model_validator(mode="after")
    def _has_links(self) -> Self:
        if not self.closed and not self.preferred:
            msg = "expected links in `closed` or `preferred`, such as [[north, south]]"
            raise ValueError(msg)
        if both := set(self.closed) & set(self.preferred):
            msg = f"the link {' -> '.join(min(both))} is closed and preferred; remove one of them"
            raise ValueError(msg)
        return self

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        there = {(link.origin, link.destination) for link in network.directed_links()}
        names = True
        for field, pairs in (("closed", self.closed), ("preferred", self.preferred)):
            for pair in pairs:
                wrong = list(unknown(field, "node", pair, network.nodes))
                if not wrong and pair not in there and not (self.both_ways and pair[::-1] in there):
                    wrong = list(unknown(field, "link", [" -> ".join(pair)], map(" -> ".join, there)))
                names = names and not wrong
                yield from wrong
        if not names or not self.closed:
            return
        closed = self._pairs(network, self.closed)
        ways = next_nodes(network, closed=closed)
        for name, demand in network.demand.items():
            for destination, share in (demand.to or {}).items():
                if share > 0 and demand.at != destination and demand.at not in ways[destination]:
                    yield fault(
                        "closed",
                        f"demand.{name}: {destination!r} can't be reached from {demand.at!r} without these links; add a link, "
                        "or close fewer",
                    )
            way = [demand.at, *(demand.route or ())]
            if closed & set(pairwise(way)):
                yield fault("closed", f"demand.{name} has a fixed route over such a link; change the route instead")
        for node, shares in network.transitions.items():
            for other in shares:
                if (node, other) in closed:
                    yield fault("closed", f"transitions.{node} lead to {other!r} over such a link; change them instead")

    def _pairs(self, network: Network, pairs: tuple[Pair, ...]) -> frozenset[Pair]:
        there = {(link.origin, link.destination) for link in network.directed_links()}
        wanted = {*pairs, *((b, a) for a, b in pairs if self.both_ways)}
        return frozenset(wanted & there)

    def applied(self, network: Network) -> Network:  # noqa: D102
        closed, preferred = self._pairs(network, self.closed), self._pairs(network, self.preferred)
        hops = detours(network, closed=closed, preferred=preferred)
        groups = {name: _without(network, group, closed) for name, group in network.transporters.items()}
        return changed(network, next_hops=hops, transporters=groups)

    def summary(self, network: Network) -> str:  # noqa: D102
        del network
        arrow = " <-> " if self.both_ways else " -> "
        return "; ".join(
            f"link{'s' * (len(pairs) > 1)} {', '.join(arrow.join(pair) for pair in pairs)}: {what}"
            for what, pairs in (("closed", self.closed), ("preferred", self.preferred))
            if pairs
        )

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        del network
        return {f"links.{' -> '.join(sorted(pair))}": "set" for pair in (*self.closed, *self.preferred)}


def _without(network: Network, group: Transporters, closed: frozenset[Pair]) -> Transporters:
    """Return transporters that don't use closed links."""
    if not group.pooled:
        return group.model_copy(update={"out_of_service": group.count}) if closed & set(legs(group)) else group
    back = {(destination, origin) for origin, destination in closed}
    avoid = [
        pair for one in drives(network, group) if (pair := (one.origin, one.destination)) in closed or pair in back
    ]
    return group.model_copy(update={"avoid": (*group.avoid, *avoid)}) if avoid else group


class Storm(Change):
    """Multiply travel times in an area by a factor.

    >>> hubs = Network(name="two", nodes={"north": {"type": "hub"}, "south": {"type": "hub"}},
    ...     links=[{"from": "north", "to": "south", "travel": "2 h"}])
    >>> Storm(factor=1.5, nodes=("north",)).applied(hubs).links[0].travel_factor
    1.5
    """

    kind: Literal["storm"] = "storm"
    factor: float = Field(gt=0, le=100)
    """1.5 takes half as long again."""
    nodes: tuple[str, ...] = ()
    """Nodes in the area: links that begin or end there are affected. Without an area all links are."""
    centre: tuple[Degrees, Degrees] | None = None
    """Centre of the area: latitude, longitude."""
    radius: Distance | None = None
    """Its radius: "80 km"."""

    @model_validator(mode="after")
    def _has_an_area(self) -> Self:
        if (self.centre is None) != (self.radius is None):
            msg = "expected both `centre` and `radius`, or neither"
            raise ValueError(msg)
        if self.centre is not None and self.nodes:
            msg = "expected an area by `nodes` or by `centre` and `radius`, not both"
            raise ValueError(msg)
        return self

    def _area(self, network: Network) -> set[str]:
        if self.centre is None or self.radius is None:
            return set(self.nodes or network.nodes)
        from twinlab.events.present_state.whereabouts import distance_km  # noqa: PLC0415  (loads pandas)

        placed = {
            name: (node.latitude, node.longitude)
            for name, node in network.nodes.items()
            if node.latitude is not None and node.longitude is not None
        }
        places = np.array(list(placed.values()), float).reshape(-1, 2)
        near = distance_km(places[:, 0], places[:, 1], to=self.centre) <= in_unit(self.radius, "km")
        return {name for name, inside in zip(placed, near.tolist(), strict=True) if inside}

    def faults(self, network: Network) -> Iterator[Finding]:  # noqa: D102
        yield from unknown("nodes", "node", self.nodes, network.nodes)
        if self.centre is not None and not self._area(network):
            yield fault("radius", f"there are no nodes with a position within {self.radius} of {self.centre}")

    def applied(self, network: Network) -> Network:  # noqa: D102
        area = self._area(network)
        links = tuple(
            link.model_copy(update={"travel_factor": link.travel_factor * self.factor})
            if _touches(link, area)
            else link
            for link in network.links
        )
        return changed(network, links=links)

    def summary(self, network: Network) -> str:  # noqa: D102
        where = f" at {', '.join(sorted(self._area(network)))}" if self.nodes or self.centre is not None else ""
        return f"storm{where}: travel times {percent(self.factor)}"

    def effects(self, network: Network) -> Mapping[str, Effect]:  # noqa: D102
        area = self._area(network)
        return {
            f"links.{number}.travel_factor": "adjust"
            for number, link in enumerate(network.links)
            if _touches(link, area)
        }


def _touches(link: Link, area: set[str]) -> bool:
    return link.origin in area or link.destination in area
