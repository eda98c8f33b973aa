"""Conditions of present values: true, false, or unknown (Kleene logic)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from twinlab.errors import SchemaError
from twinlab.model.expressions import bound

__all__ = ["truth_of"]


def truth_of(
    condition: bound.Condition, values: Mapping[str, float], properties: Mapping[str, Any]
) -> bool | None:  # fmt: skip
    """Return whether a condition is true of present values; None if that isn't known.

    Parameters
    ----------
    condition : Condition
        Of present values only, see `twinlab.model.commands.checks.present_condition`.
    values : mapping of str to float
        Signal -> value in its own unit, of a state its code; NaN or missing where it isn't known.
    properties : mapping of str to object
        Property -> value in its own unit.

    >>> from twinlab.model.expressions.bound import Compare, Constant, Signal
    >>> low = Compare("<", Signal("fork_height", "m"), Constant(1.0, "m"))
    >>> truth_of(low, {"fork_height": 2.4}, {}), truth_of(low, {}, {})
    (False, None)
    """
    match condition:
        case bound.Truth(value):
            return value
        case bound.Not(part):
            found = truth_of(part, values, properties)
            return None if found is None else not found
        case bound.All(parts) | bound.Any(parts):
            several = [truth_of(part, values, properties) for part in parts]
            decides = isinstance(condition, bound.Any)
            if decides in several:
                return decides
            return None if None in several else not decides
        case bound.TextEquals(value, text):
            stated = properties.get(value.name)
            return None if _missing(stated) else str(stated) == text
        case bound.Compare(operator, left, right):
            one, other = _number(left, values, properties), _number(right, values, properties)
            if math.isnan(one) or math.isnan(other):
                return None
            return {
                "<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other, "==": one == other, "!=": one != other
            }[operator]  # fmt: skip
    msg = f"expected a condition of present values, got {type(condition).__name__}"
    raise SchemaError(msg)


def _number(value: bound.Value, values: Mapping[str, float], properties: Mapping[str, Any]) -> float:
    match value:
        case bound.Signal(name):
            return float(values.get(name, math.nan))
        case bound.Property(name):
            stated = properties.get(name)
            return math.nan if _missing(stated) else float(stated)  # type: ignore[arg-type]
        case bound.Constant(number):
            return number
        case bound.Absolute(inner):
            return abs(_number(inner, values, properties))
        case bound.Scaled(inner, pre, factor, offset):
            return (_number(inner, values, properties) + pre) * factor + offset
        case bound.Arithmetic(operator, left, right):
            one, other = _number(left, values, properties), _number(right, values, properties)
            if operator == "/":
                return one / other if other else math.nan
            return {"+": one + other, "-": one - other, "*": one * other}[operator]
    msg = f"expected present values, got {type(value).__name__}"
    raise SchemaError(msg)


def _missing(stated: object) -> bool:
    # NaN and NaT differ from themselves; pandas' NA has no truth.
    return stated is None or str(stated) in {"nan", "NaT", "<NA>"}
