"""Choose the call of a question about a condition: a rule, a state, or a signal that is compared with a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from twinlab.ask.parsing.instants import When
from twinlab.ask.parsing.vocabulary import Meaning
from twinlab.ask.plans.plan import EpisodeOrder, FindCall, RuleCall, instant_text
from twinlab.errors import TwinlabError
from twinlab.model.expressions import syntax
from twinlab.model.expressions.parser import parse
from twinlab.model.units import conversion

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.parsing.quantities import Comparison

__all__ = ["condition_call"]

Measure = Literal["list", "count", "duration", "share", "assets", "days"]


def condition_call(frame: Frame) -> FindCall | RuleCall | None:
    """Return a call that finds when something was so; None if the question has no condition."""
    rule = _rule(frame)
    condition = _state(frame) or _too(frame) or _compared(frame)
    if isinstance(condition, str):
        rule, condition = (condition, None) if rule is None else (rule, None)
    if rule is not None and condition is None:
        return _rule_call(frame, rule)
    if condition is None:
        return None
    on, text = condition
    related = frame.take_related(on)
    order = _order(frame)
    measure = _measure(frame, on) if order == "longest" else "assets" if order == "most" else "list"
    frame.take_asset_type(on)
    if order == "longest" and measure != "days" and _is_present(frame):
        # The cell that ends now.
        cadence = min(one.cadence_ns for one in frame.model.asset_types[on].signals.values())
        frame.whens = [When(frame.now - pd.Timedelta(cadence, unit="ns"), frame.now)]
        frame.note("now", time=instant_text(frame.now))
        measure = "assets" if measure in ("list", "count") else measure
    return FindCall(
        on=on,
        condition=text,
        lasting=frame.lasting,
        assets=frame.take_assets(on) or None,
        where=frame.take_values(on),
        related=related,
        span=frame.span,
        measure=measure,
        order=order,
        top=1 if order != "longest" else _top(frame, measure),
    )


def _rule_call(frame: Frame, name: str) -> RuleCall | None:
    on = frame.model.rules[name].on
    if on in frame.model.event_types:
        return None
    related = frame.take_related(on)
    order = _order(frame)
    measure = _measure(frame, on) if order == "longest" else "assets" if order == "most" else "list"
    frame.take_asset_type(on)
    for place, found in frame.items.unused("signal"):
        if any(one.of == on for one in found):
            frame.items.use(place)
    frame.note("rule", name=frame.model.rules[name].title or name)
    return RuleCall(
        rule=name, assets=frame.take_assets(on) or None, related=related, lasting=frame.lasting, span=frame.span, measure=measure, order=order,
        top=1 if order != "longest" else _top(frame, measure),
    )  # fmt: skip


def _is_present(frame: Frame) -> bool:
    """Return whether the question asks how it is now: "which forklifts are charging"."""
    named = frame.items.take("now", "latest") is not None
    return named or (not frame.whens and frame.items.has("present_tense") and frame.lasting is None)


def _top(frame: Frame, measure: Measure) -> int | None:
    order = frame.items.take("highest", "lowest")
    if order == "lowest":
        frame.refuse("lowest_condition")
    return frame.top or (1 if order and measure in ("list", "assets") else None)


def _order(frame: Frame) -> EpisodeOrder:
    """Return whether the first or the last event is asked for."""
    if frame.items.take("most_often"):
        return "most"
    edge = frame.items.take("first", "final")
    return "longest" if edge is None else "first" if edge == "first" else "last"


def _measure(frame: Frame, on: str) -> Measure:
    """Return what is asked of the events; "how often for each forklift" asks it of each asset."""
    if frame.days or (frame.per == "day" and frame.which_per):
        frame.per = None
        frame.items.take("list")
        return "days"
    counted_assets = frame.counted(("asset_type",))
    # "Hours driving", "minutes with the door open".
    hours = frame.items.take("unit h", "unit min", "hours_of") is not None
    if frame.grouped_by(on):
        frame.items.take("how_long", "how_often", "count", "sum", "duration")
        return "assets"
    if frame.items.take("how_often"):
        return "count"
    if frame.items.take("how_long") or hours:
        which = frame.items.take("which") is not None
        frame.items.take("count")
        return "assets" if which or counted_assets else "duration"
    if frame.items.take("share"):
        return "share"
    if frame.items.take("count"):
        frame.items.take("sum", "in_total")
        return "assets" if counted_assets else "count"
    if frame.items.take("sum", "duration") or _time_of(frame):
        return "duration"
    return "assets" if frame.which_type else "list"


def _time_of(frame: Frame) -> bool:
    """Return whether a state is followed by "time": the running time of a compressor."""
    if frame.which_type or frame.items.has("when", "highest"):
        return False
    return any(
        frame.items.is_symbol(place, "time_word") and frame.items[place - 1].of_kind("state") for place in range(1, len(frame.items))
    )  # fmt: skip


def _rule(frame: Frame) -> str | None:
    named = [(place, found) for place, found in frame.items.unused("rule")]
    if not named:
        return None
    place, found = named[0]
    wanted = [one for one in found if one.of in frame.asset_types] or found
    if len(wanted) > 1 or wanted[0].of in frame.model.event_types:
        return None
    frame.items.use(place)
    return wanted[0].name


def _state(frame: Frame) -> tuple[str, str] | None:
    """Return a condition such as ``door == open``."""
    named = {one.name for _, found in frame.signals() for one in found}
    types = set(frame.asset_types) | {one.of for _, found in frame.assets for one in found}
    for place, found in frame.items.unused("state"):
        only_state = not any(one.kind == "symbol" for one in frame.items[place].meanings)
        fitting = [one for one in found if one.within in named or (only_state and (not types or one.of in types))]
        fitting = [one for one in fitting if not types or one.of in types] or fitting
        kinds = {(one.of, one.within, one.name) for one in fitting}
        if len(kinds) != 1:
            continue
        state = fitting[0]
        frame.items.use(place)
        for other, meanings in frame.signals(state.of):
            if any(one.name == state.within for one in meanings):
                frame.items.use(other)
        denied = frame.items.take("not")
        return state.of, f"{state.within} {'!=' if denied else '=='} {state.name}"
    return None


def _too(frame: Frame) -> tuple[str, str] | str | None:
    """Return the rule that says when something is too warm, too high or too fast."""
    for place in range(len(frame.items)):
        symbol = frame.items.is_symbol(place, "too >", "too <", "too > ", "too < ")
        if symbol is None:
            continue
        sign, _, hint = symbol.removeprefix("too ").partition(" ")
        named = next(iter(frame.signals()), None)
        signal = hint or (named[1][0].name if named else "")
        wanted = [name for name, rule in frame.model.rules.items() if _limits(rule.when, signal, sign)]
        types = frame.asset_types or [one.of for _, found in frame.assets for one in found]
        wanted = [name for name in wanted if frame.model.rules[name].on in types] if types else wanted
        if len(wanted) != 1:
            frame.refuse("no_limit", text=frame.items[place].text)
        frame.items.use(place, *([named[0]] if named and not hint else []))
        return wanted[0]
    return None


def _limits(when: str | None, signal: str, sign: str) -> bool:
    """Return whether a rule's condition is that a signal is above, or below, something."""
    node = None if when is None else parse(when)
    if not isinstance(node, syntax.Comparison) or not node.operator.startswith(sign):
        return False
    return isinstance(node.left, syntax.Name) and node.left.name == signal


