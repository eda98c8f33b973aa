"""Values with their units: sums, products and comparisons, with each number converted once, here.

A temperature is a reading (8 degC), a difference of two is a step (3 degC warmer): `Operand.readings` counts readings, so that
``a - b`` is a step, ``(a + b) / 2`` is a reading, and a literal such as ``3 degC`` is what its place needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from twinlab.errors import UnitError
from twinlab.model.expressions import bound
from twinlab.model.expressions.syntax import ArithmeticOperator
from twinlab.model.units.conversions import Conversion, conversion
from twinlab.model.units.spelling import UNKNOWN, combined
from twinlab.model.units.table import TEMPERATURES

__all__ = ["Operand", "bare", "difference", "matched", "number", "per_second", "product", "total"]

Sort = Literal["number", "state", "text", "boolean", "time", "words"]
At = tuple[int, int]

_STEPS = {"delta_degC": "degC", "delta_degF": "degF", "delta_K": "K"}
#: Scales of temperature whose zero isn't absolute: a product with a reading has no meaning.
_OFFSET = ("degC", "degF")


@dataclass(frozen=True)
class Operand:
    """A side of an operator; `value` is None only of words, which may be the name of a state, or a text."""

    value: bound.Value | None
    sort: Sort
    at: At
    # Canonical; of temperatures the scale, also of steps. None of a number without a unit.
    unit: str | None = None
    # Of temperatures: how many readings were added up; None of a literal, which is what its place needs.
    readings: float | None = 0.0
    # The source text of words.
    text: str = ""
    states: Mapping[str, float] = field(default_factory=dict)
    counter: bool = False
    wraps_at: float | None = None

    @property
    def is_temperature(self) -> bool:
        """Whether it is a temperature or a difference of temperatures."""
        return self.unit in TEMPERATURES

    @property
    def shown_unit(self) -> str:
        """The unit that a bound value has."""
        if self.unit is None:
            return "1"
        return TEMPERATURES[self.unit] if self.is_temperature and self.readings == 0.0 else self.unit


def number(value: bound.Value, unit: str | None, at: At, *, literal: bool = False) -> Operand:
    """Return an operand in a canonical unit; a literal temperature may be a reading or a step."""
    if unit in _STEPS:
        return Operand(value, "number", at, _STEPS[unit])
    readings = (None if literal else 1.0) if unit in TEMPERATURES else 0.0
    return Operand(value, "number", at, unit, readings)


def bare(operand: Operand) -> bool:
    """Return whether an operand is a number without a unit, which takes the unit of the other side."""
    return operand.unit is None


def matched(left: Operand, right: Operand) -> tuple[bound.Value, bound.Value]:
    """Return both sides of a comparison in one unit: the left one's, or the right one's if only that isn't a constant.

    Raises
    ------
    UnitError
        If they don't measure the same thing.
    """
    if left.unit is None or right.unit is None:
        unit, readings = (right.unit, right.readings) if left.unit is None else (left.unit, left.readings)
        left, right = (replace(one, unit=unit, readings=readings) if one.unit is None else one for one in (left, right))
        return _value(left), _value(right)
    if UNKNOWN in (left.unit, right.unit):
        msg = f"can't compare {left.unit!r} with {right.unit!r}: nobody has stated one of the units; write a number without a unit"
        raise UnitError(msg)
    left, right = _same_readings(left, right)
    if isinstance(left.value, bound.Constant) and not isinstance(right.value, bound.Constant):
        return _converted(left, right.unit or "1"), _value(right)
    return _value(left), _converted(right, left.unit or "1")


def total(sign: Literal["+", "-"], left: Operand, right: Operand, at: At) -> Operand:
    """Return the sum or difference of two numbers, in the left one's unit.

    Raises
    ------
    UnitError
        If they don't measure the same thing.
    """
    if left.unit is None and right.unit is None:
        return Operand(_folded(sign, _value(left), _value(right), "1"), "number", at)
    if left.unit is None:
        left = replace(left, unit=right.unit, readings=0.0)
    elif right.unit is None:
        right = replace(right, unit=left.unit, readings=0.0)
    elif UNKNOWN in (left.unit, right.unit):
        msg = f"can't add {right.unit!r} to {left.unit!r}: nobody has stated one of the units; state it in twin.yaml"
        raise UnitError(msg)
    elif left.is_temperature and right.is_temperature:
        left, right = _placed(sign, left, right)
    readings = (
        None if left.readings is None else _rounded(left.readings + (right.readings or 0.0) * (-1) ** (sign == "-"))
    )
    out = replace(left, readings=readings)
    value = _folded(sign, _value(left), _converted(right, left.unit or "1"), out.shown_unit)
    return Operand(value, "number", at, out.unit, readings)


def product(sign: Literal["*", "/"], left: Operand, right: Operand, at: At) -> Operand:
    """Return the product or quotient of two numbers; its unit is derived.

    Raises
    ------
    UnitError
        If a temperature is multiplied by something other than a plain number.
    """
    left, right = (replace(one, readings=0.0) if one.readings is None else one for one in (left, right))
    for one, other, divided in ((left, right, False), (right, left, sign == "/")):
        if other.unit is None and not divided and (one.is_temperature or one.unit == UNKNOWN):
            # Half of the sum of two temperatures is a temperature.
            factor = other.value.value if isinstance(other.value, bound.Constant) else 1.0
            readings = _rounded((one.readings or 0.0) * (factor if sign == "*" else 1 / factor if factor else math.inf))
            out = replace(one, readings=readings)
            value = _folded(sign, _value(left), _value(right), out.shown_unit)
            return Operand(value, "number", at, out.unit, readings)
    for one in (left, right):
        if one.unit == UNKNOWN:
            msg = f"expected a known unit on both sides of {sign}, got {UNKNOWN!r}: nobody has stated it; state it in twin.yaml"
            raise UnitError(msg)
        if one.unit in _OFFSET and one.readings:
            msg = f"can't use a temperature in {one.unit!r} as a factor: its zero is arbitrary; use a difference, or K"
            raise UnitError(msg)
    if left.unit is None and right.unit is None:
        return Operand(_folded(sign, _value(left), _value(right), "1"), "number", at)
    unit = combined(left.shown_unit, right.shown_unit, power=1 if sign == "*" else -1)
    return replace(number(_folded(sign, _value(left), _value(right), unit), unit, at), readings=0.0)


def difference(operand: Operand) -> Operand:
    """Return the operand as the difference of two of its kind: of temperatures a step."""
    return replace(operand, readings=0.0)


def per_second(operand: Operand) -> str:
    """Return the unit of a value's rate."""
    if operand.unit == UNKNOWN:
        return UNKNOWN
    return combined(difference(operand).shown_unit, "s", power=-1)


