"""Choose the condition on recorded events: late, cancelled, on time, of a length, with a number of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twinlab.model.units import compatible

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.parsing.quantities import Comparison

__all__ = [
    "as_condition",
    "column_of_unit",
    "event_condition",
    "events_of",
    "late_condition",
    "number_of",
    "other_comparison",
]

#: A limit of delay in a KPI's formula.
_ON_TIME = re.compile(r"(start_delay|end_delay) <= ([0-9.]+) ?(\w+)")


def event_condition(frame: Frame, on: str, *, about_start: bool | None, named: bool) -> tuple[str | None, str | None]:
    """Return a condition on the events, and the delay that is asked for itself."""
    side = _delay_of(frame, on, about_start=about_start, named=named)
    durations = [one for one in frame.comparisons if one.duration]
    called_off = _called_off(frame, on)
    if called_off is not None:
        return called_off, None
    late, early, on_time = (frame.items.take(name) for name in ("late", "early", "on_time"))
    delay = frame.items.take("delay", "delay_at_start", "delay_at_end")
    if (late or delay) and durations:
        frame.comparisons.remove(durations[0])
        if not named:
            frame.note("side", column=side)
        parts = [f"{side} {sign} {quantity.number:g} {quantity.unit}" for sign, quantity in durations[0].bounds]
        return " and ".join(parts), side
    if (late or on_time) and frame.items.take("not"):
        late, on_time = on_time, late
    side = "start_delay" if about_start else "end_delay"
    if late or on_time:
        limit = (_limit_of_kpi(frame, on, side) if on_time else None) or _limit_of_lateness(frame, on, side)
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


def _called_off(frame: Frame, on: str) -> str | None:
    if frame.items.take("cancelled", "fell"):
        return "not cancelled" if frame.items.take("not") else "cancelled"
    if frame.model.event_types[on].without_start == "cancelled" and _never_left(frame):
        return "cancelled"
    return None


def late_condition(frame: Frame, on: str, *, about_start: bool | None) -> str:
    """Return the condition that an event is late."""
    side = "start_delay" if about_start else "end_delay"
    return f"{side} > {_limit_of_lateness(frame, on, side)}"


def _delay_of(frame: Frame, on: str, *, about_start: bool | None, named: bool) -> str:
    """Return the delay that is asked about: that which the source recorded, if it did and the question says of which end."""
    if not named:
        return "start_delay" if about_start else "end_delay"
    wanted = ("departure_delay", "start_delay") if about_start else ("arrival_delay", "end_delay")
    properties = frame.model.event_types[on].properties
    return next((name for name in wanted if name in properties and properties[name].unit), wanted[-1])


def other_comparison(frame: Frame, on: str) -> str | None:
    """Return a condition on a property: "with a distance above 1000 km"."""
    kind = frame.model.event_types[on]
    for comparison in list(frame.comparisons):
        for place, found in frame.items.unused("property"):
            for one in found:
                if one.of == on and kind.properties[one.name].dtype in ("number", "integer"):
                    frame.items.use(place)
                    frame.comparisons.remove(comparison)
                    return " and ".join(f"{one.name} {sign} {quantity.text}" for sign, quantity in comparison.bounds)
        name = _by_unit(frame, on, comparison)
        if name is not None:
            frame.comparisons.remove(comparison)
            return " and ".join(f"{name} {sign} {quantity.text}" for sign, quantity in comparison.bounds)
    return None


def _by_unit(frame: Frame, on: str, comparison: Comparison) -> str | None:
    """Return the only number of the events that has a unit of this kind: "longer than 4000 km"."""
    unit = comparison.bounds[0][1].unit
    if unit is None or comparison.duration or comparison.hint:
        return None
    return column_of_unit(frame, on, unit)


def column_of_unit(frame: Frame, on: str, unit: str) -> str | None:
    """Return the only number of the events that can be said in a unit."""
    if unit == "degree":
        return None
    units = {name: one.unit for name, one in frame.model.event_types[on].properties.items() if one.unit}
    fitting = [name for name, one in units.items() if compatible(unit, one)]
    if len(fitting) != 1:
        return None
    frame.note("signal", name=fitting[0])
    return fitting[0]


def _never_left(frame: Frame) -> bool:
    """Use "never left": the beginning that there wasn't."""
    items = frame.items
    for place in range(len(items)):
        if not items.is_symbol(place, "not"):
            continue
        after = place + 1
        while items.is_symbol(after, "filler"):
            after += 1
        begun = after < len(items) and items[after].symbol("at_start")
        flown = after < len(items) and items[after].of_kind("event_type")
        if begun or flown:
            items.use(place, after)
            return True
    return False


def _limit_of_kpi(frame: Frame, on: str, side: str) -> str | None:
    """Return up to which delay an event is on time, as the one KPI for it says."""
    found = []
    for kpi in frame.model.kpis.values():
        formula = kpi.bound(frame.model).text if kpi.on == on and kpi.unit in ("%", None) else ""
        read = _ON_TIME.search(formula)
        if read is not None and read[1] == side:
            found.append((f"{read[2]} {read[3]}", kpi))
    if len(found) != 1:
        return None
    limit, kpi = found[0]
    frame.note("on_time", limit=limit, kpi=kpi.title or side)
    return limit


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


def as_condition(links: dict[str, str], where: dict[str, str]) -> tuple[str | None, dict[str, str], dict[str, str]]:
    """Return the condition that an event has a link or a value: of "the share of flights from Newark", all flights are the base."""
    pairs = [*links.items(), *where.items()]
    if len(pairs) != 1 or "'" in pairs[0][1]:
        return None, links, where
    name, value = pairs[0]
    return f"{name} == '{value}'", {}, {}


def events_of(frame: Frame, on: str) -> list[str] | None:
    """Use an id right after the events: "trip TR00021"."""
    for place in range(1, len(frame.items)):
        item = frame.items[place]
        after_events = any(one.name == on for one in frame.items[place - 1].of_kind("event_type"))
        unknown = after_events and frame.items.free(place) and all(one.kind == "value" for one in item.meanings)
        if unknown and frame.is_event is not None and frame.is_event(on, item.text):
            frame.items.use(place)
            return [item.text]
    return None


def number_of(frame: Frame, on: str) -> dict[str, str]:
    """Use a number right after the events: "flight 1545" has it as its number."""
    properties = frame.model.event_types[on].properties
    if "number" not in properties:
        return {}
    for place in range(1, len(frame.items)):
        item = frame.items[place]
        after_events = any(one.name == on for one in frame.items[place - 1].of_kind("event_type"))
        if after_events and frame.items.free(place) and item.kind == "number" and item.text.isdigit():
            frame.items.use(place)
            return {"number": item.text}
    return {}
