"""What transporters that are called to links can't do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from twinlab.simulate.network.pools.ways import drives, needed_ways, quickest_to

if TYPE_CHECKING:
    from twinlab.simulate.network.parts import NetworkParts
    from twinlab.simulate.network.transporters import Transporters

__all__ = ["pool_faults"]


def pool_faults(network: NetworkParts) -> Iterator[str]:
    """Return what is wrong with the groups that have `links`, in a network whose names and links all exist."""
    pools = {name: group for name, group in network.transporters.items() if group.pooled}
    for name, group in pools.items():
        at = f"transporters.{name}"
        links = group.links or ()
        for place, pair in enumerate(links):
            if pair in links[:place]:
                yield f"{at}.links[{place}]: {pair[0]} -> {pair[1]} is there twice; remove one"
        wait, most = group.dispatch.wait_at_most, group.dispatch.at_least
        if wait is not None and most == 1:
            yield f"{at}.dispatch.wait_at_most: one entity is enough to call them; remove it, or raise `at_least`"
        yield from _lost(at, network, group)
    yield from _orders(pools)


def _lost(at: str, network: NetworkParts, group: Transporters) -> Iterator[str]:
    """Where an empty transporter can't get to."""
    by = drives(network, group)
    ways = {end: quickest_to(end, by) for end in dict.fromkeys(end for _, end in needed_ways(group))}
    for begin, end in needed_ways(group):
        if begin not in ways[end]:
            less = " that it doesn't avoid" if group.avoid else ""
            other = ", or remove `one_way`" if group.one_way else ""
            yield (
                f"{at}.links: an empty {group.type} can't get from {begin!r} to {end!r}: there is no way of links with a "
                f"travel time{less}; add a link{other}"
            )
            return


def _orders(pools: dict[str, Transporters]) -> Iterator[str]:
    first: dict[tuple[str, str], str] = {}
    for name, group in pools.items():
        for pair in group.links or ():
            other = pools[first.setdefault(pair, name)]
            if other.dispatch.order != group.dispatch.order:
                yield (
                    f"transporters.{name}.dispatch.order: expected {other.dispatch.order!r} as of {first[pair]!r}, which "
                    f"serves {pair[0]} -> {pair[1]}, too; got {group.dispatch.order!r}"
                )
                return
