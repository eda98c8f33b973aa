"""Choose the call of a question about recorded events: how many, how late, which were cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from twinlab.ask.parsing.frame import FIRST_ENDS, LAST_ENDS
from twinlab.ask.plans.plan import EventCall

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.model.asset_types import EventType

__all__ = ["event_call", "event_type_of"]

Measure = Literal["count", "distinct", "share", "mean", "median", "min", "max", "sum", "list"]
_ABOUT_EVENTS = (
    "late",
    "on_time",
    "early",
    "cancelled",
    "delay",
    "delay_at_start",
    "delay_at_end",
    "at_start",
    "at_end",
)


def event_type_of(frame: Frame) -> str | None:
    """Return the event type that a question is about; None if it is about none."""
    named = list(dict.fromkeys(one.name for _, found in frame.items.unused("event_type") for one in found))
    if named:
        return named[0] if len(named) == 1 else None
    if frame.items.has("busiest") and len(frame.model.event_types) == 1 and not frame.signals():
        return next(iter(frame.model.event_types))
    columns = {
        one.of for _, found in frame.items.unused("property") for one in found if one.of in frame.model.event_types
    }
    if not frame.items.has(*_ABOUT_EVENTS):
        if len(columns) == 1 and not frame.signals():
            return columns.pop()
        linked_by = {one.of for _, found in frame.items.unused("link") for one in found}
        if (
            len(linked_by) == 1
            and not frame.signals()
            and not frame.asset_types
            and frame.items.has("highest", "lowest", "highest ", "lowest ", "distinct")
        ):
            # "Top 5 destinations": the events that have one.
            return linked_by.pop()
        return None
    types = set(frame.asset_types) | {one.of for _, found in frame.assets for one in found}
    of_assets = [name for name, kind in frame.model.event_types.items() if kind.asset in types]
    linked = [name for name, kind in frame.model.event_types.items() if types & set(kind.links.values())]
    fitting = of_assets or linked or list(frame.model.event_types)
    return fitting[0] if len(fitting) == 1 else None


def event_call(frame: Frame) -> EventCall | None:
    """Return a call about recorded events; None if the question isn't about any."""
    on = event_type_of(frame)
    if on is None:
        return None
    kind = frame.model.event_types[on]
    for place, found in frame.items.unused("event_type"):
        if any(one.name == on for one in found):
            frame.items.use(place)
    named_side = about_start = _about_start(frame)
    if about_start is None:
        # The model says by which end an event is late.
        rules = {rule.at for rule in frame.model.rules.values() if rule.on == on and rule.late is not None}
        about_start = True if rules == {"start"} else None
    by = _group(frame, on, kind)
    links = _links(frame, on, about_start=about_start)
    groups = None
    if by is None:
        by, groups = _compared_groups(frame, on, links)
    distinct = by is None and _distinct(frame, on)
    by = distinct or by
    other = _other_comparison(frame, on)
    column = _column(frame, on, kind)
    condition, delay_named = _condition(frame, on, about_start=about_start)
    condition = " and ".join(one for one in (condition, other) if one) or None
    asked = frame.items.has("count", "share", "list", "which", "when")
    column = column or _hinted(frame, kind)
    measure, order = _measure(frame, condition, column or delay_named, grouped=by is not None or frame.per is not None)
    if distinct:
        measure, order, column = "distinct", None, None
    if measure == "share" and condition is None:
        frame.refuse("no_condition")
    if by is not None and frame.per is not None:
        frame.refuse("by_and_per", by=by, per=frame.per)
    if measure == "list" and order is not None and column is None:
        column = delay_named or "duration"
    if column is None and measure not in ("count", "distinct", "share", "list"):
        column = delay_named or "duration"
    if delay_named and measure in ("list", "count") and condition is None and order is None and not asked:
        measure, column = "mean", delay_named
    if frame.per is not None and measure == "list":
        measure = "count"
    at = _window(condition, measure, side=named_side)
    if kind.asset is not None:
        frame.take_asset_type(kind.asset)
    return EventCall(
        on=on, measure=measure, column=column, condition=condition, links=links, where={}, by=by, groups=groups, at=at, per=frame.per,
        span=frame.span_of_events(on), order=order, top=frame.top or (1 if order and (by or frame.per or measure == "list") else None),
    )  # fmt: skip


