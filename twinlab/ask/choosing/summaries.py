"""Choose the call of a question about a signal: its mean, least, greatest, latest value or increase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from twinlab.ask.plans.plan import Span, SummaryCall

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.model.signal import Signal

__all__ = ["summary_call"]

Statistic = Literal["mean", "median", "min", "max", "range", "latest", "increase", "sum"]
#: Units of gauges whose values add up: each is an amount of its own time.
_AMOUNTS = ("mm", "kWh", "Wh", "MWh")
_HOUR_NS = 3_600_000_000_000
#: Signals of which each value is what fell since the one before: without another word their sum is meant, not their mean.
_FALLEN = ("precipitation", "rain", "rainfall", "snowfall")


def summary_call(frame: Frame) -> SummaryCall | None:
    """Return a call about a signal; None if the question names none."""
    found = _signal(frame)
    if found is None:
        return None
    on, signal = found
    spec = frame.model.asset_types[on].signals[signal]
    statistic, order = _statistic(frame, spec.kind, adds_up=_adds_up(signal, spec))
    if statistic in ("mean", "median") and spec.kind == "counter":
        frame.refuse("counter_mean", signal=spec.title or signal)
    if statistic == "range" and signal in _FALLEN and (not frame.whens or frame.whens[0].whole):
        statistic = "sum"
    per = frame.per
    if per in ("weekday", "hour"):
        frame.refuse("no_per", per=per)
    if frame.days:
        return None
    if order is not None and spec.cadence_ns == _HOUR_NS:
        # "The coldest hour": of values that are hourly.
        frame.items.take("unit h")
    if spec.kind == "state" and (per is not None or statistic in ("mean", "median")):
        return None
    if per is not None:
        statistic, order = _of_windows(frame, signal, statistic, order)
    if statistic == "sum" and not _adds_up(signal, spec):
        frame.refuse("no_sum", signal=spec.title or signal)
    related = frame.take_related(on)
    _take_group(frame, on)
    span = (
        frame.span
        if frame.whens or statistic != "latest"
        else Span(start=frame.data.start.isoformat(), stop=frame.now.isoformat())
    )
    if frame.whens and not frame.whens[0].whole and statistic == "range":
        statistic = "latest"
        # What was known at the instant.
        span = Span(start=frame.data.start.isoformat(), stop=frame.whens[0].stop.isoformat())
    which = frame.which_type
    frame.take_asset_type(on)
    return SummaryCall(
        on=on, signal=signal, statistic=statistic, assets=frame.take_assets(on) or None, where=frame.take_values(on), related=related,
        span=span, order=order, top=frame.top or (1 if order and (which or per) else None), per=per,
    )  # fmt: skip


def _adds_up(name: str, spec: Signal) -> bool:
    """Return whether the sum of a signal's values says something: the rain of each hour does, the fuel in a tank doesn't."""
    return name in _FALLEN or spec.combine == "sum" or spec.unit in _AMOUNTS


def _signal(frame: Frame) -> tuple[str, str] | None:
    types = frame.asset_types or list(dict.fromkeys(one.of for _, found in frame.assets for one in found))
    named = frame.signals()
    if not named:
        return _implied(frame, types)
    meanings = named[0][1]
    fitting = [one for one in meanings if one.of in types]
    if not fitting:
        # "The wind at Hamburg": the asset decides; without one a signal that only one type has.
        linked = [one for one in meanings if any(_links(frame, one.of, kind) for kind in types)]
        fitting = linked or meanings
    kinds = {one.of for one in fitting}
    if len(kinds) > 1:
        frame.refuse("which_type", signal=fitting[0].name, types=", ".join(sorted(kinds)))
    for other, found in frame.signals(fitting[0].of):
        if any(one.name == fitting[0].name for one in found):
            frame.items.use(other)
    return fitting[0].of, fitting[0].name


def _links(frame: Frame, source: str, target: str) -> bool:
    return any(link.source == source and link.target == target for link in frame.model.relationships.values())


def _implied(frame: Frame, types: list[str]) -> tuple[str, str] | None:
    """Return the signal of a word such as "warmest"."""
    for place in range(len(frame.items)):
        symbol = frame.items.is_symbol(place, "highest ", "lowest ", "hint ")
        if symbol is None:
            continue
        hint = symbol.split()[1]
        if symbol.startswith("hint "):
            frame.items.use(place)
        having = [kind for kind, spec in frame.model.asset_types.items() if hint in spec.signals]
        if not having and any(hint in kind.properties for kind in frame.model.asset_types.values()):
            continue
        having = [kind for kind in having if kind in types] or having
        if len(having) != 1:
            frame.refuse("which_type" if having else "no_signal", signal=hint)
        return having[0], hint
    return None


def _statistic(frame: Frame, kind: str, *, adds_up: bool) -> tuple[Statistic, Literal["highest", "lowest"] | None]:
    items = frame.items
    order = items.take("highest", "lowest", "highest ", "lowest ")
    direction = None if order is None else order.split()[0]
    for symbol, name in (
        ("range", "range"),
        ("latest", "latest"),
        ("now", "latest"),
        ("mean", "mean"),
        ("median", "median"),
        ("maximum", "max"),
        ("minimum", "min"),
    ):
        if items.take(symbol):
            items.take("how_much")
            return name, direction  # type: ignore[return-value]
    if kind == "counter":
        while items.take("sum", "increase", "how_long", "how_much", "count", "in_total"):
            pass
        return "increase", direction  # type: ignore[return-value]
    # "The most rain" is the greatest sum.
    if items.take("sum") or (adds_up and (items.take("how_much", "in_total") or direction is not None)):
        return "sum", direction  # type: ignore[return-value]
    if frame.compared and kind == "gauge":
        if not adds_up:
            frame.note("mean")
        return ("sum" if adds_up else "mean"), direction  # type: ignore[return-value]
    if items.take("how_much") and not frame.whens and direction is None:
        return "latest", None
    if direction is not None:
        return ("max" if direction == "highest" else "min"), direction  # type: ignore[return-value]
    if kind == "state":
        return "latest", None
    return "range", None


def _of_windows(
    frame: Frame, signal: str, statistic: Statistic, order: Literal["highest", "lowest"] | None
) -> tuple[Statistic, Literal["highest", "lowest"] | None]:
    """Return the statistic of each window: "lowest per day" is the least of each, "the coldest month" has the least mean."""
    if signal in _FALLEN and statistic in ("range", "max", "min", "latest"):
        statistic = "sum" if frame.which_per or statistic == "range" else statistic
    if statistic == "latest":
        statistic = "range"
    if not frame.which_per:
        return statistic, None
    if order is not None and statistic in ("max", "min") and frame.per != "day":
        statistic = "mean"
    if order is not None:
        frame.note("per", statistic=statistic)
    return statistic, order


def _take_group(frame: Frame, on: str) -> None:
    """Use "by cold room" and "per truck": a summary always has each asset."""
    for place in range(len(frame.items)):
        if frame.items.is_symbol(place, "by"):
            after = place + 1
            if frame.items.free(after) and any(one.name == on for one in frame.items[after].of_kind("asset_type")):
                frame.items.use(place, after)
