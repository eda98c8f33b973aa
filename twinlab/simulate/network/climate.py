"""The temperature of a node, such as a cold room, with a thermostat, doors and heat from work."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from twinlab.simulate.definition import Definition
from twinlab.simulate.network.quantities import Power, Temperature, TemperatureRise, Time, in_unit

__all__ = ["Climate"]


class Climate(Definition):
    """A temperature that tends to the one outside, and is cooled by a compressor that a thermostat switches.

    The temperature T follows dT/dt = (T_end - T) / tau: T_end is `ambient`, with the compressor on `coldest`, raised by
    `rise_per_entity` for each entity that is served; tau is `time_constant`, shorter while doors are open.
    """

    ambient: Temperature
    """Temperature outside."""
    coldest: Temperature
    """Temperature that the room would reach with the compressor always on, doors closed and nothing served."""
    time_constant: Time
    """Time in which, with closed doors, the difference to the end temperature falls to 37 %."""
    switch_on: Temperature
    """The compressor goes on when the temperature has risen to this."""
    switch_off: Temperature
    """The compressor goes off when the temperature has fallen to this."""
    initial: Temperature | None = None
    """Temperature at the start; `switch_off` if it isn't stated."""
    door_time_constant: Time | None = None
    """The time constant of one open door towards `ambient`. A door is open while a transporter loads or unloads at the node."""
    rise_per_entity: TemperatureRise = "0 K"
    """Rise of the end temperature by an entity that is served."""
    limit: Temperature | None = None
    """Above it, goods spoil: degrees above it times hours are counted."""
    power: Power = "0 kW"
    """Electric power of the compressor while it is on."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        names = ("coldest", "switch_off", "switch_on", "ambient")
        values = [in_unit(getattr(self, name), "degC") for name in names]
        if sorted(values) != values or len(set(values)) < len(values):
            stated = ", ".join(f"{name} {getattr(self, name)!r}" for name in names)
            msg = f"expected `coldest` below `switch_off` below `switch_on` below `ambient`, got {stated}"
            raise ValueError(msg)
        return self
