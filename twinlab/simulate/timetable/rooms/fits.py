"""What is fitted about rooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["RoomFits", "RoomNames"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RoomNames:
    """The twin's names of rooms and their signals."""

    room: str
    """Asset type of the rooms."""
    temperature: str
    units: str
    """Unit of the temperature."""
    door: str
    door_codes: tuple[int, int]
    """Codes of closed and open."""
    door_meanings: tuple[str, str]
    """Names of closed and open."""
    compressor: str | None = None
    """None if it isn't recorded: then rooms go to a set-point of their own."""
    compressor_codes: tuple[int, int] = (0, 1)
    """Codes of off and on."""
    compressor_meanings: tuple[str, str] = ("off", "on")


@dataclass(frozen=True)
class RoomFits:
    """First-order models of rooms, one entry of each array for each room.

    With a closed door the temperature goes towards ``towards`` at the rate ``closed``, with an open one towards ``ambient`` at the rate
    ``open`` as well; a compressor that runs removes ``cooling``.
    """

    names: RoomNames
    rooms: tuple[str, ...]
    step: float
    """Seconds between two values, the cadence of the history."""
    closed: Floats
    """1/s: one over the time constant with a closed door, shape ``(room,)``."""
    open: Floats
    """1/s: what an open door adds."""
    towards: Floats
    """What a room with a closed door and no cooling goes to: the air around it; without a compressor, its set-point."""
    ambient: Floats
    """What a room with an open door goes to."""
    swing: Floats
    """Cosine and sine of the time of day (UTC) in the air around the rooms, K, shape ``(2,)``."""
    cooling: Floats
    """K/s; 0 without a compressor."""
    on_above: Floats
    """Temperature above which the compressor starts; NaN without one."""
    off_below: Floats
    """Temperature below which it stops."""
    noise: Floats
    """Standard deviation of what is left in one step, K."""
    opening: Floats
    """Openings of the door an hour, by hour of the week, shape ``(room, 168)``."""
    open_lasting: Floats
    """How long doors stay open: values at equally spaced probabilities, seconds."""
    failing: float
    """Failures of a compressor per second; 0 without any in the window."""
    repair: Floats
    """How long they last: values at equally spaced probabilities, seconds; empty without any."""
