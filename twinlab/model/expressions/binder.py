"""Syntax tree -> bound tree: names are looked up in a context, and units are converted."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Literal, NoReturn, cast

from twinlab.errors import UnitError
from twinlab.model.expressions import bound, syntax
from twinlab.model.expressions.contexts import Context, Known
from twinlab.model.expressions.faults import ExpressionError, ExpressionTermError, ExpressionUnitError, Pointing, fault
from twinlab.model.expressions.functions import bound_call
from twinlab.model.expressions.operands import Operand, matched, number, product, total
from twinlab.model.expressions.parser import nearest_keyword, parse
from twinlab.model.expressions.syntax import Node
from twinlab.model.terms import nearest
from twinlab.model.units import canonical_unit

__all__ = ["bind", "bind_condition", "bind_value"]

_EXAMPLE = "'temperature > 8 degC'"


def bind(expression: str | Node, context: Context, *, text: str = "") -> bound.Condition | bound.Value:
    """Return an expression with its names looked up and its units converted: a condition, or a value.

    Parameters
    ----------
    expression : str or Node
        Text, or a tree or part of one that `parse` returned.
    context : AssetContext, EventContext or DatasetContext
    text : str
        The whole text that a node was parsed from: messages show it.

    Raises
    ------
    SchemaError
        If the expression can't be read, or compares what can't be compared.
    UnknownTermError
        If a name isn't known in the context; the message shows the nearest one.
    UnitError
        If a unit is unknown, or two don't measure the same thing.

    >>> from twinlab.model import parse_model
    >>> model = parse_model("{twin: x, asset_types: {room: {signals: {warmth: {unit: degC, resolution: 0.1}}}}}")
    >>> from twinlab.model.expressions import AssetContext
    >>> bind("warmth > 50 degF", AssetContext(model, "room")).right
    Constant(value=10.0, unit='degC')
    """
    node, text = (parse(expression), expression) if isinstance(expression, str) else (expression, text)
    binder = _Binder(context, text)
    if isinstance(node, syntax.CONDITIONS):
        return binder.condition(node)
    found = binder.operand(node)
    return binder.truth(found, node) if found.sort == "boolean" else binder.value(found, node)


def bind_condition(expression: str | Node, context: Context, *, text: str = "") -> bound.Condition:
    """Return a bound condition, as `bind`; a value is an error."""
    node, text = (parse(expression), expression) if isinstance(expression, str) else (expression, text)
    return _Binder(context, text).condition(node)


def bind_value(expression: str | Node, context: Context, *, text: str = "") -> bound.Value:
    """Return a bound value, as `bind`; a condition is an error."""
    node, text = (parse(expression), expression) if isinstance(expression, str) else (expression, text)
    binder = _Binder(context, text)
    return binder.value(binder.operand(node), node)


class _Binder:
    def __init__(self, context: Context, text: str) -> None:
        self.context = context
        self.text = text

    def fault(self, node: Node | syntax.At, message: str, kind: type[Pointing] = ExpressionError) -> Pointing:
        return fault(self.text, node[0] if isinstance(node, tuple) else node.at[0], message, kind)

    def fail(
        self, node: Node | syntax.At, message: str | UnitError, kind: type[Pointing] = ExpressionError
    ) -> NoReturn:
        raise self.fault(node, str(message), ExpressionUnitError if isinstance(message, UnitError) else kind) from None

    # -- conditions

    def condition(self, node: Node) -> bound.Condition:  # noqa: PLR0911  (one for each kind of node)
        if isinstance(node, syntax.Comparison):
            return self.comparison(node)
        if isinstance(node, syntax.And):
            return bound.All(tuple(self.condition(part) for part in node.parts))
        if isinstance(node, syntax.Or):
            return bound.Any(tuple(self.condition(part) for part in node.parts))
        if isinstance(node, syntax.Not):
            return bound.Not(self.condition(node.part))
        if isinstance(node, syntax.ForAtLeast):
            self.over_time(node, "'for at least'")
            return bound.ForAtLeast(self.condition(node.part), node.duration_ns)
        if isinstance(node, syntax.WithinAfter):
            self.over_time(node, "'within … after'")
            return bound.WithinAfter(self.condition(node.part), node.duration_ns, self.condition(node.earlier))
        if isinstance(node, syntax.Related):
            return self.related(node)
        if isinstance(node, syntax.Boolean):
            return bound.Truth(node.value)
        return self.truth(self.operand(node), node)

    def over_time(self, node: Node, what: str) -> None:
        if not self.context.has_time:
            self.fail(
                node,
                f"expected a condition of single events, got {what}, which needs a history; use it on an asset type",
            )

    def truth(self, found: Operand, node: Node) -> bound.Condition:
        if found.sort == "boolean":
            return bound.Compare("==", cast("bound.Value", found.value), bound.Constant(1.0, "1"))
        if found.sort == "words":
            self.unknown(node, found)
        what = self.spelt(node.at) or "a value"
        if found.sort == "state":
            self.fail(
                node,
                f"expected a condition, got the state {what}; write such as '{what} == {next(iter(found.states))}'",
            )
        msg = f"expected a condition such as {_EXAMPLE}, got the value {what}; compare it by > or < with a limit"
        raise self.fault(node, msg)

    def comparison(self, node: syntax.Comparison) -> bound.Condition:
        left = self.operand(node.left)
        right = self.right_side(node.right, left)
        states = next((one for one in (left, right) if one.sort == "state"), None)
        if states is not None:
            return self.state(node, *((left, right) if states is left else (right, left)))
        for one, other in ((left, right), (right, left)):
            if one.sort == "text":
                return self.same_text(node, one, other)
            if one.sort == "boolean":
                return self.same_truth(node, one, other)
        if "time" in (left.sort, right.sort):
            return bound.Compare(node.operator, self.instant(left, node.left), self.instant(right, node.right))
        for one, part in ((left, node.left), (right, node.right)):
            if one.sort == "words":
                self.unknown(part, one)
        try:
            return bound.Compare(node.operator, *matched(left, right))
        except UnitError as error:
            self.fail(self.unit_place(node), error)

    def right_side(self, node: Node, left: Operand) -> Operand:
        if left.sort == "state" and (spelt := self.spelt(node.at)) in left.states:
            # Also a name such as "half-open", which otherwise is a difference.
            return Operand(None, "words", node.at, text=spelt)
        return self.operand(node, property_first=isinstance(node, syntax.Name))

    def spelt(self, at: syntax.At) -> str:
        return " ".join(self.text[slice(*at)].split())

    def unit_place(self, node: syntax.Comparison) -> syntax.At:
        """Return the columns of a comparison's number, whose unit probably is the wrong one, else those of the right side."""
        return (
            node.left.at
            if isinstance(node.left, syntax.Number) and not isinstance(node.right, syntax.Number)
            else node.right.at
        )

    def equality(self, node: syntax.Comparison, what: str, choices: str) -> Literal["==", "!="]:
        if node.operator not in ("==", "!="):
            self.fail(node, f"{what}: compare it by == or != with {choices}; got '{node.operator}'")
        return node.operator

    def state(self, node: syntax.Comparison, state: Operand, other: Operand) -> bound.Condition:
        names = ", ".join(state.states)
        what = f"{self.spelt(state.at) or 'this'} is a state"
        operator = self.equality(node, what, f"one of {names}")
        value = cast("bound.Value", state.value)
        for text in (self.spelt(other.at), other.text):
            if text in state.states:
                return bound.Compare(operator, value, bound.Constant(state.states[text], "1"))
        if other.sort == "state" and other.states == state.states:
            return bound.Compare(operator, value, cast("bound.Value", other.value))
        got = other.text or self.spelt(other.at) or "another value"
        close = nearest(got, state.states) if len(state.states) > 1 else ""
        close = close if close.startswith("; did you mean") else ""
        msg = f"{what}: compare it by {operator} with one of {names}; got '{got}'{close}"
        raise self.fault(other.at, msg)

    def same_text(self, node: syntax.Comparison, text: Operand, other: Operand) -> bound.Condition:
        what = self.spelt(text.at) or "the text"
        if other.sort != "words":
            got = self.spelt(other.at) or "another value"
            self.fail(
                text.at,
                f"expected a number with its unit or a number property to compare with {got}, got {what}, which is a text",
            )
        operator = self.equality(node, f"{what} is a text", "a text in quotes")
        equal = bound.TextEquals(cast("bound.Property", text.value), other.text)
        return equal if operator == "==" else bound.Not(equal)

    def same_truth(self, node: syntax.Comparison, one: Operand, other: Operand) -> bound.Condition:
        if other.sort != "boolean" and isinstance(one.value, bound.Constant):
            what = self.spelt(other.at)
            self.fail(
                other.at, f"expected something that is true or false to compare with {self.spelt(one.at)}, got {what}"
            )
        what = f"{self.spelt(one.at) or 'this'} is true or false"
        operator = self.equality(node, what, "true or false")
        if other.sort != "boolean":
            self.fail(other.at, f"{what}: compare it with true or false, got {self.spelt(other.at)}")
        return bound.Compare(operator, cast("bound.Value", one.value), cast("bound.Value", other.value))

    def instant(self, operand: Operand, node: Node) -> bound.Value:
        if operand.sort == "time":
            return cast("bound.Value", operand.value)
        if operand.sort == "words":
            if isinstance(node, syntax.Name):
                self.unknown(node, operand)
            try:
                found = datetime.fromisoformat(operand.text)
            except ValueError:
                self.fail(node, f"expected a time such as '2026-01-31' or '2026-01-31T08:00', got '{operand.text}'")
            found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
            return bound.Constant(found.timestamp(), bound.TIME)
        msg = "expected a time to compare with a time; write it in quotes, such as '2026-01-31T08:00'"
        raise self.fault(node, msg)

    def related(self, node: syntax.Related) -> bound.Condition:
        context = self.context
        self.over_time(node, "'in … where'")
        if node.subject is not None and node.subject != context.owner:
            self.fail(
                node,
                f"expected '{context.owner}' before 'in', got '{node.subject}': the condition is of {context.title}",
            )
        found = context.other(node.other)
        if found is None or not found[1]:
            what = (
                f"{context.title} isn't in any {node.other!r}"
                if found
                else f"there is no asset type {node.other!r} to be in"
            )
            self.fail(node, f"{what}{nearest(node.other, context.others())}", ExpressionTermError)
        other, ways = found
        chosen = ways if node.via is None else [way for way in ways if way.via == node.via]
        if not chosen:
            known = nearest(node.via or "", [way.via for way in ways])
            self.fail(
                node,
                f"no relationship or event {node.via!r} leads from {context.owner} to {node.other}{known}",
                ExpressionTermError,
            )
        located = [way for way in chosen if way.locates]
        if len(located) == 1:
            chosen = located
        if len(chosen) > 1:
            names = " or ".join(way.via for way in chosen)
            self.fail(
                node,
                f"{context.owner} is in {node.other} by {names}; write the one, such as 'in {node.other} via {chosen[0].via} where …'",
            )
        condition = _Binder(other, self.text).condition(node.condition)
        return bound.Related(node.other, chosen[0].via, chosen[0].link, condition)

    # -- values

    def value(self, operand: Operand, node: Node) -> bound.Value:
        if operand.sort == "words":
            self.unknown(node, operand)
        value = cast("bound.Value", operand.value)
        return bound.Constant(value.value, operand.shown_unit) if isinstance(value, bound.Constant) else value

    def operand(self, node: Node, *, property_first: bool = False) -> Operand:
        if isinstance(node, syntax.Number):
            return self.number(node)
        if isinstance(node, syntax.Name):
            return self.named(node, property_first=property_first)
        if isinstance(node, syntax.Text):
            return Operand(None, "words", node.at, text=node.value)
        if isinstance(node, syntax.Boolean):
            return Operand(bound.Constant(float(node.value), "1"), "boolean", node.at)
        if isinstance(node, syntax.Negative):
            part = self.numeric(node.part)
            return product("*", part, number(bound.Constant(-1.0, "1"), None, node.at), node.at)
        if isinstance(node, syntax.Arithmetic):
            return self.arithmetic(node)
        if isinstance(node, syntax.Call):
            return bound_call(node, self)
        msg = "expected a value, got a condition; join conditions by and, or and not"
        raise self.fault(node, msg)

    def number(self, node: syntax.Number) -> Operand:
        if node.unit is None:
            return number(bound.Constant(node.value, "1"), None, node.at)
        try:
            unit = canonical_unit(node.unit)
        except UnitError as error:
            column = node.at[1] - len(node.unit)
            word = nearest_keyword(node.unit)
            if word:
                self.fail(
                    (column, node.at[1]), f"unknown unit {node.unit!r}; did you mean '{word}'?", ExpressionUnitError
                )
            self.fail((column, node.at[1]), error)
        return number(bound.Constant(node.value, unit), unit, node.at, literal=True)

    def named(self, node: syntax.Name, *, property_first: bool = False) -> Operand:
        context = self.context
        if node.owner is not None and node.owner != context.owner:
            near = get_close_matches(node.owner, [context.owner or ""], n=1, cutoff=0.6)
            hint = f"write {near[0]}.{node.name}" if near else f"write {node.name} alone"
            if node.owner in context.others():
                hint = f"write 'in {node.owner} where {node.owner}.{node.name} …'"
            self.fail(
                node, f"expected a name of {context.title}, got {node.owner}.{node.name}; {hint}", ExpressionTermError
            )
        known = context.known(node.name, property_first=property_first)
        if known is None:
            if node.owner is not None:
                self.unknown(node, Operand(None, "words", node.at, text=node.name))
            return Operand(None, "words", node.at, text=node.name)
        if known.refused:
            self.fail(node, known.refused)
        return _operand_of(known, node.at)

    def unknown(self, node: Node, operand: Operand) -> NoReturn:
        if isinstance(node, syntax.Text):
            self.fail(
                node,
                f"expected a number, a name or a time, got the text '{operand.text}'; a text is compared with a text or a state",
            )
        known = nearest(operand.text, self.context.names())
        what = "signal or property" if self.context.has_time else "column"
        self.fail(node, f"there is no {what} {operand.text!r} of {self.context.title}{known}", ExpressionTermError)

    def numeric(self, node: Node) -> Operand:
        """Return a number; anything else is an error."""
        return self.as_number(node, self.operand(node))

    def as_number(self, node: Node, found: Operand) -> Operand:
        """Return what a node is bound to if it is a number."""
        if found.sort == "words":
            self.unknown(node, found)
        if found.sort != "number":
            what = {"state": "a state", "text": "a text", "boolean": "true or false", "time": "a time"}[found.sort]
            self.fail(node, f"expected a number, got {self.spelt(node.at) or 'a value'}, which is {what}")
        return found

    def arithmetic(self, node: syntax.Arithmetic) -> Operand:
        left, right = (self.operand(part) for part in (node.left, node.right))
        if "time" in (left.sort, right.sort):
            return self.time_arithmetic(node, left, right)
        left, right = self.as_number(node.left, left), self.as_number(node.right, right)
        try:
            if node.operator in ("+", "-"):
                return total(node.operator, left, right, node.at)
            return product(cast("Literal['*', '/']", node.operator), left, right, node.at)
        except UnitError as error:
            self.fail(node.right, error)

    def time_arithmetic(self, node: syntax.Arithmetic, left: Operand, right: Operand) -> Operand:
        sign = node.operator
        if sign == "-" and left.sort == right.sort == "time":
            value = bound.Arithmetic("-", cast("bound.Value", left.value), cast("bound.Value", right.value), "s")
            return number(value, "s", node.at)
        if left.sort == "time" and right.sort == "number" and sign in ("+", "-"):
            try:
                _, seconds = matched(number(bound.Constant(0.0, "s"), "s", node.at), right)
            except UnitError as error:
                self.fail(node.right, error)
            if right.unit is not None:
                return Operand(
                    bound.Arithmetic(sign, cast("bound.Value", left.value), seconds, bound.TIME), "time", node.at
                )
        msg = "expected a time plus or minus a duration such as 10 min, or the difference of two times"
        raise self.fault(node, msg)


def _operand_of(known: Known, at: syntax.At) -> Operand:
    if known.sort == "number":
        found = number(known.value, known.value.unit, at)
        return Operand(
            found.value, "number", at, found.unit, found.readings, counter=known.counter, wraps_at=known.wraps_at
        )
    return Operand(known.value, known.sort, at, states=known.states)
