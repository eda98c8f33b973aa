"""Nodes: places with servers, a queue and a buffer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from twinlab.model.basics import Term
from twinlab.simulate.definition import Definition
from twinlab.simulate.network.breakdowns import Breakdowns
from twinlab.simulate.network.climate import Climate
from twinlab.simulate.network.distributions import Constant, Distribution
from twinlab.simulate.network.quantities import Power

__all__ = ["Node"]


def _servers(given: object) -> object:
    if isinstance(given, str) or (isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= 100_000):
        return given
    msg = f"expected 0 to 100000 servers, or the name of a calendar, got {given!r}"
    raise ValueError(msg)


def _form(given: object) -> str:
    """Return whether a service time is one for all, or by kind of entity."""
    return "by_kind" if isinstance(given, dict) and "kind" not in given else "one"


class Node(Definition):
    """A hub, dock, sorter, cold room, workstation: entities wait, are served, and move on."""

    type: Term
    """Asset type; signals of the node are named after it."""
    servers: Annotated[int | str, BeforeValidator(_servers)] = 1
    """Number of servers, or name of a calendar."""
    service: Annotated[
        Annotated[Distribution, Tag("one")] | Annotated[dict[Term, Distribution], Tag("by_kind")], Discriminator(_form)
    ] = Constant(value="0 s")
    """Time that a server needs for an entity, or that time by kind of entity."""
    order: Literal["fifo", "priority", "due"] = "fifo"
    """Who is served next: the first, the highest priority, or the earliest due (the first of equal ones)."""
    buffer: int | None = Field(default=None, ge=0)
    """How many may wait; without it there is no limit."""
    when_full: Literal["block", "reject"] = "block"
    """Whether an entity that finds the buffer full keeps the place where it comes from, or is lost."""
    docks: int | None = Field(default=None, ge=1, le=100_000)
    """How many transporters load or unload there at once; the others wait in line. Without it there is no limit."""
    breakdowns: Breakdowns | None = None
    """Breakdowns of the whole node."""
    climate: Climate | None = None
    """Its temperature, if that is simulated."""
    power: Power | None = None
    """Electric power of a server while it works, such as "3 kW"."""
    latitude: float | None = Field(default=None, ge=-90, le=90)
    """Degrees north."""
    longitude: float | None = Field(default=None, ge=-180, le=180)
    """Degrees east."""
