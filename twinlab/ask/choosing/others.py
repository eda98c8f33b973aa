"""Choose the calls of other questions: a KPI, where an asset is, what needs attention, how many assets there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from twinlab.ask.plans.plan import AssetCall, AttentionCall, KpiCall, Limit, Span, WhereCall
from twinlab.errors import TwinlabError
from twinlab.model.units import convert

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.parsing.quantities import Quantity
    from twinlab.model.asset_types import AssetType
    from twinlab.model.kpis.formulas import Formula

__all__ = ["asset_call", "attention_call", "kpi_call", "where_call"]

_DAY = pd.Timedelta(days=1)


def where_call(frame: Frame) -> WhereCall | None:
    """Return a call for the place of an asset; None if the question doesn't ask where one is."""
    if not frame.items.has("where"):
        return None
    named = frame.assets
    if not named and frame.items.has("highest", "lowest", "highest ", "lowest "):
        # "Where was it coldest" asks which asset.
        frame.items.take("where")
        return None
    if not named:
        frame.refuse("which_asset")
    frame.items.take("where")
    frame.items.take("now", "latest")
    place, meanings = named[0]
    types = frame.asset_types
    fitting = [one for one in meanings if one.of in types] or meanings
    if len({one.of for one in fitting}) > 1:
        frame.refuse("which_type", signal=fitting[0].name, types=", ".join(sorted({one.of for one in fitting})))
    frame.items.use(place)
    frame.take_asset_type(fitting[0].of)
    return WhereCall(on=fitting[0].of, asset=fitting[0].name, at=frame.at.isoformat())


def attention_call(frame: Frame) -> AttentionCall | None:
    """Return a call for the exceptions of all rules; None if the question doesn't ask for them."""
    if not frame.items.take("attention"):
        return None
    types = frame.asset_types
    if types:
        frame.take_asset_type(types[0])
    frame.items.take("count")
    return AttentionCall(at=frame.at.isoformat(), on=types[0] if types else None)


def kpi_call(frame: Frame) -> KpiCall | None:
    """Return a call for a KPI of the model; None if the question names none."""
    named = list(frame.items.unused("kpi"))
    if not named or frame.comparisons:
        return None
    place, meanings = named[0]
    if len(meanings) > 1:
        types = {*frame.asset_types, *(one.name for _, found in frame.items.unused("event_type") for one in found)}
        meanings = [one for one in meanings if one.of in types]
        if len(meanings) != 1:
            return None
    kpi = frame.model.kpis[meanings[0].name]
    if _other_number(frame, kpi.bound(frame.model)):
        frame.refuse("kpi_measure", kpi=kpi.title or meanings[0].name)
    frame.items.use(place)
    by, group = _group(frame, kpi.on)
    span = frame.span_of_events(kpi.on) if kpi.on in frame.model.event_types else frame.span
    start, stop = pd.Timestamp(span.start), pd.Timestamp(span.stop)
    if not frame.whens and stop > frame.data.stop:
        # The last day isn't over: with it the KPI could be anything.
        stop = max(stop.floor("1D"), frame.data.stop)
        span = Span(start=span.start, stop=stop.isoformat())
    whole = Span(start=start.floor("1D").isoformat(), stop=stop.ceil("1D").isoformat())
    if whole != span:
        frame.note("whole_days")
    order = frame.items.take("highest", "lowest")
    frame.items.take("mean", "share", "sum", "count", "how_long", "delay")
    frame.take_asset_type(kpi.on)
    for other, found in frame.items.unused("event_type"):
        if any(one.name == kpi.on for one in found):
            frame.items.use(other)
    return KpiCall(
        kpi=meanings[0].name, by=by, group=group, every=f"{(stop.ceil('1D') - start.floor('1D')).days}d", span=whole, order=order, top=frame.top or (1 if order else None),
    )  # fmt: skip


def _other_number(frame: Frame, formula: Formula) -> bool:
    """Return whether the question asks for a number that the KPI isn't: how many, of a share; the mean, of a sum."""
    if formula.unit == "%" or formula.text.startswith(("share(", "time_share(")):
        return frame.items.has("count")
    added_up = formula.text.startswith(("sum(", "total(", "count("))
    return added_up and frame.items.has("mean", "median", "share")


