"""The description of a network of nodes, links, transporters and demand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Self

from pydantic import Field, model_validator

from twinlab.model.basics import Term
from twinlab.model.check import FaultsError
from twinlab.model.load import tidy_yaml
from twinlab.model.terms import nearest
from twinlab.simulate.definition import Definition
from twinlab.simulate.network.calendars import Calendar, Profile, Weather
from twinlab.simulate.network.checks import flow_faults, part_faults
from twinlab.simulate.network.display import network_html, network_text
from twinlab.simulate.network.flows import Demand, Link
from twinlab.simulate.network.nodes import Node
from twinlab.simulate.network.placing import placed
from twinlab.simulate.network.pools.faults import pool_faults
from twinlab.simulate.network.routing import routing_faults
from twinlab.simulate.network.transporters import Transporters

__all__ = ["Network"]


class Network(Definition):
    """Nodes with servers, links between them, transporters and demand.

    >>> bank = Network(name="bank", nodes={"counter": {"type": "counter", "service": {"kind": "exponential", "mean": "4 min"}}},
    ...     demand={"customers": {"at": "counter", "rate": "12 /h"}})
    >>> bank.nodes["counter"].service.mean_seconds
    240.0
    """

    name: Term
    """Name of the model."""
    title: str | None = None
    """Name for people."""
    calendars: dict[Term, Calendar] = Field(default_factory=dict)
    """Shifts, by name."""
    profiles: dict[Term, Profile] = Field(default_factory=dict)
    """Factors by hour of the week, by name."""
    nodes: dict[str, Node] = Field(min_length=1)
    """Places, by name."""
    links: tuple[Link, ...] = ()
    """Ways between nodes."""
    transporters: dict[str, Transporters] = Field(default_factory=dict)
    """Groups of alike transporters, by name."""
    demand: dict[str, Demand] = Field(default_factory=dict)
    """Sources of entities, by name. Random numbers of a source depend on its name, not on its place."""
    weather: tuple[Weather, ...] = ()
    """Spans in which travel takes longer; where they overlap, their factors multiply."""
    transitions: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Node -> next node -> probability, of entities without destination and route; the rest leaves the network."""
    next_hops: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Node -> destination -> next node, where it isn't the one on the quickest way."""

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        faults = list(self.name_faults()) or [*part_faults(self), *routing_faults(self)]
        faults = faults or [*pool_faults(self), *flow_faults(self)]
        if faults:
            raise FaultsError([placed(text) for text in faults])
        return self

    def content_hash(self) -> str:
        """Return the hash of everything that is stated, hexadecimal."""
        stated = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()

    def to_yaml(self) -> str:
        """Return the network as YAML, without what is default; `parse_network` reads it back equal.

        >>> print(Network(name="bank", nodes={"counter": {"type": "counter"}}).to_yaml(), end="")
        name: bank
        nodes: {counter: {type: counter}}
        """
        return tidy_yaml(self.model_dump(by_alias=True, exclude_defaults=True, exclude_none=True, mode="json"))

    def __repr__(self) -> str:
        """Return what there is, in a few lines."""
        return network_text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return network_html(self)

    def directed_links(self) -> Iterator[Link]:
        """Return the links, those in both directions as two."""
        for link in self.links:
            yield link
            if link.both_ways:
                yield link.model_copy(update={"origin": link.destination, "destination": link.origin})

    def name_faults(self) -> Iterator[str]:
        """Return names that nothing defines, and numbers that can't be, a sentence each that begins with the path."""
        yield from self._unknown_names()
        yield from self._impossible()

    def _unknown_names(self) -> Iterator[str]:
        nodes = self.nodes
        for name, node in nodes.items():
            if isinstance(node.servers, str):
                yield from _unknown(f"nodes.{name}.servers", "calendar", [node.servers], self.calendars)
        for name, demand in self.demand.items():
            at = f"demand.{name}"
            yield from _unknown(f"{at}.at", "node", [demand.at], nodes)
            yield from _unknown(f"{at}.to", "node", demand.to or (), nodes)
            yield from _unknown(f"{at}.route", "node", demand.route or (), nodes)
            yield from _unknown(f"{at}.profile", "profile", [demand.profile] if demand.profile else [], self.profiles)
        for number, link in enumerate(self.links):
            yield from _unknown(f"links[{number}].from", "node", [link.origin], nodes)
            yield from _unknown(f"links[{number}].to", "node", [link.destination], nodes)
        for name, group in self.transporters.items():
            at = f"transporters.{name}"
            yield from _unknown(f"{at}.route", "node", group.route or (), nodes)
            yield from _unknown(f"{at}.links", "node", chain(*(group.links or ())), nodes)
            yield from _unknown(f"{at}.avoid", "node", chain(*group.avoid), nodes)
            yield from _unknown(f"{at}.home", "node", [group.home] if group.home else [], nodes)
            yield from _unknown(
                f"{at}.calendar", "calendar", [group.calendar] if group.calendar else [], self.calendars
            )
            yield from _unknown(f"{at}.profile", "profile", [group.profile] if group.profile else [], self.profiles)
        for number, weather in enumerate(self.weather):
            at = f"weather[{number}].transporters"
            yield from _unknown(at, "group of transporters", weather.transporters or (), self.transporters)
        for name, shares in self.transitions.items():
            yield from _unknown("transitions", "node", [name], nodes)
            yield from _unknown(f"transitions.{name}", "node", shares, nodes)
        for name, hops in self.next_hops.items():
            yield from _unknown("next_hops", "node", [name, *hops, *hops.values()], nodes)

    def _impossible(self) -> Iterator[str]:
        for name, shares in self.transitions.items():
            if min(shares.values(), default=0) < 0 or sum(shares.values()) > 1 + 1e-9:
                yield f"transitions.{name}: expected probabilities of at least 0 that sum to at most 1"
        seen: set[tuple[str, str]] = set()
        for link in self.directed_links():
            pair = link.origin, link.destination
            if pair in seen:
                yield f"links: there are two links from {pair[0]!r} to {pair[1]!r}; remove one"
            if link.origin == link.destination:
                yield f"links: a link from {pair[0]!r} to itself; remove it"
            seen.add(pair)


def _unknown(at: str, what: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    there = set(known)
    for name in names:
        if name not in there:
            yield f"{at}: there is no {what} {name!r}{nearest(name, there)}"