def _about_start(frame: Frame) -> bool | None:
    """Return whether the question is about beginnings (departures), or ends; None if it says neither."""
    if frame.items.has("delay_at_start") or frame.items.take("at_start"):
        return True
    return False if frame.items.has("delay_at_end") or frame.items.take("at_end") else None


def _group(frame: Frame, on: str, kind: EventType) -> str | None:
    for place, one in frame.take_group():
        if one.kind == "link" and one.of == on:
            frame.items.use(place)
            return one.name
        numeric = one.kind == "property" and one.of == on and kind.properties[one.name].dtype in ("number", "integer")
        if one.kind == "property" and one.of == on and not (numeric and not frame.preceded_by(place, "by")):
            frame.items.use(place)
            return one.name
        if one.kind != "asset_type":
            continue
        links = [name for name, target in kind.links.items() if target == one.name]
        if kind.asset == one.name:
            links.append("asset")
        if links:
            frame.items.use(place)
            to = (
                place > 0 and frame.items[place - 1].symbol("which") and frame.items[place - 2].symbol("to")
                if place > 1
                else None
            )
            chosen = _ending(links) if to else links[0]
            if len(links) > 1:
                frame.note("link", name=chosen, text=frame.items[place].text)
            return chosen
    return None


def _ending(links: list[str]) -> str:
    return next((name for name in links if name in LAST_ENDS), links[-1])


def _links(frame: Frame, on: str, *, about_start: bool | None) -> dict[str, str]:
    """Return the links that an event needs: from Newark, with United, of truck T001."""
    kind = frame.model.event_types[on]
    found: dict[str, str] = {}
    for place, meanings in frame.assets:
        for one in meanings:
            links = [name for name, target in kind.links.items() if target == one.of]
            if kind.asset == one.of:
                links.append("asset")
            links = [name for name in links if name not in found]
            if not links:
                continue
            chosen, sure = links[0], len(links) == 1
            if frame.preceded_by(place, "from"):
                chosen, sure = next((name for name in links if name in FIRST_ENDS), links[0]), True
            elif frame.preceded_by(place, "to"):
                chosen, sure = _ending(links), True
            elif len(links) > 1 and about_start is not None:
                chosen, sure = (links[0], True) if about_start else (_ending(links), True)
            if not sure:
                frame.note("link", name=chosen, text=frame.items[place].text)
            found[chosen] = one.name
            frame.items.use(place)
            frame.take_asset_type(one.of)
            break
    for name in found:
        for place, meanings in frame.items.unused("link"):
            if any(one.name == name and one.of == on for one in meanings):
                frame.items.use(place)
    return found


def _compared_groups(frame: Frame, on: str, links: dict[str, str]) -> tuple[str | None, list[str] | None]:
    """Return the link whose assets are compared, and them: "Delta or JetBlue", "T001 and T002"."""
    kind = frame.model.event_types[on]
    for link, first in list(links.items()):
        target = kind.asset if link == "asset" else kind.links[link]
        others = [
            (place, one) for place, found in frame.assets for one in found if one.of == target and one.name != first
        ]
        if others:
            frame.items.use(*(place for place, _ in others))
            frame.items.take("versus")
            del links[link]
            return link, [first, *dict.fromkeys(one.name for _, one in others)]
    return None, None


def _distinct(frame: Frame, on: str) -> str | None:
    """Use "how many different destinations", and return the link or property."""
    for place in range(len(frame.items) - 1):
        if not frame.items.is_symbol(place, "distinct") or not frame.items.free(place + 1):
            continue
        for one in frame.items[place + 1].of_kind("link", "property"):
            if one.of == on:
                frame.items.use(place, place + 1)
                return one.name
        for one in frame.items[place + 1].of_kind("asset_type"):
            names = [name for name, target in frame.model.event_types[on].links.items() if target == one.name]
            names += ["asset"] if frame.model.event_types[on].asset == one.name else []
            if len(names) == 1:
                frame.items.use(place, place + 1)
                return names[0]
    return None


def _column(frame: Frame, on: str, kind: EventType) -> str | None:
    for place, found in frame.items.unused("property"):
        for one in found:
            if one.of == on and kind.properties[one.name].dtype in ("number", "integer"):
                frame.items.use(place)
                return one.name
    return None


