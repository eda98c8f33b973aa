"""A setpoint as a person writes it, in the unit of the command."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from twinlab.errors import CommandRejectedError, SchemaError, UnitError
from twinlab.model.units import convert

__all__ = ["parse_setpoint", "rounded"]

_TEXT = re.compile(r"\s*(?P<number>[-+−]?(?:\d+\.?\d*|\.\d+))\s*(?P<unit>\S.*?)?\s*")


def parse_setpoint(value: object, unit: str, *, resolution: float | None) -> float:
    """Return a setpoint in the unit of the command.

    Parameters
    ----------
    value : str or number
        ``"6 km/h"``; a number, or a text without a unit, is in the unit of the command.
    unit : str
        Unit of the command.
    resolution : float, optional
        Resolution of the reported signal, in the same unit: a setpoint between its steps couldn't be read back.

    Raises
    ------
    SchemaError
        If it is no finite number, or between two steps; a UnitError if its unit doesn't convert.

    >>> parse_setpoint("5 m/s", "km/h", resolution=0.1)
    18.0
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        msg = f"setpoint: expected a number or a text such as '6 {unit}', got {value!r}"
        raise SchemaError(msg)
    number, given = float(value) if not isinstance(value, str) else math.nan, None
    if isinstance(value, str):
        match = _TEXT.fullmatch(value)
        if match is None:
            msg = f"setpoint: expected a text such as '6 {unit}', got {value[:80]!r}"
            raise SchemaError(msg)
        number, given = float(match["number"].replace("−", "-")), match["unit"]
    if not math.isfinite(number):
        msg = f"setpoint: expected a finite number, got {value!r}"
        raise SchemaError(msg)
    if given is not None:
        try:
            number = float(convert(number, given, unit))
        except UnitError as error:
            msg = f"setpoint {value!r}: expected a unit that converts to {unit!r}: {error}"
            raise UnitError(msg) from error
    if resolution is None:
        return number + 0.0
    found = rounded(number, resolution)
    # Converting leaves a rounding error.
    if abs(found - number) > 1e-6 * max(resolution, abs(number)):
        msg = f"setpoint: expected a multiple of {resolution:g} {unit}, the resolution in which it is reported, got {number:g}"
        raise CommandRejectedError(msg)
    return found


def rounded(value: float, resolution: float | None) -> float:
    """Return a value at the nearest step of a resolution, as the shortest decimal: 6.3 and not 6.300000000000001."""
    if resolution is None or not math.isfinite(value):
        return value + 0.0
    step = Decimal(repr(resolution))
    return float((Decimal(repr(value)) / step).to_integral_value() * step) + 0.0
