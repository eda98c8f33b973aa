"""Formulas of KPIs: aggregates over the time of assets or over events, and arithmetic between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias, get_args

from twinlab.model.expressions import bound, syntax
from twinlab.model.expressions.binder import bind, bind_condition, bind_value
from twinlab.model.expressions.contexts import AssetContext, EventContext, Known
from twinlab.model.expressions.faults import ExpressionError, ExpressionTermError, fault
from twinlab.model.expressions.parser import parse
from twinlab.model.expressions.syntax import Node
from twinlab.model.expressions.walk import has_relation
from twinlab.model.kpis.subjects import Subjects
from twinlab.model.terms import nearest
from twinlab.model.units.spelling import combined
from twinlab.model.units.table import TEMPERATURES

if TYPE_CHECKING:
    from twinlab.model.expressions.contexts import Model as Names

__all__ = [
    "EVENT_FUNCTIONS",
    "TIME_FUNCTIONS",
    "Aggregate",
    "EventAggregate",
    "Formula",
    "TimeAggregate",
    "bind_formula",
]

TimeFunction = Literal["time_share", "time_mean", "time_min", "time_max", "time_total", "total", "kinetic_mean"]
EventFunction = Literal["count", "share", "mean", "median", "quantile", "min", "max", "sum"]

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
#: Function -> example.
TIME_FUNCTIONS: dict[str, str] = {
    "time_share": "time_share(temperature <= upper_limit)",
    "time_mean": "time_mean(temperature)",
    "time_min": "time_min(battery)",
    "time_max": "time_max(temperature)",
    "time_total": "time_total(door == open)",
    "total": "total(odometer)",
    "kinetic_mean": "kinetic_mean(temperature)",
}
EVENT_FUNCTIONS: dict[str, str] = {
    "count": "count(trip where start_delay > 30 min)",
    "share": "share(end_delay <= 15 min)",
    "mean": "mean(end_delay)",
    "median": "median(duration)",
    "quantile": "quantile(duration, 0.9)",
    "min": "min(duration)",
    "max": "max(duration)",
    "sum": "sum(distance where end_delay > 15 min)",
}


@dataclass(frozen=True)
class TimeAggregate:
    """An aggregate over the time of the assets of a type."""

    function: TimeFunction
    asset_type: str
    part: bound.Condition | bound.Value
    unit: str
    # `total` of a rate: how much one of its unit gives in a second, in `unit`. `total` of a counter: None.
    per_s: float | None = None


@dataclass(frozen=True)
class EventAggregate:
    """An aggregate over the events of a type."""

    function: EventFunction
    event_type: str
    # None of `count`.
    part: bound.Condition | bound.Value | None
    unit: str
    where: bound.Condition | None = None
    # Of `quantile` and `median`.
    level: float | None = None


Aggregate: TypeAlias = TimeAggregate | EventAggregate


@dataclass(frozen=True)
class Formula:
    """A formula: `value` is arithmetic whose columns ``#0``, ``#1`` … are the aggregates."""

    text: str
    value: bound.Value
    aggregates: tuple[Aggregate, ...]

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return self.value.unit


@dataclass(frozen=True)
class _Results:
    """The context of a formula: the names of its aggregates."""

    units: Mapping[str, str]
    on: str

    owner = None
    has_time = True

    @property
    def title(self) -> str:
        """For messages."""
        return f"a formula on {self.on!r}"

    def known(self, name: str, *, property_first: bool = False) -> Known | None:  # noqa: ARG002  (a protocol)
        """Return what a name means; None if it isn't known."""
        return Known(bound.Column(name, self.units[name]), "number") if name in self.units else None

    def names(self) -> list[str]:
        """Return the functions, which are all that can be written."""
        return [*TIME_FUNCTIONS, *EVENT_FUNCTIONS]

    def other(self, name: str) -> None:
        """Return None: a result isn't in an asset."""

    def others(self) -> list[str]:
        """Return nothing."""
        return []


