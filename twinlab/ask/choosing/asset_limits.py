"""Choose the limits of an asset's properties: heavier than 10 kg, with 2 engines, handed in at Berlin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.ask.plans.plan import Limit
from twinlab.errors import TwinlabError
from twinlab.model.units import compatible, convert

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.parsing.quantities import Comparison, Quantity
    from twinlab.model.asset_types import AssetType

__all__ = ["equal_assets", "equal_numbers", "limits_of"]


def limits_of(frame: Frame, on: str) -> list[Limit]:
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


def equal_numbers(frame: Frame, on: str) -> dict[str, str]:
    """Use numbers right before a property: "aircraft with 2 engines"."""
    found: dict[str, str] = {}
    for place in range(len(frame.items) - 1):
        if not frame.items.free(place) or not frame.items.free(place + 1):
            continue
        word = frame.items.is_symbol(place, "number ")
        text = frame.items[place].text if frame.items[place].kind == "number" else word.split()[1] if word else ""
        if not text:
            continue
        for one in frame.items[place + 1].of_kind("property"):
            if one.of == on and frame.model.asset_types[on].properties[one.name].dtype in ("number", "integer"):
                found[one.name] = text
                frame.items.use(place, place + 1)
                break
    return found


def equal_assets(frame: Frame, on: str) -> dict[str, str]:
    """Use assets right after a property that is a text: "handed in at Berlin"."""
    found: dict[str, str] = {}
    properties = frame.model.asset_types[on].properties
    for place, meanings in frame.items.unused("property"):
        after = place + 1
        while frame.items.is_symbol(after, "filler", "at", "from", "to"):
            after += 1
        assets = frame.items[after].of_kind("asset") if frame.items.free(after) else []
        names = [one.name for one in meanings if one.of == on and properties[one.name].dtype == "text"]
        if assets and names and names[0] not in found and assets[0].of != on:
            found[names[0]] = assets[0].name
            frame.items.use(place, after)
    return found
