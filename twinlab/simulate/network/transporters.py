"""Transporters: trucks, forklifts and whatever else carries entities along links."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from twinlab.model.basics import Model, Term
from twinlab.simulate.network.distributions import Constant, Distribution
from twinlab.simulate.network.quantities import Speed, Time

__all__ = ["Dispatch", "Transporters"]


class Dispatch(Model):
    """When a transporter that could load leaves."""

    at_least: int = Field(default=0, ge=0)
    """Number of entities that it waits for; 0 leaves at once, even empty."""
    wait_at_most: Time | None = None
    """Longest wait for them; then it leaves with what there is."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.wait_at_most is not None and self.at_least == 0:
            msg = "`wait_at_most` belongs to `at_least`; state how many to wait for"
            raise ValueError(msg)
        return self


class Transporters(Model):
    """Alike transporters that go round the same nodes."""

    type: Term
    """Asset type; signals of the transporters are named after it."""
    count: int = Field(default=1, ge=1, le=100_000)
    """How many; they are named "<group>/1", "<group>/2", …"""
    route: tuple[str, ...] = Field(min_length=2)
    """Nodes that each visits in turn, again and again; two nodes are a shuttle."""
    capacity: int = Field(ge=1, le=1_000_000)
    """Entities that one carries."""
    loading: Distribution = Constant(value="0 s")
    """Time from the beginning of loading to departure."""
    unloading: Distribution = Constant(value="0 s")
    """Time from arrival until the load is at the node."""
    turnaround: Distribution = Constant(value="0 s")
    """Time from then until it can load again."""
    first_ready: Distribution = Constant(value="0 s")
    """Time from the start of the simulation until it can load for the first time."""
    dispatch: Dispatch = Dispatch()
    """When it leaves."""
    speed: Speed | None = None
    """Speed on links that state a distance and no travel time."""
    speed_factor: float = Field(default=1.0, gt=0, le=100)
    """Factor on the speed on all links: 0.5 is half as fast."""
    profile: str | None = None
    """Name of a profile that multiplies travel times by hour of the week, at departure."""