def _value(operand: Operand) -> bound.Value:
    value = operand.value
    assert value is not None
    return replace(value, unit=operand.shown_unit) if isinstance(value, bound.Constant) else value


def _same_readings(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    if not (left.is_temperature and right.is_temperature):
        # Against another unit, such as degC·h/h, a literal can only be a step.
        found = [replace(one, readings=0.0) if one.readings is None else one for one in (left, right)]
        return found[0], found[1]
    wanted = left.readings if right.readings is None else right.readings
    wanted = 1.0 if wanted is None else wanted
    if None in (left.readings, right.readings) and wanted not in (0.0, 1.0):
        msg = (
            f"expected a temperature or a difference of two, got {wanted:g} times a temperature; a mean is written such as "
            "'(a + b) / 2'"
        )
        raise UnitError(msg)
    left, right = (replace(one, readings=wanted) if one.readings is None else one for one in (left, right))
    if left.readings != right.readings:
        msg = "can't compare a temperature with a difference of temperatures; compare two of one kind"
        raise UnitError(msg)
    return left, right


def _placed(sign: str, left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """Return two temperatures of a sum; a literal on the right is a step, on the left what the right one isn't."""
    if right.readings is None:
        right = replace(right, readings=0.0)
    if left.readings is None and right.readings:
        left = replace(left, readings=0.0 if sign == "+" else 1.0)
    return left, right


def _converted(operand: Operand, target: str) -> bound.Value:
    """Return an operand's value in another unit: of temperatures the scale, of which the operand has its readings."""
    value = _value(operand)
    if operand.is_temperature and target in TEMPERATURES:
        if operand.unit == target:
            return value
        found = conversion(operand.unit or "1", target)
        pre, factor, offset = found.pre, found.scale, found.post
        if operand.readings != 1.0:
            offset = (pre * factor + offset) * (operand.readings or 0.0)
            pre = 0.0
        unit = replace(operand, unit=target).shown_unit
    else:
        pre, factor, offset = _conversion(operand, target)
        unit = target
    if (pre, factor, offset) == (0.0, 1.0, 0.0):
        return replace(value, unit=unit) if isinstance(value, bound.Constant) else value
    if isinstance(value, bound.Constant):
        return bound.Constant((value.value + pre) * factor + offset, unit)
    return bound.Scaled(value, pre, factor, offset, unit)


def _conversion(operand: Operand, target: str) -> Conversion:
    """Return the conversion to another unit, of which at most one is a temperature; that one is a step, as in degC·h/h."""
    if operand.is_temperature and operand.readings:
        conversion(operand.shown_unit, target)
        msg = f"can't compare a temperature with {target!r}; compare a difference of temperatures"
        raise UnitError(msg)
    try:
        return conversion(operand.shown_unit, TEMPERATURES.get(target, target))
    except UnitError:
        # The error that names the units as they are written.
        conversion(operand.unit or "1", target)
        raise


def _folded(sign: ArithmeticOperator, left: bound.Value, right: bound.Value, unit: str) -> bound.Value:
    if sign == "/" and isinstance(right, bound.Constant) and right.value == 0:
        msg = "expected a divisor other than 0"
        raise UnitError(msg)
    if not (isinstance(left, bound.Constant) and isinstance(right, bound.Constant)):
        return bound.Arithmetic(sign, left, right, unit)
    one, other = left.value, right.value
    if sign == "/":
        return bound.Constant(one / other, unit)
    return bound.Constant(one + other if sign == "+" else one - other if sign == "-" else one * other, unit)


def _rounded(readings: float) -> float:
    """Return a count of readings without the last bits of 0.1 + 0.2 + 0.7."""
    return round(readings, 9)
