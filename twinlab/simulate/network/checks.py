"""What a network as a whole can't be: sums that are wrong, entities that never leave, buffers that block each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from twinlab.model.terms import nearest
from twinlab.simulate.network.routing import carried_links, next_nodes

if TYPE_CHECKING:
    from twinlab.simulate.network.parts import NetworkParts

__all__ = ["flow_faults", "part_faults"]

#: Dims and coordinates of results; an asset type of such a name would take their place.
_RESERVED: Final = ("replication", "scenario", "time")


def part_faults(network: NetworkParts) -> Iterator[str]:
    """Return what is wrong with single parts of a network whose names all exist, a sentence each."""
    yield from _node_faults(network)
    yield from _group_faults(network)
    for name, calendar in network.calendars.items():
        if not any(shift.servers for shift in calendar.shifts):
            yield f"calendars.{name}.shifts: expected a shift with at least one server"
        for number, shift in enumerate(calendar.shifts):
            if shift in calendar.shifts[:number]:
                yield f"calendars.{name}.shifts[{number}]: the same shift is there twice; add up its servers in one"
    for name, demand in network.demand.items():
        if demand.to is not None and abs(sum(demand.to.values()) - 1) > 1e-6:
            yield f"demand.{name}.to: expected shares that sum to 1, got {sum(demand.to.values()):.6g}"


def _node_faults(network: NetworkParts) -> Iterator[str]:
    kinds = {demand.kind for demand in network.demand.values()}
    served = {node for pair in carried_links(network) for node in pair}
    for name, node in network.nodes.items():
        if node.docks is not None and name not in served:
            yield f"nodes.{name}.docks: no transporter loads or unloads here; remove it, or have one come"
        if node.type in _RESERVED:
            yield f"nodes.{name}.type: {node.type!r} is a dim of the results; use another name"
        if (node.latitude is None) != (node.longitude is None):
            yield f"nodes.{name}: expected both `latitude` and `longitude`, or neither"
        for kind in sorted(node.service.keys() - kinds) if isinstance(node.service, dict) else ():
            yield f"nodes.{name}.service.{kind}: there is no demand of the kind {kind!r}{nearest(kind, kinds)}"


def _group_faults(network: NetworkParts) -> Iterator[str]:
    types = {node.type for node in network.nodes.values()}
    for name, group in network.transporters.items():
        at = f"transporters.{name}"
        if group.type in _RESERVED:
            yield f"{at}.type: {group.type!r} is a dim of the results; use another name"
        if group.type in types:
            yield f"{at}.type: nodes have the type {group.type!r}, too; use another name"
        if group.out_of_service > group.count:
            yield f"{at}.out_of_service: expected at most the count of {group.count}, got {group.out_of_service}"
        most = group.dispatch.at_least
        if most > group.capacity:
            yield f"{at}.dispatch.at_least: expected at most the capacity of {group.capacity}, got {most}"


def flow_faults(network: NetworkParts) -> Iterator[str]:
    """Return what entities can't do in a network whose parts are right, a sentence each."""
    yield from _endless(network)
    yield from _unserved(network)
    yield from _mutual_blocking(network)


def _endless(network: NetworkParts) -> Iterator[str]:
    """Nodes whose transitions lead to no exit."""
    leaving = {name for name in network.nodes if sum(network.transitions.get(name, {}).values()) < 1 - 1e-9}
    grown = True
    while grown:
        more = {
            name
            for name, shares in network.transitions.items()
            if name not in leaving and any(share > 0 and other in leaving for other, share in shares.items())
        }
        grown = bool(more)
        leaving |= more
    stuck = [name for name in network.nodes if name not in leaving]
    if stuck:
        yield (
            f"transitions.{stuck[0]}: entities go round {', '.join(stuck)} for ever; "
            "expected probabilities below 1 in sum at one of them, so that they leave"
        )


def _visits(network: NetworkParts) -> dict[str, set[str]]:
    """Return the kinds of entities that come to each node on stated ways (not by transitions)."""
    kinds: dict[str, set[str]] = {name: set() for name in network.nodes}
    hops = next_nodes(network)
    for demand in network.demand.values():
        for node in (demand.at, *(demand.route or ())):
            kinds[node].add(demand.kind)
        for destination, share in (demand.to or {}).items():
            node = demand.at
            while share > 0 and node != destination:
                node = hops[destination][node]
                kinds[node].add(demand.kind)
    return kinds


def _unserved(network: NetworkParts) -> Iterator[str]:
    for name, kinds in _visits(network).items():
        service = network.nodes[name].service
        if isinstance(service, dict):
            for kind in sorted(kinds - service.keys()):
                yield f"nodes.{name}.service: expected a time for {kind!r}, too, which comes here; use '0 s' for no service"


def _moves(network: NetworkParts) -> Mapping[str, set[str]]:
    """Return where entities go from each node by themselves, without a transporter."""
    found: dict[str, set[str]] = {name: set() for name in network.nodes}
    hops = next_nodes(network)
    for name, shares in network.transitions.items():
        found[name] |= {other for other, share in shares.items() if share > 0}
    for demand in network.demand.values():
        way = [demand.at, *(demand.route or ())]
        for origin, other in pairwise(way):
            found[origin].add(other)
        for destination, share in (demand.to or {}).items():
            node = demand.at
            while share > 0 and node != destination:
                found[node].add(hops[destination][node])
                node = hops[destination][node]
    carried = carried_links(network)
    return {name: {other for other in others if (name, other) not in carried} for name, others in found.items()}


def _mutual_blocking(network: NetworkParts) -> Iterator[str]:
    """Return circles of nodes each of which can be full and then keeps the servers before it."""
    full = {name: None for name, node in network.nodes.items() if node.buffer is not None and node.when_full == "block"}
    moves = {name: sorted(others & full.keys()) for name, others in _moves(network).items() if name in full}
    done: set[str] = set()
    for first in full:
        circle = _circle(first, moves, done)
        if circle:
            yield (
                f"nodes.{circle[0]}.buffer: full buffers of {' -> '.join(circle)} can block each other for ever; "
                "leave one of them without a limit, or use `when_full: reject`"
            )
            return


def _circle(first: str, moves: Mapping[str, list[str]], done: set[str]) -> list[str]:
    """Return a way that ends where it begins, found depth first from a node; ``done`` are nodes that are on none."""
    way = [first] if first not in done else []
    ahead = [iter(moves[node]) for node in way]
    while way:
        other = next(ahead[-1], None)
        if other is None:
            done.add(way.pop())
            ahead.pop()
        elif other in way:
            return [*way[way.index(other) :], other]
        elif other not in done:
            way.append(other)
            ahead.append(iter(moves[other]))
    return []
