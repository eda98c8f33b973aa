"""The ways of empty transporters: which links they drive, in which direction, and the quickest way to each node."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinlab.simulate.network.routing import mean_time

if TYPE_CHECKING:
    from twinlab.simulate.network.flows import Link
    from twinlab.simulate.network.parts import NetworkParts
    from twinlab.simulate.network.transporters import Transporters

__all__ = ["Drive", "drives", "first_node", "needed_ways", "quickest_to"]


@dataclass(frozen=True)
class Drive:
    """A link that an empty transporter drives, in one direction."""

    origin: str
    destination: str
    link: Link
    seconds: float
    """Mean travel time."""


def drives(network: NetworkParts, group: Transporters) -> list[Drive]:
    """Return the drives of the empty transporters of a group, those of links against their direction last.

    >>> from twinlab.simulate.network import Network
    >>> yard = Network(name="yard", nodes={"dock": {"type": "dock"}, "store": {"type": "store"}},
    ...     links=[{"from": "dock", "to": "store", "travel": "2 min"}],
    ...     transporters={"lifts": {"type": "forklift", "links": [("dock", "store")], "capacity": 1}})
    >>> [(one.origin, one.destination, one.seconds) for one in drives(yard, yard.transporters["lifts"])]
    [('dock', 'store', 120.0), ('store', 'dock', 120.0)]
    """
    found: dict[tuple[str, str], Drive] = {}
    timed = [one for one in network.directed_links() if one.travel or (one.distance and group.speed)]
    for link in timed:
        pair = link.origin, link.destination
        found[pair] = Drive(*pair, link, mean_time(link, [group]))
    for link in timed if not group.one_way else ():
        pair = link.destination, link.origin
        found.setdefault(pair, Drive(*pair, link, mean_time(link, [group])))
    return [drive for pair, drive in found.items() if pair not in group.avoid]


def quickest_to(target: str, by: list[Drive]) -> dict[str, tuple[int, float]]:
    """Return from each node that has a way to a node: place of the first drive in ``by``, and mean time, seconds."""
    into: dict[str, list[tuple[int, Drive]]] = {}
    for place, drive in enumerate(by):
        into.setdefault(drive.destination, []).append((place, drive))
    found: dict[str, tuple[int, float]] = {}
    queue: list[tuple[float, int, str]] = [(0.0, -1, target)]
    while queue:
        seconds, place, node = heapq.heappop(queue)
        if node in found:
            continue
        found[node] = place, seconds
        for before, drive in into.get(node, ()):
            if drive.origin not in found:
                heapq.heappush(queue, (seconds + drive.seconds, before, drive.origin))
    return found


def first_node(group: Transporters) -> str:
    """Return the node where the transporters of a group with `links` are at first."""
    return group.home or (group.links or (("", ""),))[0][0]


def needed_ways(group: Transporters) -> list[tuple[str, str]]:
    """Return from where to where empty transporters of a group have to get: to each link from where they come free."""
    links = group.links or ()
    begins = dict.fromkeys([first_node(group), *(destination for _, destination in links)])
    ends = dict.fromkeys([*(origin for origin, _ in links), *([group.home] if group.home else [])])
    return [(begin, end) for begin in begins for end in ends if begin != end]
