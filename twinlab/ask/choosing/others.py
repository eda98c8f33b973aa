"""Choose the calls of other questions: a KPI, where an asset is, what needs attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from twinlab.ask.plans.plan import AttentionCall, KpiCall, Span, WhereCall

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.kpis.formulas import Formula

__all__ = ["attention_call", "kpi_call", "where_call"]

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
    formula = kpi.bound(frame.model)
    share = formula.unit == "%" or formula.text.startswith("share(")
    if _other_number(frame, formula) or (share and _names_events(frame, place, kpi.on)):
        frame.refuse("kpi_measure", kpi=kpi.title or meanings[0].name)
    frame.items.use(place)
    by, group, groups = _groups(frame, kpi.on)
    whole = _whole_days(frame, kpi)
    title = kpi.title or meanings[0].name
    if kpi.on in frame.model.event_types and kpi.unit == "%" and not frame.items.has("share"):
        frame.note("kpi_share", kpi=title)
    _read_target(frame, kpi, title)
    if kpi.target is None and frame.items.has("best", "worst"):
        # Whether more is better, only a target says.
        frame.refuse("no_target", kpi=title)
    order = _best_or_worst(frame, kpi.target) or frame.items.take("highest", "lowest")
    if order is not None and frame.per is None and (by is None or group is not None):
        # "The longest stay" isn't the mean of all.
        frame.refuse("kpi_measure", kpi=title)
    if frame.per in ("weekday", "hour"):
        frame.refuse("no_per", per=frame.per)
    if by in frame.model.relationships and " / count(" in formula.text:
        # Events and assets are grouped by the same kind of asset.
        by = frame.model.relationships[str(by)].target
    _take_of_kpi(frame, kpi.on)
    days = (pd.Timestamp(whole.stop) - pd.Timestamp(whole.start)).days
    return KpiCall(
        kpi=meanings[0].name, by=by, group=group, groups=groups, per=frame.per, every=f"{days}d", span=whole, order=order,
        top=frame.top or (1 if order else None),
    )  # fmt: skip


def _groups(frame: Frame, on: str) -> tuple[str | None, str | None, list[str] | None]:
    """Return what a KPI is grouped by, the one group that is asked for, or the several."""
    by, group = _group(frame, on)
    if frame.compared and group is None and by is not None:
        group = _own_group(frame, on, by)
    groups = None if group is None else _other_groups(frame, on, by, group)
    return by, None if groups is not None else group, groups


def _whole_days(frame: Frame, kpi: Kpi) -> Span:
    """Return the whole days of the question's span."""
    span = frame.span_of_events(kpi.on) if kpi.on in frame.model.event_types else frame.span
    start, stop = pd.Timestamp(span.start), pd.Timestamp(span.stop)
    if not frame.whens and stop > frame.data.stop:
        # The last day isn't over: with it the KPI could be anything.
        stop = max(stop.floor("1D"), frame.data.stop)
        span = Span(start=span.start, stop=stop.isoformat())
    whole = Span(start=start.floor("1D").isoformat(), stop=stop.ceil("1D").isoformat())
    if whole != span:
        frame.note("whole_days")
    return whole


def _read_target(frame: Frame, kpi: Kpi, title: str) -> None:
    """Use "is the target met"."""
    if not frame.items.take("target"):
        return
    if kpi.target is None:
        frame.refuse("no_target", kpi=title)
    frame.target = True
    while frame.items.take("met", ">", ">=", "and"):
        pass


def _take_of_kpi(frame: Frame, on: str) -> None:
    """Use the words that a KPI says anyway: what it is of, and that it is a mean or a share."""
    while frame.items.take("how_much", "in_total", "on_time", "mean", "share", "sum", "count", "how_long", "delay"):
        pass
    if on in frame.model.relationships:
        frame.take_asset_type(frame.model.relationships[on].source)
    frame.take_asset_type(on)
    for other, found in frame.items.unused("event_type"):
        if any(one.name == on for one in found):
            frame.items.use(other)


def _names_events(frame: Frame, place: int, on: str) -> bool:
    """Return whether the words of a KPI that is a share are the events themselves: "cancelled flights", of which a number is meant."""
    words = frame.items[place].text.casefold().split()
    named = on in frame.model.event_types and any(word.startswith(on.casefold()) for word in words)
    return named and len(words) > 1 and not frame.items.has("share", "best", "worst", "target")


def _other_number(frame: Frame, formula: Formula) -> bool:
    """Return whether the question asks for a number that the KPI isn't: how many, of a share; the mean, of a sum."""
    if formula.unit == "%" or formula.text.startswith(("share(", "time_share(")):
        # "The most cancellations" are a number, too.
        return frame.items.has("count", "how_often", "many")
    added_up = formula.text.startswith(("sum(", "total(", "count("))
    return added_up and frame.items.has("mean", "median", "share")


def _best_or_worst(frame: Frame, target: str | None) -> Literal["highest", "lowest"] | None:
    """Return which end "best" or "worst" is: the target of a KPI says whether more is better."""
    sign = (target or "").strip()[:1]
    named = frame.items.take("best", "worst") if sign in ("<", ">") else None
    if named is None:
        return None
    return "highest" if (named == "best") == (sign == ">") else "lowest"


def _target_of(frame: Frame, on: str, by: str | None) -> str:
    """Return the asset type that a group is of."""
    model = frame.model
    links = dict(model.event_types[on].links) if on in model.event_types else {}
    if by == "asset":
        return on
    return links.get(str(by)) or (model.relationships[str(by)].target if by in model.relationships else "")


def _own_group(frame: Frame, on: str, by: str) -> str | None:
    """Use the first asset of the type that is grouped by: of two that are compared."""
    target = _target_of(frame, on, by)
    for place, found in frame.assets:
        for one in found:
            if one.of == target:
                frame.items.use(place)
                return one.name
    return None


def _other_groups(frame: Frame, on: str, by: str | None, first: str) -> list[str] | None:
    """Return all groups that a KPI is asked for, if there are several: "F01 and F02"."""
    target = _target_of(frame, on, by)
    others = [(place, one) for place, found in frame.assets for one in found if one.of == target and one.name != first]
    if not others:
        return None
    frame.items.use(*(place for place, _ in others))
    frame.items.take("versus")
    return [first, *dict.fromkeys(one.name for _, one in others)]


def _group(frame: Frame, on: str) -> tuple[str | None, str | None]:
    """Return what a KPI is grouped by, and the one group that is asked for."""
    model = frame.model
    links = dict(model.event_types[on].links) if on in model.event_types else {}
    related = {name: link.target for name, link in model.relationships.items() if on in (link.source, name)}
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