def _group(frame: Frame, on: str) -> tuple[str | None, str | None]:
    """Return what a KPI is grouped by, and the one group that is asked for."""
    model = frame.model
    links = dict(model.event_types[on].links) if on in model.event_types else {}
    related = {name: link.target for name, link in model.relationships.items() if link.source == on}
    properties = (
        model.event_types[on].properties
        if on in model.event_types
        else model.asset_types[on].properties
        if on in model.asset_types
        else {}
    )
    targets = links | related
    for place, one in frame.take_group():
        if (one.kind in ("link", "relationship") and one.name in targets) or (
            one.kind == "property" and one.name in properties
        ):
            frame.items.use(place)
            return one.name, None
        if one.kind == "asset_type" and one.name == on:
            frame.items.use(place)
            return "asset", None
        if one.kind == "asset_type":
            fitting = [name for name, target in targets.items() if target == one.name]
            if fitting:
                frame.items.use(place)
                chosen = _preferred(frame, fitting, on)
                if len(fitting) > 1:
                    frame.note("link", name=chosen, text=frame.items[place].text)
                return chosen, None
    for place, meanings in frame.assets:
        for one in meanings:
            if one.of == on:
                frame.items.use(place)
                return "asset", one.name
            fitting = [name for name, target in targets.items() if target == one.of]
            if fitting:
                chosen = _preferred(frame, fitting, on)
                if frame.preceded_by(place, "from") and "origin" in fitting:
                    chosen = "origin"
                elif frame.preceded_by(place, "to") and "destination" in fitting:
                    chosen = "destination"
                elif len(fitting) > 1:
                    frame.note("link", name=chosen, text=frame.items[place].text)
                frame.items.use(place)
                frame.take_asset_type(one.of)
                return chosen, one.name
    return None, None


def _preferred(frame: Frame, names: list[str], on: str) -> str:
    """Return the group that the KPIs of the model name first."""
    stated = [group for kpi in frame.model.kpis.values() if kpi.on == on for group in kpi.groups]
    return next((name for name in stated if name in names), names[0])


def asset_call(frame: Frame) -> AssetCall | None:
    """Return a call about assets themselves; None if the question names no asset type and no asset."""
    types = frame.asset_types or list(dict.fromkeys(one.of for _, found in frame.assets for one in found))
    if not types:
        having = {
            one.of for _, found in frame.items.unused("property") for one in found if one.of in frame.model.asset_types
        }
        types = list(having) if len(having) == 1 else []
    if not types:
        return None
    on, kind = types[0], frame.model.asset_types[types[0]]
    frame.items.take("now", "latest")
    where = frame.take_ends(on) | _equal_numbers(frame, on)
    # "Which trucks are based in Hamburg": the hub is what they are linked to.
    related = frame.take_related(on)
    by = _counted_by(frame, on)
    frame.take_asset_type(on)
    limits, lacking = _limits(frame, on), _lacking(frame, on)
    column, during = _property(frame, on)
    counted = frame.items.take("count") is not None
    order, hint = _order(frame)
    if hint in kind.properties and column is None:
        column = hint
    if column is not None and kind.properties[column].dtype == "boolean":
        where[column], column = ("False" if frame.items.take("not") else "True"), None
    if order is not None and column is None:
        frame.refuse("order")
    known = None
    if (
        column is not None
        and kind.properties[column].dtype == "time"
        and order is None
        and (counted or (frame.which_type and not frame.items.has("when")))
    ):
        # "How many parcels are delivered": those that have the time.
        known, column = column, None
    measure = "count" if counted or by is not None else "list"
    for symbol, name in (("mean", "mean"), ("maximum", "max"), ("minimum", "min"), ("sum", "sum")):
        if frame.items.take(symbol):
            measure = name
    if measure in ("mean", "min", "max", "sum") and (
        column is None or kind.properties[column].dtype not in ("number", "integer")
    ):
        frame.refuse("no_number", type=kind.title or on)
    span = None
    if during is not None and frame.whens:
        span = frame.span
    elif during is None and frame.whens and frame.whens[0].whole and measure == "count" and related is None:
        frame.refuse("no_time_of_assets", type=kind.title or on)
    return AssetCall(
        on=on, measure=measure, column=column, assets=frame.take_assets(on) or None, where=where | frame.take_values(on), related=related,
        span=span, during=during if span else None, limits=limits, by=by, lacking=lacking, known=known, at=frame.at.isoformat(), order=order, top=frame.top or (1 if order and frame.which_type else None),
    )  # fmt: skip


