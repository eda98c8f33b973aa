"""From transporters that are called to links to the arrays that a run reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from twinlab.simulate.kernel.plan_records import DRIVE
from twinlab.simulate.network.pools.ways import drives, first_node, needed_ways, quickest_to
from twinlab.simulate.network.quantities import in_unit
from twinlab.simulate.network.scaling import scaled

if TYPE_CHECKING:
    from twinlab.simulate.network.distributions import TimeDistribution
    from twinlab.simulate.network.flows import Link
    from twinlab.simulate.network.network import Network
    from twinlab.simulate.network.transporters import Transporters

__all__ = ["Pools", "distance_km", "driving_time", "first_nodes", "pools_of"]

Pair = tuple[str, str]
#: Order of the entities that wait at a link, by rule; nobody is preferred by "nearest".
_ORDERS: Final = {"fifo": 0, "nearest": 0, "priority": 1, "due": 2}


def distance_km(link: Link) -> float:
    """Return the length of a link; 0 if none is stated."""
    return 0.0 if link.distance is None else in_unit(link.distance, "km")


def driving_time(link: Link, group: Transporters) -> TimeDistribution | float:
    """Return the travel time of a group on a link before its factor on the speed: a distribution, or seconds."""
    if link.travel is not None:
        return scaled(link.travel, link.travel_factor)
    return distance_km(link) / in_unit(group.speed or "1 km/h", "km/h") * 3600 * link.travel_factor


@dataclass(frozen=True)
class Pools:
    """The pools of a network as arrays; fields as in `records.Plan` and `plan.Names`."""

    names: tuple[str, ...]
    duties: tuple[str, ...]
    drives: npt.NDArray[Any]
    next_drive: npt.NDArray[np.int32]
    empty_time: npt.NDArray[np.float64]
    empty_means: Mapping[tuple[str, str, str], float]
    group_of: npt.NDArray[np.int32]
    of_links: npt.NDArray[np.int32]
    links: Mapping[Pair, tuple[int, int, int]]
    """Order of the entities at a link, and first place and number of its pools in `of_links`."""
    groups: Mapping[str, tuple[int, int, int, bool]]
    """By group: place in `duties` and in `names` (-1 if it isn't there), home (-1 without one), whether the nearest is served."""

    def at_link(self, pair: Pair) -> tuple[int, int, int]:
        """Return order, first place and number of the pools of a link."""
        return self.links.get(pair, (0, 0, 0))

    def of_group(self, name: str) -> tuple[int, int, int, bool]:
        """Return what a group is with regard to calendars and pools."""
        return self.groups[name]


def pools_of(network: Network, nodes: Mapping[str, int], distribution: Callable[[Any], int]) -> Pools:
    """Return the pools of a network.

    Parameters
    ----------
    network : Network
    nodes : mapping of str to int
        Place of each node.
    distribution : callable
        Returns the place of a distribution, or of a constant number of seconds, in the table of distributions.
    """
    groups = network.transporters
    pools = {name: group for name, group in groups.items() if group.pooled}
    duties = tuple(name for name, group in groups.items() if group.calendar is not None)
    width = len(nodes) if pools else 0
    next_drive, empty_time = (
        np.full((len(pools) * width, width), -1, np.int32),
        np.full((len(pools) * width, width), np.inf),
    )
    rows: list[tuple[int, int, int, float]] = []
    means: dict[tuple[str, str, str], float] = {}
    for number, (name, group) in enumerate(pools.items()):
        by = drives(network, group)
        for end in dict.fromkeys(end for _, end in needed_ways(group)):
            for begin, (place, seconds) in quickest_to(end, by).items():
                row = number * width + nodes[begin]
                next_drive[row, nodes[end]] = place + len(rows) if place >= 0 else -1
                empty_time[row, nodes[end]] = seconds
        for drive in by:
            travel = distribution(driving_time(drive.link, group))
            rows.append((nodes[drive.origin], nodes[drive.destination], travel, distance_km(drive.link)))
        # Of those that are avoided, too: a scenario may close a link while one is under way on it.
        for drive in drives(network, group.model_copy(update={"avoid": ()})):
            means[name, drive.origin, drive.destination] = drive.seconds
    serving: dict[Pair, list[str]] = {}
    for name, group in pools.items():
        for pair in group.links or ():
            serving.setdefault(pair, []).append(name)
    places = list(groups)
    of_links: list[int] = []
    at_links: dict[Pair, tuple[int, int, int]] = {}
    for pair, names in serving.items():
        at_links[pair] = _ORDERS[pools[names[0]].dispatch.order], len(of_links), len(names)
        of_links += [places.index(name) for name in names]
    numbers = list(pools)
    return Pools(
        names=tuple(pools),
        duties=duties,
        drives=np.array(rows, DRIVE),
        next_drive=next_drive,
        empty_time=empty_time,
        empty_means=means,
        group_of=np.array([places.index(name) for name in pools], np.int32),
        of_links=np.array(of_links, np.int32),
        links=at_links,
        groups={
            name: (
                duties.index(name) if name in duties else -1,
                numbers.index(name) if name in pools else -1,
                nodes[group.home] if group.home is not None else -1,
                group.dispatch.order == "nearest",
            )
            for name, group in groups.items()
        },
    )


def first_nodes(network: Network, nodes: Sequence[str]) -> npt.NDArray[np.int32]:
    """Return the place of the node where each transporter of a pool is at first; -1 for those with a route."""
    found: list[int] = []
    for group in network.transporters.values():
        found += [nodes.index(first_node(group)) if group.pooled else -1] * group.count
    return np.array(found, np.int32)