def _compared(frame: Frame) -> tuple[str, str] | None:
    parts: list[str] = []
    on: str | None = None
    for comparison in [one for one in frame.comparisons if not one.duration]:
        signal = _signal_of(frame, comparison, on)
        if signal is None:
            continue
        on = signal.of
        unit = frame.model.asset_types[on].signals[signal.name].unit
        for sign, quantity in comparison.bounds:
            text = quantity.text
            if quantity.unit is None and unit not in ("1", "unknown"):
                frame.note("unit", number=f"{quantity.number:g}", unit=unit)
            elif quantity.unit == "degree" and unit != "degree":
                frame.note("unit", number=f"{quantity.number:g}", unit=unit)
                text = f"{quantity.number:g}"
            parts.append(f"{signal.name} {sign} {text}")
        frame.comparisons.remove(comparison)
    found = _compared_with_property(frame, on)
    if found is not None:
        on, text = found
        parts.append(text)
    return None if on is None else (on, " and ".join(parts))


def _signal_of(frame: Frame, comparison: Comparison, on: str | None) -> Meaning | None:
    """Return the signal that is compared: the words imply it, it is named before, or its unit is the only one that fits."""
    types = [on] if on else frame.asset_types or list({one.of for _, found in frame.assets for one in found})
    if comparison.hint:
        return None if _is_property(frame, comparison.hint) else _hinted(frame, comparison.hint, types)
    named = [(place, one) for place, found in frame.signals() for one in found if not types or one.of in types]
    kinds = {(one.of, one.name) for _, one in named}
    if len(kinds) > 1:
        before = [(place, one) for place, one in named if place < comparison.place]
        named = before[-1:] if before and len({one.of for _, one in before[-1:]}) == 1 else []
        if len({one.of for place, found in frame.signals() for one in found}) > 1 and not types:
            frame.refuse("which_type", signal=next(iter(kinds))[1])
    if named:
        frame.items.use(named[0][0])
        return named[0][1]
    unit = comparison.bounds[0][1].unit
    if unit is None or _named_property(frame, types):
        return None
    return _by_unit(frame, unit, types)


