"""Ways through a network: who serves a link, how long it takes on average, which node is next towards a destination."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from twinlab.simulate.network.quantities import in_unit

if TYPE_CHECKING:
    from twinlab.simulate.network.flows import Link
    from twinlab.simulate.network.parts import NetworkParts
    from twinlab.simulate.network.transporters import Transporters

__all__ = ["carried_links", "detours", "legs", "mean_time", "next_nodes", "routing_faults"]

Pair = tuple[str, str]


def legs(group: Transporters) -> list[Pair]:
    """Return the links on which a transporter carries entities, as (origin, destination); those of a route in order.

    >>> from twinlab.simulate.network import Transporters
    >>> legs(Transporters(type="truck", route=("a", "b", "c"), capacity=1))
    [('a', 'b'), ('b', 'c'), ('c', 'a')]
    """
    if group.route is None:
        return list(group.links or ())
    return list(pairwise([*group.route, group.route[0]]))


def carried_links(network: NetworkParts) -> set[Pair]:
    """Return the links that a transporter serves."""
    return {pair for group in network.transporters.values() for pair in legs(group)}


def mean_time(link: Link, groups: list[Transporters]) -> float:
    """Return the mean time on a link in seconds, with the fastest of some groups of transporters."""
    factors = [group.speed_factor for group in groups] or [1.0]
    if link.travel is not None:
        return link.travel.mean_seconds * link.travel_factor / max(factors)
    speeds = [in_unit(group.speed, "km/h") * group.speed_factor for group in groups if group.speed is not None]
    if link.distance is None or not speeds:
        return 0.0
    return in_unit(link.distance, "km") * link.travel_factor / max(speeds) * 3600


def next_nodes(
    network: NetworkParts,
    *,
    to: Iterable[str] | None = None,
    avoid: frozenset[str] = frozenset(),
    closed: frozenset[Pair] = frozenset(),
    preferred: frozenset[Pair] = frozenset(),
) -> dict[str, dict[str, str]]:
    """Return the next node towards each destination: ``hops[destination][node]``.

    It is on the quickest way by mean times, or what `Network.next_hops` states. A node without a way isn't there.

    Parameters
    ----------
    network : Network
    to : iterable of str, optional
        Destinations; those of the demand by default.
    avoid : set of str, optional
        Nodes through which no way leads; it may begin or end there.
    closed : set of (str, str), optional
        Links that no way uses.
    preferred : set of (str, str), optional
        Links that count as if they took a second.
    """
    serving: dict[Pair, list[Transporters]] = {}
    for group in network.transporters.values():
        for pair in legs(group):
            serving.setdefault(pair, []).append(group)
    into: dict[str, list[tuple[str, float]]] = {name: [] for name in network.nodes}
    for link in network.directed_links():
        pair = link.origin, link.destination
        if pair not in closed:
            # A second for each link, so that of equally quick ways the one with fewer stops is taken.
            lasting = 0.0 if pair in preferred else mean_time(link, serving.get(pair, []))
            into[link.destination].append((link.origin, lasting + 1.0))
    found = {name: _towards(name, into, avoid) for name in (_destinations(network) if to is None else to)}
    for node, hops in network.next_hops.items():
        for destination, following in hops.items():
            if (following not in avoid or following == destination) and (node, following) not in closed:
                found.setdefault(destination, {})[node] = following
    return found


def detours(
    network: NetworkParts,
    *,
    avoid: frozenset[str] = frozenset(),
    closed: frozenset[Pair] = frozenset(),
    preferred: frozenset[Pair] = frozenset(),
) -> dict[str, dict[str, str]]:
    """Return `Network.next_hops` with which ways avoid nodes and links, or prefer links; parameters as `next_nodes`.

    Where there is no other way, the hop stays as it is.
    """
    before = next_nodes(network)
    found = {node: dict(hops) for node, hops in network.next_hops.items()}
    for destination, hops in next_nodes(network, avoid=avoid, closed=closed, preferred=preferred).items():
        for node, following in hops.items():
            if before[destination].get(node) != following:
                found.setdefault(node, {})[destination] = following
    return found


def _destinations(network: NetworkParts) -> list[str]:
    wanted = {name: None for demand in network.demand.values() for name in demand.to or ()}
    return list(wanted)


def _towards(destination: str, into: Mapping[str, list[tuple[str, float]]], avoid: frozenset[str]) -> dict[str, str]:
    """Dijkstra's algorithm, backwards from a destination."""
    best: dict[str, float] = {}
    hops: dict[str, str] = {}
    queue: list[tuple[float, str, str]] = [(0.0, destination, destination)]
    while queue:
        time, node, following = heapq.heappop(queue)
        if node in best:
            continue
        best[node] = time
        if node != destination:
            hops[node] = following
            if node in avoid:
                continue
        for origin, lasting in into[node]:
            if origin not in best:
                heapq.heappush(queue, (time + lasting, origin, node))
    return hops


