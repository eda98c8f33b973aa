"""Check a plan against the model of a twin: each name exists and has the kind that the call needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.ask.plans.plan import (
    AssetCall,
    AttentionCall,
    EventCall,
    FindCall,
    KpiCall,
    RuleCall,
    SummaryCall,
    WhereCall,
)
from twinlab.errors import SchemaError, TwinlabError, UnknownTermError
from twinlab.model.expressions import AssetContext, EventContext, bind_condition, parse
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from twinlab.ask.plans.plan import Call, Plan, Related
    from twinlab.model.asset_types import AssetType, EventType
    from twinlab.model.twinmodel import TwinModel

__all__ = ["EVENT_NUMBERS", "check_plan"]

#: Numbers that each event has, in minutes.
EVENT_NUMBERS = ("start_delay", "end_delay", "duration")
#: Times that each event may have; a list may be in their order.
EVENT_TIMES = ("planned_start", "start", "planned_end", "end")


def check_plan(plan: Plan, model: TwinModel) -> None:
    """Raise if a plan names what the model doesn't have, or has as something else.

    Raises
    ------
    UnknownTermError
        For a name that the model doesn't have; shows the nearest.
    SchemaError
        For a condition that can't be read, or an argument that doesn't fit.
    """
    if plan.versus is not None and getattr(plan.call, "span", None) is None:
        msg = f"the plan compares with {plan.versus.start}, but its call {plan.call.do!r} has no span"
        raise SchemaError(msg)
    for name, known, what in _names(plan.call, model):
        if name not in known:
            msg = f"the plan names the {what} {name!r}, which the twin doesn't have{nearest(name, known)}"
            raise UnknownTermError(msg)
    _check_statistic(plan.call, model)
    _check_condition(plan.call, model)


def _check_statistic(call: Call, model: TwinModel) -> None:
    if isinstance(call, SummaryCall) and call.statistic == "increase":
        kind = model.asset_types[call.on].signals[call.signal].kind
        if kind != "counter":
            msg = f"the plan asks for the increase of {call.signal!r}, which is a {kind}; expected a counter, or another statistic such as 'range'"
            raise SchemaError(msg)


def _names(call: Call, model: TwinModel) -> Iterator[tuple[str, Iterable[str], str]]:
    if isinstance(call, EventCall):
        yield call.on, model.event_types, "event type"
        yield from _names_of_events(call, model.event_types[call.on])
        return
    if isinstance(call, KpiCall):
        yield call.kpi, model.kpis, "KPI"
        return
    if isinstance(call, RuleCall):
        yield call.rule, model.rules, "rule"
        yield from _of_related(call.related, model)
        return
    if isinstance(call, AttentionCall):
        if call.on is not None:
            yield call.on, [*model.asset_types, *model.event_types], "asset type or event type"
        return
    yield call.on, model.asset_types, "asset type"
    kind = model.asset_types[call.on]
    if isinstance(call, WhereCall):
        return
    yield from _of_related(call.related, model)
    for name in call.where:
        yield name, kind.properties, f"property of {call.on!r}"
    if isinstance(call, SummaryCall):
        yield call.signal, kind.signals, f"signal of {call.on!r}"
    elif isinstance(call, AssetCall):
        yield from _of_columns(call, kind, model)


def _of_related(related: Related | None, model: TwinModel) -> Iterator[tuple[str, Iterable[str], str]]:
    if related is not None:
        yield related.relationship, model.relationships, "relationship"


def _of_columns(call: AssetCall, kind: AssetType, model: TwinModel) -> Iterator[tuple[str, Iterable[str], str]]:
    if call.column is not None:
        yield call.column, kind.properties, f"property of {call.on!r}"
    if call.by is not None:
        links = [name for name, link in model.relationships.items() if link.source == call.on]
        yield call.by, [*kind.properties, *links], f"group of {call.on!r}"
    for name in (call.lacking, call.known):
        if name is not None:
            yield name, kind.properties, f"property of {call.on!r}"
    numbers = [name for name, spec in kind.properties.items() if spec.dtype in ("number", "integer")]
    for limit in call.limits:
        yield limit.column, numbers, f"number among the properties of {call.on!r}"
    times = [name for name, spec in kind.properties.items() if spec.dtype == "time"]
    pairs = [] if call.later is None else [call.later.column, call.later.than]
    pairs += [] if call.elapsed is None else [call.elapsed.since, call.elapsed.until]
    for name in pairs:
        yield name, times, f"time among the properties of {call.on!r}"
    if call.during is not None:
        yield call.during, times, f"time among the properties of {call.on!r}"


def _names_of_events(call: EventCall, kind: EventType) -> Iterator[tuple[str, Iterable[str], str]]:
    links = ["asset", *kind.links]
    numbers = [name for name, spec in kind.properties.items() if spec.dtype in ("number", "integer")]
    for name in call.links:
        yield name, links, f"link of {call.on!r}"
    for name in call.where:
        yield name, kind.properties, f"property of {call.on!r}"
    if call.by is not None:
        yield call.by, [*links, *kind.properties], f"group of {call.on!r}"
    if call.column is not None:
        times = EVENT_TIMES if call.measure == "list" else ()
        yield call.column, [*EVENT_NUMBERS, *numbers, *times], f"number of {call.on!r}"


def _check_condition(call: Call, model: TwinModel) -> None:
    if not isinstance(call, FindCall | EventCall) or call.condition is None:
        return
    context = AssetContext(model, call.on) if isinstance(call, FindCall) else EventContext(model, call.on)
    try:
        bind_condition(parse(call.condition), context)
    except TwinlabError as error:
        msg = f"the condition {call.condition!r} of the plan: {error}"
        raise SchemaError(msg) from error
