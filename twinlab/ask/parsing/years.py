"""Read years that are values of a property: "built before 1970", "built between 1990 and 1995"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twinlab.ask.parsing.quantities import Comparison, Quantity

if TYPE_CHECKING:
    from twinlab.ask.parsing.items import Items
    from twinlab.model.twinmodel import TwinModel

__all__ = ["is_year", "read_years"]

_SIGNS = {"before": "<", "after": ">", "since": ">=", "until": "<=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_YEAR = re.compile(r"(?:1[89]|20)\d\d")


def is_year(name: str, title: str | None) -> bool:
    """Return whether a property is a year, by its title or its name.

    >>> is_year("built", "Year of manufacture"), is_year("seats", None)
    (True, False)
    """
    return name in ("built", "year") or "year" in (title or name).casefold().split()


def read_years(items: Items, model: TwinModel) -> list[Comparison]:
    """Read and use the years that a property is compared with; an equal one is from the year to the year."""
    named = [
        (place, one.name)
        for place, found in items.unused("property") for one in found
        if one.of in model.asset_types
        and model.asset_types[one.of].properties[one.name].dtype in ("number", "integer")
        and is_year(one.name, model.asset_types[one.of].properties[one.name].title)
    ]  # fmt: skip
    if not named:
        return []
    for place in range(len(items)):
        if not _is_year(items, place):
            continue
        before = place - 1
        while items.is_symbol(before, "filler", "this_year", "unit year"):
            before -= 1
        low = int(items[place].text)
        sign = items.is_symbol(before, *_SIGNS)
        until = _until(items, place) if items.is_symbol(before, "between", "from") else None
        if until is not None:
            bounds = [(">=", low), ("<=", int(items[until].text))]
            items.use(before, *range(place, until + 1))
        elif sign is not None:
            bounds = [(_SIGNS[sign], low)]
            items.use(before, place)
        else:
            bounds = [(">=", low), ("<=", low)]
            items.use(place)
        items.use(named[0][0])
        return [Comparison(tuple((one, Quantity(float(year))) for one, year in bounds), named[0][1], place)]
    return []


def _is_year(items: Items, place: int) -> bool:
    return items.free(place) and items[place].kind == "number" and _YEAR.fullmatch(items[place].text) is not None


def _until(items: Items, place: int) -> int | None:
    """Return the place of a second year: "between 1990 and 1995"."""
    if items.is_symbol(place + 1, "and", "to", "until") and _is_year(items, place + 2):
        return place + 2
    return None