def routing_faults(network: NetworkParts) -> Iterator[str]:
    """Return what an entity or a transporter couldn't do, a sentence each."""
    pairs = {(link.origin, link.destination): link for link in network.directed_links()}
    for name, group in network.transporters.items():
        yield from _driving_faults(f"transporters.{name}", group, pairs)
    carried = carried_links(network)
    for number, link in enumerate(network.links):
        if link.distance is not None and link.travel is None and (link.origin, link.destination) not in carried:
            yield (
                f"links[{number}]: expected a `travel` time from {link.origin!r} to {link.destination!r}, "
                "because no transporter with a speed serves the link; state one"
            )
    for name, shares in network.transitions.items():
        for other in shares:
            yield from _missing_link(f"transitions.{name}", name, other, pairs)
    for node, hops in network.next_hops.items():
        for destination, following in hops.items():
            yield from _missing_link(f"next_hops.{node}.{destination}", node, following, pairs)
    hops_to = next_nodes(network)
    for name, demand in network.demand.items():
        for origin, other in pairwise([demand.at, *(demand.route or ())]):
            yield from _missing_link(f"demand.{name}.route", origin, other, pairs)
        for destination, share in (demand.to or {}).items():
            if share > 0:
                yield from _unreachable(f"demand.{name}.to", demand.at, destination, hops_to.get(destination, {}))


def _driving_faults(at: str, group: Transporters, pairs: Mapping[Pair, Link]) -> Iterator[str]:
    lasting = group.loading.mean_seconds + group.unloading.mean_seconds + group.turnaround.mean_seconds
    field = "links" if group.pooled else "route"
    for origin, destination in legs(group):
        link = pairs.get((origin, destination))
        if origin == destination:
            yield f"{at}.{field}: {origin!r} follows itself; remove one"
        elif link is None:
            add = "" if group.pooled else " (`both_ways: true` for a shuttle)"
            yield f"{at}.{field}: there is no link from {origin!r} to {destination!r}; add it to `links` of the network{add}"
        elif link.travel is None and (link.distance is None or group.speed is None):
            yield (
                f"{at}: expected a travel time from {origin!r} to {destination!r}; "
                "state `travel` of the link, or its `distance` and the `speed` of the transporters"
            )
        else:
            lasting += mean_time(link, [group])
    if lasting <= 0:
        yield f"{at}: a round takes no time; state a travel, loading, unloading or turnaround time above 0"


def _missing_link(at: str, origin: str, destination: str, pairs: Mapping[Pair, Link]) -> Iterator[str]:
    if (origin, destination) not in pairs:
        yield f"{at}: there is no link from {origin!r} to {destination!r}; add it to `links`"


def _unreachable(at: str, origin: str, destination: str, hops: Mapping[str, str]) -> Iterator[str]:
    seen, node = [origin], origin
    while node != destination:
        if node not in hops:
            yield f"{at}: {destination!r} can't be reached from {origin!r}; no link leads on from {node!r}"
            return
        node = hops[node]
        if node in seen:
            yield f"{at}: the way from {origin!r} to {destination!r} goes in a circle: {' -> '.join([*seen, node])}"
            return
        seen.append(node)
