"""The parts of a run in each of which a network stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from twinlab.simulate.network.network import Network
from twinlab.simulate.network.transporters import Transporters
from twinlab.simulate.scenarios.change import Change, changed
from twinlab.simulate.scenarios.overlaps import in_order
from twinlab.simulate.scenarios.windows import Span, nanoseconds, spans

__all__ = ["Part", "parts_of"]


@dataclass(frozen=True)
class Part:
    """A part of a run, from `start` to `stop` (UTC), exclusive, and the network in it."""

    start: np.datetime64
    stop: np.datetime64
    network: Network


def parts_of(changes: Sequence[Change], network: Network, run: Span) -> list[Part]:
    """Return the parts of a run, in order and without gaps.

    All networks have the same nodes, links, demand and transporters; new ones are out of service at other times.
    """
    first, last = map(nanoseconds, run)
    held = [spans(change.start, change.stop, first=first, last=last) for change in changes]
    edges = sorted({first, last, *(edge for windows in held for window in windows for edge in window)})
    made: dict[tuple[int, ...], Network] = {}
    found: list[tuple[np.datetime64, np.datetime64, tuple[int, ...]]] = []
    for start, stop in pairwise(edges):
        holding = tuple(place for place in in_order(changes) if any(begin <= start < end for begin, end in held[place]))
        if found and found[-1][2] == holding:
            found[-1] = (found[-1][0], stop, holding)
        else:
            found.append((start, stop, holding))
        if holding not in made:
            one = network
            for place in holding:
                one = changes[place].applied(one)
            made[holding] = one
    largest = _all_transporters(changes, network)
    alike = {holding: _with_transporters(one, largest) for holding, one in made.items()}
    return [Part(start, stop, alike[holding]) for start, stop, holding in found]


def _all_transporters(changes: Sequence[Change], network: Network) -> dict[str, Transporters]:
    """Return the transporters with all changes that add some, whenever they are in effect: the same for each part of any run."""
    for place in in_order(changes):
        if any(key.startswith("transporters.") for key in changes[place].effects(network)):
            network = changes[place].applied(network)
    return dict(network.transporters)


def _with_transporters(network: Network, largest: Mapping[str, Transporters]) -> Network:
    groups = {}
    for name, most in largest.items():
        group = network.transporters.get(name, most.model_copy(update={"out_of_service": most.count}))
        more = most.count - group.count
        groups[name] = group.model_copy(update={"count": most.count, "out_of_service": group.out_of_service + more})
    return network if groups == network.transporters else changed(network, transporters=groups)