def _order(frame: Frame) -> tuple[Literal["highest", "lowest"] | None, str]:
    """Return which end is asked for first, and the property that the word implies ("heaviest")."""
    found = frame.items.take("highest", "lowest", "highest ", "lowest ")
    if found is None:
        return None, ""
    direction, _, hint = found.partition(" ")
    return ("highest" if direction == "highest" else "lowest"), hint


def _equal_numbers(frame: Frame, on: str) -> dict[str, str]:
    """Use numbers right before a property: "aircraft with 2 engines"."""
    found: dict[str, str] = {}
    for place in range(len(frame.items) - 1):
        if not frame.items.free(place) or frame.items[place].kind != "number" or not frame.items.free(place + 1):
            continue
        for one in frame.items[place + 1].of_kind("property"):
            if one.of == on and frame.model.asset_types[on].properties[one.name].dtype in ("number", "integer"):
                found[one.name] = frame.items[place].text
                frame.items.use(place, place + 1)
                break
    return found


def _counted_by(frame: Frame, on: str) -> str | None:
    """Use what assets are counted by: "trucks per hub", "aircraft by manufacturer"."""
    model = frame.model
    for place in range(len(frame.items) - 1):
        if not frame.items.is_symbol(place, "by") or not frame.items.free(place + 1):
            continue
        for one in frame.items[place + 1].of_kind("property", "asset_type", "relationship"):
            names = [
                name for name, link in model.relationships.items()
                if link.source == on and one.name == (link.target if one.kind == "asset_type" else name)
            ]  # fmt: skip
            if one.kind == "property" and one.of == on and model.asset_types[on].properties[one.name].dtype == "text":
                names = [one.name]
            if names:
                frame.items.use(place, place + 1)
                if len(names) > 1:
                    frame.note("relationship", name=names[0])
                return names[0]
    return None


def _limits(frame: Frame, on: str) -> list[Limit]:
    """Use comparisons of a property with a number: "heavier than 10 kg", "with more than 200 seats"."""
    found: list[Limit] = []
    kind = frame.model.asset_types[on]
    numbers = [name for name, one in kind.properties.items() if one.dtype in ("number", "integer")]
    for comparison in list(frame.comparisons):
        name = comparison.hint if comparison.hint in numbers else ""
        for place, meanings in () if name else frame.items.unused("property"):
            name = next((one.name for one in meanings if one.of == on and one.name in numbers), "")
            if name:
                frame.items.use(place)
                break
        if name:
            frame.comparisons.remove(comparison)
            found += [_limit(frame, kind, name, sign, quantity) for sign, quantity in comparison.bounds]
    return found


def _limit(frame: Frame, kind: AssetType, name: str, sign: str, quantity: Quantity) -> Limit:
    unit, number = kind.properties[name].unit, quantity.number
    if quantity.unit is not None:
        try:
            number = float(convert(number, quantity.unit, unit or "1"))
        except TwinlabError:
            frame.refuse("comparison")
    elif unit:
        frame.note("unit", number=f"{number:g}", unit=unit)
    return Limit.model_validate({"column": name, "sign": sign, "number": number})


def _lacking(frame: Frame, on: str) -> str | None:
    """Use a time that hasn't come: "not delivered yet"."""
    properties = frame.model.asset_types[on].properties
    if frame.whens or not frame.items.has("not"):
        return None
    for place, found in frame.items.unused("property"):
        for one in found:
            if one.of == on and properties[one.name].dtype == "time":
                frame.items.use(place)
                frame.items.take("not")
                return one.name
    return None


def _property(frame: Frame, on: str) -> tuple[str | None, str | None]:
    """Return the property that is asked for, and the time that has to be in the span."""
    column: str | None = None
    during: str | None = None
    kind = frame.model.asset_types[on]
    for place, found in frame.items.unused("property"):
        for one in found:
            if one.of != on:
                continue
            if kind.properties[one.name].dtype == "time" and frame.whens and during is None:
                during = one.name
            elif column is None:
                column = one.name
            else:
                continue
            frame.items.use(place)
            break
    return column, during