def bind_formula(text: str, model: Names, on: str) -> Formula:
    """Return a formula with its names looked up and its units converted.

    Parameters
    ----------
    text : str
        Such as ``"time_share(temperature <= upper_limit)"`` or ``"sum(distance) / count(flight)"``.
    model : Names
    on : str
        Asset type, event type or relationship that the names belong to; see `Subjects`.

    Raises
    ------
    SchemaError
        If it can't be read or an aggregate doesn't fit, an UnknownTermError for a name, a UnitError for units. Each shows the
        formula with a caret below the column.

    >>> from twinlab.model import parse_model
    >>> model = parse_model("{twin: x, asset_types: {room: {signals: {warmth: {unit: degC, resolution: 0.1}}}}}")
    >>> bind_formula("time_max(warmth) - time_min(warmth)", model, "room").unit
    'delta_degC'
    """
    binder = _FormulaBinder(text, model, on)
    outer = binder.without_aggregates(parse(text))
    if not binder.found:
        binder.fail(outer, f"expected a function such as '{binder.example}', got a formula without one")
    units = {f"#{place}": one.unit for place, one in enumerate(binder.found)}
    return Formula(text, bind_value(outer, _Results(units, on), text=text), tuple(binder.found))


class _FormulaBinder:
    def __init__(self, text: str, model: Names, on: str) -> None:
        self.text, self.model, self.on = text, Subjects(model), on
        self.of_events = on in self.model.event_types
        self.found: list[Aggregate] = []

    @property
    def example(self) -> str:
        return EVENT_FUNCTIONS["share"] if self.of_events else TIME_FUNCTIONS["time_share"]

    def fail(
        self, node: Node, message: str, kind: type[ExpressionError | ExpressionTermError] = ExpressionError
    ) -> NoReturn:
        raise fault(self.text, node.at[0], message, kind)

    def without_aggregates(self, node: Node) -> Node:
        """Return a formula's tree with a name in the place of each aggregate."""
        if isinstance(node, syntax.Call) and node.function != "abs":
            self.found.append(self.aggregate(node))
            return syntax.Name(node.at, f"#{len(self.found) - 1}")
        if isinstance(node, syntax.Call):
            return replace(node, arguments=tuple(self.without_aggregates(one) for one in node.arguments))
        if isinstance(node, syntax.Arithmetic):
            return replace(node, left=self.without_aggregates(node.left), right=self.without_aggregates(node.right))
        if isinstance(node, syntax.Negative):
            return replace(node, part=self.without_aggregates(node.part))
        if not isinstance(node, syntax.Number):
            got = self.text[slice(*node.at)]
            self.fail(node, f"expected a number or a function such as '{self.example}', got {got}")
        return node

    def aggregate(self, node: syntax.Call) -> Aggregate:
        name = node.function
        if name not in TIME_FUNCTIONS and name not in EVENT_FUNCTIONS:
            known = nearest(name, [*TIME_FUNCTIONS, *EVENT_FUNCTIONS])
            self.fail(node, f"there is no function {name!r} of formulas{known}", ExpressionTermError)
        if node.over_ns is not None:
            self.fail(node, f"{name} is of a KPI's whole window; remove 'over …', or use it inside the function")
        if name == "count":
            return self.count(node)
        if (name in EVENT_FUNCTIONS) != self.of_events:
            functions = EVENT_FUNCTIONS if self.of_events else TIME_FUNCTIONS
            other = "the time of assets" if self.of_events else "events"
            is_what = "an event type" if self.of_events else "an asset type"
            close = f"time_{name}" if f"time_{name}" in functions else ""
            hint = f"; did you mean {close!r}?" if close else f"; known: {', '.join(functions)}"
            self.fail(node, f"{name} is of {other}, and {self.on!r} is {is_what}{hint}")
        wanted = 2 if name == "quantile" else 1
        if len(node.arguments) != wanted:
            example = {**TIME_FUNCTIONS, **EVENT_FUNCTIONS}[name]
            self.fail(
                node,
                f"expected {wanted} argument{'s' * (wanted > 1)} of {name}, got {len(node.arguments)}; write such as '{example}'",
            )
        return self.of_event(node) if self.of_events else self.of_time(node)

    def count(self, node: syntax.Call) -> EventAggregate:
        (first, *more) = node.arguments
        if more or not isinstance(first, syntax.Name) or first.owner is not None:
            self.fail(node, f"expected an event type, such as '{EVENT_FUNCTIONS['count']}'")
        if first.name not in self.model.event_types:
            known = nearest(first.name, self.model.event_types)
            self.fail(first, f"there is no event type {first.name!r}{known}", ExpressionTermError)
        where = self.where(node, first.name)
        return EventAggregate("count", first.name, None, "1", where)

    def where(self, node: syntax.Call, event_type: str) -> bound.Condition | None:
        if node.where is None:
            return None
        return bind_condition(node.where, EventContext(self.model, event_type), text=self.text)

    def of_event(self, node: syntax.Call) -> EventAggregate:
        context, function = EventContext(self.model, self.on), node.function
        where = self.where(node, self.on)
        if function == "share":
            return EventAggregate(
                "share", self.on, bind_condition(node.arguments[0], context, text=self.text), "1", where
            )
        value = self.value(node.arguments[0], context)
        level = 0.5 if function == "median" else None
        if function == "quantile":
            second = node.arguments[1]
            if not isinstance(second, syntax.Number) or second.unit is not None or not 0 <= second.value <= 1:
                self.fail(second, f"expected a number from 0 to 1, such as '{EVENT_FUNCTIONS['quantile']}'")
            level = second.value
        if function == "sum" and value.unit in TEMPERATURES:
            self.fail(node, "a sum of temperatures has no meaning; take their mean")
        return EventAggregate(function, self.on, value, value.unit, where, level)  # type: ignore[arg-type]

    def value(self, node: Node, context: AssetContext | EventContext) -> bound.Value:
        value = bind_value(node, context, text=self.text)
        if value.unit in (bound.TIME, ""):
            what = "a time" if value.unit == bound.TIME else "a text"
            self.fail(node, f"expected a number, got {self.text[slice(*node.at)]}, which is {what}")
        return value

    def of_time(self, node: syntax.Call) -> TimeAggregate:
        function, argument = node.function, node.arguments[0]
        # Of relationships as events, each would be there twice.
        context = AssetContext(self.model.model, self.on)
        if node.where is not None:
            self.fail(node.where, f"{function} has no where; join conditions by and inside {function}(…)")
        if function in ("time_share", "time_total"):
            condition = bind_condition(argument, context, text=self.text)
            if has_relation(condition):
                inside = self.text[slice(*argument.at)]
                self.fail(
                    argument,
                    f"{function} can't be of a relation in time: what isn't known of the other assets would have no bounds; find "
                    f"its spans, found = twin.find({inside!r}, on={self.on!r}), and add them up by window, "
                    "tl.events.timeline(found, every='1d')",
                )
            return TimeAggregate(function, self.on, condition, "1" if function == "time_share" else "h")  # type: ignore[arg-type]
        known = bind(argument, context, text=self.text)
        if isinstance(known, get_args(bound.Condition)):
            self.fail(argument, f"expected a value in {function}(…), got a condition; time_share takes conditions")
        value = self.value(argument, context)
        if isinstance(value, bound.Signal) and self.model.asset_types[self.on].signals[value.name].states:
            self.fail(argument, f"{value.name} is a state; write such as 'time_share({value.name} == …)'")
        if function == "total":
            return self.total(argument, value)
        if function == "kinetic_mean" and value.unit not in TEMPERATURES:
            self.fail(argument, f"expected a temperature in kinetic_mean(…), got a value in {value.unit!r}")
        return TimeAggregate(function, self.on, value, "K" if function == "kinetic_mean" else value.unit)  # type: ignore[arg-type]

    def total(self, node: Node, value: bound.Value) -> TimeAggregate:
        """Return the rise of a counter, or a rate summed up over time."""
        if isinstance(value, bound.Signal) and self.model.asset_types[self.on].signals[value.name].kind == "counter":
            return TimeAggregate("total", self.on, value, value.unit)
        if value.unit in TEMPERATURES or value.unit == "1":
            self.fail(
                node, f"expected a counter or a rate in total(…), such as km/h or kW, got a value in {value.unit!r}"
            )
        # km/h gives km, kW gives kW·h.
        period = next((one for one in _SECONDS if value.unit.endswith(f"/{one}")), "h")
        return TimeAggregate("total", self.on, value, combined(value.unit, period), 1 / _SECONDS[period])
