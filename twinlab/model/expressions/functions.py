"""Functions of values over time: ``mean(x) over 15 min``, ``rate(x)``, ``change(x) over 1h``, and ``abs(x)``.

Mean, least and greatest value may be of a condition, 1 where it is true: ``mean(door == open) over 1h > 50 %``.
"""

from __future__ import annotations

from typing import Literal, NoReturn, Protocol, cast

from twinlab.model.expressions import bound, syntax
from twinlab.model.expressions.contexts import Context
from twinlab.model.expressions.faults import ExpressionTermError, Pointing
from twinlab.model.expressions.operands import Operand, difference, number, per_second
from twinlab.model.expressions.walk import has_relation, signals_of
from twinlab.model.terms import nearest

__all__ = ["FUNCTIONS", "Binder", "bound_call"]

#: Name -> how it is written.
FUNCTIONS = {
    "abs": "abs(temperature - setpoint)",
    "change": "change(fuel) over 1h",
    "count": "count(temperature) over 15 min",
    "max": "max(temperature) over 15 min",
    "mean": "mean(temperature) over 15 min",
    "min": "min(temperature) over 15 min",
    "rate": "rate(odometer)",
    "sum": "sum(energy) over 1h",
}
_STATISTICS = ("mean", "min", "max", "sum", "count")


class Binder(Protocol):
    """What a function needs of the one that binds a whole expression."""

    context: Context

    def fail(self, node: syntax.Node | syntax.At, message: str, kind: type[Pointing] = ...) -> NoReturn:
        """Raise an error that points at a node."""

    def condition(self, node: syntax.Node) -> bound.Condition:
        """Return a bound condition."""

    def operand(self, node: syntax.Node) -> Operand:
        """Return a bound value of any sort."""

    def numeric(self, node: syntax.Node) -> Operand:
        """Return a bound number."""

    def as_number(self, node: syntax.Node, found: Operand) -> Operand:
        """Return what a node is bound to if it is a number."""


def bound_call(node: syntax.Call, binder: Binder) -> Operand:
    """Return a function's value.

    Raises
    ------
    SchemaError
        If the function isn't known here, or its arguments or its duration don't fit.
    """
    name = node.function
    if name not in FUNCTIONS:
        binder.fail(node, f"there is no function {name!r}{nearest(name, FUNCTIONS)}", ExpressionTermError)
    example = f"write such as '{FUNCTIONS[name]}'"
    if len(node.arguments) != 1:
        binder.fail(node, f"expected one argument of {name}, got {len(node.arguments)}; {example}")
    if node.where is not None:
        binder.fail(
            node.where, f"{name}(… where …) belongs to a KPI's formula; {example}, and join the condition by and"
        )
    if name == "abs":
        return _absolute(node, binder, example)
    if not binder.context.has_time:
        binder.fail(node, f"{name} needs a history, which an event doesn't have; use it on an asset type")
    if name == "rate":
        return _rate(node, binder)
    if node.over_ns is None:
        binder.fail(node, f"expected a duration after {name}(…), such as 'over 15 min'; {example}")
    if name == "change":
        return _change(node, binder, node.over_ns)
    return _window(node, binder, node.over_ns)


def _absolute(node: syntax.Call, binder: Binder, example: str) -> Operand:
    if node.over_ns is not None:
        binder.fail(node, f"abs has no duration; {example}")
    part = binder.numeric(node.arguments[0])
    value = bound.Absolute(_value(part), part.shown_unit)
    return Operand(value, "number", node.at, part.unit, part.readings)


def _rate(node: syntax.Call, binder: Binder) -> Operand:
    part = _varying(node, binder)
    unit = per_second(part)
    value = bound.Rate(_value(part), node.over_ns, unit, part.counter, part.wraps_at)
    return number(value, unit, node.at)


def _change(node: syntax.Call, binder: Binder, over_ns: int) -> Operand:
    part = _varying(node, binder)
    step = difference(part)
    value = bound.Change(_value(part), over_ns, step.shown_unit, part.counter, part.wraps_at)
    return Operand(value, "number", node.at, step.unit, step.readings)


def _window(node: syntax.Call, binder: Binder, over_ns: int) -> Operand:
    statistic = cast("Literal['mean', 'min', 'max', 'sum', 'count']", node.function)
    argument = node.arguments[0]
    if isinstance(argument, syntax.CONDITIONS):
        return _window_of_condition(node, binder, over_ns)
    # Bound once: twice at each level of nested functions would take forever.
    part = binder.operand(argument)
    if statistic == "count":
        part = binder.as_number(argument, part) if part.sort in ("words", "text") else part
        return number(bound.Window("count", _value(part), over_ns, "1"), "1", node.at)
    if part.sort == "boolean":
        return _window_of_condition(node, binder, over_ns)
    if part.sort == "state":
        state = next(iter(part.states))
        binder.fail(
            argument,
            f"expected a number, got a state; write such as '{node.function}(… == {state}) over 1h > 50 %', the share of time",
        )
    part = _varying(node, binder, part)
    if statistic == "sum" and part.is_temperature:
        binder.fail(node, "a sum of temperatures has no meaning; write such as 'mean(temperature) over 15 min'")
    value = bound.Window(statistic, _value(part), over_ns, part.shown_unit)
    return Operand(value, "number", node.at, part.unit, part.readings)


def _window_of_condition(node: syntax.Call, binder: Binder, over_ns: int) -> Operand:
    name, argument = node.function, node.arguments[0]
    if name not in ("mean", "min", "max"):
        binder.fail(
            node,
            f"{name} isn't of conditions; write such as 'mean(door == open) over 1h > 50 %', the share of time in which it is true",
        )
    condition = binder.condition(argument)
    if has_relation(condition):
        binder.fail(argument, f"a relation in time can't be inside of {name}(…); write 'in … where' outside of it")
    if not signals_of(condition):
        binder.fail(argument, f"expected a signal in {name}(…), got a condition that never changes")
    value = bound.Window(cast("Literal['mean', 'min', 'max']", name), bound.Indicator(condition), over_ns, "1")
    return number(value, "1", node.at)


def _varying(node: syntax.Call, binder: Binder, found: Operand | None = None) -> Operand:
    """Return the argument of a function, which is bound already if it is given."""
    argument = node.arguments[0]
    part = binder.as_number(argument, binder.operand(argument) if found is None else found)
    if isinstance(part.value, bound.Constant):
        binder.fail(argument, f"expected a signal in {node.function}(…), got a number; it never changes")
    return part


def _value(operand: Operand) -> bound.Value:
    assert operand.value is not None
    return operand.value
