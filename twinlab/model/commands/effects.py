"""What of a command is simulated before it is sent: kinds of effects with their options."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from twinlab.model.basics import Duration, Model, Term, parse_duration

__all__ = ["Effect", "QueueEffect", "RoomEffect", "StoppingEffect", "TripEffect"]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Ahead(Model):
    horizon: Duration = "1h"
    """How far ahead it is simulated."""

    @property
    def seconds(self) -> float:
        """The horizon in seconds."""
        return parse_duration(self.horizon) / 1e9


class QueueEffect(_Ahead):
    """A slower vehicle moves less, and what waits at its place becomes more. The parameter is a speed."""

    kind: Literal["queue"]
    place: Term
    """Relationship from the asset to its place; all assets of the type there work on the queue."""
    waiting: Term
    """Relationship from what waits to the place."""
    only: Term | None = None
    """Property, a boolean, of what waits: only those count for which it is true."""
    recent: Duration | None = None
    """Only what came within this time still waits; what came earlier has been moved. By default all count."""
    arrivals: Term | None = None
    """Event type whose ends within the horizon bring more; its asset is what waits. Those that have begun late end as late."""
    link: Term | None = None
    """Link of these events to the place."""
    spread: Duration = "10min"
    """By how much arrivals may be earlier or later than expected, while fewer than 20 in the last four weeks show it."""
    distance: Positive
    """Way of one move, there and back, in metres."""
    handling: Duration
    """Time of one move that doesn't depend on the speed."""
    load: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How many are moved at once."""
    most: Annotated[int, Field(ge=0)]
    """Longest queue that is allowed."""
    longest_wait: Duration | None = None
    """Longest time that one may wait, from now or from its arrival on."""
    working: str | None = None
    """Condition of the assets that work: "mode != charging"; all by default."""
    replications: Annotated[int, Field(ge=10, le=1000)] = 60
    """Number of simulated futures."""


class RoomEffect(_Ahead):
    """Another set point makes a room warmer or colder. The parameter is the set point of its thermostat."""

    kind: Literal["room"]
    horizon: Duration = "4h"
    """How far ahead it is simulated."""
    temperature: Term
    """Signal: temperature of the room."""
    door: Term
    """Signal, a state with a name ``open``."""
    compressor: Term
    """Signal, a state with a name ``on``."""
    warmest: Term
    """Property: warmest temperature that is allowed, in the unit of the temperature."""
    coldest: float | None = None
    """Coldest temperature that is allowed, in the unit of the temperature."""
    learn: Duration = "28d"
    """How much of the past the room's behaviour is fitted to."""


class TripEffect(_Ahead):
    """A slower truck arrives later, and what it brings misses its connection. The parameter is the share of its speed."""

    kind: Literal["trip"]
    horizon: Duration = "12h"
    """How far ahead connections are looked for."""
    trips: Term
    """Event type of the asset's trips, with a link to the destination."""
    destination: Term = "destination"
    """Link of a trip to where it ends."""
    legs: Term
    """Event type of what is brought, with a link to the asset and links `origin` and `destination`."""
    truck: Term = "truck"
    """Link of a leg to the asset."""
    origin: Term = "origin"
    """Link of a leg to where it begins."""
    transfer: Duration = "30min"
    """Least time between an arrival and the next departure."""
    most_missed: Annotated[int, Field(ge=0)] = 0
    """How many more connections than without the command may be missed."""
    latest: Duration = "1h"
    """How much later than without the command the trip may end."""


class StoppingEffect(Model):
    """A faster vehicle needs a longer way to stop. The parameter is a speed."""

    kind: Literal["stopping"]
    distance: Term
    """Signal: distance to the nearest person, as its safety scanner measures it."""
    reaction: Duration = "1s"
    """Time until the brakes act."""
    deceleration: Positive = 1.5
    """In m/s²."""
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """What must be left between vehicle and person, in metres."""


Effect = Annotated[QueueEffect | RoomEffect | TripEffect | StoppingEffect, Field(discriminator="kind")]
