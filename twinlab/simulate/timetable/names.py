"""The twin's names of what a timetable model contains."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Names"]


@dataclass(frozen=True)
class Names:
    """The twin's names of what the model contains."""

    hub: str
    """Asset type of the places."""
    carrier: str
    """Asset type of what makes the trips."""
    trip: str
    """Event type of the trips."""
    entity: str | None = None
    """Asset type of what is carried; None if the twin has only trips."""
    leg: str | None = None
    """Event type of the trips of what is carried."""
    leg_carrier: str | None = None
    """Link of a leg to the carrier."""
