"""In which precision a purpose sees times and positions."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from twinlab.model.basics import Duration, Model, parse_duration
from twinlab.model.units import convert

__all__ = ["Precision", "parse_distance"]

_DISTANCE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$")


def parse_distance(text: str) -> float:
    """Return a distance such as ``"500 m"`` or ``"2 km"`` in metres.

    Raises
    ------
    ValueError
        If ``text`` isn't a number larger than zero with a unit of length.

    >>> parse_distance("2 km")
    2000.0
    """
    match = _DISTANCE.match(text)
    found = 0.0 if match is None else float(convert(float(match[1]), match[2], "m"))
    if not found > 0:
        msg = f"expected a distance such as '500 m' or '2 km', got {text!r}"
        raise ValueError(msg)
    return found


def _distance(text: str) -> str:
    parse_distance(text)
    return text


class Precision(Model):
    """How exactly a purpose sees what is personal; without a key, as exactly as it is stored."""

    time: Duration | None = None
    """Times are rounded down to this step, and signals are means over it."""
    location: Annotated[str, AfterValidator(_distance)] | None = None
    """Positions are moved to the centre of their cell of a grid with this side: "1 km"."""

    @property
    def time_ns(self) -> int | None:
        """The step of times in nanoseconds."""
        return None if self.time is None else parse_duration(self.time)

    @property
    def location_m(self) -> float | None:
        """The side of the grid in metres."""
        return None if self.location is None else parse_distance(self.location)