def _named_property(frame: Frame, types: list[str]) -> bool:
    """Return whether a number of assets is named, which is then what is compared: "a tank larger than 500 litres"."""
    return any(
        one.of in types and frame.model.asset_types[one.of].properties[one.name].dtype in ("number", "integer")
        for _, found in frame.items.unused("property") for one in found if one.of in frame.model.asset_types
    )  # fmt: skip


def _is_property(frame: Frame, name: str) -> bool:
    """Return whether only properties have this name: "heavier than 2 kg" is about assets themselves."""
    kinds = frame.model.asset_types.values()
    return any(name in one.properties for one in kinds) and not any(name in one.signals for one in kinds)


def _hinted(frame: Frame, hint: str, types: list[str]) -> Meaning | None:
    having = [
        kind for kind, spec in frame.model.asset_types.items() if hint in spec.signals and (not types or kind in types)
    ]
    if len(having) != 1:
        frame.refuse("which_type" if having else "no_signal", signal=hint)
    for place, found in frame.signals(having[0]):
        if any(one.name == hint for one in found):
            frame.items.use(place)
    return Meaning("signal", hint, having[0])


def _by_unit(frame: Frame, unit: str, types: list[str]) -> Meaning | None:
    fitting = []
    for kind in types or frame.model.asset_types:
        for name, spec in frame.model.asset_types[kind].signals.items() if kind in frame.model.asset_types else ():
            try:
                conversion("degC" if unit == "degree" else unit, spec.unit)
            except TwinlabError:
                continue
            fitting.append(Meaning("signal", name, kind))
    if unit in ("degree", "degC", "degF"):
        # "Above 30 degrees" is about the temperature, not about the dew point.
        fitting = [one for one in fitting if one.name == "temperature"] or fitting
    if len(fitting) == 1:
        frame.note("signal", name=fitting[0].name)
        return fitting[0]
    return None


def _compared_with_property(frame: Frame, on: str | None) -> tuple[str, str] | None:
    """Return a condition such as ``temperature > upper_limit``: above the upper limit."""
    for place in range(len(frame.items)):
        symbol = frame.items.is_symbol(place, ">", ">=", "<", "<=", "> ", "< ")
        if symbol is None:
            continue
        after = place + 1
        while frame.items.is_symbol(after, "filler"):
            after += 1
        properties = frame.items[after].of_kind("property") if frame.items.free(after) else []
        for one in properties:
            if one.of not in frame.model.asset_types or (on is not None and one.of != on):
                continue
            sign, _, hint = symbol.partition(" ")
            signal = _hinted(frame, hint, [one.of]) if hint else _only_signal(frame, one.of)
            signal = signal or _of_same_unit(frame, one)
            if signal is not None:
                frame.items.use(place, after)
                return one.of, f"{signal.name} {sign} {one.name}"
    return None


def _of_same_unit(frame: Frame, limit: Meaning) -> Meaning | None:
    """Return the only measured signal that has the unit of a property: what is above its limit."""
    kind = frame.model.asset_types[limit.of]
    unit = kind.properties[limit.name].unit
    fitting = [name for name, one in kind.signals.items() if one.kind == "gauge" and unit and one.unit == unit]
    if len(fitting) != 1 or frame.signals(limit.of):
        return None
    frame.note("signal", name=fitting[0])
    return Meaning("signal", fitting[0], limit.of)


def _only_signal(frame: Frame, asset_type: str) -> Meaning | None:
    named = frame.signals(asset_type)
    if len(named) != 1:
        return None
    frame.items.use(named[0][0])
    return next(one for one in named[0][1] if one.of == asset_type)