def _hinted(frame: Frame, kind: EventType) -> str | None:
    """Return the number that a word such as "furthest" implies."""
    for place in range(len(frame.items)):
        symbol = frame.items.is_symbol(place, "highest ", "lowest ")
        name = symbol.split()[1] if symbol else ""
        if name in kind.properties and kind.properties[name].dtype in ("number", "integer"):
            return name
    return None


def _condition(frame: Frame, on: str, *, about_start: bool | None) -> tuple[str | None, str | None]:
    """Return a condition on the events, and the delay that is asked for itself."""
    side = "start_delay" if about_start else "end_delay"
    durations = [one for one in frame.comparisons if one.duration]
    if frame.items.take("cancelled"):
        return "cancelled", None
    late, early, on_time = (frame.items.take(name) for name in ("late", "early", "on_time"))
    delay = frame.items.take("delay", "delay_at_start", "delay_at_end")
    if (late or delay) and durations:
        frame.comparisons.remove(durations[0])
        parts = [f"{side} {sign} {quantity.number:g} {quantity.unit}" for sign, quantity in durations[0].bounds]
        return " and ".join(parts), side
    if late or on_time:
        limit = _limit_of_lateness(frame, on, side)
        return (f"{side} > {limit}" if late else f"{side} <= {limit}"), side
    if early:
        return f"{side} < 0 min", side
    if durations and not delay:
        frame.comparisons.remove(durations[0])
        return " and ".join(
            f"duration {sign} {quantity.number:g} {quantity.unit}" for sign, quantity in durations[0].bounds
        ), None
    if frame.lasting is not None:
        number = frame.lasting.rstrip("abcdefghijklmnopqrstuvwxyz")
        return f"duration {'>' if frame.longer else '>='} {number} {frame.lasting[len(number) :]}", None
    return None, (side if delay else None)


def _other_comparison(frame: Frame, on: str) -> str | None:
    """Return a condition on a property: "with a distance above 1000 km"."""
    kind = frame.model.event_types[on]
    for comparison in list(frame.comparisons):
        for place, found in frame.items.unused("property"):
            for one in found:
                if one.of == on and kind.properties[one.name].dtype in ("number", "integer"):
                    frame.items.use(place)
                    frame.comparisons.remove(comparison)
                    return " and ".join(f"{one.name} {sign} {quantity.text}" for sign, quantity in comparison.bounds)
    return None


def _limit_of_lateness(frame: Frame, on: str, side: str) -> str:
    """Return from which delay on an event is late: as the model's rule says, else any."""
    at = side.removesuffix("_delay")
    rules = [rule for rule in frame.model.rules.values() if rule.on == on and rule.late is not None and rule.at == at]
    if len(rules) == 1 and rules[0].late is not None:
        number = rules[0].late.rstrip("abcdefghijklmnopqrstuvwxyz")
        limit = f"{number} {rules[0].late[len(number) :]}"
        frame.note("late_rule", limit=limit, rule=rules[0].title or at)
        return limit
    frame.note("late_any")
    return "0 min"


def _measure(
    frame: Frame, condition: str | None, column: str | None, *, grouped: bool
) -> tuple[Measure, Literal["highest", "lowest"] | None]:
    items = frame.items
    items.take("duration")
    order: Literal["highest", "lowest"] | None = None
    counted = items.take("count") is not None
    share = items.take("share") is not None
    for symbol, name in (
        ("mean", "mean"),
        ("median", "median"),
        ("maximum", "max"),
        ("minimum", "min"),
        ("sum", "sum"),
    ):
        if items.take(symbol):
            order = _order(frame)
            items.take("how_long")
            return name, order  # type: ignore[return-value]
    if items.take("how_long"):
        return "mean", _order(frame)
    order = _order(frame)
    if share:
        return "share", order
    if counted:
        return "count", order
    if items.has("which", "list", "when") and order is None:
        return "list", None
    if order is not None and not grouped:
        return "list", order
    if order is not None and column is not None and condition is None:
        return "mean", order
    return "count", order


def _order(frame: Frame) -> Literal["highest", "lowest"] | None:
    found = frame.items.take("highest", "lowest", "highest ", "lowest ")
    return None if found is None else ("highest" if found.startswith("highest") else "lowest")


def _window(condition: str | None, measure: str, *, side: bool | None) -> Literal["planned_start", "start", "end"]:
    """Return which time of an event has to be in the span: "how many departed" are those that did, all else counts by plan."""
    if side is None or condition is not None or measure not in ("count", "list"):
        return "planned_start"
    return "start" if side else "end"
