"""Choose the call of a question about assets themselves: how many there are, which, or a fact about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from twinlab.ask.plans.plan import AssetCall, Later, Limit
from twinlab.errors import TwinlabError
from twinlab.model.units import compatible, convert

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.parsing.quantities import Comparison, Quantity
    from twinlab.model.asset_types import AssetType

__all__ = ["asset_call"]

Measure = Literal["count", "list", "mean", "median", "min", "max", "sum"]


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
    where = frame.take_ends(on) | _equal_numbers(frame, on) | _equal_assets(frame, on)
    later = _later(frame, on)
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
    if order is not None and not hint and column is None and by is None and "altitude" in kind.properties:
        # "The highest airport".
        column = "altitude"
        frame.note("ordered", name="altitude")
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
    measure = _measure(frame, counted=counted or by is not None)
    if measure in ("mean", "median", "min", "max", "sum") and (
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
        span=span, during=during if span else None, limits=limits, later=later, by=by, lacking=lacking, known=known, at=frame.at.isoformat(), order=order, top=frame.top or (1 if order and frame.which_type else None),
    )  # fmt: skip


def _measure(frame: Frame, *, counted: bool) -> Measure:
    """Return what is asked of the assets: how many, which, or a statistic."""
    measure: Measure = "count" if counted else "list"
    for symbol, name in (
        ("mean", "mean"),
        ("median", "median"),
        ("maximum", "max"),
        ("minimum", "min"),
        ("sum", "sum"),
    ):
        if frame.items.take(symbol):
            measure = name  # type: ignore[assignment]
    return measure


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


def _equal_assets(frame: Frame, on: str) -> dict[str, str]:
    """Use assets right after a property that is a text: "handed in at Berlin"."""
    found: dict[str, str] = {}
    properties = frame.model.asset_types[on].properties
    for place, meanings in frame.items.unused("property"):
        after = place + 1
        while frame.items.is_symbol(after, "filler", "at", "from", "to"):
            after += 1
        assets = frame.items[after].of_kind("asset") if frame.items.free(after) else []
        names = [one.name for one in meanings if one.of == on and properties[one.name].dtype == "text"]
        if assets and names and names[0] not in found:
            found[names[0]] = assets[0].name
            frame.items.use(place, after)
    return found


def _later(frame: Frame, on: str) -> Later | None:
    """Use a comparison of two times: "delivered after the promised time"."""
    properties = frame.model.asset_types[on].properties
    times = [
        (place, one.name) for place, meanings in frame.items.unused("property") for one in meanings
        if one.of == on and properties[one.name].dtype == "time"
    ]  # fmt: skip
    for place in range(len(frame.items)):
        symbol = frame.items.is_symbol(place, "after", "before")
        before = [one for one in times if one[0] < place]
        after = [one for one in times if one[0] > place]
        if symbol and before and after:
            frame.items.use(before[-1][0], place, after[0][0])
            return Later(column=before[-1][1], sign=">" if symbol == "after" else "<", than=after[0][1])
    return None


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
        if not name:
            name = _by_unit(frame, kind, numbers, comparison)
        if name:
            frame.comparisons.remove(comparison)
            found += [_limit(frame, kind, name, sign, quantity) for sign, quantity in comparison.bounds]
    return found


def _by_unit(frame: Frame, kind: AssetType, numbers: list[str], comparison: Comparison) -> str:
    """Return the only property that has a unit of this kind: "airports above 2000 m"."""
    unit = comparison.bounds[0][1].unit
    units = {name: kind.properties[name].unit for name in numbers}
    fitting = [name for name, one in units.items() if unit and one and compatible(unit, one)]
    if len(fitting) != 1:
        return ""
    frame.note("signal", name=fitting[0])
    return fitting[0]


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
            elif one.name != column:
                continue
            frame.items.use(place)
            break
    return column, during
