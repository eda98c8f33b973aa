"""How often assets fail and trips are delayed by a cause: parameters of a network's size."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite

from twinlab.errors import SchemaError

__all__ = ["FailureRates"]


@dataclass(frozen=True)
class FailureRates:
    """Rates of failures with precursors and of causes of delay; 0 turns one off.

    Failures are per 100 weeks of an asset. Of each kind whose rate isn't 0 there is at least one, so that small networks
    have them, too.

    Examples
    --------
    >>> FailureRates(compressor=0).compressor, FailureRates().seal
    (0, 2.5)
    """

    compressor: float = 4.0
    """Compressors that lose capacity, per 100 room-weeks."""
    seal: float = 2.5
    """Door seals that wear, per 100 room-weeks."""
    sensor: float = 2.5
    """Temperature sensors that die slowly, per 100 room-weeks."""
    battery: float = 3.0
    """Batteries that fade, per 100 forklift-weeks."""
    brake: float = 1.2
    """Brakes that drag and get hot, per 100 truck-weeks."""
    cooling: float = 1.2
    """Cooling systems that no longer keep the engine cool, per 100 truck-weeks."""
    weather: float = 1.5
    """Storms a week that slow down the trucks of a region."""
    congestion: float = 0.6
    """Congested rush hours a week at an average hub."""
    hub_limit: float = 0.3
    """Evenings a week on which an average hub has too few ramps."""

    def __post_init__(self) -> None:
        """Raise `SchemaError` for rates that aren't valid."""
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
                msg = f"FailureRates: expected a number of at least 0 for {one.name}, got {value!r}"
                raise SchemaError(msg)
