"""Nodes: places with servers, a queue and a buffer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twinlab.model.basics import Model, Term
from twinlab.simulate.network.breakdowns import Breakdowns
from twinlab.simulate.network.distributions import Constant, Distribution
from twinlab.simulate.network.quantities import Power

__all__ = ["Node"]


class Node(Model):
    """A hub, dock, sorter, cold room, workstation: entities wait, are served, and move on."""

    type: Term
    """Asset type; signals of the node are named after it."""
    servers: int | str = Field(default=1)
    """Number of servers, or name of a calendar."""
    service: Distribution | dict[Term, Distribution] = Constant(value="0 s")
    """Time that a server needs for an entity, or that time by kind of entity."""
    order: Literal["fifo", "priority", "due"] = "fifo"
    """Who is served next: the first, the highest priority, or the earliest due (the first of equal ones)."""
    buffer: int | None = Field(default=None, ge=0)
    """How many may wait; None is without a limit."""
    when_full: Literal["block", "reject"] = "block"
    """Whether an entity that finds the buffer full keeps the place where it comes from, or is lost."""
    breakdowns: Breakdowns | None = None
    """Breakdowns of the whole node."""
    power: Power | None = None
    """Electric power of a server while it works, such as "3 kW"."""
    latitude: float | None = Field(default=None, ge=-90, le=90)
    """Degrees north."""
    longitude: float | None = Field(default=None, ge=-180, le=180)
    """Degrees east."""
