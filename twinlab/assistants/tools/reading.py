"""Tools that read: assets, statistics of signals, conditions, events, KPIs, places, exceptions. Each is a plan of `twinlab.ask`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from twinlab.ask.asking import run_plan
from twinlab.ask.plans.plan import (
    AssetCall,
    AttentionCall,
    EpisodeMeasure,
    EventCall,
    EventMeasure,
    FindCall,
    KpiCall,
    Order,
    Plan,
    Statistic,
    SummaryCall,
    WhereCall,
)
from twinlab.ask.present import present
from twinlab.assistants.results.answers import result_of
from twinlab.assistants.tools.arguments import (
    Arguments,
    Instant,
    Name,
    OfSpan,
    Paged,
    asset_and_id,
    checked_cells,
    known_assets,
    known_name,
    span_of,
)
from twinlab.assistants.tools.call import Call
from twinlab.assistants.tools.tool import Tool
from twinlab.errors import SchemaError
from twinlab.model.basics import Duration

if TYPE_CHECKING:
    from twinlab.assistants.results.schemas import Result

__all__ = ["READING"]

Condition = Annotated[str, Field(min_length=1, max_length=1_000)]
Names = Annotated[list[Name], Field(min_length=1, max_length=200)]
Values = Annotated[dict[Annotated[str, Field(max_length=100)], Name], Field(max_length=10)]
Top = Annotated[int, Field(ge=1, le=100)]


class AssetsArguments(Paged):
    """Arguments of `assets`."""

    asset_type: Name
    """Asset type of the resource twin://model."""
    where: Values = Field(default_factory=dict)
    """Only assets whose property has this value."""


class HistoryArguments(OfSpan, Paged):
    """Arguments of `history_summary`."""

    asset_type: Name
    """Asset type."""
    signal: Name
    """Signal of the type."""
    assets: Names | None = None
    """Ids; by default all."""
    statistic: Statistic = "range"
    """``range`` is mean, least and greatest; ``increase`` is of counters."""
    order: Order | None = None
    """Assets with the highest or lowest value first."""


class FindArguments(OfSpan, Paged):
    """Arguments of `find`."""

    asset_type: Name
    """Asset type."""
    condition: Condition
    """Such as ``temperature > 8 degC and door == 'open'``; signals, properties and states by name, numbers with units."""
    lasting: Duration | None = None
    """Only times of at least this duration, such as ``10min``."""
    assets: Names | None = None
    """Ids; by default all."""
    measure: EpisodeMeasure = "list"
    """The list, how many, how long in all, the share of the time, or which assets."""


class EventsArguments(OfSpan, Paged):
    """Arguments of `events`."""

    event_type: Name
    """Event type of the resource twin://model."""
    measure: EventMeasure = "list"
    """The list, how many, or a statistic of `column`."""
    column: Name | None = None
    """A number of each event: ``start_delay``, ``end_delay``, ``duration`` or a property."""
    condition: Condition | None = None
    """Only events for which it is true, such as ``end_delay > 30 min``."""
    links: Values = Field(default_factory=dict)
    """Only events with this link; ``asset`` is the asset itself."""
    by: Name | None = None
    """A value for each of these: a link, ``asset`` or a property."""
    order: Order | None = None
    """Groups or events with the highest or lowest value first."""
    top: Top | None = None
    """Only so many groups or events."""


class KpiArguments(OfSpan, Paged):
    """Arguments of `kpi`."""

    kpi: Name
    """KPI of the resource twin://model."""
    by: Name | None = None
    """A value for each of these: a property, a relationship, a link or ``asset``."""
    every: Duration | None = None
    """Width of its windows; by default the KPI's own."""


class WhereArguments(Arguments):
    """Arguments of `where`."""

    asset: Name
    """TYPE/ID."""
    at: Instant | None = None
    """When; by default the end of the data."""


class AttentionArguments(Paged):
    """Arguments of `exceptions`."""

    at: Instant | None = None
    """When; by default the end of the data."""
    asset_type: Name | None = None
    """Only of this asset type or event type."""


def _answered(call: Call, made: Any, given: Any, *, notes: tuple[str, ...] = ()) -> Result:  # noqa: ANN401  (any call of a plan)
    """Run a call of a plan; the table is the part that was asked for."""
    twin = call.caller.twin
    answer = run_plan(twin, Plan(question="", call=made))
    rows = min(getattr(given, "limit", 50), call.limits.rows)
    return result_of(answer, twin.model, first=getattr(given, "offset", 0), rows=rows, notes=notes)


