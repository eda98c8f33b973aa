"""Quantities with their unit, as a description states them: "2 min", "60 /h", "75 km/h", "4 degC"."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

from twinlab.errors import UnitError
from twinlab.model.basics import yaml_text
from twinlab.model.units import canonical_unit, compatible, convert

__all__ = [
    "Distance",
    "EnergyPerDistance",
    "NonNegativeTime",
    "Power",
    "Rate",
    "Speed",
    "Temperature",
    "TemperatureRise",
    "Time",
    "in_unit",
]

_QUANTITY: Final = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*$")


@lru_cache(maxsize=4096)
def in_unit(text: str, unit: str) -> float:
    """Return a quantity such as ``"2 min"`` as a number in a unit.

    Raises
    ------
    ValueError
        If the text isn't a number with a unit.
    UnitError
        If the unit is unknown or measures something else.

    >>> in_unit("2 min", "s"), in_unit("60 /h", "1/min"), in_unit("0 s", "h")
    (120.0, 1.0, 0.0)
    """
    match = _QUANTITY.match(text)
    if match is None or match[2] is None:
        such_as = "5 " + unit.removeprefix("1")
        msg = f"expected a number with a unit of {unit!r}, such as {such_as!r}, got {text!r}"
        raise ValueError(msg)
    if match[2].startswith(":"):
        msg = f"expected a number with a unit of {unit!r}, such as '90 min', got the time of day {text!r}"
        raise ValueError(msg)
    spelled = match[2]
    try:
        stated = canonical_unit(f"1{spelled}" if spelled.startswith("/") else spelled)
        fits = compatible(stated, unit)
    except UnitError as error:
        msg = f"{error} (in {text!r})"
        raise UnitError(msg) from error
    if not fits:
        msg = f"expected a unit that converts to {unit!r}, got {spelled!r} in {text!r}"
        raise UnitError(msg)
    return float(convert([float(match[1])], stated, unit)[0])


def _checked(unit: str, *, lowest: float | None = None, above: float | None = None) -> AfterValidator:
    def check(text: str) -> str:
        value = in_unit(text, unit)
        if lowest is not None and value < lowest:
            msg = f"expected at least {lowest:g} {unit}, got {text!r}"
            raise ValueError(msg)
        if above is not None and value <= above:
            msg = f"expected more than {above:g} {unit}, got {text!r}"
            raise ValueError(msg)
        return text

    return AfterValidator(check)


_TEXT = BeforeValidator(yaml_text)
Time = Annotated[str, _TEXT, _checked("s", above=0)]
NonNegativeTime = Annotated[str, _TEXT, _checked("s", lowest=0)]
Rate = Annotated[str, _TEXT, _checked("1/s", lowest=0)]
Speed = Annotated[str, _TEXT, _checked("km/h", above=0)]
Distance = Annotated[str, _TEXT, _checked("km", lowest=0)]
Power = Annotated[str, _TEXT, _checked("kW", lowest=0)]
EnergyPerDistance = Annotated[str, _TEXT, _checked("kWh/km", lowest=0)]
TemperatureRise = Annotated[str, _TEXT, _checked("K", lowest=0)]
Temperature = Annotated[str, _TEXT, _checked("degC", lowest=-273.15)]
