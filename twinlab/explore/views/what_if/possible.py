"""Which twins can be simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.errors import TwinlabError
from twinlab.simulate.calibration.twin_names import find_names

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["can_simulate", "has_trips"]


def can_simulate(twin: TwinReader) -> bool:
    """Return whether a twin can be simulated: it has trips and the method; plain data and views of a part have no method."""
    return hasattr(twin, "simulate") and has_trips(twin)


def has_trips(twin: TwinReader) -> bool:
    """Return whether a twin's model has trips to simulate."""
    try:
        find_names(twin.model)
    except TwinlabError:
        return False
    return True
