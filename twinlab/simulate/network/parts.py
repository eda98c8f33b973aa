"""The parts of a network that checks, ways and displays read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twinlab.simulate.network.calendars import Calendar
    from twinlab.simulate.network.flows import Demand, Link
    from twinlab.simulate.network.nodes import Node
    from twinlab.simulate.network.transporters import Transporters

__all__ = ["NetworkParts"]


class NetworkParts(Protocol):
    """The parts of a `Network`; the functions that a network checks and shows itself with take this."""

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def title(self) -> str | None:
        """Name for people."""

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """Shifts, by name."""

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Places, by name."""

    @property
    def transporters(self) -> Mapping[str, Transporters]:
        """Groups of alike transporters, by name."""

    @property
    def demand(self) -> Mapping[str, Demand]:
        """Sources of entities, by name."""

    @property
    def links(self) -> tuple[Link, ...]:
        """Ways between nodes."""

    @property
    def transitions(self) -> Mapping[str, Mapping[str, float]]:
        """Node -> next node -> probability."""

    @property
    def next_hops(self) -> Mapping[str, Mapping[str, str]]:
        """Node -> destination -> next node."""

    def directed_links(self) -> Iterator[Link]:
        """Return the links, those in both directions as two."""
