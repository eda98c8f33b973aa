"""Demand (which entities arrive where, and where they go) and the links between nodes."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field, model_validator

from twinlab.model.basics import Term
from twinlab.simulate.definition import Definition
from twinlab.simulate.network.distributions import Distribution
from twinlab.simulate.network.quantities import Distance, Rate, in_unit

__all__ = ["Demand", "Link"]


class Demand(Definition):
    """Entities that arrive at a node from outside: exactly one of `rate` and `interval`.

    An entity goes to a destination (`to`), along a stated `route`, or as `transitions` of the network say.
    """

    kind: Term = "entity"
    """Kind of entity: parcel, order, job."""
    at: str
    """Node where they arrive."""
    rate: Rate | None = None
    """Mean number of arrivals in a time, such as "60 /h"; they are independent of each other (a Poisson process)."""
    interval: Distribution | None = None
    """Time from one arrival to the next."""
    profile: str | None = None
    """With `rate`: name of a profile that multiplies it by hour of the week."""
    to: dict[str, float] | None = None
    """Destination -> share."""
    route: tuple[str, ...] | None = None
    """Nodes after `at`, in order."""
    priority: int = Field(default=0, ge=-32_000, le=32_000)
    """Higher is served earlier at nodes, and carried earlier by pools, with `order: priority`."""
    due: Distribution | None = None
    """Time from arrival until the entity is due."""
    batch: int = Field(default=1, ge=1, le=10_000)
    """How many arrive at once."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.rate is None) == (self.interval is None):
            msg = "expected exactly one of `rate` and `interval`"
            raise ValueError(msg)
        if self.profile is not None and self.rate is None:
            msg = "`profile` belongs to `rate`; remove it or state a `rate`"
            raise ValueError(msg)
        if self.to is not None and self.route is not None:
            msg = "expected at most one of `to` and `route`"
            raise ValueError(msg)
        if self.to is not None and not (all(share >= 0 for share in self.to.values()) and sum(self.to.values()) > 0):
            msg = "expected shares of at least 0 in `to`, and one above 0"
            raise ValueError(msg)
        if self.route is not None and not self.route:
            msg = "expected at least one node in `route`; without `to`, `route` and transitions an entity leaves after `at`"
            raise ValueError(msg)
        if self.interval is not None and self.interval.mean_seconds <= 0:
            msg = "expected an `interval` with a mean above 0"
            raise ValueError(msg)
        return self

    @property
    def mean_interval(self) -> float:
        """Mean time from one arrival to the next where no profile changes it, seconds; infinity for a rate of 0."""
        if self.interval is not None:
            return self.interval.mean_seconds
        rate = in_unit(self.rate or "0 /s", "1/s")
        return 1 / rate if rate > 0 else math.inf


class Link(Definition):
    """A way from one node to another. If a transporter serves it, entities wait for that; else they move by themselves."""

    origin: str = Field(alias="from")
    """Node where it begins."""
    destination: str = Field(alias="to")
    """Node where it ends."""
    both_ways: bool = False
    """Whether there is the same link in the other direction."""
    travel: Distribution | None = None
    """Time from node to node. Without it: distance divided by the transporter's speed, or no time."""
    distance: Distance | None = None
    """Length, such as "120 km"."""
    travel_factor: float = Field(default=1.0, gt=0, le=10_000)
    """Factor on the travel times, such as 1.5 in a storm."""