def _assets(call: Call, given: AssetsArguments) -> Result:
    twin = call.caller.twin
    kind = known_name(given.asset_type, list(twin.model.asset_types), "asset type")
    made = AssetCall(on=kind, measure="list", where=given.where, at=present(twin).isoformat())
    return _answered(call, made, given)


def _history(call: Call, given: HistoryArguments) -> Result:
    twin = call.caller.twin
    span, notes = span_of(twin, given)
    ids = known_assets(twin, given.asset_type, given.assets)
    known_name(given.signal, list(twin.model.asset_types[given.asset_type].signals), "signal")
    checked_cells(call, given.asset_type, [given.signal], ids, span)
    made = SummaryCall(
        on=given.asset_type, assets=ids, signal=given.signal, statistic=given.statistic, span=span, order=given.order
    )
    return _answered(call, made, given, notes=notes)


def _find(call: Call, given: FindArguments) -> Result:
    twin = call.caller.twin
    span, notes = span_of(twin, given)
    ids = known_assets(twin, given.asset_type, given.assets)
    checked_cells(call, given.asset_type, list(twin.model.asset_types[given.asset_type].signals)[:1], ids, span)
    made = FindCall(
        on=given.asset_type,
        assets=ids,
        condition=given.condition,
        lasting=given.lasting,
        span=span,
        measure=given.measure,
    )
    return _answered(call, made, given, notes=notes)


def _events(call: Call, given: EventsArguments) -> Result:
    twin = call.caller.twin
    span, notes = span_of(twin, given)
    kind = known_name(given.event_type, list(twin.model.event_types), "event type")
    if given.measure not in ("count", "share", "list") and given.column is None:
        msg = f"expected `column` with the measure {given.measure!r}, such as 'end_delay'"
        raise SchemaError(msg)
    if given.measure == "share" and given.condition is None:
        msg = "expected `condition` with the measure 'share', such as 'end_delay > 30 min'"
        raise SchemaError(msg)
    made = EventCall(
        on=kind, measure=given.measure, column=given.column, condition=given.condition, links=given.links, by=given.by,
        span=span, order=given.order, top=given.top,
    )  # fmt: skip
    return _answered(call, made, given, notes=notes)


def _kpi(call: Call, given: KpiArguments) -> Result:
    twin = call.caller.twin
    span, notes = span_of(twin, given)
    name = known_name(given.kpi, list(twin.model.kpis), "KPI")
    every = given.every or twin.model.kpis[name].period
    return _answered(call, KpiCall(kpi=name, by=given.by, every=every, span=span), given, notes=notes)


def _where(call: Call, given: WhereArguments) -> Result:
    twin = call.caller.twin
    kind, asset = asset_and_id(twin, given.asset)
    at = given.at or present(twin).isoformat()
    return _answered(call, WhereCall(on=kind, asset=asset, at=at), given)


def _attention(call: Call, given: AttentionArguments) -> Result:
    twin = call.caller.twin
    kinds = [*twin.model.asset_types, *twin.model.event_types]
    kind = None if given.asset_type is None else known_name(given.asset_type, kinds, "asset type or event type")
    at = given.at or present(twin).isoformat()
    return _answered(call, AttentionCall(at=at, on=kind), given)


READING = (
    Tool("assets", "Assets", "List the assets of a type with their properties. Ids are needed by other tools.",
         AssetsArguments, _assets),
    Tool("history_summary", "Statistics of a signal",
         "Statistics of a signal over a span, of each asset and of all: mean, least, greatest, latest, with coverage and freshness.",
         HistoryArguments, _history),
    Tool("find", "Find times", "Find the times at which a condition on signals was true, with their durations.",
         FindArguments, _find),
    Tool("events", "Recorded events", "Count or list recorded events such as trips and deliveries, or a statistic of their delays.",
         EventsArguments, _events),
    Tool("kpi", "KPI", "A KPI by window, with the least and greatest value that it can have, its coverage, and until when it is settled.",
         KpiArguments, _kpi),
    Tool("where", "Where an asset is", "Where an asset is: in or on which other assets, or near which.", WhereArguments, _where),
    Tool("exceptions", "What needs attention", "The exceptions of all rules at an instant, worst first.", AttentionArguments, _attention),
)  # fmt: skip
